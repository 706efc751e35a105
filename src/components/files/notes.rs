//! Notes about files that are not transfers: files that wait, and files that are not sent.

use leptos::prelude::*;
use sightline_core::transfer::{Backlog, LeftOut, LeftOutFiles, LeftOutReason};

use crate::{
    components::kit::{
        icon::{Icon, IconName},
        icon_button::IconButton,
        when::When,
    },
    language::{Language, Sentence},
    sentence,
    session::model::{RoomActions, RoomModel},
};

/// Number of names on the page; the others are in the tooltip.
const NAMES_SHOWN: usize = 3;

/// Notes about files that wait for a member or for their turn, about files that were left out, and about refused offers.
#[component]
pub fn Notes(
    /// The room, whose transfers the notes are about.
    model: RoomModel,
    /// The action for giving up waiting files.
    actions: RoomActions,
) -> AnyView {
    let language = Language::from_context();
    let (backlog, left_out) = (model.transfers.backlog, model.transfers.left_out);
    let count = move |of: fn(&Backlog) -> usize| backlog.with(of);
    let has_backlog = Memo::new(move |_| count(|backlog| backlog.waiting + backlog.queued) > 0);
    let refused = Memo::new(move |_| backlog.with(|backlog| backlog.refused));
    let has_refused = Memo::new(move |_| refused.get() > 0);
    let backlog_words = move || {
        let locale = language.locale();
        let mut lines = Vec::new();
        let mut add = |number: usize, words: Sentence| {
            if number > 0 {
                lines.push(format!("{}: {number}", words(locale)));
            }
        };
        add(count(|backlog| backlog.waiting), sentence!(files.backlog_waiting));
        add(count(|backlog| backlog.queued), sentence!(files.backlog_queued));
        add(count(|backlog| backlog.needs_file), sentence!(files.backlog_choose_again));
        lines.join(" · ")
    };
    let names = move || backlog.with(|backlog| backlog.names.join(", "));
    view! {
        <When is=has_backlog>
            <div
                class="notice"
                translate="no"
                data-testid="transfer-backlog"
                data-waiting=move || count(|backlog| backlog.waiting).to_string()
                data-queued=move || count(|backlog| backlog.queued).to_string()
            >
                <Icon name=IconName::UPLOAD />
                <div class="notice-text">
                    <p class="notice-title" role="status">
                        {backlog_words}
                    </p>
                    <p class="notice-hint" dir="auto">
                        {names}
                    </p>
                </div>
                <IconButton
                    icon=IconName::CLOSE
                    label=language.text(sentence!(files.cancel))
                    press=actions.cancel_backlog
                    test_id="transfer-backlog-cancel"
                />
            </div>
        </When>
        <When is=has_refused>
            <div
                class="notice"
                translate="no"
                data-testid="notice"
                data-code="offers-refused"
                data-count=move || refused.get().to_string()
            >
                <Icon name=IconName::ALERT />
                <div class="notice-text">
                    <p class="notice-title" role="status">
                        {language.text(sentence!(files.offers_refused))}
                        ": "
                        {move || refused.get().to_string()}
                    </p>
                </div>
            </div>
        </When>
        {move || {
            let rows = left_out.with(|left_out| left_out.files().to_vec());
            rows.into_iter().map(|files| left_out_row(&files, left_out, language)).collect_view()
        }}
    }
    .into_any()
}

/// A row such as "3 files were not sent: too many files at once", with the names.
fn left_out_row(files: &LeftOutFiles, left_out: RwSignal<LeftOut>, language: Language) -> AnyView {
    let words: Sentence = match files.reason {
        LeftOutReason::TooMany => sentence!(files.left_out_too_many),
        LeftOutReason::TooDeep => sentence!(files.left_out_too_deep),
        LeftOutReason::Unreadable => sentence!(files.left_out_unreadable),
        LeftOutReason::Forgotten => sentence!(files.left_out_forgotten),
    };
    let mut names = files.names.iter().take(NAMES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if files.count > NAMES_SHOWN {
        names.push_str(&format!(" + {}", files.count - NAMES_SHOWN));
    }
    view! {
        <div
            class="notice"
            data-testid="notice"
            data-code=files.reason.as_str()
            data-count=files.count.to_string()
            title=files.names.join("\n")
        >
            <Icon name=IconName::ALERT />
            <div class="notice-text">
                <p class="notice-title" role="alert">
                    {language.text(words)}
                    ": "
                    {files.count.to_string()}
                </p>
                <p class="notice-hint" dir="auto">
                    {names}
                </p>
            </div>
            <IconButton
                icon=IconName::CLOSE
                label=language.text(sentence!(notice.dismiss))
                press=Callback::new(move |()| left_out.set(LeftOut::default()))
            />
        </div>
    }
    .into_any()
}
