//! The documents of the repository: checks that each link leads somewhere, makes a book of them, and prints the notes of a release.

mod book;
mod changelog;
mod markdown;
mod promises;

use std::{
    collections::HashMap,
    fs,
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result, bail};
pub(crate) use book::run as book;
pub(crate) use changelog::print_section as release_notes;

use crate::{sizes, workspace};

const SUMMARY: &str = "docs/SUMMARY.md";
/// The pages outside `docs`.
const AT_THE_ROOT: [&str; 4] = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

/// Checks that every link between documents, and from a document to a file or a heading, leads somewhere, that the book has every page, and
/// that every promise of `docs/security.md` names a test that exists.
///
/// # Errors
/// Names all links that lead nowhere, all pages that the book lacks, and all promises without a test.
pub(crate) fn check() -> Result<()> {
    let pages = pages()?;
    let texts = pages
        .iter()
        .map(|page| Ok((page.clone(), fs::read_to_string(workspace::root().join(page))?)))
        .collect::<Result<HashMap<_, _>>>()?;
    let exists = |path: &Path| workspace::root().join(path).exists();
    let mut faults = Vec::new();
    for page in &pages {
        faults.extend(faults_in(page, &texts, exists));
    }
    let summary = texts.get(Path::new(SUMMARY)).context("docs/SUMMARY.md is missing")?;
    let listed: Vec<_> =
        markdown::links(summary).iter().filter_map(|link| target(Path::new(SUMMARY), link.target)).collect();
    let missing = pages.iter().filter(|page| *page != Path::new(SUMMARY) && !listed.contains(*page));
    faults.extend(missing.map(|page| format!("{SUMMARY} does not list {}", page.display())));
    let promises = texts.get(Path::new(promises::PAGE)).context("docs/security.md is missing")?;
    faults.extend(promises::faults(promises, |path| fs::read_to_string(workspace::root().join(path)).ok()));
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    println!("{} documents, and every link in them leads somewhere", pages.len());
    Ok(())
}

/// All documents, as paths from the root.
fn pages() -> Result<Vec<PathBuf>> {
    let mut pages: Vec<_> = AT_THE_ROOT.into_iter().map(PathBuf::from).collect();
    for file in sizes::files(&workspace::root().join("docs"))? {
        if file.extension().is_some_and(|end| end == "md") {
            pages.push(file.strip_prefix(workspace::root())?.to_owned());
        }
    }
    Ok(pages)
}

fn faults_in(page: &Path, texts: &HashMap<PathBuf, String>, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let Some(text) = texts.get(page) else { return Vec::new() };
    let mut faults = Vec::new();
    for link in markdown::links(text) {
        let place = || format!("{}:{}: {}", page.display(), link.line, link.target);
        let Some(path) = target(page, link.target) else { continue };
        if !exists(&path) {
            faults.push(format!("{} leads to no file", place()));
            continue;
        }
        let heading = link.target.split_once('#').map(|(_, heading)| heading);
        let Some((heading, text)) = heading.zip(texts.get(&path)) else { continue };
        if !markdown::anchors(text).iter().any(|anchor| anchor == heading) {
            faults.push(format!("{} leads to no heading", place()));
        }
    }
    faults
}

/// The file that a link on `page` leads to, from the root; `None` for an address elsewhere.
fn target(page: &Path, link: &str) -> Option<PathBuf> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let path = link.split(['#', '?']).next().unwrap_or_default();
    if path.is_empty() {
        return Some(page.to_owned());
    }
    let mut found = PathBuf::new();
    for part in page.parent()?.join(path).components() {
        match part {
            Component::ParentDir => {
                found.pop();
            }
            Component::Normal(name) => found.push(name),
            _ => {}
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_missing_file_or_heading_is_a_fault_with_its_line() {
        let texts = [
            ("README.md", "# A\n[b](docs/b.md#the-end) [c](docs/c.md)\n[d](docs/b.md#start) <https://x.org>"),
            ("docs/b.md", "## The end\n[a](../README.md#a) [here](#nowhere) ![p](p.png)"),
        ];
        let texts = texts.map(|(page, text)| (PathBuf::from(page), text.to_owned())).into();
        let exists = |path: &Path| [Path::new("README.md"), Path::new("docs/b.md")].contains(&path);
        assert_eq!(
            faults_in(Path::new("README.md"), &texts, exists),
            ["README.md:2: docs/c.md leads to no file", "README.md:3: docs/b.md#start leads to no heading"]
        );
        assert_eq!(
            faults_in(Path::new("docs/b.md"), &texts, exists),
            ["docs/b.md:2: #nowhere leads to no heading", "docs/b.md:2: p.png leads to no file"]
        );
    }
}
