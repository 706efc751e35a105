//! Everything that runs in the room, and before that what prepares it. Nothing in the lobby refers to this module, so that the lobby
//! loads without it.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    js::fair_queue::{FairStream, LaneCapacity, Lanes, fair_queue},
    page::{clock, document, location::Location, random},
    rtc::certificate::Certificate,
};
use sightline_core::{room::RoomSession, signaling::JoinRequest};
use sightline_protocol::{DisplayName, InstanceId, RoomName, control::PublishedState};

use futures_util::future::join3;

use super::{
    address::find_endpoint,
    chat_history::ChatHistory,
    device::Device,
    driver::{Driver, LOBBY_LINGERS, Setup},
    entrance::{Begin, Entry, PendingEntry, Show},
    files::Files,
    input::{Command, Input, message_bytes},
    knock_wish,
    log::Log,
    model::{RoomActions, RoomModel},
    room_actions::room_actions,
    room_view::RoomView,
};
use crate::create_token;

/// How long only the stage of a room is drawn at most, while the first connection is made.
const REACHING: Duration = Duration::from_millis(600);

/// More than a minute of all events of eight links; after that the page was asleep.
const MAX_INPUTS: usize = 4096;

/// Queue for one member: 2,000 files in both directions, announced twice on new connections; and four windows of a file's bytes.
/// A longer queue means a flood, and a member that loses more messages than the patience in `core/src/budget` is cut off.
const MEMBER_LANE: LaneCapacity = LaneCapacity { messages: 8_000, bytes: 32 * 1024 * 1024 };

/// A room that the person may enter, or is in.
pub struct PreparedRoom {
    /// The name of the room.
    pub name: RoomName,
    /// The signals that the room shows.
    pub model: RoomModel,
    /// The actions of its controls.
    pub actions: RoomActions,
}

/// Prepares the room for a person who is in the lobby, unless that was done. Its session runs until the page ends.
pub fn prepare(pending: &PendingEntry) {
    if let Some(entry) = pending.take() {
        let owner = entry.owner.clone();
        let (room, begin) = owner.with(|| prepare_entry(entry));
        pending.handle_prepared(Box::new(room), begin);
    }
}

fn prepare_entry(mut entry: Entry) -> (PreparedRoom, Begin) {
    let (lanes, stream) = fair_queue(MAX_INPUTS, MEMBER_LANE, message_bytes);
    let inputs = lanes.first();
    let invitation = std::mem::take(&mut entry.invitation);
    let room = entry.room.borrow().clone();
    let is_protected = room.secret.is_some();
    let model = RoomView::new_model(invitation, is_protected, entry.media.signals(), entry.settings);
    let actions = room_actions(model, inputs.clone(), entry.media.clone(), entry.left);
    let name = room.name;
    let begin = {
        let (inputs, owner) = (inputs.clone(), entry.owner.clone());
        move |name: DisplayName, show: Show| {
            // First, so that the server is asked before anything is drawn.
            inputs.push(Input::Command(Command::Enter(name.clone())));
            document::set_busy(true);
            model.local.name.set(name.as_str().to_owned());
            owner.with(|| show_in_time(model, show));
        }
    };

    let leaving = StoredValue::new_local(inputs.clone());
    on_cleanup(move || {
        leaving.try_with_value(|inputs| inputs.push(Input::Command(Command::Leave)));
    });
    spawn_local(run(entry, model, lanes, stream));
    (PreparedRoom { name, model, actions }, Box::new(begin))
}

/// Calls `show` when the room is to be shown in place of the lobby, or when the connections to the members take longer. The page is busy
/// until the whole room is drawn.
fn show_in_time(model: RoomModel, show: Show) {
    let show = RefCell::new(Some(show));
    Effect::new(move || {
        if model.is_shown.get()
            && let Some(show) = show.borrow_mut().take()
        {
            show();
        }
    });
    Effect::new(move || {
        // The members may be reached before the room is shown. What these signals show is drawn by tasks that are queued now.
        if model.is_shown.get() && model.is_drawn.get() {
            spawn_local(async {
                clock::sleep(Duration::ZERO).await;
                document::set_busy(false);
            });
        }
    });
    on_cleanup(|| document::set_busy(false));
    spawn_local(async move {
        clock::sleep(LOBBY_LINGERS).await;
        model.is_shown.try_set(true);
        clock::sleep(REACHING).await;
        model.is_reaching.try_set(false);
    });
}

/// Runs until the room is left.
async fn run(entry: Entry, model: RoomModel, lanes: Lanes<Input>, stream: FairStream<Input>) {
    let inputs = lanes.first();
    let Entry { room: link, owner, resume, media, mut changes, wants_tabs, run_limit, .. } = entry;
    let room = link.borrow().clone();
    let instance = InstanceId::from_random(random::bits());
    let request = JoinRequest {
        room: room.name.clone(),
        secret: room.secret,
        name: DisplayName::default(),
        instance,
        resume,
        is_attended: true,
        create_token: create_token::kept(),
    };
    let view = owner.with(|| RoomView::new(Rc::clone(&link), model, media.clone()));
    let files = owner.with(|| Files::new(link, model.transfers, inputs.clone()));
    let mut session = RoomSession::new(request, PublishedState::default(), random::bits());
    session.enable_rekeying(random::bits());
    session.with_peer_trust(|trust| trust.enable_codes(random::bits()));
    session.with_peer_trust(|trust| trust.enable_recognition(random::bits()));
    let opened = inputs.clone();
    spawn_local(async move { opened.push(Input::Device(Device::open().await)) });
    let endpoint = find_endpoint(&room.name, wants_tabs);
    // One certificate for all connections: the code that members compare changes with it.
    let (endpoint, (history, kept), certificate) =
        join3(endpoint, ChatHistory::open(&room), Certificate::generate()).await;
    session.restore_chat(kept);
    let changed = inputs.clone();
    spawn_local(async move {
        while let Some(change) = changes.next().await {
            changed.push(Input::Local(change));
        }
    });
    let log = Log::of_query(&Location::current().query);
    let setup = Setup {
        session,
        room: room.name,
        media,
        view,
        history,
        files,
        endpoint,
        certificate: certificate.ok(),
        lanes,
        run_limit,
        log,
    };
    Driver::new(setup).run(stream).await;
    // The next room may be entered without a lobby.
    knock_wish::set(false);
}
