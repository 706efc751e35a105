//! Announces raised hands and reactions to screen readers.
//!
//! Invariant: the hand of a member is announced at most once in [`QUIET`], and a reaction only if the member showed none before, so
//! that no member keeps a screen reader busy.

use std::time::Duration;

use leptos::prelude::*;
use sightline_browser::page::clock;
use sightline_core::Timestamp;
use sightline_protocol::Reaction;

use super::reactions::reaction_text;
use crate::{
    language::Language,
    sentence,
    session::model::{RoomModel, TileModel},
};

/// How long the hand of a member is not announced again.
const QUIET: Duration = Duration::from_secs(10);

/// What a member shows.
#[derive(Debug, Clone, PartialEq)]
struct Sign {
    member: String,
    name: String,
    is_hand_raised: bool,
    reaction: Option<Reaction>,
}

/// What is announced about a member.
#[derive(Debug, Clone, Copy, PartialEq)]
enum News {
    Hand,
    Reaction(Reaction),
}

/// The members whose hand was announced less than [`QUIET`] ago, and when.
#[derive(Debug, Default)]
struct AnnouncedHands(Vec<(String, Timestamp)>);

impl AnnouncedHands {
    /// What to announce when the signs change from `before` to `signs`.
    fn news<'a>(&mut self, before: &[Sign], signs: &'a [Sign], now: Timestamp) -> Vec<(&'a Sign, News)> {
        let mut news = Vec::new();
        for sign in signs {
            let earlier = before.iter().find(|earlier| earlier.member == sign.member);
            let was_raised = earlier.is_some_and(|earlier| earlier.is_hand_raised);
            if sign.is_hand_raised && !was_raised && self.admit(&sign.member, now) {
                news.push((sign, News::Hand));
            }
            // While a reaction is shown, later ones replace it and are not announced.
            let showed_reaction = earlier.is_some_and(|earlier| earlier.reaction.is_some());
            news.extend(
                sign.reaction.filter(|_| !showed_reaction).map(|shown| (sign, News::Reaction(shown))),
            );
        }
        news
    }

    fn admit(&mut self, member: &str, now: Timestamp) -> bool {
        self.0.retain(|(_, at)| now.since(*at) < QUIET);
        let may = self.0.iter().all(|(known, _)| known != member);
        if may {
            self.0.push((member.to_owned(), now));
        }
        may
    }
}

/// Announces who raised a hand, and who reacts.
#[component]
pub fn SignAnnouncer(
    /// The room, whose members are announced.
    model: RoomModel,
) -> AnyView {
    let language = Language::from_context();
    let said = RwSignal::new(String::new());
    let hands = StoredValue::new(AnnouncedHands::default());
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
            let news = hands.try_update_value(|hands| hands.news(before, now, clock::now()));
            let locale = language.locale();
            let words = news.unwrap_or_default().into_iter().map(|(sign, news)| {
                let name = if sign.name.is_empty() { sentence!(tile.guest)(locale) } else { &sign.name };
                match news {
                    News::Hand => sentence!(people.raised)(locale).replace("{}", name),
                    News::Reaction(reaction) => format!("{name}: {}", reaction_text(reaction)(locale)),
                }
            });
            let words: Vec<_> = words.collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(is_hand_raised: bool, reaction: Option<Reaction>) -> Vec<Sign> {
        vec![Sign { member: "a".to_owned(), name: "Ada".to_owned(), is_hand_raised, reaction }]
    }

    fn news(hands: &mut AnnouncedHands, before: &[Sign], signs: &[Sign], at_s: u64) -> Vec<News> {
        let now = Timestamp::from_origin(Duration::from_secs(at_s));
        hands.news(before, signs, now).into_iter().map(|(_, news)| news).collect()
    }

    #[test]
    fn a_hand_that_is_raised_again_and_again_is_announced_once_in_ten_seconds() {
        let (mut hands, down, up) = (AnnouncedHands::default(), sign(false, None), sign(true, None));
        let announced: Vec<_> =
            (1..=30).filter(|at_s| news(&mut hands, &down, &up, *at_s) == [News::Hand]).collect();
        assert_eq!(announced, [1, 11, 21]);
        assert_eq!(news(&mut hands, &up, &up, 60), [], "a hand that stays up");
        assert_eq!(news(&mut hands, &up, &down, 60), []);
        let mut other = up.clone();
        other[0].member = "b".to_owned();
        assert_eq!(news(&mut hands, &[], &up, 60), [News::Hand], "a member that comes with a raised hand");
        assert_eq!(news(&mut hands, &[], &other, 60), [News::Hand], "each member by itself");
    }

    #[test]
    fn reactions_that_follow_each_other_without_a_pause_are_announced_once() {
        let mut hands = AnnouncedHands::default();
        let [none, heart, applause] =
            [None, Some(Reaction::Heart), Some(Reaction::Applause)].map(|shown| sign(false, shown));
        assert_eq!(news(&mut hands, &none, &heart, 1), [News::Reaction(Reaction::Heart)]);
        assert_eq!(news(&mut hands, &heart, &applause, 2), []);
        assert_eq!(news(&mut hands, &applause, &none, 7), []);
        assert_eq!(news(&mut hands, &none, &applause, 8), [News::Reaction(Reaction::Applause)]);
    }
}
