//! What this tab remembers of itself: the person's name, and its place in a room for a reload.

use sightline_browser::page::storage::StorageArea;
use sightline_protocol::{DisplayName, RoomName};

use crate::source_choice::SourceChoice;

const NAME_KEY: &str = "sightline.name";
const PLACE_KEY: &str = "sightline.place.";

/// A tab's place in a room, kept until the person leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Takes the place back.
    pub resume: String,
    /// What was published.
    pub source: SourceChoice,
    /// Whether the microphone was on.
    pub microphone: bool,
}

/// The name used last in this browser.
pub fn remembered_name() -> DisplayName {
    DisplayName::cut(&StorageArea::Local.get(NAME_KEY).unwrap_or_default())
}

/// Keeps the name for the next time.
pub fn remember_name(name: &DisplayName) {
    StorageArea::Local.set(NAME_KEY, name.as_str());
}

/// The place this tab had in a room before it was reloaded.
pub fn remembered_place(room: &RoomName) -> Option<Place> {
    let kept = StorageArea::Session.get(&key(room))?;
    let mut parts = kept.splitn(3, ' ');
    let source = SourceChoice::from_word(parts.next()?).unwrap_or_default();
    let microphone = parts.next()? == "on";
    Some(Place { source, microphone, resume: parts.next()?.to_owned() })
}

/// Keeps the place for a reload.
pub fn remember_place(room: &RoomName, place: &Place) {
    let source = place.source.as_str();
    let microphone = if place.microphone { "on" } else { "off" };
    StorageArea::Session.set(&key(room), &format!("{source} {microphone} {}", place.resume));
}

/// The person left, or another tab has the place.
pub fn forget_place(room: &RoomName) {
    StorageArea::Session.remove(&key(room));
}

fn key(room: &RoomName) -> String {
    format!("{PLACE_KEY}{room}")
}
