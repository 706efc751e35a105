//! What a room's page may do before the person clicks on it.
//!
//! An address may come from a stranger. Only a click on this page, a switch that the person set on this device, or the driver of
//! an automated browser may open camera, microphone, screen or file, or join a room; an address never does.

use crate::{parameters::Parameters, session::identity::Place, source_choice::SourceChoice};

/// How the person came to the present page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// By an address: a link, the address bar, back or forward.
    Address,
    /// By a reload of the page.
    Reload,
    /// By a click on another page of this app.
    Click,
    /// By a click on "Send files" on the first page.
    SendFiles,
    /// By a click on "Rejoin", with what was published before.
    Rejoin {
        /// What was published.
        source: SourceChoice,
        /// Whether the microphone was on.
        microphone: bool,
    },
}

/// The reasons that allow a page to begin without a click.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permit {
    /// The browser is driven by a program (`navigator.webdriver`).
    pub is_automated: bool,
    /// Whether the person lets links join with the camera (a setting of this device).
    pub links_may_join: bool,
}

/// How a room's page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Whether the room is entered at once.
    pub joins: bool,
    /// Whether the page was reloaded and returns to this tab's seat, with its choices.
    pub is_return: bool,
    /// Whether nothing is captured, opened or played before a click.
    pub is_held: bool,
    /// The source to publish.
    pub source: SourceChoice,
    /// Whether the microphone starts switched on.
    pub microphone: bool,
}

impl Opening {
    /// Decides how a room's page begins.
    #[must_use]
    pub fn decide(parameters: &Parameters, arrival: Arrival, permit: Permit, place: Option<&Place>) -> Self {
        if let Arrival::Rejoin { source, microphone } = arrival {
            return Self { joins: true, is_return: false, is_held: false, source, microphone };
        }
        if arrival == Arrival::SendFiles {
            let (source, microphone) = (SourceChoice::None, false);
            return Self { joins: true, is_return: false, is_held: false, source, microphone };
        }
        let wants_to_publish = parameters.autojoin || parameters.source.is_some();
        // Only the person reloads a page; another site can lead to the address, back to it, and forward to it.
        let returned = place.filter(|_| permit.is_automated || arrival == Arrival::Reload);
        if let Some(place) = returned {
            let Place { source, microphone, .. } = *place;
            return Self { joins: true, is_return: true, is_held: false, source, microphone };
        }
        let source = parameters.source.unwrap_or(SourceChoice::Camera);
        let is_free = permit.is_automated || permit.links_may_join;
        Self {
            joins: parameters.autojoin && is_free,
            is_return: false,
            is_held: !is_free && (arrival != Arrival::Click || wants_to_publish),
            source,
            microphone: if permit.is_automated { source == SourceChoice::Camera } else { !wants_to_publish },
        }
    }
}

/// A wish of an address, as the lobby lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Publish this source, or nothing.
    Publish(SourceChoice),
    /// Start a run of this length, in seconds.
    Measure(u32),
    /// To connect only through a relay.
    RelayOnly,
    /// Meet only other tabs of this browser.
    TabsOnly,
    /// A limit or a format for sending, as it is in the address.
    Sending(String),
}

impl Wish {
    /// All wishes of the address except the name, which is shown in the name field.
    #[must_use]
    pub fn of(parameters: &Parameters) -> Vec<Self> {
        let size = match (parameters.width, parameters.height) {
            (None, None) => None,
            (width, height) => {
                let side = |side: Option<u32>| side.map(|side| side.to_string()).unwrap_or_default();
                Some([&side(width), "\u{d7}", &side(height)].concat())
            }
        };
        let sending = [
            parameters.max_bitrate_bps.map(|bitrate_bps| [&bitrate_bps.to_string(), " bit/s"].concat()),
            size,
            parameters.frames_per_second.map(|rate| [&rate.to_string(), "/s"].concat()),
            parameters.codec.clone(),
        ];
        let sending: Vec<_> = sending.into_iter().flatten().collect();
        [
            parameters.source.map(Self::Publish),
            parameters.run_s.map(Self::Measure),
            parameters.relay_only.then_some(Self::RelayOnly),
            parameters.tabs_only.then_some(Self::TabsOnly),
            (!sending.is_empty()).then(|| Self::Sending(sending.join(", "))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRANGER: Permit = Permit { is_automated: false, links_may_join: false };
    const SWITCHED: Permit = Permit { is_automated: false, links_may_join: true };
    const SCRIPT: Permit = Permit { is_automated: true, links_may_join: false };

    fn decide(query: &str, arrival: Arrival, permit: Permit) -> Opening {
        Opening::decide(&Parameters::parse(query), arrival, permit, None)
    }

    fn place() -> Place {
        Place { resume: "token".to_owned(), source: SourceChoice::Camera, microphone: true }
    }

    #[test]
    fn a_rejoin_by_click_restores_the_previous_choices_and_ignores_the_address() {
        let arrival = Arrival::Rejoin { source: SourceChoice::None, microphone: true };
        let opening = decide("source=camera&autojoin=1", arrival, STRANGER);
        assert!(opening.joins && !opening.is_held && !opening.is_return);
        assert_eq!((opening.source, opening.microphone), (SourceChoice::None, true));
    }

    #[test]
    fn sending_files_enters_the_room_and_captures_nothing() {
        for query in ["", "source=camera", "files=1"] {
            let opening = decide(query, Arrival::SendFiles, STRANGER);
            assert!(opening.joins && !opening.is_held && !opening.is_return, "{query}");
            assert_eq!((opening.source, opening.microphone), (SourceChoice::None, false), "{query}");
        }
    }

    #[test]
    fn an_invitation_to_receive_files_asks_for_no_devices_and_waits_for_a_click() {
        let opening = decide("files=1", Arrival::Address, STRANGER);
        assert_eq!((opening.source, opening.microphone), (SourceChoice::None, false));
        assert!(!opening.joins);
        assert_eq!(Wish::of(&Parameters::parse("files=1")), [Wish::Publish(SourceChoice::None)]);
    }

    #[test]
    fn an_address_does_not_join_or_capture_without_a_click() {
        for source in ["", "source=camera", "source=screen", "source=file&sample=1", "source=none"] {
            for autojoin in ["", "&autojoin=1"] {
                for arrival in [Arrival::Address, Arrival::Reload] {
                    let query = format!("{source}{autojoin}&run_s=5&name=X");
                    let opening = decide(&query, arrival, STRANGER);
                    assert!(opening.is_held && !opening.joins && !opening.is_return, "{query}: {opening:?}");
                }
            }
        }
    }

    #[test]
    fn an_address_never_turns_a_microphone_on() {
        for query in ["source=camera", "autojoin=1", "autojoin=1&source=camera", "source=file&autojoin=1"] {
            for permit in [STRANGER, SWITCHED] {
                for arrival in [Arrival::Address, Arrival::Reload, Arrival::Click] {
                    assert!(!decide(query, arrival, permit).microphone, "{query} {permit:?}");
                }
            }
        }
    }

    #[test]
    fn a_plain_invitation_leaves_the_usual_choices_for_the_click_on_join() {
        let opening = decide("", Arrival::Address, STRANGER);
        assert_eq!((opening.source, opening.microphone), (SourceChoice::Camera, true));
        assert!(opening.is_held && !opening.joins);
    }

    #[test]
    fn a_click_on_the_first_page_shows_the_preview_unless_the_address_wants_to_publish() {
        assert!(!decide("", Arrival::Click, STRANGER).is_held);
        let wished = decide("source=camera&autojoin=1", Arrival::Click, STRANGER);
        assert!(wished.is_held && !wished.joins);
    }

    #[test]
    fn links_join_if_the_device_setting_allows_it_or_the_browser_is_automated() {
        for permit in [SWITCHED, SCRIPT] {
            let opening = decide("autojoin=1&source=camera", Arrival::Address, permit);
            assert!(opening.joins && !opening.is_held, "{permit:?}");
            assert!(!decide("source=camera", Arrival::Address, permit).joins, "{permit:?}");
        }
        assert!(decide("autojoin=1", Arrival::Address, SCRIPT).microphone);
        assert!(!decide("autojoin=1&source=none", Arrival::Address, SCRIPT).microphone);
    }

    #[test]
    fn a_reload_restores_the_users_choices_and_ignores_the_address() {
        let parameters = Parameters::parse("source=screen&autojoin=1");
        let opening = Opening::decide(&parameters, Arrival::Reload, STRANGER, Some(&place()));
        assert!(opening.joins && opening.is_return && !opening.is_held);
        assert_eq!((opening.source, opening.microphone), (SourceChoice::Camera, true));
    }

    #[test]
    fn the_lobby_lists_every_request_of_the_address() {
        let query = "source=file&sample=1&run_s=60&relay=1&signalling=tabs&max_bitrate=500000&width=640&fps=15&codec=vp9";
        let sending = "500000 bit/s, 640\u{d7}, 15/s, VP9".to_owned();
        assert_eq!(
            Wish::of(&Parameters::parse(query)),
            [
                Wish::Publish(SourceChoice::File),
                Wish::Measure(60),
                Wish::RelayOnly,
                Wish::TabsOnly,
                Wish::Sending(sending)
            ]
        );
        assert!(Wish::of(&Parameters::parse("autojoin=1&name=X&lang=en")).is_empty());
    }

    #[test]
    fn arriving_from_another_site_is_not_a_reload() {
        for arrival in [Arrival::Address, Arrival::Click] {
            let opening = Opening::decide(&Parameters::default(), arrival, STRANGER, Some(&place()));
            assert!(!opening.joins && !opening.is_return, "{arrival:?}");
        }
    }
}
