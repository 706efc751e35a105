//! The lock of a tile: what protects the connection to a member, and the code that the two members compare.

use leptos::prelude::*;
use sightline_core::{room::LinkState, trust::Verified};

use super::tile_code::load_tile_code;
use crate::{
    components::{
        kit::{
            disclosure::Disclosure,
            icon::{Icon, IconName},
            when::When,
        },
        later::Later,
    },
    language::{Language, Sentence},
    sentence,
    session::model::{CodeJudgment, TileModel},
};

/// What is known of the connection to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The code of this connection matched.
    Verified,
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
        is_up.then(|| match tile.verification.get().verified {
            Verified::Matched => Self::Verified,
            Verified::Changed => Self::Changed,
            Verified::Never if tile.is_protected => Self::Protected,
            Verified::Never => Self::Open,
        })
    }

    /// The word in `data-trust`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Changed => "changed",
            Self::Protected => "protected",
            Self::Open => "open",
        }
    }

    fn icon(self) -> IconName {
        match self {
            Self::Verified => IconName::Check,
            Self::Changed => IconName::Alert,
            Self::Protected => IconName::Lock,
            Self::Open => IconName::LockOpen,
        }
    }

    /// The word on the lock, and the sentence behind it.
    fn words(self) -> (Sentence, Sentence) {
        match self {
            Self::Verified => (sentence!(lock.verified_word), sentence!(lock.verified)),
            Self::Changed => (sentence!(lock.changed_word), sentence!(lock.changed)),
            Self::Protected => (sentence!(lock.protected_word), sentence!(lock.protected)),
            Self::Open => (sentence!(lock.open_word), sentence!(lock.open)),
        }
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
    let word = Signal::derive(move || shown().words().0(language.locale()));
    let text = Signal::derive(move || shown().words().1(language.locale()));
    let label =
        Signal::derive(move || format!("{}: {}", sentence!(lock.title)(language.locale()), word.get()));
    let disclosure = Disclosure::register();
    view! {
        <When is=Signal::derive(move || known.get().is_some())>
            <details
                node_ref=disclosure.node
                class="tile-path tile-trust"
                class:is-open-room=move || shown() == Trust::Open
                data-testid="tile-trust"
                on:toggle=move |_| disclosure.handle_toggle()
            >
                <summary title=language.text(sentence!(lock.title)) aria-label=label>
                    {move || view! { <Icon name=shown().icon() /> }.into_any()}
                    <span class="tile-trust-word">{word}</span>
                </summary>
                <p role="status">{text}</p>
                <When is=disclosure.is_open>
                    <Later view=load_tile_code(tile, judge) />
                </When>
            </details>
        </When>
    }
    .into_any()
}
