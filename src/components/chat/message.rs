//! One chat message: author, time, text, and delivery state.

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::page::sharing;
use sightline_core::chat::{DeliveryState, Segment, split_links};

use super::clock_time::clock_time;
use crate::{
    components::kit::icon::{Icon, IconName},
    language::{Language, Sentence},
    sentence,
    session::model::ChatLine,
};

/// One message of the log.
#[component]
pub fn ChatMessage(
    /// The message to show.
    line: ChatLine,
) -> AnyView {
    let language = Language::from_context();
    let ChatLine { id, author, text, sent_at_ms, state, is_private, addressee, .. } = line;
    let is_own = author.is_none();
    let author = Signal::derive(move || match &author {
        None => sentence!(chat.you)(language.locale()).to_owned(),
        Some(name) if name.is_empty() => sentence!(tile.guest)(language.locale()).to_owned(),
        Some(name) => name.clone(),
    });
    let privacy = is_private.then(|| {
        let words = Signal::derive(move || privacy_text(addressee.as_deref(), language));
        view! {
            <span class="chat-private" data-testid="chat-private">
                <Icon name=IconName::LOCK />
                {words}
            </span>
        }
    });
    let time = Signal::derive(move || clock_time(sent_at_ms, language.locale()));
    let segments = split_links(&text).into_iter().map(segment_view).collect_view();
    view! {
        <article
            class="chat-message"
            class:is-own=is_own
            class:is-private=is_private
            data-private=is_private.to_string()
            data-testid="chat-message"
            data-id=id
            data-state={
                let state = state.clone();
                Signal::derive(move || state.get().as_str())
            }
        >
            <p class="chat-meta" translate="no">
                <span class="chat-author" dir="auto">
                    {author}
                </span>
                {privacy}
                <time>{time}</time>
                {is_own.then(|| view! { <Delivery state=state.clone() is_private=is_private /> })}
            </p>
            <div class="chat-line">
                <p class="chat-text" dir="auto">
                    {segments}
                </p>
                {(!is_own).then(|| view! { <CopyMessage text=text /> }.into_any())}
            </div>
        </article>
    }
    .into_any()
}

/// Puts a message into the clipboard, and shows whether that worked.
#[component]
fn CopyMessage(text: String) -> AnyView {
    let language = Language::from_context();
    let outcome = RwSignal::new(None::<bool>);
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            let is_copied = sharing::copy_text(&text).await.is_ok();
            outcome.try_set(Some(is_copied));
        });
    };
    let icon = Signal::derive(move || match outcome.get() {
        None => IconName::COPY,
        Some(true) => IconName::CHECK,
        Some(false) => IconName::ALERT,
    });
    let words = Signal::derive(move || {
        let sentence: Sentence = match outcome.get() {
            None => sentence!(chat.copy),
            Some(true) => sentence!(chat.copied),
            Some(false) => sentence!(chat.copy_by_hand),
        };
        sentence(language.locale())
    });
    view! {
        <button
            type="button"
            class="icon-button chat-copy"
            translate="no"
            data-testid="chat-copy"
            title=words
            aria-label=words
            on:click=copy
            on:blur=move |_| outcome.set(None)
        >
            <Icon name=icon />
        </button>
    }
    .into_any()
}

/// A check mark after delivery, and words in case of a problem.
#[component]
fn Delivery(state: ArcRwSignal<DeliveryState>, is_private: bool) -> AnyView {
    let language = Language::from_context();
    let shown = state.clone();
    let icon = Signal::derive(move || match shown.get() {
        DeliveryState::Sending => IconName::CLOCK,
        DeliveryState::Delivered | DeliveryState::Received => IconName::CHECK,
        DeliveryState::Undeliverable => IconName::ALERT,
        DeliveryState::Unheard => IconName::PEOPLE,
    });
    let words = Signal::derive(move || {
        let sentence: Sentence = match state.get() {
            DeliveryState::Sending => sentence!(chat.sending),
            DeliveryState::Delivered | DeliveryState::Received => sentence!(chat.delivered),
            DeliveryState::Undeliverable if is_private => sentence!(people.undelivered),
            DeliveryState::Undeliverable => sentence!(chat.undeliverable),
            DeliveryState::Unheard => sentence!(chat.unheard),
        };
        sentence(language.locale())
    });
    view! {
        <span class="delivery">
            <Icon name=icon />
            <span class="delivery-words">{words}</span>
        </span>
    }
    .into_any()
}

/// The words above a private message: the name of its receiver, or that it is for this person alone (`None`).
fn privacy_text(addressee: Option<&str>, language: Language) -> String {
    let locale = language.locale();
    match addressee {
        None => sentence!(people.to_you)(locale).to_owned(),
        Some(name) => {
            let name = if name.is_empty() { sentence!(tile.guest)(locale) } else { name };
            sentence!(people.to_one)(locale).replace("{}", name)
        }
    }
}

fn segment_view(segment: Segment<'_>) -> AnyView {
    match segment {
        Segment::Text(text) => text.to_owned().into_any(),
        // Left to right in every language, so that the host name is read first.
        Segment::Link(address) => view! {
            <a href=address.to_owned() dir="ltr" target="_blank" rel="noopener noreferrer nofollow">
                {address.to_owned()}
            </a>
        }
        .into_any(),
    }
}
