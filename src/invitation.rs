//! Reads what a person types or pastes to enter a room: its name, or the invitation.

use sightline_protocol::RoomName;

use crate::route::{RoomLink, room_of_segment, secret_of_fragment};

/// The result of reading the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The input is empty: make a new room.
    NewRoom,
    /// The input names this room, or is the invitation to it.
    Room(RoomLink),
    /// The input is not a room name.
    Invalid,
    /// The input is an invitation of which a part is missing.
    InvitationInvalid,
}

/// Reads a room name, or a text that contains an address ending with `/room/<name>`.
#[must_use]
pub fn read_entry(typed: &str) -> Entry {
    let typed = typed.trim();
    if typed.is_empty() {
        return Entry::NewRoom;
    }
    let is_end = |character: char| ['/', '?', '#'].contains(&character) || character.is_whitespace();
    // A search for more than one character would add 2 KB to a first visit.
    let mut paths = typed.match_indices('/').filter_map(|(at, _)| typed.get(at..));
    let (name, fragment) = match paths.find_map(|path| path.strip_prefix("/room/")) {
        Some(rest) => {
            let name = room_of_segment(rest.split(is_end).next().unwrap_or_default());
            let link = rest.split(char::is_whitespace).next().unwrap_or_default();
            (name, link.split_once('#').map_or("", |(_, fragment)| fragment))
        }
        // "My Team Room"
        None => (RoomName::new(&typed.split_whitespace().collect::<Vec<_>>().join("-")), ""),
    };
    match (name, secret_of_fragment(fragment)) {
        (Ok(name), Ok(secret)) => Entry::Room(RoomLink { name, secret }),
        (Ok(_), Err(_)) => Entry::InvitationInvalid,
        (Err(_), _) => Entry::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Entry {
        Entry::Room(RoomLink { name: RoomName::new(name).expect("a room name"), secret: None })
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
            "call.example/x/room/team-7/?lang=en#",
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

    #[test]
    fn a_pasted_invitation_keeps_its_secret_and_a_cut_one_opens_no_room() {
        let secret = sightline_core::trust::RoomSecret::from_random(u128::MAX);
        let link = RoomLink { name: RoomName::new("team-7").expect("a room name"), secret: Some(secret) };
        for typed in [
            format!("https://call.example/room/team-7#{secret}"),
            format!("Join https://call.example/room/team-7?signalling=tabs#{secret}, please: now"),
            format!("<https://call.example/room/team-7/#{secret}>"),
        ] {
            assert_eq!(read_entry(&typed), Entry::Room(link.clone()), "{typed}");
        }
        let cut = format!("https://call.example/room/team-7#{}", &secret.to_string()[..20]);
        for typed in [cut.as_str(), "call.example/room/team-7#chat"] {
            assert_eq!(read_entry(typed), Entry::InvitationInvalid, "{typed}");
        }
    }
}
