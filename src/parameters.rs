//! The query parameters with which an address configures a room.

use std::ops::RangeInclusive;

use sightline_protocol::DisplayName;

use crate::source_choice::SourceChoice;

/// Allowed width or height, in pixels.
const SIDE: RangeInclusive<u32> = 16..=8192;
const MAX_BITRATE_BPS: u32 = 1_000_000_000;
/// The longest run that fits into a report.
const LONGEST_RUN_S: u32 = 3 * 3600;

/// The parameters of an address. Unknown and malformed parameters are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `name`: the name shown to the others.
    pub name: Option<DisplayName>,
    /// `source=camera|screen|file|none`: what to publish.
    pub source: Option<SourceChoice>,
    /// `files=1`: the room was made to send files, so nothing is published unless `source` says otherwise.
    pub files: bool,
    /// `sample=1`: with `source=file`, the shipped clip.
    pub sample: bool,
    /// `loop=1`: with `source=file`, start again at the end.
    pub looping: bool,
    /// `stamp=1`: with `source=file`, known-source mode.
    pub stamp: bool,
    /// `max_bitrate`: the most that is sent to one member, in bit/s.
    pub max_bitrate_bps: Option<u32>,
    /// `codec`: the preferred video codec.
    pub codec: Option<String>,
    /// `width`: width of the camera's picture, and the greatest width of a file's, in pixels.
    pub width: Option<u32>,
    /// `height`: height of the camera's picture, and the greatest height of a file's, in pixels.
    pub height: Option<u32>,
    /// `fps`: frame rate of the camera, and the highest frame rate of a file, in frames per second.
    pub frames_per_second: Option<u32>,
    /// `relay=1`: connect only through a relay.
    pub relay_only: bool,
    /// `signalling=tabs`: meet other tabs of this browser, without a server.
    pub tabs_only: bool,
    /// `run_s`: length of a run that starts with the visit, counted from the first frame, in seconds.
    pub run_s: Option<u32>,
    /// `autojoin=1`: enter at once.
    pub autojoin: bool,
    /// `lang`: a language tag (BCP 47).
    pub language: Option<String>,
}

impl Parameters {
    /// Reads a query with or without its question mark. The first of duplicate parameters counts.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let mut parameters = Self::default();
        let query = query.strip_prefix('?').unwrap_or(query);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "name" if parameters.name.is_none() => parameters.name = Some(DisplayName::cut(&value)),
                "source" if parameters.source.is_none() => {
                    parameters.source = SourceChoice::from_word(&value);
                }
                "max_bitrate" if parameters.max_bitrate_bps.is_none() => {
                    parameters.max_bitrate_bps = read_number(&value, 1..=MAX_BITRATE_BPS);
                }
                "codec" if parameters.codec.is_none() => parameters.codec = read_codec(&value),
                "width" if parameters.width.is_none() => parameters.width = read_number(&value, SIDE),
                "height" if parameters.height.is_none() => parameters.height = read_number(&value, SIDE),
                "fps" if parameters.frames_per_second.is_none() => {
                    parameters.frames_per_second = read_number(&value, 1..=240);
                }
                "files" => parameters.files |= value == "1",
                "sample" => parameters.sample |= value == "1",
                "loop" => parameters.looping |= value == "1",
                "stamp" => parameters.stamp |= value == "1",
                "run_s" if parameters.run_s.is_none() => {
                    parameters.run_s = read_number(&value, 1..=LONGEST_RUN_S);
                }
                "relay" => parameters.relay_only |= value == "1",
                "signalling" => parameters.tabs_only |= value == "tabs",
                "autojoin" => parameters.autojoin |= value == "1",
                "lang" if parameters.language.is_none() => parameters.language = Some(value.into_owned()),
                _ => {}
            }
        }
        if parameters.files && parameters.source.is_none() {
            parameters.source = Some(SourceChoice::None);
        }
        parameters
    }
}

/// The query with which a room is opened to send files, from the query of the page before.
#[must_use]
pub fn for_files(query: &str) -> String {
    let rest = without(query, &["autojoin", "run_s", "source", "files"]);
    if rest.is_empty() { "?files=1".to_owned() } else { [&*rest, "&files=1"].concat() }
}

/// The query without the parameters that act as soon as the page is loaded (`autojoin`, `run_s`): after a person left the room,
/// the address must not enter it again.
#[must_use]
pub fn without_acts(query: &str) -> String {
    without(query, &["autojoin", "run_s"])
}

fn without(query: &str, keys: &[&str]) -> String {
    let rest = query.strip_prefix('?').unwrap_or(query).split('&').filter(|pair| {
        let key = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && !keys.contains(&key)
    });
    let rest = rest.collect::<Vec<_>>().join("&");
    if rest.is_empty() { rest } else { format!("?{rest}") }
}

fn read_number(value: &str, allowed: RangeInclusive<u32>) -> Option<u32> {
    value.parse().ok().filter(|number| allowed.contains(number))
}

/// The name of a codec, as in `video/<codec>`; only the browser knows which ones exist.
fn read_codec(value: &str) -> Option<String> {
    let is_name = (1..=16).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_name.then(|| value.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_read() {
        let read = Parameters::parse(
            "?name=Ada+L%C3%B6we&source=none&autojoin=1&lang=zh-CN&max_bitrate=128000&codec=vp9&width=640&height=360\
             &fps=15&relay=1&sample=1&loop=1&stamp=1&signalling=tabs&run_s=60",
        );
        assert_eq!(read.name.as_ref().map(DisplayName::as_str), Some("Ada Löwe"));
        assert_eq!(read.source, Some(SourceChoice::None));
        assert!(
            read.autojoin && read.relay_only && read.sample && read.looping && read.stamp && read.tabs_only
        );
        assert_eq!(read.max_bitrate_bps, Some(128_000));
        assert_eq!(read.run_s, Some(60));
        assert_eq!(read.codec.as_deref(), Some("VP9"));
        assert_eq!((read.width, read.height, read.frames_per_second), (Some(640), Some(360), Some(15)));
        assert_eq!(read.language.as_deref(), Some("zh-CN"));
    }

    #[test]
    fn unknown_and_malformed_parameters_are_ignored() {
        for query in [
            "",
            "?",
            "?source=hologram&autojoin=yes&x=1&sample=2&stamp=",
            "?run_s=0&max_bitrate=0&codec=%3Cb%3E&width=1&height=-3&fps=x&relay=no&signalling=pigeon",
            "&&==&%zz&source",
            "autojoin",
        ] {
            assert_eq!(Parameters::parse(query), Parameters::default(), "{query}");
        }
    }

    #[test]
    fn the_address_after_leaving_does_not_enter_the_room_again() {
        assert_eq!(without_acts("?name=Ada&autojoin=1&relay=1&run_s=5&autojoin=1"), "?name=Ada&relay=1");
        assert_eq!(without_acts("?autojoin=1"), "");
        assert_eq!(without_acts(""), "");
    }

    #[test]
    fn a_room_for_files_keeps_the_other_parameters_and_publishes_nothing() {
        assert_eq!(for_files(""), "?files=1");
        let query = for_files("?lang=zh&source=camera&autojoin=1&signalling=tabs&run_s=5");
        assert_eq!(query, "?lang=zh&signalling=tabs&files=1");
        assert_eq!(Parameters::parse(&query).source, Some(SourceChoice::None));
        assert_eq!(Parameters::parse("files=1&source=camera").source, Some(SourceChoice::Camera));
    }

    #[test]
    fn a_name_with_markup_stays_text_and_a_long_name_is_cut() {
        let read = Parameters::parse(&format!("name=%3Cb%3E{}", "x".repeat(100)));
        let name = read.name.expect("a name");
        assert!(name.as_str().starts_with("<b>x"));
        assert_eq!(name.as_str().chars().count(), 64);
    }

    #[test]
    fn the_first_of_duplicate_parameters_counts() {
        assert_eq!(Parameters::parse("source=screen&source=camera").source, Some(SourceChoice::Screen));
    }
}
