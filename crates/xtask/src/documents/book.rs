//! The documents as a book: copies of the pages for mdbook, with links to other files of the repository made absolute.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{SUMMARY, markdown, pages, target};
use crate::{process, tools, workspace};

const REPOSITORY: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// Builds the book into `target/book/book`.
///
/// # Errors
/// Where a page cannot be read, or mdbook is missing, cannot be installed or fails.
pub(crate) fn run() -> Result<()> {
    let book = workspace::target_dir().join("book");
    let source = book.join("src");
    if source.exists() {
        fs::remove_dir_all(&source)?;
    }
    let pages = pages()?;
    for page in &pages {
        let text = fs::read_to_string(workspace::root().join(page))?;
        // mdbook wants the summary beside the first page.
        let copy = source.join(if page == Path::new(SUMMARY) { Path::new("SUMMARY.md") } else { page });
        fs::create_dir_all(copy.parent().context("a page without a folder")?)?;
        fs::write(copy, for_book(page, &text, &pages))?;
    }
    workspace::copy_folder(&workspace::root().join("docs/screenshots"), &source.join("docs/screenshots"))?;
    fs::copy(workspace::root().join("docs/book.toml"), book.join("book.toml"))?;
    process::run(process::command(tools::mdbook()?).arg("build").arg(&book))?;
    println!("{}", book.join("book/index.html").display());
    Ok(())
}

/// The page with links that lead from its place in the book to other pages of the book, or to the repository.
fn for_book(page: &Path, text: &str, pages: &[PathBuf]) -> String {
    let mut changed = String::with_capacity(text.len());
    let mut end = 0;
    for link in markdown::links(text) {
        let Some(path) = target(page, link.target) else { continue };
        let in_book = pages.contains(&path) || path.starts_with("docs/screenshots");
        let from_root = path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
        let new = match (in_book, page == Path::new(SUMMARY)) {
            (false, _) => format!("{REPOSITORY}{from_root}"),
            (true, true) => from_root,
            (true, false) => continue,
        };
        changed.push_str(&text[end..link.start]);
        changed.push_str(&new);
        end = link.start + link.target.len();
    }
    changed.push_str(&text[end..]);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_out_of_the_book_lead_to_the_repository_and_those_of_the_summary_start_at_the_root() {
        let pages = ["README.md", "docs/a.md", SUMMARY].map(PathBuf::from);
        let text = "[r](../README.md) [code](../src/main.rs) [b](https://b.org) ![p](screenshots/x.png)";
        assert_eq!(
            for_book(Path::new("docs/a.md"), text, &pages),
            format!(
                "[r](../README.md) [code]({REPOSITORY}src/main.rs) [b](https://b.org) ![p](screenshots/x.png)"
            )
        );
        assert_eq!(
            for_book(Path::new(SUMMARY), "- [r](../README.md)\n- [a](a.md)\n", &pages),
            "- [r](README.md)\n- [a](docs/a.md)\n"
        );
    }
}
