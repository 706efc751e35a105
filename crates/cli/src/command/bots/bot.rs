//! One bot: a member that writes now and then, and reports what happens to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sightline_core::{
    chat::{DeliveryState, MessageNumber},
    peer::LinkState,
    room::RoomEvent,
    signaling::SignalingStatus,
};
use sightline_protocol::{MemberId, control::Playback};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use crate::{
    clock::until,
    command::visit::end_by_notice,
    failure::{Exit, Failure},
    peer::{Peer, PeerEvent},
};

/// What happened to a bot.
#[derive(Debug)]
pub(super) enum BotEvent {
    /// It was admitted with this id, for the first time or again.
    Entered(MemberId),
    /// Messages can reach the member now.
    Connected(MemberId),
    /// The connection to the member does not work at the moment.
    Lost(MemberId),
    /// The member left for good.
    Left(MemberId),
    /// The member gets the pictures.
    Watching(MemberId),
    /// A member cannot decode the pictures.
    CodecMissing,
    Sent,
    Delivered,
    Undeliverable,
    /// A message of another member arrived.
    Heard,
    /// The connection to the server is lost.
    Reconnecting,
    /// The bot has ended.
    Failed(Failure),
}

/// What all bots are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Write,
    /// Stay, and write nothing any more.
    Listen,
    Leave,
}

/// When a bot writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    /// The time between two messages. `None` if it never writes.
    pub(super) every: Option<Duration>,
    /// How long after its entry the bot writes first, so that not all write at once.
    pub(super) first_after: Duration,
}

/// A bot in a room.
pub(super) struct Bot {
    /// Its position among the bots.
    at: usize,
    peer: Peer,
    schedule: Schedule,
    events: mpsc::Sender<(usize, BotEvent)>,
    /// How its source plays.
    states: Option<watch::Receiver<Playback>>,
    has_entered: bool,
    /// The members whose control channel has been open, and whether the connection is up.
    connections: BTreeMap<MemberId, bool>,
    heard: Option<MessageNumber>,
    /// Messages of this bot that somebody has still to acknowledge.
    sending: BTreeSet<MessageNumber>,
    writes_at: Option<Instant>,
    written: u64,
}

impl Bot {
    pub(super) fn new(
        at: usize,
        peer: Peer,
        schedule: Schedule,
        states: Option<watch::Receiver<Playback>>,
        events: mpsc::Sender<(usize, BotEvent)>,
    ) -> Self {
        Self {
            at,
            peer,
            schedule,
            events,
            states,
            has_entered: false,
            connections: BTreeMap::new(),
            heard: None,
            sending: BTreeSet::new(),
            writes_at: None,
            written: 0,
        }
    }

    /// Stays in the room until the order to leave, or until it fails.
    pub(super) async fn run(mut self, mut orders: watch::Receiver<Order>) {
        if let Err(failure) = self.stay(&mut orders).await {
            self.report(BotEvent::Failed(failure)).await;
        }
        self.peer.leave().await;
    }

    async fn stay(&mut self, orders: &mut watch::Receiver<Order>) -> Result<(), Failure> {
        loop {
            let order = *orders.borrow_and_update();
            if order == Order::Leave {
                return Ok(());
            }
            let writes_at = self.writes_at.filter(|_| order == Order::Write);
            tokio::select! {
                event = self.peer.next_event() => self.handle(event).await?,
                () = until(writes_at) => self.write().await,
                () = changed(&mut self.states) => self.peer.publish_source(),
                ordered = orders.changed() => if ordered.is_err() { return Ok(()) },
            }
        }
    }

    async fn write(&mut self) {
        self.writes_at = self.schedule.every.map(|every| Instant::now() + every);
        if !self.connections.values().any(|is_up| *is_up) {
            return;
        }
        let text = format!("Message {} of bot {}", self.written + 1, self.at + 1);
        if self.peer.send_chat(&text).is_ok() {
            self.written += 1;
            self.report(BotEvent::Sent).await;
        }
    }

    async fn handle(&mut self, event: PeerEvent) -> Result<(), Failure> {
        match event {
            PeerEvent::Room(event) => return self.handle_room(event).await,
            PeerEvent::Watching(member) => self.report(BotEvent::Watching(member)).await,
            PeerEvent::CodecMissing(_) => self.report(BotEvent::CodecMissing).await,
            PeerEvent::NotConnected(failure) if !(self.has_entered && failure.exit == Exit::Unreachable) => {
                return Err(failure);
            }
            // Nobody's files are accepted, and the session tries again what did not connect.
            PeerEvent::Transfer(_)
            | PeerEvent::DiskFull(_)
            | PeerEvent::OutputFailed(_)
            | PeerEvent::RecordsChanged
            | PeerEvent::Figures(..)
            | PeerEvent::Run(_)
            | PeerEvent::NoConnection(..)
            | PeerEvent::NotConnected(_) => {}
        }
        Ok(())
    }

    async fn handle_room(&mut self, event: RoomEvent) -> Result<(), Failure> {
        match event {
            RoomEvent::Entered { you, .. } => {
                if !std::mem::replace(&mut self.has_entered, true) {
                    let first_after = self.schedule.first_after;
                    self.writes_at = self.schedule.every.map(|_| Instant::now() + first_after);
                }
                self.report(BotEvent::Entered(you)).await;
            }
            RoomEvent::Raised(code) => {
                if let Some(failure) = end_by_notice(code, &self.peer, self.has_entered) {
                    return Err(failure);
                }
            }
            RoomEvent::Status(SignalingStatus::Reconnecting) if self.has_entered => {
                self.report(BotEvent::Reconnecting).await;
            }
            RoomEvent::WayOpen(member) => {
                self.connections.entry(member.clone()).or_insert(false);
                self.look_at(member).await;
            }
            RoomEvent::PeerChanged(member) => self.look_at(member).await,
            RoomEvent::PeerGone(member) => {
                self.connections.remove(&member);
                self.report(BotEvent::Left(member)).await;
            }
            RoomEvent::ChatChanged(number) => self.read(number).await,
            // The conversation is bounded, and a member may acknowledge nothing.
            RoomEvent::ChatForgotten(number) if self.sending.remove(&number) => {
                self.report(BotEvent::Undeliverable).await;
            }
            _ => {}
        }
        Ok(())
    }

    /// Reports whether the connection to a member is up, if that changed.
    async fn look_at(&mut self, member: MemberId) {
        let state = self.peer.session().peer(&member).map(|view| view.state);
        let Some(was_up) = self.connections.get_mut(&member) else { return };
        let is_up = state == Some(LinkState::Connected);
        if std::mem::replace(was_up, is_up) != is_up {
            let event = if is_up { BotEvent::Connected(member) } else { BotEvent::Lost(member) };
            self.report(event).await;
        }
    }

    async fn read(&mut self, number: MessageNumber) {
        let Some(message) = self.peer.session().conversation().message(number) else { return };
        let state = message.state;
        if message.author.is_some() {
            let is_new = self.heard.is_none_or(|heard| number > heard);
            if is_new {
                self.heard = Some(number);
                self.report(BotEvent::Heard).await;
            }
        } else if state == DeliveryState::Sending {
            self.sending.insert(number);
        } else if self.sending.remove(&number) {
            let is_delivered = state == DeliveryState::Delivered;
            self.report(if is_delivered { BotEvent::Delivered } else { BotEvent::Undeliverable }).await;
        }
    }

    async fn report(&self, event: BotEvent) {
        // Without a receiver the command has ended.
        let _ = self.events.send((self.at, event)).await;
    }
}

/// Waits until the source plays in another way; forever without a source.
async fn changed(states: &mut Option<watch::Receiver<Playback>>) {
    match states {
        Some(receiver) => {
            if receiver.changed().await.is_err() {
                *states = None;
            }
        }
        None => std::future::pending().await,
    }
}
