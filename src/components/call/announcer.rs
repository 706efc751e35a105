//! Announces arrivals, departures and messages in the folded chat to screen readers.

use leptos::prelude::*;

use crate::{language::Language, sentence, session::model::RoomModel};

/// Announces who came or left.
#[component]
pub fn ArrivalAnnouncer(
    /// The room, whose members and messages are announced.
    model: RoomModel,
) -> AnyView {
    let language = Language::from_context();
    let said = RwSignal::new(String::new());
    let present = Memo::new(move |_| {
        let tiles = model.others.get();
        tiles.into_iter().map(|tile| (tile.member.get_value(), tile.name.get())).collect::<Vec<_>>()
    });
    Effect::watch(
        move || present.get(),
        move |now, before, _| {
            let before = before.map(Vec::as_slice).unwrap_or_default();
            let locale = language.locale();
            let is_in = |list: &[(String, String)], id: &str| list.iter().any(|(other, _)| other == id);
            let name =
                |name: &str| if name.is_empty() { sentence!(tile.guest)(locale) } else { name }.to_owned();
            let came = now.iter().filter(|(id, _)| !is_in(before, id));
            let came = came.map(|(_, of)| format!("{} {}", name(of), sentence!(room.has_joined)(locale)));
            let left = before.iter().filter(|(id, _)| !is_in(now, id));
            let left = left.map(|(_, of)| format!("{} {}", name(of), sentence!(room.has_left)(locale)));
            let words: Vec<_> = came.chain(left).collect();
            if !words.is_empty() {
                said.set(words.join(". "));
            }
        },
        false,
    );
    view! {
        <p class="sr-only" role="status" data-testid="announcement" translate="no">
            {said}
        </p>
    }
    .into_any()
}
