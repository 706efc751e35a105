//! The Content Security Policy (CSP Level 3) of Sightline's page.
//!
//! The server sends it in a header; `cargo xtask build` writes it into the page for a static host, which sends no header of
//! ours. Inline scripts are allowed by the hash of their text and in no other way.

use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

/// The policy that the server sends with the page `html`. `'self'` covers the WebSocket of the page's own server.
#[must_use]
pub fn for_server(html: &str) -> String {
    policy(html, "'self'") + "; frame-ancestors 'none'"
}

/// The policy for a `<meta>` element on a static host. The signaling server may be on another host, which a configuration file names
/// after the build, so any server may be connected to. `frame-ancestors` has no effect in a `<meta>` element.
#[must_use]
pub fn for_static_host(html: &str) -> String {
    policy(html, "'self' ws: wss: http: https:")
}

fn policy(html: &str, connect_sources: &str) -> String {
    let hashes: String = inline_scripts(html).map(|script| format!(" 'sha256-{}'", sha256(script))).collect();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; \
         img-src 'self' data: blob:; media-src 'self' blob: mediastream:; font-src 'self'; \
         connect-src {connect_sources}; worker-src 'self' blob:; manifest-src 'self'; form-action 'self'; \
         base-uri 'self'"
    )
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
    // A browser hashes the parsed script, and the HTML parser turns every line end into a line feed.
    let parsed = script.replace("\r\n", "\n").replace('\r', "\n");
    BASE64_STANDARD.encode(Sha256::digest(parsed.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        "<html><head><script src=\"/a.js\"></script><script type=\"module\">alert(1)</script></head></html>";
    /// `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`
    const SCRIPTS: &str =
        "script-src 'self' 'wasm-unsafe-eval' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=';";

    #[test]
    fn an_inline_script_is_allowed_by_its_hash_and_nothing_else_inline() {
        for policy in [for_server(PAGE), for_static_host(PAGE)] {
            assert!(policy.contains(SCRIPTS), "{policy}");
            assert_eq!(policy.matches("sha256-").count(), 1);
            assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
        }
    }

    #[test]
    fn the_hash_does_not_depend_on_how_lines_end() {
        let with = |line_end: &str| for_server(&format!("<script>a();{line_end}b();</script>"));
        assert_eq!(with("\r\n"), with("\n"));
        assert_eq!(with("\r"), with("\n"));
    }

    #[test]
    fn the_server_allows_its_own_host_alone_and_no_framing() {
        let policy = for_server(PAGE);
        assert!(
            policy.contains("connect-src 'self';") && policy.ends_with("frame-ancestors 'none'"),
            "{policy}"
        );
    }
}
