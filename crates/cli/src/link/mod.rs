//! A link: a task that performs on one peer connection what the core asks, in order.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use rustls::ClientConfig;
use sightline_core::{
    link::LinkId,
    negotiation::{Operation, OperationId, Role},
    recovery::PeerConnectionState,
};
use sightline_protocol::signaling::IceServer;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::MissedTickBehavior,
};

pub(crate) use self::receiving::LinkWatch;
use self::{connection::Connection, receiving::Receiving};
use crate::{
    input::{Arrived, Channel, ChannelEvent, ChannelInput, Input},
    media::Source,
};

mod arrivals;
mod channels;
mod codecs;
mod connection;
mod direction;
mod feedback;
mod flights;
#[cfg(test)]
mod handshake_tests;
#[cfg(test)]
mod loss_tests;
mod pacer;
mod receiving;
mod runtime;
mod sending;
#[cfg(test)]
mod sending_tests;
mod stream_relays;

/// Commands that may wait for one link: messages about 2,000 files, and the frames that fill its buffer.
const MAX_COMMANDS: usize = 4096;

/// How often the amount of buffered bytes is read while some are buffered.
const BUFFER_INTERVAL: Duration = Duration::from_millis(5);

/// What every peer connection is made with.
#[derive(Debug, Clone)]
pub(crate) struct LinkConfig {
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) relay_only: bool,
    /// Which certificates of TURN servers are trusted.
    pub(crate) tls: Arc<ClientConfig>,
    /// Whether other members may be on this computer only.
    pub(crate) is_loopback: bool,
    /// What is sent to the member.
    pub(crate) source: Option<Source>,
    /// How the pictures and the sound of the member are received. Nobody who shows something receives.
    pub(crate) watch: Option<LinkWatch>,
}

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkKind {
    /// The connection to a member.
    Member(Role),
    /// A connection that carries files only.
    Bulk,
}

/// Where a link reports to.
#[derive(Debug, Clone)]
pub(crate) struct LinkInputs {
    pub(crate) first: mpsc::Sender<Input>,
    pub(crate) messages: mpsc::Sender<ChannelInput>,
}

#[derive(Debug)]
enum Command {
    Perform(OperationId, Operation),
    Control(String),
    Telemetry(String),
    Frame(Bytes),
    IceServers(Vec<IceServer>),
    ReadStats,
    AwaitAcknowledgment(oneshot::Sender<()>),
}

/// A running link. Dropping it closes the connection, after the messages that wait.
#[derive(Debug)]
pub(crate) struct Link {
    commands: mpsc::Sender<Command>,
    buffer: Arc<Buffer>,
    receiving: Option<Arc<Receiving>>,
    pub(crate) task: JoinHandle<()>,
    pub(crate) is_bulk_open: bool,
    /// The latest state of the connection.
    pub(crate) state: Option<PeerConnectionState>,
}

/// The bytes of files that wait to be sent.
#[derive(Debug, Default)]
struct Buffer {
    /// Handed to the task, and not to the channel yet.
    queued: AtomicU64,
    /// Handed to the channel, and not acknowledged yet.
    outstanding: AtomicU64,
}

impl Link {
    /// Begins to make the connection. A connection that cannot be made reports that its channel closed.
    pub(crate) fn open(id: LinkId, kind: LinkKind, config: LinkConfig, inputs: LinkInputs) -> Self {
        let (commands, waiting) = mpsc::channel(MAX_COMMANDS);
        let buffer = Arc::new(Buffer::default());
        let watch = config.watch.clone().filter(|_| kind != LinkKind::Bulk && config.source.is_none());
        let receiving = watch.map(Receiving::new).map(Arc::new);
        let task =
            tokio::spawn(run(id, kind, config, waiting, inputs, Arc::clone(&buffer), receiving.clone()));
        Self { commands, buffer, receiving, task, is_bulk_open: false, state: None }
    }

    /// Performs an operation; its result arrives as an [`Input`]. Returns false if the link does not keep up.
    pub(crate) fn perform(&self, id: OperationId, operation: Operation) -> bool {
        self.commands.try_send(Command::Perform(id, operation)).is_ok()
    }

    pub(crate) fn send_control(&self, text: String) -> bool {
        self.commands.try_send(Command::Control(text)).is_ok()
    }

    /// Sends a message that nothing repeats.
    pub(crate) fn send_telemetry(&self, text: String) {
        let _ = self.commands.try_send(Command::Telemetry(text));
    }

    /// Sends a frame of a file. If the link does not keep up, the frame is lost and the receiver asks for it again.
    pub(crate) fn send_frame(&self, frame: Bytes) {
        let length = frame.len() as u64;
        if self.commands.try_send(Command::Frame(frame)).is_ok() {
            self.buffer.queued.fetch_add(length, Ordering::Relaxed);
        }
    }

    pub(crate) fn set_ice_servers(&self, servers: Vec<IceServer>) {
        let _ = self.commands.try_send(Command::IceServers(servers));
    }

    /// Asks for a stats report, which arrives as an [`Input`]. A link that receives nothing has none.
    pub(crate) fn read_stats(&self) {
        let _ = self.commands.try_send(Command::ReadStats);
    }

    /// Asks for word when the other side has acknowledged every message of the control channel. The receiver fails where the link ends
    /// before.
    pub(crate) fn await_acknowledgment(&self) -> oneshot::Receiver<()> {
        let (acknowledged, is_acknowledged) = oneshot::channel();
        let _ = self.commands.try_send(Command::AwaitAcknowledgment(acknowledged));
        is_acknowledged
    }

    /// What arrived since the stats report before, without waiting for the next one. `None` for a link that receives nothing.
    pub(crate) fn arrived_now(&self) -> Option<Arrived> {
        self.receiving.as_ref().map(|receiving| receiving.arrived_now())
    }

    /// Bytes of files that wait to be sent or acknowledged.
    pub(crate) fn buffered_bytes(&self) -> u64 {
        self.buffer.queued.load(Ordering::Relaxed) + self.buffer.outstanding.load(Ordering::Relaxed)
    }
}

async fn run(
    id: LinkId,
    kind: LinkKind,
    config: LinkConfig,
    mut commands: mpsc::Receiver<Command>,
    inputs: LinkInputs,
    buffer: Arc<Buffer>,
    receiving: Option<Arc<Receiving>>,
) {
    let connection = match Connection::open(id, kind, &config, &inputs, receiving).await {
        Ok(connection) => connection,
        Err(error) => {
            let _ = inputs.first.send(Input::NotOpened(id, error.to_string())).await;
            let channel = if kind == LinkKind::Bulk { Channel::Bulk } else { Channel::Control };
            let _ =
                inputs.messages.send(ChannelInput { link: id, channel, event: ChannelEvent::Closed }).await;
            return;
        }
    };
    // The browser fires `negotiationneeded` once the first channel is made; both kinds of links have one.
    let _ = inputs.first.send(Input::NegotiationNeeded(id)).await;
    let mut ticks = tokio::time::interval(BUFFER_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut acknowledging: Vec<oneshot::Sender<()>> = Vec::new();
    loop {
        let is_buffering = buffer.outstanding.load(Ordering::Relaxed) > 0;
        tokio::select! {
            biased;
            _ = ticks.tick(), if is_buffering || !acknowledging.is_empty() => {
                if !acknowledging.is_empty() && connection.is_acknowledged().await {
                    acknowledging.drain(..).for_each(tell);
                }
                let before = buffer.outstanding.load(Ordering::Relaxed);
                let now = connection.outstanding_bytes().await;
                buffer.outstanding.store(now, Ordering::Relaxed);
                if now < before {
                    // A full queue means that the owner looks at the buffers soon anyway.
                    let _ = inputs.first.try_send(Input::Drained);
                }
            }
            command = commands.recv() => match command {
                Some(Command::Perform(operation, step)) => {
                    let result = connection.perform(step).await;
                    let _ = inputs.first.send(Input::Completed(id, operation, result)).await;
                }
                Some(Command::Frame(frame)) => {
                    let length = frame.len() as u64;
                    connection.send_frame(frame).await;
                    buffer.outstanding.fetch_add(length, Ordering::Relaxed);
                    buffer.queued.fetch_sub(length, Ordering::Relaxed);
                }
                Some(Command::Control(text)) => {
                    if connection.send_text(Channel::Control, &text).await.is_err() {
                        // The core then opens another channel and sends the message again on it.
                        let event = ChannelEvent::Closed;
                        let closed = ChannelInput { link: id, channel: Channel::Control, event };
                        let _ = inputs.messages.send(closed).await;
                    }
                }
                Some(Command::Telemetry(text)) => {
                    // Lost pings are what the core counts.
                    let _ = connection.send_text(Channel::Telemetry, &text).await;
                }
                Some(Command::ReadStats) => if let Some(arrived) = connection.arrived().await {
                    let _ = inputs.first.send(Input::Arrived(id, Box::new(arrived))).await;
                },
                Some(Command::AwaitAcknowledgment(acknowledged)) => {
                    acknowledging.retain(|waiting| !waiting.is_closed());
                    acknowledging.push(acknowledged);
                }
                Some(Command::IceServers(servers)) => connection.set_ice_servers(&servers).await,
                None => break,
            },
        }
    }
    if connection.close().await {
        acknowledging.into_iter().for_each(tell);
    }
}

fn tell(waiting: oneshot::Sender<()>) {
    // Whoever waited may have given up.
    let _ = waiting.send(());
}

#[cfg(test)]
mod tests;
