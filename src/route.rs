//! The page for an address, below the path from which the app is served.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use sightline_protocol::{RoomName, room::RoomNameInvalid};

/// A page of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The first page, at `/`.
    Home,
    /// A room, at `/room/<name>`.
    Room(RoomName),
    /// `/room/` followed by a name that is not allowed.
    RoomNameInvalid,
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

/// The common beginning of all paths of the app; ends with a slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// From the path of `document.baseURI`, without the part behind the last slash (RFC 3986, 5.2.3).
    #[must_use]
    pub fn new(path: &str) -> Self {
        let directory = path.rfind('/').map_or("", |slash| &path[..=slash]);
        Self(if directory.starts_with('/') { directory.to_owned() } else { format!("/{directory}") })
    }

    /// The path of a page.
    #[must_use]
    pub fn join(&self, route: &Route) -> String {
        let base = &self.0;
        match route {
            Route::Home | Route::RoomNameInvalid | Route::NotFound => base.clone(),
            Route::Room(name) => format!("{base}room/{name}"),
            Route::Check => format!("{base}check"),
            Route::Report => format!("{base}report"),
            #[cfg(feature = "gallery")]
            Route::Gallery(scene) => format!("{base}gallery/{scene}"),
        }
    }

    /// The page for a path.
    #[must_use]
    pub fn parse(&self, path: &str) -> Route {
        let without_slash = &self.0[..self.0.len() - 1];
        if path == without_slash {
            return Route::Home;
        }
        let Some(below) = path.strip_prefix(&self.0) else { return Route::NotFound };
        let segments: Vec<_> =
            below.split('/').map(read_segment).filter(|segment| !segment.is_empty()).collect();
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        match segments.as_slice() {
            [] | ["index.html"] => Route::Home,
            ["report"] => Route::Report,
            ["room", name] => RoomName::new(name).map_or(Route::RoomNameInvalid, Route::Room),
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
        Route::Room(RoomName::new(name).expect("a room name"))
    }

    #[test]
    fn a_page_and_its_path_say_the_same_at_the_root_and_below_a_path() {
        for base in ["/", "/x/", "/a/b/"] {
            let base = BasePath::new(base);
            for route in [Route::Home, Route::Check, Route::Report, room("team-7")] {
                assert_eq!(base.parse(&base.join(&route)), route, "{base:?}");
            }
        }
    }

    #[test]
    fn capitals_and_a_trailing_slash_are_tolerated() {
        assert_eq!(BasePath::new("/").parse("/room/Team-7/"), room("team-7"));
    }

    #[test]
    fn an_encoded_name_is_decoded_and_stays_one_segment() {
        let base = BasePath::new("/");
        assert_eq!(base.parse("/room/%54eam%2D7"), room("team-7"));
        for path in ["/room/team%2F7", "/room/team%ff", "/room/team%", "/room/%E6%88%BF%E9%97%B4%E5%90%8D"] {
            assert_eq!(base.parse(path), Route::RoomNameInvalid, "{path}");
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
            assert_eq!(base.parse(&format!("/room/Team-7{end}")), room("team-7"), "{end}");
        }
        assert_eq!(base.parse("/check."), Route::Check);
        assert_eq!(base.parse("/report)"), Route::Report);
    }

    #[test]
    fn a_name_with_something_else_in_it_is_told_and_never_an_empty_page() {
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
            let route = base.parse(path);
            assert!(matches!(route, Route::RoomNameInvalid | Route::NotFound), "{path}: {route:?}");
        }
    }

    #[test]
    fn a_base_path_may_be_visited_without_its_slash_or_by_its_file() {
        let base = BasePath::new("/x/index.html");
        for path in ["/x", "/x/", "/x/index.html"] {
            assert_eq!(base.parse(path), Route::Home, "{path}");
        }
    }

    #[test]
    fn a_name_that_is_not_allowed_is_told_apart_from_a_page_that_does_not_exist() {
        let base = BasePath::new("/");
        assert_eq!(base.parse("/room/a%20b"), Route::RoomNameInvalid);
        assert_eq!(base.parse("/room"), Route::NotFound);
        assert_eq!(base.parse("/nothing"), Route::NotFound);
        assert_eq!(BasePath::new("/x/").parse("/room/team-7"), Route::NotFound);
    }
}
