//! Checks whether there is a server, and whether it admits this page.

use std::{future::Future, time::Duration};

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use wasm_bindgen::JsCast;
use web_sys::Response;

use crate::{
    js::promise::settled,
    page::{clock, window::window},
};

/// How long to wait for the answer. A later answer means a slow server; if there is none, the socket will find out.
const PATIENCE: Duration = Duration::from_secs(3);
/// The answer of a healthy server at `/healthz`.
const HEALTHY: &str = "ok";
const ORIGIN_REFUSED: &str = "origin-refused";
const HOST_REFUSED: &str = "host-refused";

/// The result of asking for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerAnswer {
    /// A server, or a server that is down for now.
    Server,
    /// No server: a plain static host.
    NoServer,
    /// The server does not accept pages of this origin.
    OriginRefused,
    /// The server does not accept this host name.
    HostRefused,
}

/// Asks at `url` whether there is a server that admits this page; the request is sent at once. A browser does not tell a page why
/// a socket did not open, so the page asks beforehand. A network failure, or a gateway's answer that its server is down, counts
/// as a server that will return; except on this computer itself, where a development server gives that answer for a server that
/// was never started.
pub fn ask_server(url: &str) -> impl Future<Output = ServerAnswer> + 'static {
    let origin = window().location().origin().unwrap_or_default();
    let asked = settled(window().fetch_with_str(&[url, "?origin=", &origin].concat()));
    let is_here = is_this_computer();
    async move {
        let (answer, timer) = (judge(asked, is_here), clock::sleep(PATIENCE));
        pin_mut!(answer, timer);
        match select(answer, timer).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => ServerAnswer::Server,
        }
    }
}

async fn judge(
    asked: impl Future<Output = Result<wasm_bindgen::JsValue, crate::BrowserError>>,
    is_here: bool,
) -> ServerAnswer {
    let Ok(response) = asked.await else { return ServerAnswer::Server };
    let response: Response = response.unchecked_into();
    if !response.ok() {
        let is_gateway = response.status() >= 500 && !is_here;
        return if is_gateway { ServerAnswer::Server } else { ServerAnswer::NoServer };
    }
    let Ok(body) = response.text() else { return ServerAnswer::NoServer };
    let text = settled(body).await.ok().and_then(|text| text.as_string());
    match text.as_deref().map(str::trim) {
        Some(HEALTHY) => ServerAnswer::Server,
        Some(ORIGIN_REFUSED) => ServerAnswer::OriginRefused,
        Some(HOST_REFUSED) => ServerAnswer::HostRefused,
        _ => ServerAnswer::NoServer,
    }
}

fn is_this_computer() -> bool {
    matches!(window().location().hostname().as_deref(), Ok("localhost" | "127.0.0.1" | "[::1]"))
}
