//! The page while the person is in the room.

use leptos::{html, prelude::*};
use sightline_core::{notice::NoticeCode, signaling::SignalingStatus};
use sightline_protocol::RoomName;

use super::{banners::load_banners, foot::load_foot, menus::load_menus, waiting::load_waiting};
use crate::{
    components::{
        call::{
            connection_status::ConnectionStatus, hand::switch_hand, panels::Panels, room_lock::LockedSign,
            shortcuts, stage::Stage,
        },
        chat::conversation::Chat,
        figures::panel::load_stats_panel,
        files::offer_title,
        invitation::protection::ProtectionMark,
        kit::{
            icon::{Icon, IconName},
            logo::Mark,
            when::When,
        },
        later::Later,
        notices::{notice::NoticeList, page::NoticePage, text::room_notice_text},
        room_part::{RoomPart, RoomParts},
    },
    consent::Arrival,
    keys::Shortcut,
    language::Language,
    navigation::Navigator,
    sentence,
    session::{
        model::{RoomActions, RoomModel, Setting, SourceChoice},
        picked_ahead,
    },
};

/// The room: people, chat, figures, controls. A problem that ends the call is shown instead.
#[component]
pub fn Call(
    /// The name of the room.
    room: RoomName,
    /// The signals of the room.
    model: RoomModel,
    /// The actions of the controls.
    actions: RoomActions,
) -> AnyView {
    let obstacle = Memo::new(move |_| {
        model.notices.with(|notices| notices.iter().copied().find(|code| !code.is_warning()))
    });
    // Somebody who was in the room, and has to wait to come back, still has the call.
    let is_waiting =
        Memo::new(move |_| model.status.get() == SignalingStatus::Waiting && !model.has_entered.get());
    Effect::new(move || {
        if obstacle.get().is_some() || is_waiting.get() {
            model.is_drawn.set(true);
        }
    });
    let room = StoredValue::new(room);
    view! {
        {move || match obstacle.get() {
            Some(code) => view! { <NoticePage code=code text=room_notice_text retry=actions.retry /> }.into_any(),
            None if is_waiting.get() => view! { <Later view=load_waiting(room.get_value(), model.shown_picture) /> }.into_any(),
            None => view! { <Room room=room.get_value() model=model actions=actions /> }.into_any(),
        }}
    }
    .into_any()
}

#[component]
fn Room(room: RoomName, model: RoomModel, actions: RoomActions) -> AnyView {
    let language = Language::from_context();
    let navigator = Navigator::from_context();
    let panels = Panels::closed();
    // For the bars of the tiles.
    provide_context(panels);
    let uses_shortcuts = model.settings.preferences.signal(Setting::Shortcuts);
    panels.close_by_escape();
    shortcuts::listen(uses_shortcuts, panels, move |shortcut| act(shortcut, model, actions, panels));
    // The pressed button is gone, so the focus moves to the room.
    let element = NodeRef::<html::Main>::new();
    Effect::new(move || {
        if let Some(element) = element.get() {
            let _ = element.focus();
        }
    });
    // The picture of the first member comes first.
    model.is_shown.set(true);
    // Then the rest, so that drawing it delays no picture.
    let is_whole = Signal::derive(move || !model.is_reaching.get());
    let parts = RoomParts::from_context();
    let are_lost = move || model.notices.with(|notices| notices.contains(&NoticeCode::PartUnavailable));
    Effect::new(move || {
        if is_whole.get() && (parts.is_none_or(|parts| parts.are_here().get()) || are_lost()) {
            model.is_drawn.set(true);
        }
    });
    let unread = unread(model, panels);
    let files_to = RwSignal::new(None);
    Effect::new(move || actions.watch_figures.run(panels.figures.get()));
    on_cleanup(move || {
        let _ = actions.watch_figures.try_run(false);
    });
    let notices = RwSignal::new(Vec::new());
    Effect::new(move || {
        let mut all = model.notices.get();
        if model.needs_gesture.get() && !all.contains(&NoticeCode::AutoplayBlocked) {
            all.push(NoticeCode::AutoplayBlocked);
        }
        notices.set(all);
    });
    if navigator.is_some_and(|navigator| navigator.arrival() == Arrival::SendFiles) {
        panels.show_files_and_link();
        if let Some(files) = picked_ahead::take() {
            actions.offer_files.run((None, files));
        }
    }
    view! {
        <main
            node_ref=element
            tabindex="-1"
            class="room"
            class:is-chat-open=panels.chat
            class:is-figures-open=panels.figures
            data-testid="room"
        >
            <TopBar room=room model=model actions=actions panels=panels is_whole=is_whole />
            <div class="room-body">
                <section class="room-stage">
                    <NoticeList notices=notices text=room_notice_text dismiss=actions.dismiss ask_again=actions.ask_again resume=actions.resume_playback />
                    <When is=is_whole>
                        <RoomPart view=load_banners(model, actions, panels) />
                    </When>
                    <Stage model=model actions=actions />
                </section>
                <When is=panels.figures>
                    <RoomPart view=load_stats_panel(model, panels, unread) />
                </When>
                <When is=is_whole>
                    <Chat model=model actions=actions files_to=files_to panels=panels unread=unread />
                </When>
            </div>
            <When is=is_whole>
                <RoomPart view=load_foot(model, actions, panels, unread, files_to) />
            </When>
            <p class="sr-only chat-announcer" aria-live="polite" translate="no">
                {Signal::derive(move || newest_unseen(model, panels, language).unwrap_or_default())}
            </p>
        </main>
    }
    .into_any()
}

#[component]
fn TopBar(
    room: RoomName,
    model: RoomModel,
    actions: RoomActions,
    panels: Panels,
    is_whole: Signal<bool>,
) -> AnyView {
    let language = Language::from_context();
    let count = Signal::derive(move || (model.others.with(Vec::len) + 1).to_string());
    view! {
        <header class="room-bar">
            <Mark />
            <h1 class="room-name" translate="no">{room.to_string()}</h1>
            <ProtectionMark is_protected=model.is_protected />
            <LockedSign host=model.host />
            <ConnectionStatus status=model.status />
            <span class="room-bar-space"></span>
            <span class="room-people" translate="no">
                <Icon name=IconName::PEOPLE />
                <span class="sr-only">{language.text(sentence!(room.people))}": "</span>
                {count}
            </span>
            <When is=is_whole>
                <RoomPart view=load_menus(model, actions, panels) />
            </When>
        </header>
    }
    .into_any()
}

/// Performs a shortcut.
fn act(shortcut: Shortcut, model: RoomModel, actions: RoomActions, panels: Panels) {
    match shortcut {
        Shortcut::Microphone => actions.toggle_microphone.run(()),
        Shortcut::Camera => actions.toggle_camera.run(()),
        Shortcut::Screen => actions.choose_source.run(match model.source.get_untracked() {
            SourceChoice::Screen => SourceChoice::Camera,
            _ => SourceChoice::Screen,
        }),
        Shortcut::Hand => switch_hand(model, actions),
        Shortcut::Chat => panels.go_to_chat(),
        Shortcut::Figures if panels.figures.get_untracked() => panels.close_figures(),
        Shortcut::Figures => panels.toggle_figures(),
        Shortcut::Invitation => panels.toggle_invitation(),
        Shortcut::Settings => panels.toggle_settings(),
        Shortcut::Help => panels.shortcuts.set(true),
        Shortcut::Leave => panels.leaving.set(true),
    }
}

/// Number of messages of others since the folded chat was last open, plus the number of files that wait there.
fn unread(model: RoomModel, panels: Panels) -> Signal<usize> {
    let last_seen = RwSignal::new(None::<String>);
    Effect::new(move || {
        let newest = model.chat.with(|lines| lines.last().map(|line| line.id.clone()));
        if panels.is_chat_shown() {
            last_seen.set(newest);
        }
    });
    let unseen_messages = move || {
        last_seen.with(|last_seen| {
            model.chat.with(|lines| {
                let unseen = lines.iter().rev().take_while(|line| Some(&line.id) != last_seen.as_ref());
                unseen.filter(|line| line.author.is_some()).count()
            })
        })
    };
    // An offered file counts until it is answered.
    Signal::derive(move || unseen_messages() + if panels.chat.get() { 0 } else { offered_files(model) })
}

/// Number of files of others that wait for an answer.
fn offered_files(model: RoomModel) -> usize {
    usize::try_from(model.transfers.all_offered.get().files).unwrap_or(usize::MAX)
}

/// The text of the newest message for screen readers while the chat is folded. (The open chat is a live region.)
fn newest_unseen(model: RoomModel, panels: Panels, language: Language) -> Option<String> {
    if panels.is_chat_shown() {
        return None;
    }
    if offered_files(model) > 0 {
        return Some(offer_title(model, language.locale()));
    }
    model.chat.with(|lines| {
        let line = lines.last()?;
        let author = line.author.as_ref()?;
        let from = if line.is_private { sentence!(people.private_from) } else { sentence!(chat.new_from) };
        Some(format!("{} {author}: {}", from(language.locale()), line.text))
    })
}
