//! The client in the server: the list of its files as a Rust expression, which the server's `main.rs` includes.

use std::{
    fmt::Write,
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};

use crate::{build, sizes, workspace};

/// Writes the list of the files in `dist` to `list`, with paths from its folder if they are below it. An unchanged client leaves the list as
/// it is, so nothing is compiled again.
///
/// # Errors
/// Where `dist` cannot be read or the list not written.
pub(crate) fn write_list(dist: &Path, list: &Path) -> Result<()> {
    let mut files = Vec::new();
    let mut built = UNIX_EPOCH;
    for file in sizes::files(dist)? {
        built = built.max(fs::metadata(&file)?.modified()?);
        let name = file.strip_prefix(dist)?.to_str().context("a file name that is no text")?;
        let name = name.replace(std::path::MAIN_SEPARATOR, "/");
        let path = list.parent().and_then(|folder| file.strip_prefix(folder).ok()).unwrap_or(&file);
        files.push((name, path.to_str().context("a path that is no text")?.to_owned()));
    }
    let text = expression(built, files);
    if fs::read_to_string(list).ok().as_ref() != Some(&text) {
        fs::write(list, text)?;
    }
    Ok(())
}

/// Builds the client into the folder of the server's package, so that cargo installs and publishes the server with it, and copies the texts
/// into the package of the native peer.
///
/// # Errors
/// Where the client cannot be built or copied.
pub(crate) fn package() -> Result<()> {
    build::run(&build::Options::release())?;
    let folder = workspace::root().join("crates/server/client");
    let (files, list) = (folder.join("files"), folder.join("embedded.rs"));
    // Without its list the client does not count, so an interrupted copy is no client.
    if list.exists() {
        fs::remove_file(&list)?;
    }
    if files.exists() {
        fs::remove_dir_all(&files)?;
    }
    workspace::copy_folder(&workspace::dist_dir(), &files)?;
    write_list(&files, &list)?;
    let texts = workspace::root().join("crates/cli/locales");
    fs::create_dir_all(&texts)?;
    fs::copy(workspace::root().join("locales/en.json"), texts.join("en.json"))?;
    println!(
        "\nThe package of the server has the client now, and that of the native peer its texts. Next:\n  \
         cargo install --locked --path crates/server\n  \
         cargo publish --workspace"
    );
    Ok(())
}

/// `Some(EmbeddedClient { ... })` for pairs of a name and the path of the file.
fn expression(built: SystemTime, mut files: Vec<(String, String)>) -> String {
    files.sort();
    let built_unix_s = built.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let mut text = format!("Some(EmbeddedClient {{\n    built_unix_s: {built_unix_s},\n    files: &[\n");
    for (name, path) in files {
        // Writing to a string does not fail.
        let _ = writeln!(text, "        ({name:?}, include_bytes!({path:?})),");
    }
    text.push_str("    ],\n})\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_the_files_in_the_order_of_their_names() {
        let files = [("index.html", "/x/index.html"), ("b-1.js", "C:\\x\\b-1.js")];
        let files = files.map(|(name, path)| (name.to_owned(), path.to_owned())).to_vec();
        assert_eq!(
            expression(UNIX_EPOCH + Duration::from_secs(7), files),
            r#"Some(EmbeddedClient {
    built_unix_s: 7,
    files: &[
        ("b-1.js", include_bytes!("C:\\x\\b-1.js")),
        ("index.html", include_bytes!("/x/index.html")),
    ],
})
"#
        );
    }
}
