//! In the room.

use leptos::prelude::*;
use sightline_core::notice::NoticeCode;
use sightline_protocol::RoomName;

use crate::{
    components::{
        When,
        chat::Chat,
        connection_status::ConnectionStatus,
        controls::{Controls, Panels},
        copy_link::CopyLink,
        file_source::FileSource,
        icon::{Icon, IconName},
        logo::Mark,
        notice::{NoticeCard, NoticeList},
        page_header::PageHeader,
        settings_menu::SettingsMenu,
        source_resume::SourceResume,
        stage::Stage,
        stats_panel::StatsPanel,
    },
    language::Language,
    sentence,
    session::model::{RoomActions, RoomModel},
};

/// The room: people, chat, figures, controls. What stands in the way of all that is shown in place of it.
#[component]
pub fn Call(
    /// Which room.
    room: RoomName,
    /// What there is to see.
    model: RoomModel,
    /// What the controls do.
    actions: RoomActions,
) -> AnyView {
    let obstacle = Memo::new(move |_| {
        model.notices.with(|notices| notices.iter().copied().find(|code| !code.is_warning()))
    });
    let room = StoredValue::new(room);
    view! {
        {move || match obstacle.get() {
            Some(code) => {
                view! {
                    <PageHeader />
                    <main class="page-middle">
                        <NoticeCard code=code retry=actions.retry />
                    </main>
                }
                    .into_any()
            }
            None => view! { <Room room=room.get_value() model=model actions=actions /> }.into_any(),
        }}
    }
    .into_any()
}

#[component]
fn Room(room: RoomName, model: RoomModel, actions: RoomActions) -> AnyView {
    let language = Language::from_context();
    let panels = Panels { chat: RwSignal::new(false), figures: RwSignal::new(false) };
    let close_chat = Callback::new(move |()| panels.chat.set(false));
    let close_figures = Callback::new(move |()| panels.figures.set(false));
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
    view! {
        <main
            class="room"
            class:is-chat-open=panels.chat
            class:is-figures-open=panels.figures
            data-testid="room"
        >
            <TopBar room=room model=model />
            <div class="room-body">
                <section class="room-stage">
                    <NoticeList notices=notices dismiss=actions.dismiss ask_again=actions.ask_again resume=actions.resume_playback />
                    <SourceResume
                        is_wanted=model.needs_source_gesture
                        choose=actions.choose_source
                        file=model.file
                        play=actions.file
                    />
                    <FileSource model=model.file act=actions.file />
                    <Stage model=model actions=actions />
                </section>
                <When is=panels.figures>
                    <StatsPanel model=model close=close_figures />
                </When>
                <Chat model=model actions=actions is_open=panels.chat close=close_chat />
            </div>
            <Controls model=model actions=actions panels=panels unread=unread(model, panels) />
            <p class="sr-only chat-announcer" aria-live="polite">
                {Signal::derive(move || newest_unseen(model, panels, language).unwrap_or_default())}
            </p>
        </main>
    }
    .into_any()
}

#[component]
fn TopBar(room: RoomName, model: RoomModel) -> AnyView {
    let language = Language::from_context();
    let count = Signal::derive(move || (model.others.with(Vec::len) + 1).to_string());
    view! {
        <header class="room-bar">
            <Mark />
            <h1 class="room-name">{room.to_string()}</h1>
            <ConnectionStatus status=model.status />
            <span class="room-bar-space"></span>
            <span class="room-people">
                <Icon name=IconName::People />
                <span class="sr-only">{language.text(sentence!(room.people))}": "</span>
                {count}
            </span>
            <CopyLink invitation=model.invitation class="button small" test_id="share-link" />
            <SettingsMenu settings=model.settings />
        </header>
    }
    .into_any()
}

/// How many messages of others came since the folded chat was last open.
fn unread(model: RoomModel, panels: Panels) -> Signal<usize> {
    let last_seen = RwSignal::new(None::<String>);
    Effect::new(move || {
        if panels.chat.get() {
            last_seen.set(model.chat.with(|lines| lines.last().map(|line| line.id.clone())));
        }
    });
    Signal::derive(move || {
        last_seen.with(|last_seen| {
            model.chat.with(|lines| {
                let unseen = lines.iter().rev().take_while(|line| Some(&line.id) != last_seen.as_ref());
                unseen.filter(|line| line.author.is_some()).count()
            })
        })
    })
}

/// The newest message in words, for who cannot see that the folded chat has one. (The open chat is a live region.)
fn newest_unseen(model: RoomModel, panels: Panels, language: Language) -> Option<String> {
    if panels.chat.get() {
        return None;
    }
    model.chat.with(|lines| {
        let line = lines.last()?;
        let author = line.author.as_ref()?;
        Some(format!("{} {author}: {}", sentence!(chat.new_from)(language.locale()), line.text))
    })
}
