//! Whether there is a server at all.

use std::{future::Future, time::Duration};

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use wasm_bindgen::JsCast;
use web_sys::Response;

use crate::{clock, promise::settled, window::window};

/// Who has not answered by then may be slow; who is not there is noticed by the socket.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the server's `/healthz` says.
const HEALTHY: &str = "ok";

/// Asks at `url` whether a server is there; the request goes out at once. Only who answers something else is certainly
/// none: a plain host of static files. A network that fails, or a gateway that says that its server is down, means a server that
/// will be back, except on this computer itself, where a development server says so of a server that was never started.
pub fn has_server(url: &str) -> impl Future<Output = bool> + 'static {
    let asked = settled(window().fetch_with_str(url));
    let is_here = is_this_computer();
    async move {
        let (answer, timer) = (judge(asked, is_here), clock::sleep(PATIENCE));
        pin_mut!(answer, timer);
        match select(answer, timer).await {
            Either::Left((has_server, _)) => has_server,
            Either::Right(_) => true,
        }
    }
}

async fn judge(
    asked: impl Future<Output = Result<wasm_bindgen::JsValue, crate::BrowserError>>,
    is_here: bool,
) -> bool {
    let Ok(response) = asked.await else { return true };
    let response: Response = response.unchecked_into();
    if !response.ok() {
        return response.status() >= 500 && !is_here;
    }
    let Ok(body) = response.text() else { return false };
    settled(body).await.ok().and_then(|text| text.as_string()).is_some_and(|text| text.trim() == HEALTHY)
}

fn is_this_computer() -> bool {
    matches!(window().location().hostname().as_deref(), Ok("localhost" | "127.0.0.1" | "[::1]"))
}
