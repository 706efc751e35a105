//! The person's name and this tab's seat in a room, stored for the next visit and for a reload.

use sightline_browser::page::storage::StorageArea;
use sightline_protocol::DisplayName;

use crate::{route::RoomLink, source_choice::SourceChoice};

const NAME_KEY: &str = "sightline.name";
const PLACE_KEY: &str = "sightline.place.";

/// This tab's seat in a room, stored until the person leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The resume token.
    pub resume: String,
    /// The source that was published.
    pub source: SourceChoice,
    /// Whether the microphone was on.
    pub microphone: bool,
}

/// The name that was last used in this browser.
pub fn remembered_name() -> DisplayName {
    DisplayName::cut(&StorageArea::Local.get(NAME_KEY).unwrap_or_default())
}

/// Stores the name for the next visit.
pub fn remember_name(name: &DisplayName) {
    StorageArea::Local.set(NAME_KEY, name.as_str());
}

/// The seat that this tab had in a room before it was reloaded.
pub fn remembered_place(room: &RoomLink) -> Option<Place> {
    let kept = StorageArea::Session.get(&key(room))?;
    let mut parts = kept.splitn(3, ' ');
    let source = SourceChoice::from_word(parts.next()?).unwrap_or_default();
    let microphone = parts.next()? == "on";
    Some(Place { source, microphone, resume: parts.next()?.to_owned() })
}

/// Stores the seat for a reload.
pub fn remember_place(room: &RoomLink, place: &Place) {
    let source = place.source.as_str();
    let microphone = if place.microphone { "on" } else { "off" };
    StorageArea::Session.set(&key(room), &format!("{source} {microphone} {}", place.resume));
}

/// Removes the seat: the person left, or another tab has the seat.
pub fn forget_place(room: &RoomLink) {
    StorageArea::Session.remove(&key(room));
}

/// Keeps the seat under the link with another secret.
pub fn move_place(from: &RoomLink, to: &RoomLink) {
    StorageArea::Session.rename(&key(from), &key(to));
}

fn key(room: &RoomLink) -> String {
    format!("{PLACE_KEY}{}", room.storage_key())
}
