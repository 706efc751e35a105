//! The page for an address, below the path from which the app is served.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use sightline_core::trust::{RoomSecret, SecretInvalid};
use sightline_protocol::{RoomName, room::RoomNameInvalid};

/// A page of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The first page, at `/`.
    Home,
    /// A room, at `/room/<name>`, or at `/room/<name>#<secret>` if its link protects it.
    Room(RoomLink),
    /// `/room/` followed by a name that is not allowed.
    RoomNameInvalid,
    /// A room with something behind the `#` that is not a secret: part of the link is missing.
    InvitationInvalid,
    /// The connection doctor, at `/check`.
    Check,
    /// Saved measurements, at `/report`.
    Report,
    /// `/gallery/<scene>`: all states of the interface with invented people.
    #[cfg(feature = "gallery")]
    Gallery(String),
    /// Any other path.
    NotFound,
}

/// What an invitation says of a room. Rooms of the same name with other secrets, or without one, are other rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomLink {
    /// The name of the room.
    pub name: RoomName,
    /// The secret of a protected room.
    pub secret: Option<RoomSecret>,
}

impl RoomLink {
    /// The part of the address behind the path and the query, with its `#`; empty for an unprotected room.
    #[must_use]
    pub fn fragment(&self) -> String {
        self.secret.map_or_else(String::new, |secret| format!("#{secret}"))
    }

    /// The room in a key of the session storage, which belongs to this tab like its address.
    #[must_use]
    pub fn storage_key(&self) -> String {
        format!("{}{}", self.name, self.fragment())
    }
}

/// The common beginning of all paths of the app; ends with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// From the path of `document.baseURI`, without the part behind the last slash (RFC 3986, 5.2.3).
    #[must_use]
    pub fn new(path: &str) -> Self {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        Self(if directory.is_empty() || directory.starts_with('/') {
            format!("{directory}/")
        } else {
            format!("/{directory}/")
        })
    }

    /// The path of a page, without the fragment of a room.
    #[must_use]
    pub fn join(&self, route: &Route) -> String {
        let base = &self.0;
        match route {
            Route::Home | Route::RoomNameInvalid | Route::InvitationInvalid | Route::NotFound => base.clone(),
            Route::Room(room) => format!("{base}room/{}", room.name),
            Route::Check => format!("{base}check"),
            Route::Report => format!("{base}report"),
            #[cfg(feature = "gallery")]
            Route::Gallery(scene) => format!("{base}gallery/{scene}"),
        }
    }

    /// The page for a path and a fragment, which counts for rooms only.
    #[must_use]
    pub fn parse(&self, path: &str, fragment: &str) -> Route {
        if self.0.strip_suffix('/') == Some(path) {
            return Route::Home;
        }
        let Some(below) = path.strip_prefix(&self.0) else { return Route::NotFound };
        let segments: Vec<_> =
            below.split('/').map(read_segment).filter(|segment| !segment.is_empty()).collect();
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        match segments.as_slice() {
            [] | ["index.html"] => Route::Home,
            ["report"] => Route::Report,
            ["room", name] => match (RoomName::new(name), secret_of_fragment(fragment)) {
                (Ok(name), Ok(secret)) => Route::Room(RoomLink { name, secret }),
                (Ok(_), Err(_)) => Route::InvitationInvalid,
                (Err(_), _) => Route::RoomNameInvalid,
            },
            ["check"] => Route::Check,
            #[cfg(feature = "gallery")]
            ["gallery", scene] => Route::Gallery((*scene).to_owned()),
            _ => Route::NotFound,
        }
    }
}

/// The room named by a path segment, which may be percent-encoded (RFC 3986, 2.1).
///
/// # Errors
/// [`RoomNameInvalid`] where it names none.
pub fn room_of_segment(segment: &str) -> Result<RoomName, RoomNameInvalid> {
    RoomName::new(&read_segment(segment))
}

/// The secret in the fragment of a room's address, whose `#` may be missing; `None` where the address has no fragment.
///
/// # Errors
/// [`SecretInvalid`] where the fragment is something else. Such a link was cut, and its room must not be taken for an unprotected one.
pub fn secret_of_fragment(fragment: &str) -> Result<Option<RoomSecret>, SecretInvalid> {
    // A browser reports punctuation beyond ASCII percent-encoded.
    let fragment = percent_decode_str(fragment).decode_utf8().unwrap_or(Cow::Borrowed(fragment));
    let fragment = fragment.trim_start_matches('#');
    let may_be_of_a_secret = |character: char| character.is_alphanumeric() || "-_".contains(character);
    match fragment.split_at_checked(RoomSecret::CHARS) {
        // The punctuation of a sentence may follow.
        Some((secret, rest)) if !rest.contains(char::is_alphanumeric) => RoomSecret::parse(secret).map(Some),
        _ if fragment.contains(may_be_of_a_secret) => Err(SecretInvalid),
        _ => Ok(None),
    }
}

/// Decodes a segment and removes punctuation of the sentence around a link. Undecodable text stays as it is, and so does a `%`
/// whose encoding was cut off.
fn read_segment(segment: &str) -> Cow<'_, str> {
    let decoded = percent_decode_str(segment).decode_utf8().unwrap_or(Cow::Borrowed(segment));
    let is_of_sentence = |character: char| !character.is_alphanumeric() && !['-', '%'].contains(&character);
    match decoded {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(is_of_sentence)),
        Cow::Owned(text) => Cow::Owned(text.trim_end_matches(is_of_sentence).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> Route {
        Route::Room(RoomLink { name: RoomName::new(name).expect("a room name"), secret: None })
    }

    #[test]
    fn a_page_and_its_path_say_the_same_at_the_root_and_below_a_path() {
        for base in ["/", "/x/", "/a/b/"] {
            let base = BasePath::new(base);
            for route in [Route::Home, Route::Check, Route::Report, room("team-7")] {
                assert_eq!(base.parse(&base.join(&route), ""), route, "{base:?}");
            }
        }
    }

    #[test]
    fn capitals_and_a_trailing_slash_are_tolerated() {
        assert_eq!(BasePath::new("/").parse("/room/Team-7/", ""), room("team-7"));
    }

    #[test]
    fn an_encoded_name_is_decoded_and_stays_one_segment() {
        let base = BasePath::new("/");
        assert_eq!(base.parse("/room/%54eam%2D7", ""), room("team-7"));
        for path in ["/room/team%2F7", "/room/team%ff", "/room/team%", "/room/%E6%88%BF%E9%97%B4%E5%90%8D"] {
            assert_eq!(base.parse(path, ""), Route::RoomNameInvalid, "{path}");
        }
    }

    #[test]
    fn the_punctuation_of_the_sentence_around_a_link_is_not_part_of_the_room() {
        let base = BasePath::new("/");
        for end in [
            ".",
            ",",
            ";",
            ":",
            "!",
            ")",
            "]",
            "}",
            ">",
            "\"",
            "'",
            "*",
            "_",
            "...",
            ").",
            "\u{2026}",
            "%E2%80%A6",
            "\u{3002}",
            "%E3%80%82",
            "\u{ff0c}",
            "\u{bb}",
            "%C2%BB",
            "\u{201d}",
            "\u{300d}",
            "%20",
            "%29",
            "/",
            "/.",
            ",/",
        ] {
            assert_eq!(base.parse(&format!("/room/Team-7{end}"), ""), room("team-7"), "{end}");
        }
        assert_eq!(base.parse("/check.", ""), Route::Check);
        assert_eq!(base.parse("/report)", ""), Route::Report);
    }

    #[test]
    fn an_invalid_room_name_gives_a_notice_and_no_empty_page() {
        let base = BasePath::new("/");
        for path in [
            "/room/Team 7",
            "/room/Team%207",
            "/room/team_7",
            "/room/team.7",
            "/room/t.",
            "/room/%2e%2e",
            "/room/%ff.",
            "/room/team%2",
            "/room/\u{623f}\u{95f4}\u{3002}",
        ] {
            let route = base.parse(path, "");
            assert!(matches!(route, Route::RoomNameInvalid | Route::NotFound), "{path}: {route:?}");
        }
    }

    #[test]
    fn a_base_path_may_be_visited_without_its_slash_or_by_its_file() {
        let base = BasePath::new("/x/index.html");
        for path in ["/x", "/x/", "/x/index.html"] {
            assert_eq!(base.parse(path, ""), Route::Home, "{path}");
        }
    }

    #[test]
    fn an_invalid_room_name_has_another_page_than_a_missing_address() {
        let base = BasePath::new("/");
        assert_eq!(base.parse("/room/a%20b", ""), Route::RoomNameInvalid);
        assert_eq!(base.parse("/room", ""), Route::NotFound);
        assert_eq!(base.parse("/nothing", ""), Route::NotFound);
        assert_eq!(BasePath::new("/x/").parse("/room/team-7", ""), Route::NotFound);
    }

    #[test]
    fn a_secret_is_read_from_the_fragment_of_a_room_whatever_punctuation_follows() {
        let base = BasePath::new("/");
        for bits in [0, u128::MAX, 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef] {
            let secret = RoomSecret::from_random(bits);
            let link = RoomLink { name: RoomName::new("team-7").expect("a room name"), secret: Some(secret) };
            assert_eq!(base.parse("/room/team-7", &link.fragment()), Route::Room(link.clone()));
            for end in [
                ".",
                ",",
                ")",
                ">",
                "_",
                "-",
                "*",
                "\u{3002}",
                "\u{2026}",
                ").",
                "%E3%80%82",
                "%E2%80%A6",
                "%20",
                "%29",
            ] {
                let fragment = format!("{}{end}", link.fragment());
                assert_eq!(base.parse("/room/team-7", &fragment), Route::Room(link.clone()), "{fragment}");
            }
        }
        assert_eq!(base.parse("/check", "#AAAAAAAAAAAAAAAAAAAAAA"), Route::Check);
    }

    #[test]
    fn a_link_with_a_part_of_its_secret_never_opens_the_unprotected_room() {
        let base = BasePath::new("/");
        let secret = RoomSecret::from_random(u128::MAX).to_string();
        for length in 1..secret.len() {
            let fragment = format!("#{}", &secret[..length]);
            assert_eq!(base.parse("/room/team-7", &fragment), Route::InvitationInvalid, "{fragment}");
        }
        for fragment in [
            "#chat",
            &format!("#{secret}A"),
            &format!("#{secret}.A"),
            &format!("#{secret}%41"),
            &format!("#{secret}%ff"),
            &format!("#{}%", &secret[..21]),
            "#AAAAAAAAAAAAAAAAAAAAAB",
        ] {
            assert_eq!(base.parse("/room/team-7", fragment), Route::InvitationInvalid, "{fragment}");
        }
        for fragment in ["", "#", "#.", "#)"] {
            assert_eq!(base.parse("/room/team-7", fragment), room("team-7"), "{fragment}");
        }
    }

    #[test]
    fn rooms_with_different_secrets_are_stored_apart_and_a_debug_text_has_no_secret() {
        let name = RoomName::new("team-7").expect("a room name");
        let link = |secret: Option<u128>| RoomLink {
            name: name.clone(),
            secret: secret.map(RoomSecret::from_random),
        };
        assert_eq!(link(None).storage_key(), "team-7");
        assert_ne!(link(Some(1)).storage_key(), link(Some(2)).storage_key());
        let secret = RoomSecret::from_random(1).to_string();
        assert!(!format!("{:?}", link(Some(1))).contains(&secret));
    }
}
