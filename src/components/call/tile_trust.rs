//! The lock of a tile: what protects the connection to a member, and the code that the two members compare.

use leptos::prelude::*;
use sightline_core::{
    room::LinkState,
    trust::{Acquaintance, Verified},
};

use super::tile_code::load_tile_code;
use crate::{
    components::{
        kit::{
            date_text::day_text,
            disclosure::Disclosure,
            icon::{Icon, IconName},
            when::When,
        },
        room_part::RoomPart,
    },
    language::{Language, Locale, Sentence},
    sentence,
    session::model::{CodeJudgment, TileModel},
};

/// What is known of the connection to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The code of this connection matched.
    Verified,
    /// The code of this device matched in an earlier call.
    Known,
    /// The same, under another name.
    Renamed,
    /// The code of another device, under the name of this member, matched in an earlier call.
    OtherDevice,
    /// The code of an earlier connection matched.
    Changed,
    /// The room is protected by its link.
    Protected,
    /// Nothing.
    Open,
}

impl Trust {
    /// What is known of the member of a tile; a reactive read. `None` while there is no connection.
    #[must_use]
    pub fn of(tile: TileModel) -> Option<Self> {
        let is_up = matches!(tile.state.get(), LinkState::Connected | LinkState::Recovering);
        let verified = tile.verification.get().verified;
        let trust =
            tile.acquaintance.with(|acquaintance| Self::from(verified, acquaintance, tile.is_protected));
        is_up.then_some(trust)
    }

    fn from(verified: Verified, acquaintance: &Acquaintance, is_protected: bool) -> Self {
        let of_device = match acquaintance {
            Acquaintance::Unknown => None,
            Acquaintance::Known(_) => Some(Self::Known),
            Acquaintance::Renamed(_) => Some(Self::Renamed),
            Acquaintance::OtherDevice => Some(Self::OtherDevice),
        };
        match (verified, of_device) {
            // Whoever compared the code may still have to be told whose device it is.
            (Verified::Matched, Some(Self::Renamed)) => Self::Renamed,
            (Verified::Matched, _) => Self::Verified,
            // As good as the code of this connection: a device is recognized on all connections of the member, or on none.
            (_, Some(of_device)) => of_device,
            (Verified::Changed, None) => Self::Changed,
            (Verified::Never, None) if is_protected => Self::Protected,
            (Verified::Never, None) => Self::Open,
        }
    }

    /// The word in `data-trust`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Known => "known",
            Self::Renamed => "renamed",
            Self::OtherDevice => "other-device",
            Self::Changed => "changed",
            Self::Protected => "protected",
            Self::Open => "open",
        }
    }

    /// Whether the person should look at it.
    #[must_use]
    pub fn is_warning(self) -> bool {
        matches!(self, Self::Renamed | Self::OtherDevice | Self::Changed)
    }

    fn icon(self) -> IconName {
        match self {
            Self::Verified | Self::Known => IconName::CHECK,
            Self::Renamed | Self::OtherDevice | Self::Changed => IconName::ALERT,
            Self::Protected => IconName::LOCK,
            Self::Open => IconName::LOCK_OPEN,
        }
    }

    fn sentences(self) -> (Sentence, Sentence) {
        match self {
            Self::Verified => (sentence!(lock.verified_word), sentence!(lock.verified)),
            Self::Known => (sentence!(lock.known_word), sentence!(lock.known)),
            Self::Renamed => (sentence!(lock.renamed_word), sentence!(lock.renamed)),
            Self::OtherDevice => (sentence!(lock.other_device_word), sentence!(lock.other_device)),
            Self::Changed => (sentence!(lock.changed_word), sentence!(lock.changed)),
            Self::Protected => (sentence!(lock.protected_word), sentence!(lock.protected)),
            Self::Open => (sentence!(lock.open_word), sentence!(lock.open)),
        }
    }

    /// The word on the lock and the sentence behind it, with name and date of the person whose device it is.
    #[must_use]
    pub fn words(self, tile: TileModel, locale: Locale) -> (String, String) {
        let (word, text) = self.sentences();
        let (mut name, mut date) = (String::new(), String::new());
        tile.acquaintance.with(|acquaintance| {
            if let Acquaintance::Known(person) | Acquaintance::Renamed(person) = acquaintance {
                let known = person.name.as_str();
                name.push_str(if known.is_empty() { sentence!(tile.guest)(locale) } else { known });
                date.push_str(&day_text(person.verified_at_unix_ms, locale));
            }
        });
        // The date first: a name may contain anything.
        let fill = |text: &str| text.replace("{date}", &date).replace("{name}", &name);
        (fill(word(locale)), fill(text(locale)))
    }
}

/// A lock, with a sentence and the code behind it.
#[component]
pub fn TileTrust(
    /// The signals of the tile.
    tile: TileModel,
    /// Called with what the person says of the code.
    judge: Callback<CodeJudgment>,
) -> AnyView {
    let language = Language::from_context();
    let known = Memo::new(move |_| Trust::of(tile));
    let shown = move || known.get().unwrap_or(Trust::Open);
    let words = Memo::new(move |_| shown().words(tile, language.locale()));
    let word = Signal::derive(move || words.with(|(word, _)| word.clone()));
    let text = Signal::derive(move || words.with(|(_, text)| text.clone()));
    let label =
        Signal::derive(move || format!("{}: {}", sentence!(lock.title)(language.locale()), word.get()));
    let disclosure = Disclosure::register();
    view! {
        <When is=Signal::derive(move || known.get().is_some())>
            <details
                node_ref=disclosure.node
                class="tile-path tile-trust"
                class:is-warning=move || shown().is_warning()
                data-testid="tile-trust"
                on:toggle=move |_| disclosure.handle_toggle()
            >
                <summary title=language.text(sentence!(lock.title)) aria-label=label>
                    {move || view! { <Icon name=shown().icon() /> }.into_any()}
                    <span class="tile-trust-word">{word}</span>
                </summary>
                <p role="status">{text}</p>
                <When is=disclosure.is_open>
                    <RoomPart view=load_tile_code(tile, judge) />
                </When>
            </details>
        </When>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use sightline_core::trust::{Person, device_key};
    use sightline_protocol::DisplayName;

    use super::*;

    #[test]
    fn the_lock_shows_the_first_state_that_applies() {
        let key = device_key(&[4; 65]).unwrap();
        let person = Person { key, name: DisplayName::cut("Ada"), verified_at_unix_ms: 0 };
        let (known, renamed) = (Acquaintance::Known(person.clone()), Acquaintance::Renamed(person));
        let (other, unknown) = (Acquaintance::OtherDevice, Acquaintance::Unknown);
        for (acquaintance, [matched, changed, never, in_protected_room]) in [
            (known, [Trust::Verified, Trust::Known, Trust::Known, Trust::Known]),
            (renamed, [Trust::Renamed; 4]),
            (other, [Trust::Verified, Trust::OtherDevice, Trust::OtherDevice, Trust::OtherDevice]),
            (unknown, [Trust::Verified, Trust::Changed, Trust::Open, Trust::Protected]),
        ] {
            let shown = |verified, is_protected| Trust::from(verified, &acquaintance, is_protected);
            assert_eq!(
                [
                    shown(Verified::Matched, false),
                    shown(Verified::Changed, true),
                    shown(Verified::Never, false)
                ],
                [matched, changed, never],
                "{acquaintance:?}"
            );
            assert_eq!(shown(Verified::Never, true), in_protected_room, "{acquaintance:?}");
        }
    }
}
