//! The page that stands in for a client that was not built.

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

const PAGE: &str = "<!DOCTYPE html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>Sightline: the client is not built</title>
<h1>The client is not built</h1>
<p>The server runs, but its directory of files has no <code>index.html</code>. Build the client with</p>
<pre>cargo xtask build</pre>
<p>or name the directory of a built one with <code>--dist</code>, then load this page again.</p>
</html>
";

pub(super) fn page() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Html(PAGE)).into_response()
}
