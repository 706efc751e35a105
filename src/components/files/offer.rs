//! Notes about offered files and about files that were not sent, for layouts where the chat that lists them is folded.

use leptos::prelude::*;
use sightline_core::transfer::LeftOut;

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
    session::model::{RoomActions, RoomModel, TransferModel},
};

/// Most names of files that were left out.
const NAMES_SHOWN: usize = 3;

chunk! {
    /// [`FileOffer`], loaded on demand.
    pub fn load_file_offer, preload_file_offer in engine(model: RoomModel, actions: RoomActions, panels: Panels) {
        view! { <FileOffer model=model actions=actions panels=panels /> }.into_any()
    }
}

/// A line about offers, which can be accepted at once if they are of one member, and a line about files that were not sent, each with a button that shows the
/// files; nothing if there are neither.
#[component]
pub fn FileOffer(
    /// The room, whose transfers the notes are about.
    model: RoomModel,
    /// The action that accepts the offers.
    actions: RoomActions,
    /// The panels, to open the chat.
    panels: Panels,
) -> AnyView {
    let language = Language::from_context();
    let offered = Signal::derive(move || model.transfers.offered_here());
    let count = Memo::new(move |_| {
        usize::try_from(model.transfers.all_offered.get().all_files()).unwrap_or(usize::MAX)
    });
    let title = Signal::derive(move || {
        let is_one = count.get() <= 1;
        let words = if is_one { sentence!(files.offered) } else { sentence!(files.offered_several) };
        words(language.locale())
    });
    let words = Signal::derive(move || {
        let offered = offered.get();
        let bytes = model.transfers.all_offered.get().bytes;
        let words = |first| offer_words(first, (count.get(), bytes), language.locale());
        offered.first().map(words).unwrap_or_default()
    });
    let not_sent = Signal::derive(move || model.transfers.left_out.with(first_names));
    let accept = move |_| {
        actions.accept_all_files.run(model.transfers.all_offered.get_untracked());
        panels.show_chat();
    };
    // The line names one member.
    let is_of_one = Signal::derive(move || model.transfers.all_offered.get().members == 1);
    let accept_button = move || {
        view! {
            <When is=is_of_one>
                <button type="button" class="button small primary" data-testid="file-offer-accept" on:click=accept>
                    {language.text(sentence!(files.accept))}
                </button>
            </When>
        }
        .into_any()
    };
    let line = move |icon: IconName,
                     title: Signal<&'static str>,
                     words: Signal<String>,
                     can_be_accepted: bool,
                     (test_id, button_id): (&'static str, &'static str)| {
        view! {
            <When is=Signal::derive(move || words.with(|words| !words.is_empty()))>
                <div class="notice file-offer" data-testid=test_id>
                    <Icon name=icon />
                    <div class="notice-text" translate="no">
                        <p class="notice-title">{title}</p>
                        <p class="notice-hint" dir="auto">
                            {words}
                        </p>
                    </div>
                    <div class="notice-actions">
                        {can_be_accepted.then(accept_button)}
                        <button
                            type="button"
                            class="button small"
                            data-testid=button_id
                            on:click=move |_| panels.show_chat()
                        >
                            {language.text(sentence!(files.show))}
                        </button>
                    </div>
                </div>
            </When>
        }
    };
    view! {
        {line(IconName::Download, title, words, true, ("file-offer", "file-offer-show"))}
        {line(
            IconName::Alert,
            language.text(sentence!(files.some_not_sent)),
            not_sent,
            false,
            ("files-not-sent", "files-not-sent-show"),
        )}
    }
    .into_any()
}

/// The names of the first files that were left out.
fn first_names(left_out: &LeftOut) -> String {
    let names: Vec<_> =
        left_out.files().iter().flat_map(|files| &files.names).take(NAMES_SHOWN).cloned().collect();
    names.join(", ")
}

/// "film.mp4 + 2 · 67 MB · From Ada": the first file, the number of further ones, and the size of all.
fn offer_words(first: &TransferModel, (count, bytes): (usize, u64), locale: Locale) -> String {
    let name = first.member_name.get();
    let member = if name.is_empty() { sentence!(tile.guest)(locale) } else { &name };
    let (file, size) = (first.view.with(|view| view.name.clone()), amount::size(bytes));
    let more = if count > 1 { format!(" + {}", count - 1) } else { String::new() };
    format!("{file}{more} · {size} · {} {member}", sentence!(files.from)(locale))
}
