//! What runs in the room. Who chooses a name and a camera needs none of it yet, so nothing of the lobby refers to this.

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    js::fair_queue::{FairStream, LaneCapacity, Lanes, fair_queue},
    page::{location::Location, random},
};
use sightline_core::{room::RoomSession, signalling::JoinRequest};
use sightline_protocol::{InstanceId, RoomName, control::PublishedState};

use futures_util::future::join;

use super::{
    chat_history::ChatHistory,
    driver::{Driver, Setup},
    entrance::Entry,
    files::Files,
    input::{Command, Input, message_bytes},
    log::Log,
    model::{RoomActions, RoomModel},
    room_actions::room_actions,
    room_view::RoomView,
};

/// More than a minute of everything that eight links can report; past that the page was asleep.
const MAX_INPUTS: usize = 4096;

/// What waits of one member: 2,000 files both ways, told again on a new connection, twice over; and four windows of a file's bytes.
/// Beyond that it is being flooded, and whoever loses more than the patience of `core/src/budget` is cut off.
const MEMBER_LANE: LaneCapacity = LaneCapacity { messages: 8_000, bytes: 32 * 1024 * 1024 };

/// A room that a person is in.
pub struct EnteredRoom {
    /// Which.
    pub name: RoomName,
    /// What it shows.
    pub model: RoomModel,
    /// What its controls do.
    pub actions: RoomActions,
}

/// Enters the room: the session runs until the owner ends under which this is called.
#[must_use]
pub fn enter(mut entry: Entry) -> EnteredRoom {
    let (lanes, stream) = fair_queue(MAX_INPUTS, MEMBER_LANE, message_bytes);
    let inputs = lanes.first();
    let invitation = std::mem::take(&mut entry.invitation);
    let model = RoomView::new_model(invitation, entry.media.signals(), entry.settings);
    model.local.name.set(entry.name.as_str().to_owned());
    let actions = room_actions(model, inputs.clone(), entry.media.clone(), entry.left);
    let name = entry.room.clone();

    let leaving = StoredValue::new_local(inputs.clone());
    on_cleanup(move || {
        leaving.try_with_value(|inputs| inputs.push(Input::Command(Command::Leave)));
    });
    let owner = Owner::current().unwrap_or_default();
    spawn_local(run(entry, model, owner, lanes, stream));
    EnteredRoom { name, model, actions }
}

/// Runs until the room is left. `owner` is of the page that shows `model`.
async fn run(entry: Entry, model: RoomModel, owner: Owner, lanes: Lanes<Input>, stream: FairStream<Input>) {
    let inputs = lanes.first();
    let Entry { room, name, resume, media, mut changes, way, certificate, run_limit, .. } = entry;
    let instance = InstanceId::from_random(random::bits());
    let request = JoinRequest { room: room.clone(), name: name.clone(), instance, resume };
    let view = owner.with(|| RoomView::new(room.clone(), model, media.clone()));
    let files = owner.with(|| Files::new(room.clone(), model.transfers, inputs.clone()));
    let mut session = RoomSession::new(request, PublishedState::default(), random::bits());
    let (way, (history, kept)) = join(way, ChatHistory::open(&room)).await;
    session.restore_chat(kept);
    let changed = inputs.clone();
    spawn_local(async move {
        while let Some(change) = changes.next().await {
            changed.push(Input::Local(change));
        }
    });
    let log = Log::of_query(&Location::current().query);
    let certificate = certificate.borrow().clone();
    let name = name.as_str().to_owned();
    let setup =
        Setup { session, room, name, media, view, history, files, way, certificate, lanes, run_limit, log };
    Driver::new(setup).run(stream).await;
}
