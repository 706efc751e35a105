//! Reads what a person types or pastes to enter a room: its name, or the invitation.

use sightline_protocol::RoomName;

use crate::route::room_of_segment;

/// The result of reading the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The input is empty: make a new room.
    NewRoom,
    /// The input names this room.
    Room(RoomName),
    /// The input is not a room name.
    Invalid,
}

/// Reads a room name, or a text that contains an address ending with `/room/<name>`.
#[must_use]
pub fn read_entry(typed: &str) -> Entry {
    let typed = typed.trim();
    if typed.is_empty() {
        return Entry::NewRoom;
    }
    let is_end = |character: char| ['/', '?', '#'].contains(&character) || character.is_whitespace();
    let name = match typed.split_once("/room/") {
        Some((_, rest)) => room_of_segment(rest.split(is_end).next().unwrap_or_default()),
        // "My Team Room"
        None => RoomName::new(&typed.split_whitespace().collect::<Vec<_>>().join("-")),
    };
    name.map_or(Entry::Invalid, Entry::Room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Entry {
        Entry::Room(RoomName::new(name).expect("a room name"))
    }

    #[test]
    fn nothing_means_a_new_room() {
        assert_eq!(read_entry("  "), Entry::NewRoom);
    }

    #[test]
    fn a_name_and_a_pasted_invitation_mean_the_same_room() {
        for typed in [
            "Team-7",
            " team-7 ",
            "https://call.example/room/team-7",
            "call.example/x/room/team-7/?lang=en#chat",
            "/room/team-7",
            "https://call.example/room/Team%2D7",
            "https://call.example/room/team-7.",
            "<https://call.example/room/team-7>",
            "Join https://call.example/room/team-7, please",
            "Team 7",
        ] {
            assert_eq!(read_entry(typed), room("team-7"), "{typed}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for typed in [
            "a",
            "ab",
            "no such name!",
            "team_7",
            "https://call.example/",
            "https://call.example/room/",
            "房间名",
        ] {
            assert_eq!(read_entry(typed), Entry::Invalid, "{typed}");
        }
    }
}
