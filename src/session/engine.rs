//! Everything that runs in the room. Nothing in the lobby refers to this module, so that the lobby loads without it.

use std::rc::Rc;

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    js::fair_queue::{FairStream, LaneCapacity, Lanes, fair_queue},
    page::{location::Location, random},
    rtc::certificate::Certificate,
};
use sightline_core::{room::RoomSession, signaling::JoinRequest};
use sightline_protocol::{InstanceId, RoomName, control::PublishedState};

use futures_util::future::join;

use super::{
    chat_history::ChatHistory,
    device::Device,
    driver::{Driver, Setup},
    entrance::Entry,
    files::Files,
    input::{Command, Input, message_bytes},
    knock_wish,
    log::Log,
    model::{RoomActions, RoomModel},
    room_actions::room_actions,
    room_view::RoomView,
};
use crate::create_token;

/// More than a minute of all events of eight links; after that the page was asleep.
const MAX_INPUTS: usize = 4096;

/// Queue for one member: 2,000 files in both directions, announced twice on new connections; and four windows of a file's bytes.
/// A longer queue means a flood, and a member that loses more messages than the patience in `core/src/budget` is cut off.
const MEMBER_LANE: LaneCapacity = LaneCapacity { messages: 8_000, bytes: 32 * 1024 * 1024 };

/// A room that the person is in.
pub struct EnteredRoom {
    /// The name of the room.
    pub name: RoomName,
    /// The signals that the room shows.
    pub model: RoomModel,
    /// The actions of its controls.
    pub actions: RoomActions,
}

/// Enters the room. The session runs until the owner ends under which this is called.
#[must_use]
pub fn enter(mut entry: Entry) -> EnteredRoom {
    let (lanes, stream) = fair_queue(MAX_INPUTS, MEMBER_LANE, message_bytes);
    let inputs = lanes.first();
    let invitation = std::mem::take(&mut entry.invitation);
    let room = entry.room.borrow().clone();
    let is_protected = room.secret.is_some();
    let model = RoomView::new_model(invitation, is_protected, entry.media.signals(), entry.settings);
    model.local.name.set(entry.name.as_str().to_owned());
    let actions = room_actions(model, inputs.clone(), entry.media.clone(), entry.left);
    let name = room.name;

    let leaving = StoredValue::new_local(inputs.clone());
    on_cleanup(move || {
        leaving.try_with_value(|inputs| inputs.push(Input::Command(Command::Leave)));
    });
    let owner = Owner::current().unwrap_or_default();
    spawn_local(run(entry, model, owner, lanes, stream));
    EnteredRoom { name, model, actions }
}

/// Runs until the room is left. `owner` belongs to the page that shows `model`.
async fn run(entry: Entry, model: RoomModel, owner: Owner, lanes: Lanes<Input>, stream: FairStream<Input>) {
    let inputs = lanes.first();
    let Entry { room: link, name, resume, media, mut changes, endpoint, certificate, run_limit, .. } = entry;
    let room = link.borrow().clone();
    let instance = InstanceId::from_random(random::bits());
    let request = JoinRequest {
        room: room.name.clone(),
        secret: room.secret,
        name: name.clone(),
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
    let (endpoint, (history, kept)) = join(endpoint, ChatHistory::open(&room)).await;
    session.restore_chat(kept);
    let changed = inputs.clone();
    spawn_local(async move {
        while let Some(change) = changes.next().await {
            changed.push(Input::Local(change));
        }
    });
    let log = Log::of_query(&Location::current().query);
    // One for all connections: the code that members compare changes with the certificate.
    let made = certificate.borrow_mut().take();
    let certificate = match made {
        Some(made) => Some(made),
        None => Certificate::generate().await.ok(),
    };
    let name = name.as_str().to_owned();
    let setup = Setup {
        session,
        room: room.name,
        name,
        media,
        view,
        history,
        files,
        endpoint,
        certificate,
        lanes,
        run_limit,
        log,
    };
    Driver::new(setup).run(stream).await;
    // The next room may be entered without a lobby.
    knock_wish::set(false);
}
