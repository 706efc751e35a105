//! What runs in the room, in a chunk of its own: who chooses a name and a camera needs none of it yet.

use std::{cell::RefCell, future::Future, pin::Pin, rc::Rc};

use futures_util::future::join;
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
    input::Input,
    media::LocalMedia,
    room_view::RoomView,
};
use crate::in_chunk;

/// What a person enters with.
pub struct Entry {
    pub room: RoomName,
    pub request: JoinRequest,
    pub media: LocalMedia,
    pub view: RoomView,
    pub way: FutureWay,
    pub certificate: Rc<RefCell<Option<Certificate>>>,
    pub inputs: EventSink<Input>,
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
    let Entry { room, request, media, view, way, certificate, inputs } = entry;
    let mut session = RoomSession::new(request, PublishedState::default(), random::bits());
    let (way, (history, kept)) = join(way, ChatHistory::open(&room)).await;
    session.restore_chat(kept);
    let certificate = certificate.borrow().clone();
    Driver::new(Setup { session, media, view, history, way, certificate, inputs }).run(stream).await;
}
