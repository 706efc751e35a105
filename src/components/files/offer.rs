//! Notes about offered files and about files that were not sent, for layouts where the chat that lists them is folded.

use leptos::prelude::*;
use sightline_core::transfer::LeftOut;

use super::amount;
use crate::{
    components::{
        call::panels::Panels,
        kit::{
            icon::{Icon, IconName},
            when::When,
        },
    },
    language::{Language, Locale, Sentence},
    sentence,
    session::model::{RoomActions, RoomModel, TransferModel},
};

/// Most names of files that were left out.
const NAMES_SHOWN: usize = 3;

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
    let title = Signal::derive(move || offer_title(model, language.locale()));
    let words = Signal::derive(move || {
        let offered = offered.get();
        let bytes = model.transfers.all_offered.get().bytes;
        let words = |first| offer_words(first, (count.get(), bytes));
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
                     title: Signal<String>,
                     words: Signal<String>,
                     can_be_accepted: bool,
                     (test_id, button_id): (&'static str, &'static str)| {
        view! {
            <When is=Signal::derive(move || words.with(|words| !words.is_empty()))>
                <div class="notice file-offer" data-testid=test_id>
                    <Icon name=icon />
                    <div class="notice-text" translate="no">
                        <p class="notice-title" dir="auto">{title}</p>
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
        {line(IconName::DOWNLOAD, title, words, true, ("file-offer", "file-offer-show"))}
        {line(
            IconName::ALERT,
            Signal::derive(move || sentence!(files.some_not_sent)(language.locale()).to_owned()),
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

/// "film.mp4 + 2 · 67 MB": the first file, the number of further ones, and the size of all.
fn offer_words(first: &TransferModel, (count, bytes): (usize, u64)) -> String {
    let (file, size) = (first.view.with(|view| view.name.clone()), amount::size(bytes));
    let more = if count > 1 { format!(" + {}", count - 1) } else { String::new() };
    format!("{file}{more} · {size}")
}

/// "Ada wants to send you a file".
pub fn offer_title(model: RoomModel, locale: Locale) -> String {
    let all = model.transfers.all_offered.get();
    let words: Sentence = match (all.members, all.all_files()) {
        (2.., _) => sentence!(files.offered_by_several),
        (_, 2..) => sentence!(files.offered_several),
        _ => sentence!(files.offered),
    };
    let first = model.transfers.offered_here().first().map(|first| first.member_name.get());
    let name = first.filter(|name| !name.is_empty());
    words(locale).replace("{}", name.as_deref().unwrap_or_else(|| sentence!(tile.guest)(locale)))
}
