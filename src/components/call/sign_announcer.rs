//! Announces raised hands and reactions to screen readers.
//!
//! A member that raises its hand again and again, or reacts without a pause, is announced once in a while only.

use std::time::Duration;

use leptos::prelude::*;
use sightline_browser::page::clock;
use sightline_core::Timestamp;
use sightline_protocol::Reaction;

use super::reactions::reaction_text;
use crate::{
    chunk,
    language::Language,
    sentence,
    session::model::{RoomModel, TileModel},
};

/// How long the hand of a member is not announced again.
const QUIET: Duration = Duration::from_secs(10);

chunk! {
    /// [`SignAnnouncer`], loaded on demand.
    pub fn load_sign_announcer, preload_sign_announcer in engine(model: RoomModel) {
        view! { <SignAnnouncer model=model /> }.into_any()
    }
}

/// What a member shows.
#[derive(Clone, PartialEq)]
struct Sign {
    member: String,
    name: String,
    is_hand_raised: bool,
    reaction: Option<Reaction>,
}

/// Announces who raised a hand, and who reacts.
#[component]
fn SignAnnouncer(
    /// The room, whose members are announced.
    model: RoomModel,
) -> AnyView {
    let language = Language::from_context();
    let said = RwSignal::new(String::new());
    let announced_at = StoredValue::new(Vec::<(String, Timestamp)>::new());
    let signs = Memo::new(move |_| {
        let sign = |tile: TileModel| Sign {
            member: tile.member.get_value(),
            name: tile.name.get(),
            is_hand_raised: tile.hand.with(Option::is_some),
            reaction: tile.reaction.get().map(|shown| shown.reaction),
        };
        model.others.get().into_iter().map(sign).collect::<Vec<_>>()
    });
    Effect::watch(
        move || signs.get(),
        move |now, before, _| {
            let before = before.map(Vec::as_slice).unwrap_or_default();
            let locale = language.locale();
            let mut words = Vec::new();
            for sign in now {
                let earlier = before.iter().find(|earlier| earlier.member == sign.member);
                let name = if sign.name.is_empty() { sentence!(tile.guest)(locale) } else { &sign.name };
                if sign.is_hand_raised
                    && earlier.is_none_or(|earlier| !earlier.is_hand_raised)
                    && may_announce(announced_at, &sign.member)
                {
                    words.push(sentence!(people.raised)(locale).replace("{}", name));
                }
                // While a reaction is shown, later ones replace it and are not announced.
                if let Some(reaction) = sign.reaction
                    && earlier.is_none_or(|earlier| earlier.reaction.is_none())
                {
                    words.push(format!("{name}: {}", reaction_text(reaction)(locale)));
                }
            }
            if !words.is_empty() {
                said.set(words.join(". "));
            }
        },
        false,
    );
    view! {
        <p class="sr-only" role="status" data-testid="sign-announcement" translate="no">
            {said}
        </p>
    }
    .into_any()
}

fn may_announce(announced_at: StoredValue<Vec<(String, Timestamp)>>, member: &str) -> bool {
    let now = clock::now();
    announced_at
        .try_update_value(|announced| {
            announced.retain(|(_, at)| now.since(*at) < QUIET);
            let may = announced.iter().all(|(known, _)| known != member);
            if may {
                announced.push((member.to_owned(), now));
            }
            may
        })
        .unwrap_or_default()
}
