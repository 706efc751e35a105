//! The addresses of the server and the room, as seen from this page.

use std::{future::Future, pin::Pin};

use sightline_browser::{
    page::location,
    signaling::{ServerAnswer, ask_server},
};
use sightline_core::notice::NoticeCode;
use sightline_protocol::{RoomName, SIGNALING_PATH};

use crate::{parameters::Parameters, route::RoomLink};

/// Where signaling goes before there is a peer connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalingEndpoint {
    /// To the server at this WebSocket address.
    Server(String),
    /// To the server at this address, which does not admit this page, for the given reason.
    Refused(String, NoticeCode),
    /// To the other tabs of this browser in this room: there is no server.
    Tabs(RoomName),
}

/// The endpoint of this page, once it is known.
pub type FutureEndpoint = Pin<Box<dyn Future<Output = SignalingEndpoint>>>;

/// Finds out once which endpoint this page uses. The question is asked at once, so that the answer is known when the person
/// leaves the lobby.
pub fn find_endpoint(room: &RoomName, wants_tabs: bool) -> FutureEndpoint {
    let tabs = SignalingEndpoint::Tabs(room.clone());
    if wants_tabs {
        return Box::pin(std::future::ready(tabs));
    }
    let url = signaling();
    // A static host with a configured server is never the server itself.
    let has_other_server = location::configured_server().is_some();
    let asked = ask_server(&health());
    Box::pin(async move {
        match asked.await {
            ServerAnswer::NoServer if !has_other_server => tabs,
            ServerAnswer::Server | ServerAnswer::NoServer => SignalingEndpoint::Server(url),
            ServerAnswer::OriginRefused => SignalingEndpoint::Refused(url, NoticeCode::OriginRefused),
            ServerAnswer::HostRefused => SignalingEndpoint::Refused(url, NoticeCode::HostRefused),
        }
    })
}

/// The address of the signaling socket: on the page's host, or the one in the page's `config.js`.
pub fn signaling() -> String {
    socket_at(&server())
}

/// The address that answers whether the server is well.
pub fn health() -> String {
    health_at(&server())
}

fn socket_at(server: &str) -> String {
    // `http` becomes `ws`, `https` becomes `wss`.
    match server.strip_prefix("http") {
        Some(rest) => format!("ws{rest}{SIGNALING_PATH}"),
        None => format!("{server}{SIGNALING_PATH}"),
    }
}

fn health_at(server: &str) -> String {
    // `config.js` may contain a WebSocket address, so the replacement is reversed here.
    match server.strip_prefix("ws") {
        Some(rest) => format!("http{rest}/healthz"),
        None => format!("{server}/healthz"),
    }
}

fn server() -> String {
    let base = location::configured_server().unwrap_or_else(location::base);
    base.trim_end_matches('/').to_owned()
}

/// The address of a file that is served beside the page.
pub fn asset(name: &str) -> String {
    format!("{}/{name}", location::base().trim_end_matches('/'))
}

/// The invitation to a room, with its secret and without parameters for the person.
pub fn invitation(room: &RoomLink, parameters: &Parameters) -> String {
    let query = match (parameters.tabs_only, parameters.files) {
        (false, false) => "",
        (true, false) => "?signalling=tabs",
        (false, true) => "?files=1",
        (true, true) => "?signalling=tabs&files=1",
    };
    format!("{}/room/{}{query}{}", location::base().trim_end_matches('/'), room.name, room.fragment())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_scheme_differs_between_the_addresses_of_a_server() {
        for (scheme, socket, health) in
            [("http", "ws", "http"), ("https", "wss", "https"), ("ws", "ws", "http"), ("wss", "wss", "https")]
        {
            for host in ["call.example", "http.example/ws", "ws-1.example:8080/https"] {
                let server = format!("{scheme}://{host}");
                assert_eq!(socket_at(&server), format!("{socket}://{host}/ws"));
                assert_eq!(health_at(&server), format!("{health}://{host}/healthz"));
            }
        }
    }
}
