//! Announces warnings of the locks to screen readers: what a lock says is behind it, and nobody looks there unasked.
//!
//! Invariant: a warning about a member is announced once in a call, so that no member keeps a screen reader busy.

use leptos::prelude::*;

use super::tile_trust::Trust;
use crate::{
    language::Language,
    sentence,
    session::model::{RoomModel, TileModel},
};

/// A warning about a member.
type Warning = (String, Trust);

/// The warnings that were not announced before. Forgets those of members that left.
fn new_warnings(announced: &mut Vec<Warning>, present: &[String], warnings: &[Warning]) -> Vec<Warning> {
    announced.retain(|(member, _)| present.contains(member));
    let new: Vec<_> = warnings.iter().filter(|warning| !announced.contains(warning)).cloned().collect();
    announced.extend(new.iter().cloned());
    new
}

/// Announces each lock that begins to warn.
#[component]
pub fn TrustAnnouncer(
    /// The room, whose members' locks are announced.
    model: RoomModel,
) -> AnyView {
    let language = Language::from_context();
    let said = RwSignal::new(String::new());
    let announced = StoredValue::new(Vec::new());
    let warnings = Memo::new(move |_| {
        let warning = |tile: TileModel| Some((tile.member.get_value(), Trust::of(tile)?));
        let warnings = model.others.get().into_iter().filter_map(warning);
        warnings.filter(|(_, trust)| trust.is_warning()).collect::<Vec<_>>()
    });
    Effect::new(move || {
        let tiles = model.others.get();
        let present: Vec<_> = tiles.iter().map(|tile| tile.member.get_value()).collect();
        let new = warnings.with(|warnings| {
            announced.try_update_value(|announced| new_warnings(announced, &present, warnings))
        });
        let locale = language.locale();
        let words = new.unwrap_or_default().into_iter().filter_map(|(member, trust)| {
            let tile = *tiles.iter().find(|tile| tile.member.get_value() == member)?;
            let name = tile.name.get_untracked();
            let name = if name.is_empty() { sentence!(tile.guest)(locale).to_owned() } else { name };
            Some(format!("{name}: {}", trust.words(tile, locale).1))
        });
        let words: Vec<_> = words.collect();
        if !words.is_empty() {
            said.set(words.join(" "));
        }
    });
    view! {
        <p class="sr-only" role="status" data-testid="trust-announcement" translate="no">
            {said}
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_about_a_member_is_announced_once_until_the_member_comes_again() {
        let (mut announced, ada) = (Vec::new(), "ada".to_owned());
        let present = [ada.clone(), "bob".to_owned()];
        let other = [(ada.clone(), Trust::OtherDevice)];
        let renamed = [(ada, Trust::Renamed)];
        assert_eq!(new_warnings(&mut announced, &present, &other), other);
        assert_eq!(new_warnings(&mut announced, &present, &[]), []);
        assert_eq!(new_warnings(&mut announced, &present, &renamed), renamed);
        assert_eq!(new_warnings(&mut announced, &present, &other), []);
        assert_eq!(new_warnings(&mut announced, &[], &[]), []);
        assert_eq!(new_warnings(&mut announced, &present, &other), other);
    }
}
