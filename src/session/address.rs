//! Where the server and the room are, as seen from this page.

use std::{future::Future, pin::Pin};

use sightline_browser::{
    page::location,
    signalling::{ServerAnswer, ask_server},
};
use sightline_core::notice::NoticeCode;
use sightline_protocol::{RoomName, SIGNALLING_PATH};

/// How the others in a room are reached before there is a peer connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A socket to the server at this address.
    Server(String),
    /// The same, and that server does not let this page in.
    Refused(String, NoticeCode),
    /// The other tabs of this browser, in this room: there is no server.
    Tabs(RoomName),
}

/// The way for this page, once it is known.
pub type FutureWay = Pin<Box<dyn Future<Output = Way>>>;

/// Finds out, once, which way there is. Asking begins at once, so that it is known when the lobby is left.
pub fn find_way(room: &RoomName, wants_tabs: bool) -> FutureWay {
    let tabs = Way::Tabs(room.clone());
    if wants_tabs {
        return Box::pin(std::future::ready(tabs));
    }
    let url = signalling();
    // A host of static files whose server is elsewhere never is the server.
    let has_other_server = location::configured_server().is_some();
    let asked = ask_server(&health());
    Box::pin(async move {
        match asked.await {
            ServerAnswer::NoServer if !has_other_server => tabs,
            ServerAnswer::Server | ServerAnswer::NoServer => Way::Server(url),
            ServerAnswer::OriginRefused => Way::Refused(url, NoticeCode::OriginRefused),
            ServerAnswer::HostRefused => Way::Refused(url, NoticeCode::HostRefused),
        }
    })
}

/// The address of the signalling socket: beside the page, or where the page's `config.js` says.
pub fn signalling() -> String {
    // http becomes ws, https becomes wss.
    format!("{}{SIGNALLING_PATH}", server().replacen("http", "ws", 1))
}

/// Where the server says that it is well.
pub fn health() -> String {
    // The other way round, where `config.js` names the address of the socket.
    let server = server();
    match server.strip_prefix("ws") {
        Some(rest) => format!("http{rest}/healthz"),
        None => format!("{server}/healthz"),
    }
}

fn server() -> String {
    let base = location::configured_server().unwrap_or_else(location::base);
    base.trim_end_matches('/').to_owned()
}

/// A file that is shipped beside the page.
pub fn asset(name: &str) -> String {
    format!("{}/{name}", location::base().trim_end_matches('/'))
}

/// The plain invitation to a room.
pub fn invitation(room: &RoomName, wants_tabs: bool) -> String {
    let query = if wants_tabs { "?signalling=tabs" } else { "" };
    format!("{}/room/{room}{query}", location::base().trim_end_matches('/'))
}
