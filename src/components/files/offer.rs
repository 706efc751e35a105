//! Says that files are offered, where the chat that shows them is folded away.

use leptos::prelude::*;

use super::amount;
use crate::{
    chunk,
    components::{
        call::panels::Panels,
        kit::{
            icon::{Icon, IconName},
            when::When,
        },
    },
    language::{Language, Locale},
    sentence,
    session::model::{RoomModel, TransferModel},
};

chunk! {
    /// [`FileOffer`], when it is here.
    pub fn load_file_offer, preload_file_offer in engine(model: RoomModel, panels: Panels) {
        view! { <FileOffer model=model panels=panels /> }.into_any()
    }
}

/// A line with what is offered and the way to it; nothing where nothing waits for an answer.
#[component]
pub fn FileOffer(
    /// The transfers.
    model: RoomModel,
    /// The way to the chat.
    panels: Panels,
) -> AnyView {
    let language = Language::from_context();
    let offered = Signal::derive(move || model.transfers.offered_here());
    let count = model.transfers.offered_count;
    let is_offered = Signal::derive(move || !offered.get().is_empty());
    let title = Signal::derive(move || {
        let is_one = count.get() <= 1;
        let words = if is_one { sentence!(files.offered) } else { sentence!(files.offered_several) };
        words(language.locale())
    });
    let words = Signal::derive(move || {
        let offered = offered.get();
        let words = |first| offer_words(first, count.get(), language.locale());
        offered.first().map(words).unwrap_or_default()
    });
    view! {
        <When is=is_offered>
            <div class="notice file-offer" data-testid="file-offer">
                <Icon name=IconName::Download />
                <div class="notice-text" translate="no">
                    <p class="notice-title">{title}</p>
                    <p class="notice-hint" dir="auto">
                        {words}
                    </p>
                </div>
                <button
                    type="button"
                    class="button small"
                    data-testid="file-offer-show"
                    on:click=move |_| panels.show_chat()
                >
                    {language.text(sentence!(files.show))}
                </button>
            </div>
        </When>
    }
    .into_any()
}

/// "film.mp4 · 67 MB · From Ada", and how many others there are.
fn offer_words(first: &TransferModel, count: usize, locale: Locale) -> String {
    let name = first.member_name.get();
    let member = if name.is_empty() { sentence!(tile.guest)(locale) } else { &name };
    let (file, size) = first.view.with(|view| (view.name.clone(), amount::size(view.size_bytes)));
    let more = if count > 1 { format!(" + {}", count - 1) } else { String::new() };
    format!("{file} · {size}{more} · {} {member}", sentence!(files.from)(locale))
}
