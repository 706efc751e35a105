//! The room's page from entering until the module that connects people is loaded. It is loaded already if the person took time to
//! choose a name.

use std::{rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::page::clock;
use sightline_core::notice::NoticeCode;
use sightline_protocol::RoomName;

use super::call::Call;
use crate::{
    chunk,
    components::{
        kit::logo::Mark,
        later::LaterWith,
        notices::{page::NoticePage, text::notice_text},
    },
    in_chunk,
    language::Language,
    sentence,
    session::{
        engine::{PreparedRoom, prepare},
        entrance::PendingEntry,
    },
};

/// Delay until a failed load is repeated.
const RETRY_AFTER: Duration = Duration::from_secs(3);

chunk! {
    /// [`Call`], loaded on demand.
    fn load_call, preload_call in engine(entry: PendingEntry) {
        prepare(&entry);
        match entry.take_room().and_then(|room| room.downcast::<PreparedRoom>().ok()) {
            Some(room) => {
                let PreparedRoom { name, model, actions } = *room;
                view! { <Call room=name model=model actions=actions /> }.into_any()
            }
            None => ().into_any(),
        }
    }
}

in_chunk! {
    /// Prepares the room of a person who is in the lobby.
    pub fn prepare_room, preload_room in engine(entry: PendingEntry) -> () {
        prepare(&entry);
    }
}

/// Shows the room's name and that the page connects, then the room.
#[component]
pub fn Entering(
    /// The name of the room.
    room: RoomName,
    /// The parameters for entering the room.
    entry: PendingEntry,
) -> AnyView {
    let meanwhile = move |retry: Option<Callback<()>>| match retry {
        None => frame(&room),
        Some(retry) => {
            spawn_local(async move {
                clock::sleep(RETRY_AFTER).await;
                let _ = retry.try_run(());
            });
            view! { <NoticePage code=NoticeCode::ServerUnreachable text=notice_text retry=retry /> }
                .into_any()
        }
    };
    view! { <LaterWith view=load_call(entry) meanwhile=Rc::new(meanwhile) /> }.into_any()
}

fn frame(room: &RoomName) -> AnyView {
    let language = Language::from_context();
    view! {
        <main class="room" data-testid="room-frame">
            <header class="room-bar">
                <Mark />
                <h1 class="room-name" translate="no">{room.to_string()}</h1>
                <span class="status" role="status" data-state="connecting" translate="no">
                    <span class="status-dot" aria-hidden="true"></span>
                    <span class="status-word">{language.text(sentence!(room.connecting))}</span>
                </span>
            </header>
        </main>
    }
    .into_any()
}
