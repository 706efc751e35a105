//! Where the server and the room are, as seen from this page.

use sightline_browser::location;
use sightline_protocol::{RoomName, SIGNALLING_PATH};

/// The address of the signalling socket: beside the page, or where the page's `config.js` says.
pub fn signalling() -> String {
    let base = location::configured_server().unwrap_or_else(location::base);
    let base = base.trim_end_matches('/');
    // http becomes ws, https becomes wss.
    format!("{}{SIGNALLING_PATH}", base.replacen("http", "ws", 1))
}

/// The plain invitation to a room.
pub fn invitation(room: &RoomName) -> String {
    format!("{}/room/{room}", location::base().trim_end_matches('/'))
}
