//! The notes of a release: its section of the changelog.

use std::fs;

use anyhow::{Context, Result};

use crate::workspace;

/// Prints the section of a version.
///
/// # Errors
/// If the changelog has no section of this version.
pub(crate) fn print_section(version: &str) -> Result<()> {
    let changelog = fs::read_to_string(workspace::root().join("CHANGELOG.md"))?;
    println!(
        "{}",
        section(&changelog, version).with_context(|| format!("CHANGELOG.md has no section of {version}"))?
    );
    Ok(())
}

/// The text below `## <version> ...`. A tag has a `v` before the version.
fn section<'a>(changelog: &'a str, version: &str) -> Option<&'a str> {
    let version = version.trim_start_matches('v');
    let (_, after) = changelog.split_once(&format!("\n## {version} "))?;
    let (_, content) = after.split_once('\n')?;
    Some(content.split("\n## ").next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_where_the_next_version_begins() {
        let changelog =
            "# Changelog\n\n## 0.2.0 (unreleased)\n\n### Added\n\n- a\n\n## 0.1.0 (2026)\n\nfirst\n";
        assert_eq!(section(changelog, "v0.2.0"), Some("### Added\n\n- a"));
        assert_eq!(section(changelog, "0.1.0"), Some("first"));
        assert_eq!(section(changelog, "0.1"), None);
    }

    #[test]
    fn the_changelog_has_a_section_of_the_version_in_the_works() {
        let changelog = include_str!("../../../../CHANGELOG.md");
        assert!(section(changelog, "0.2.0").is_some_and(|notes| notes.contains("### Added")));
    }
}
