//! What runs in the room, in a chunk of its own: who chooses a name and a camera needs none of it yet.

use std::{cell::RefCell, future::Future, pin::Pin, rc::Rc, time::Duration};

use futures_util::future::join;
use leptos::prelude::Owner;
use sightline_browser::{
    certificate::Certificate,
    queue::{EventSink, EventStream},
    random,
};
use sightline_core::{room::RoomSession, signalling::JoinRequest};
use sightline_protocol::{RoomName, control::PublishedState};

use super::{
    address::FutureWay,
    chat_history::ChatHistory,
    driver::{Driver, Setup},
    files::Files,
    input::Input,
    media::LocalMedia,
    model::RoomModel,
    room_view::RoomView,
};
use crate::in_chunk;

/// What a person enters with.
pub struct Entry {
    pub room: RoomName,
    pub request: JoinRequest,
    pub media: LocalMedia,
    pub model: RoomModel,
    /// Of the page that shows `model`.
    pub owner: Owner,
    pub way: FutureWay,
    pub certificate: Rc<RefCell<Option<Certificate>>>,
    pub inputs: EventSink<Input>,
    /// How long a run is to last that begins with the visit.
    pub run_limit: Option<Duration>,
}

/// A session until it ends.
pub type Running = Pin<Box<dyn Future<Output = ()>>>;

in_chunk! {
    /// Enters the room and runs until it is left.
    pub fn start, load in engine(entry: Entry, stream: EventStream<Input>) -> Running {
        Box::pin(run(entry, stream))
    }
}

async fn run(entry: Entry, stream: EventStream<Input>) {
    let Entry { room, request, media, model, owner, way, certificate, inputs, run_limit } = entry;
    let view = owner.with(|| RoomView::new(room.clone(), model, media.clone()));
    let files = owner.with(|| Files::new(room.clone(), model.transfers, inputs.clone()));
    let mut session = RoomSession::new(request, PublishedState::default(), random::bits());
    let (way, (history, kept)) = join(way, ChatHistory::open(&room)).await;
    session.restore_chat(kept);
    let certificate = certificate.borrow().clone();
    Driver::new(Setup { session, media, view, history, files, way, certificate, inputs, run_limit })
        .run(stream)
        .await;
}
