//! Prepares a built client for a static host: under a path, and with the address of its server in a file.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::policy::with_policy;

const CONFIG_FILE: &str = "config.js";

/// Moves the client in `dist`, built for the root of its host, to the path `public_url`, writes a policy into its page, and
/// writes `config.js`.
///
/// Only `index.html` names other files by an absolute path. The file beside it is a script rather than JSON so that it is
/// there before the client starts, loaded beside it and not after it; a client that is served by its own server has none.
///
/// # Errors
/// Where `dist` is not a built client or cannot be written.
pub(crate) fn place(dist: &Path, public_url: &str, signalling_server: &str) -> Result<()> {
    let index = dist.join("index.html");
    let html = fs::read_to_string(&index).context("no dist/index.html")?;
    fs::write(index, with_policy(&placed(&html, public_url))).context("cannot write dist/index.html")?;
    fs::write(dist.join(CONFIG_FILE), config(signalling_server)).context("cannot write dist/config.js")
}

fn placed(html: &str, public_url: &str) -> String {
    let moved = html.replace("=\"/", &format!("=\"{public_url}")).replace("'/", &format!("'{public_url}"));
    // Deferred scripts and modules run in document order.
    let config =
        format!("<script defer src=\"{public_url}{CONFIG_FILE}\"></script>\n<script type=\"module\"");
    moved.replacen("<script type=\"module\"", &config, 1)
}

fn config(signalling_server: &str) -> String {
    format!(
        "// The server that has the rooms, as in \"wss://calls.example.org\"; run it with --allow-origin and this page's origin.\n\
         // Empty: the server that this page comes from.\n\
         window.sightlineServer = \"{signalling_server}\";\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_in_the_page_is_rewritten_and_the_settings_come_first() {
        let html = "<base href=\"/\" /><link href=\"/a.css\"><script type=\"module\">\nimport init from '/b.js';</script>";
        let expected = "<base href=\"/x/\" /><link href=\"/x/a.css\"><script defer src=\"/x/config.js\"></script>\n\
                        <script type=\"module\">\nimport init from '/x/b.js';</script>";
        assert_eq!(placed(html, "/x/"), expected);
    }
}
