//! Whether there is a server at all, and whether it lets this page in.

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

/// Who has not answered by then may be slow; who is not there is noticed by the socket.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the server's `/healthz` says.
const HEALTHY: &str = "ok";
const ORIGIN_REFUSED: &str = "origin-refused";
const HOST_REFUSED: &str = "host-refused";

/// What answers where a server is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerAnswer {
    /// A server, or nothing now and a server that will be back.
    Server,
    /// Certainly none: a plain host of static files.
    NoServer,
    /// A server that does not let pages of this origin in.
    OriginRefused,
    /// A server that may not be asked by this name.
    HostRefused,
}

/// Asks at `url` whether a server is there and lets this page in; the request goes out at once. A browser does not tell a page why
/// a socket did not open, so the server is asked beforehand. A network that fails, or a gateway that says that its server is down,
/// means a server that will be back, except on this computer itself, where a development server says so of a server that was
/// never started.
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
