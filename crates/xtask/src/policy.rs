//! The Content Security Policy in the page for a static host, as a `<meta>` element: such a host sends no header of ours.

/// The page with its policy, before everything that the policy applies to.
pub(crate) fn with_policy(html: &str) -> String {
    let policy = sightline_page_policy::for_static_host(html);
    let meta = format!("<head>\n    <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\" />");
    html.replacen("<head>", &meta, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_comes_before_every_script() {
        let html = with_policy("<html><head><script src=\"/a.js\"></script></head>");
        assert!(html.contains("default-src 'none'"), "{html}");
        assert!(html.find("Content-Security-Policy") < html.find("<script"), "{html}");
    }
}
