//! The chat: its log and its text field.

use leptos::{ev, html, prelude::*};
use sightline_core::chat::{TextRefused, excess_characters};
use sightline_protocol::MemberId;

use super::{
    message::ChatMessage,
    recipient::{Destination, Recipient, RecipientChoice},
};
use crate::{
    chunk,
    components::{
        call::{panel_tabs::PanelTabs, panels::Panels},
        files::{Attach, Shelf},
        kit::{
            icon::{Icon, IconName},
            when::When,
        },
        room_part::RoomPart,
    },
    language::{Language, Sentence},
    navigation::Navigator,
    sentence,
    session::model::{ChatLine, RoomActions, RoomModel},
};

/// Distance from the end, in CSS pixels, up to which the log counts as scrolled to the end.
const END_TOLERANCE_PX: i32 = 48;

/// The chat column, which loads its contents on demand.
#[component]
pub fn Chat(
    /// The messages and members.
    model: RoomModel,
    /// The actions for sending.
    actions: RoomActions,
    /// The receiver of files; `None` for all members.
    files_to: RwSignal<Option<String>>,
    /// The panels, for opening and closing the chat.
    panels: Panels,
    /// Number of unseen messages.
    unread: Signal<usize>,
) -> AnyView {
    let language = Language::from_context();
    view! {
        <aside
            class="chat"
            aria-label=language.text(sentence!(chat.title))
        >
            <RoomPart view=load_conversation(model, actions, files_to, panels, unread) />
        </aside>
    }
    .into_any()
}

chunk! {
    /// [`Conversation`], loaded on demand.
    fn load_conversation, preload_conversation in room(
        model: RoomModel,
        actions: RoomActions,
        files_to: RwSignal<Option<String>>,
        panels: Panels,
        unread: Signal<usize>,
    ) {
        view! { <Conversation model=model actions=actions files_to=files_to panels=panels unread=unread /> }.into_any()
    }
}

/// The contents of the chat column.
#[component]
fn Conversation(
    model: RoomModel,
    actions: RoomActions,
    files_to: RwSignal<Option<String>>,
    panels: Panels,
    unread: Signal<usize>,
) -> AnyView {
    let language = Language::from_context();
    let is_empty = Memo::new(move |_| model.chat.with(Vec::is_empty));
    let is_for_files = Navigator::from_context().is_some_and(|navigator| navigator.parameters().files);
    let adds_files = Memo::new(move |_| is_for_files && model.others.with(Vec::is_empty));
    let empty_words = move |for_files: Sentence, otherwise: Sentence| {
        let words = move || if adds_files.get() { for_files } else { otherwise };
        Signal::derive(move || words()(language.locale()))
    };
    let log = NodeRef::<html::Div>::new();
    let is_at_end = StoredValue::new(true);
    let note_scroll = move |_| {
        if let Some(log) = log.get_untracked() {
            let below = log.scroll_height() - log.scroll_top() - log.client_height();
            is_at_end.set_value(below < END_TOLERANCE_PX);
        }
    };
    Effect::new(move || {
        let is_own = model.chat.with(|lines| lines.last().is_some_and(|line| line.author.is_none()));
        // A hidden log cannot be scrolled.
        panels.chat.track();
        let Some(log) = log.get() else { return };
        if is_own || is_at_end.get_value() {
            // Only then has the new message its height.
            request_animation_frame(move || log.set_scroll_top(log.scroll_height()));
        }
    });
    view! {
            <header class="panel-header">
                <h2>{language.text(sentence!(chat.title))}</h2>
                <PanelTabs panels=panels in_chat=true unread=unread />
                <button
                    type="button"
                    class="icon-button chat-close"
                    aria-label=language.text(sentence!(chat.close))
                    on:click=move |_| panels.close_chat()
                >
                    <Icon name=IconName::CLOSE />
                </button>
            </header>
            <div
                node_ref=log
                class="chat-log"
                role="log"
                aria-live="polite"
                aria-label=language.text(sentence!(chat.log))
                tabindex="0"
                data-testid="chat-log"
                on:scroll=note_scroll
            >
                <When is=model.is_chat_cut>
                    <p class="chat-cut" data-testid="chat-cut">
                        {language.text(sentence!(chat.cut))}
                    </p>
                </When>
                <For
                    each=move || model.chat.get()
                    key=|line| line.number
                    children=|line: ChatLine| view! { <ChatMessage line=line /> }
                />
            </div>
            <When is=is_empty>
                <div class="panel-empty">
                    <p class="panel-empty-title" translate="no">
                        {empty_words(sentence!(chat.files_title), sentence!(chat.empty_title))}
                    </p>
                    <p translate="no">{empty_words(sentence!(chat.files_text), sentence!(chat.empty_text))}</p>
                </div>
            </When>
            <Shelf model=model actions=actions panels=panels />
            <Attach model=model actions=actions to=files_to />
            <Composer model=model send=actions.send_chat field=panels.composer />
    }
    .into_any()
}

#[component]
fn Composer(
    model: RoomModel,
    send: Callback<(Option<MemberId>, String), Result<(), TextRefused>>,
    field: NodeRef<html::Textarea>,
) -> AnyView {
    let language = Language::from_context();
    let text = RwSignal::new(String::new());
    let recipient = Recipient::everyone(model);
    let invitation = Signal::derive(move || {
        let locale = language.locale();
        if recipient.is_one() {
            sentence!(people.write_to)(locale).replace("{}", &recipient.name())
        } else {
            sentence!(chat.placeholder)(locale).to_owned()
        }
    });
    let submit = move || {
        let to = match recipient.destination() {
            Destination::Everyone => None,
            Destination::One(member) => Some(member),
            Destination::Nobody => return,
        };
        if send.run((to, text.get_untracked())).is_ok() {
            text.set(String::new());
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        // Key code 229: some browsers end the composition before the key event that ended it.
        let is_composing = event.is_composing() || event.key_code() == 229;
        if event.key() == "Enter" && !event.shift_key() && !is_composing {
            event.prevent_default();
            submit();
        }
    };
    let excess = Memo::new(move |_| text.with(|text| excess_characters(text)));
    let excess_words = Signal::derive(move || {
        let (locale, excess) = (language.locale(), excess.get());
        let [before, after] =
            [sentence!(chat.too_long), sentence!(chat.too_long_end)].map(|words| words(locale));
        format!("{before} {excess} {after}")
    });
    view! {
        <When is=Signal::derive(move || excess.get() > 0)>
            <p
                class="composer-excess"
                role="status"
                translate="no"
                data-testid="chat-excess"
                data-characters=excess
            >
                {excess_words}
            </p>
        </When>
        <RecipientChoice recipient=recipient />
        <form
            class="composer"
            class:is-private=Signal::derive(move || recipient.is_one())
            on:submit=move |event| {
                event.prevent_default();
                submit();
            }
        >
            // A copy of the text gives the field its height.
            <div class="composer-field" data-text=text>
                <textarea
                    node_ref=field
                    rows="1"
                    data-testid="chat-input"
                    aria-label=invitation
                    placeholder=invitation
                    prop:value=text
                    on:input=move |event| text.set(event_target_value(&event))
                    on:keydown=on_key
                ></textarea>
            </div>
            <button
                type="submit"
                class="round-button accent"
                data-testid="chat-send"
                aria-label=language.text(sentence!(chat.send))
            >
                <Icon name=IconName::SEND />
            </button>
        </form>
    }
    .into_any()
}
