//! One transfer: file, progress, and actions.

use leptos::prelude::*;
use sightline_core::transfer::{Direction, Reach, TransferState, TransferView};
use sightline_protocol::transfer::TransferEnd;

use super::{amount, end_text::end_text};
use crate::{
    components::kit::{
        icon::{Icon, IconName},
        icon_button::IconButton,
        short_name::ShortName,
        when::When,
    },
    language::{Language, Locale, Sentence},
    sentence,
    session::model::{RoomActions, TransferModel},
};

/// A row of the shelf.
#[component]
pub fn Transfer(
    /// The transfer in this row.
    transfer: TransferModel,
    /// The actions on transfers.
    actions: RoomActions,
) -> AnyView {
    let language = Language::from_context();
    let view = transfer.view;
    let state = Memo::new(move |_| view.with(|view| view.state));
    // The file of a transfer never changes, only the progress.
    let (name, folder) = view.with_untracked(|view| (view.name.clone(), view.folder.clone()));
    let has_bar = Memo::new(move |_| {
        matches!(state.get(), TransferState::Running | TransferState::Paused | TransferState::Verifying)
    });
    let hash = Signal::derive(move || {
        view.with(|view| view.sha256.filter(|_| view.state == TransferState::Done))
            .map(|sha256| sha256.to_string())
    });
    let words = Signal::derive(move || {
        let name = transfer.member_name.get();
        view.with(|view| status_words(view, &name, language.locale()))
    });
    view! {
        <li
            class="transfer"
            translate="no"
            data-testid="transfer"
            data-id=view.with_untracked(|view| view.id.to_string())
            data-member=Signal::derive(move || view.with(|view| view.member.to_string()))
            data-name=name.clone()
            data-direction=view.with_untracked(|view| view.direction.as_str())
            data-size=view.with_untracked(|view| view.size_bytes.to_string())
            data-bytes=Signal::derive(move || view.with(|view| view.bytes.to_string()))
            data-state=Signal::derive(move || state.get().as_str())
            data-code=Signal::derive(move || view.with(|view| view.end.map(TransferEnd::as_str)))
            data-reach=Signal::derive(move || view.with(|view| view.reach.as_str()))
        >
            <span class="transfer-icon">
                <Icon name=Signal::derive(move || icon_of(view.with(|view| view.direction), state.get())) />
            </span>
            <div class="transfer-text">
                {(!folder.is_empty())
                    .then(|| {
                        view! {
                            <p class="transfer-folder" dir="auto">
                                {folder}
                            </p>
                        }
                    })}
                <p class="transfer-name" dir="auto" title=name.clone()>
                    <ShortName name=name.clone() />
                </p>
                <p class="transfer-words" role="status">
                    {words}
                </p>
            </div>
            <Buttons transfer=transfer actions=actions state=state />
            <When is=has_bar>
                <progress
                    class="transfer-bar"
                    aria-label=language.text(sentence!(files.progress))
                    max=view.with_untracked(|view| view.size_bytes.max(1).to_string())
                    prop:value=Signal::derive(move || view.with(|view| view.bytes as f64))
                ></progress>
            </When>
            {move || {
                hash.get()
                    .map(|hash| {
                        view! {
                            <details class="transfer-hash">
                                <summary>"SHA-256"</summary>
                                <code data-testid="transfer-hash">{hash}</code>
                            </details>
                        }
                    })
            }}
        </li>
    }
    .into_any()
}

#[component]
fn Buttons(transfer: TransferModel, actions: RoomActions, state: Memo<TransferState>) -> AnyView {
    let language = Language::from_context();
    let handle = transfer.handle;
    let is_receiving = transfer.view.with_untracked(|view| view.direction == Direction::Receiving);
    let is_offered_here = Memo::new(move |_| is_receiving && state.get() == TransferState::Offered);
    let can_pause = Memo::new(move |_| {
        matches!(state.get(), TransferState::Running | TransferState::Paused)
            && transfer.view.with(|view| !view.needs_file && view.reach == Reach::Connected)
    });
    let can_cancel = Memo::new(move |_| !state.get().is_over() && !is_offered_here.get());
    let is_paused_here = Memo::new(move |_| transfer.view.with(|view| view.is_paused_here));
    let pause = Callback::new(move |()| actions.pause_file.run((handle, !is_paused_here.get_untracked())));
    let cancel = Callback::new(move |()| actions.cancel_file.run(handle));
    let pause_icon =
        Signal::derive(move || if is_paused_here.get() { IconName::PLAY } else { IconName::PAUSE });
    let pause_words = Signal::derive(move || {
        let words: Sentence =
            if is_paused_here.get() { sentence!(files.resume) } else { sentence!(files.pause) };
        words(language.locale())
    });
    view! {
        <div class="transfer-buttons">
            <When is=is_offered_here>
                <button
                    type="button"
                    class="button small primary"
                    data-testid="transfer-accept"
                    on:click=move |_| actions.accept_file.run(handle)
                >
                    {language.text(sentence!(files.accept))}
                </button>
                <button
                    type="button"
                    class="button small"
                    data-testid="transfer-decline"
                    on:click=move |_| actions.decline_file.run(handle)
                >
                    {language.text(sentence!(files.decline))}
                </button>
            </When>
            <When is=can_pause>
                <IconButton icon=pause_icon label=pause_words press=pause test_id="transfer-pause" />
            </When>
            <When is=can_cancel>
                <IconButton
                    icon=IconName::CLOSE
                    label=language.text(sentence!(files.cancel))
                    press=cancel
                    test_id="transfer-cancel"
                />
            </When>
            {move || {
                let name = transfer.view.with_untracked(|view| view.name.clone());
                transfer
                    .url
                    .get()
                    .filter(|_| state.get() == TransferState::Done)
                    .map(|url| {
                        view! {
                            <a
                                class="button small"
                                data-testid="transfer-save"
                                href=url
                                download=name
                                on:click=move |_| transfer.is_saved.set(true)
                            >
                                {language.text(sentence!(files.save))}
                            </a>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}

/// "To Ada · 3.1 of 12 MB · 4.2 MB/s · 3 s", for the present state.
fn status_words(view: &TransferView, member: &str, locale: Locale) -> String {
    let is_sending = view.direction == Direction::Sending;
    let member = if member.is_empty() { sentence!(tile.guest)(locale) } else { member };
    let size = amount::size(view.size_bytes);
    let way: Sentence = if is_sending { sentence!(files.to) } else { sentence!(files.from) };
    let mut words = format!("{} {member} · ", way(locale));
    let mut add = |part: &str| words.push_str(part);
    match view.state {
        TransferState::Offered => {
            add(&size);
            if !view.media_type.is_empty() {
                add(" · ");
                add(&view.media_type);
            }
            if let Some(words) = reach_words(view) {
                add(" · ");
                add(words(locale));
            } else if is_sending {
                add(" · ");
                add(sentence!(files.waiting)(locale));
            }
        }
        TransferState::Running | TransferState::Paused => {
            add(&format!("{} / {size} · ", amount::size(view.bytes)));
            match (view.state, view.bytes_per_second, view.time_left) {
                (TransferState::Paused, ..) => add(pause_words(view)(locale)),
                (_, Some(speed), Some(left)) => {
                    add(&format!("{}/s · {}", amount::size(speed), amount::time(left, locale)));
                }
                _ => add(sentence!(files.starting)(locale)),
            }
        }
        TransferState::Verifying => {
            add(&size);
            add(" · ");
            add(sentence!(files.verifying)(locale));
        }
        TransferState::Done => {
            add(&size);
            add(" · ");
            add(sentence!(files.done)(locale));
        }
        TransferState::Declined | TransferState::Cancelled | TransferState::Failed => {
            if let Some(end) = view.end {
                add(end_text(end, view.direction)(locale));
            }
        }
    }
    words
}

/// Why the other side cannot be reached now.
fn reach_words(view: &TransferView) -> Option<Sentence> {
    match view.reach {
        Reach::Connected => None,
        Reach::Waiting => Some(sentence!(files.away)),
        Reach::Gone => Some(sentence!(files.gone)),
    }
}

fn pause_words(view: &TransferView) -> Sentence {
    if let Some(words) = reach_words(view) {
        words
    } else if view.needs_file {
        sentence!(files.choose_again)
    } else if view.is_paused_here {
        sentence!(files.paused)
    } else {
        sentence!(files.paused_there)
    }
}

fn icon_of(direction: Direction, state: TransferState) -> IconName {
    match state {
        TransferState::Done => IconName::CHECK,
        TransferState::Declined | TransferState::Cancelled => IconName::NOTHING,
        TransferState::Failed => IconName::ALERT,
        _ if direction == Direction::Sending => IconName::UPLOAD,
        _ => IconName::DOWNLOAD,
    }
}
