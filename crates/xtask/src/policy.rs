//! What a page on a static host may do (Content Security Policy Level 3, in a `<meta>` element): such a host sends no header
//! of ours.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

/// As the server's own (`crates/server/src/files/policy.rs`), but for two things: the rooms' server may be elsewhere and stands
/// in a file that is changed without a build, and who may frame a page can only be said in a header.
const WITHOUT_SCRIPTS: &str = "style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; \
    font-src 'self'; connect-src 'self' ws: wss: http: https:; worker-src 'self' blob:; manifest-src 'self'; \
    form-action 'self'; base-uri 'self'";

/// The page with its policy in it, before anything that the policy concerns.
pub(crate) fn with_policy(html: &str) -> String {
    let hashes: String = inline_scripts(html).map(|script| format!(" 'sha256-{}'", sha256(script))).collect();
    let policy =
        format!("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; {WITHOUT_SCRIPTS}");
    let meta = format!("<head>\n    <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\" />");
    html.replacen("<head>", &meta, 1)
}

/// The text of each `<script>` that has no `src`.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script")?;
        (!attributes.contains("src=")).then_some(script)
    })
}

fn sha256(script: &str) -> String {
    // Browsers hash what they parsed, and parsing HTML makes every line end a line feed.
    let parsed = script.replace("\r\n", "\n").replace('\r', "\n");
    BASE64_STANDARD.encode(Sha256::digest(parsed.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVERS: &str = include_str!("../../server/src/files/policy.rs");

    #[test]
    fn the_policy_comes_first_and_allows_the_pages_own_script_alone() {
        let html = with_policy("<html><head><script src=\"/a.js\"></script><script>alert(1)</script></head>");
        // `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`
        let expected =
            "script-src 'self' 'wasm-unsafe-eval' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=';";
        assert!(html.contains(expected), "{html}");
        assert!(html.find("Content-Security-Policy") < html.find("<script"), "{html}");
        assert!(!html.contains("unsafe-inline"), "{html}");
    }

    #[test]
    fn it_is_the_servers_policy_but_for_what_it_says() {
        for directive in WITHOUT_SCRIPTS.split("; ").filter(|directive| !directive.starts_with("connect-src"))
        {
            assert!(SERVERS.contains(directive), "the server's policy has no {directive}");
        }
    }
}
