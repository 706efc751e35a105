//! The name of a member for people.

use leptos::prelude::*;

use crate::{language::Language, sentence, session::model::TileModel};

/// The name of a member, or "Guest" if the member gave none.
#[must_use]
pub fn member_name(tile: TileModel, language: Language) -> Signal<String> {
    Signal::derive(move || {
        let name = tile.name.get();
        if name.is_empty() { sentence!(tile.guest)(language.locale()).to_owned() } else { name }
    })
}
