//! Members without a browser: the client's signaling machine over a real socket.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use sightline_core::{
    Timestamp,
    random::SeededRandom,
    signaling::{JoinRequest, SignalingClient, SignalingEvent, SignalingOutput, SocketId},
};
use sightline_protocol::{DisplayName, InstanceId, MemberId, Presence, RoomName};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tokio_tungstenite::{connect_async, tungstenite::Message};

/// The state that a member knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Whether the member is in the room now.
    pub is_joined: bool,
    /// How often the member joined.
    pub joins: u32,
    /// The member's id.
    pub you: Option<MemberId>,
    /// The other members that are present.
    pub present: BTreeSet<MemberId>,
}

/// A member in a room. Dropping it closes its socket.
#[derive(Debug)]
pub struct HeadlessMember {
    known: watch::Receiver<Known>,
    task: JoinHandle<()>,
}

enum SocketEvent {
    Opened(mpsc::Sender<Message>),
    Frame(String),
    Closed,
}

impl HeadlessMember {
    /// Enters a room of the server at a port of this machine.
    ///
    /// # Errors
    /// If the name of the room is invalid.
    pub fn enter(port: u16, room: &str, number: u32) -> Result<Self> {
        let request = JoinRequest {
            room: RoomName::new(room)?,
            secret: None,
            name: DisplayName::cut(&format!("headless {number}")),
            instance: InstanceId::new(format!("headless-{number}"))?,
            resume: None,
            is_attended: false,
            create_token: None,
        };
        let client = SignalingClient::new(request, SeededRandom::new(u128::from(number) + 1));
        let (sender, known) = watch::channel(Known::default());
        let url: Arc<str> = format!("ws://127.0.0.1:{port}/ws").into();
        let task = tokio::spawn(run(client, url, sender));
        Ok(Self { known, task })
    }

    /// The state that the member knows now.
    #[must_use]
    pub fn known(&self) -> Known {
        self.known.borrow().clone()
    }

    /// Waits until its state satisfies a condition.
    ///
    /// # Errors
    /// If the member ended.
    pub async fn until(&mut self, is_so: impl FnMut(&Known) -> bool) -> Result<()> {
        self.known.wait_for(is_so).await.context("the member ended")?;
        Ok(())
    }
}

impl Drop for HeadlessMember {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(mut client: SignalingClient, url: Arc<str>, known: watch::Sender<Known>) {
    let began = Instant::now();
    let now = || Timestamp::from_origin(began.elapsed());
    let (events, mut inbox) = mpsc::channel::<(SocketId, SocketEvent)>(64);
    let mut socket: Option<(SocketId, JoinHandle<()>, Option<mpsc::Sender<Message>>)> = None;
    client.start(now());
    loop {
        while let Some(output) = client.poll_output() {
            match output {
                SignalingOutput::Connect(id) => {
                    if let Some((_, task, _)) =
                        socket.replace((id, tokio::spawn(serve(id, Arc::clone(&url), events.clone())), None))
                    {
                        task.abort();
                    }
                }
                SignalingOutput::Send(id, frame) => {
                    if let Some((open, _, Some(out))) = &socket
                        && *open == id
                    {
                        // A socket that takes nothing more is noticed by the missing pong.
                        let _ = out.try_send(Message::text(frame));
                    }
                }
                SignalingOutput::Close(id, _) => {
                    if let Some((_, task, _)) = socket.take_if(|(open, ..)| *open == id) {
                        task.abort();
                    }
                }
                SignalingOutput::Event(event) => {
                    known.send_modify(|known| note(known, event));
                }
            }
        }
        let is_joined = client.is_joined();
        known.send_if_modified(|known| std::mem::replace(&mut known.is_joined, is_joined) != is_joined);
        let due = client.poll_timeout().map_or(Duration::from_secs(3600), Timestamp::since_origin);
        tokio::select! {
            Some((id, event)) = inbox.recv() => match event {
                SocketEvent::Opened(out) => {
                    if let Some((open, _, slot)) = &mut socket && *open == id {
                        *slot = Some(out);
                    }
                    client.handle_opened(id);
                }
                SocketEvent::Frame(frame) => client.handle_frame(id, &frame, now()),
                SocketEvent::Closed => client.handle_closed(id, now()),
            },
            () = sleep_until(began + due) => client.handle_timeout(now()),
        }
    }
}

fn note(known: &mut Known, event: SignalingEvent) {
    match event {
        SignalingEvent::Joined { you, members, .. } => {
            known.joins += 1;
            known.you = Some(you);
            known.present = members
                .into_iter()
                .filter(|member| member.presence == Presence::Present)
                .map(|member| member.id)
                .collect();
        }
        SignalingEvent::PeerJoined(member) => {
            known.present.insert(member.id);
        }
        SignalingEvent::PeerAway(id) | SignalingEvent::PeerLeft(id) | SignalingEvent::PeerRemoved(id) => {
            known.present.remove(&id);
        }
        _ => {}
    }
}

async fn serve(id: SocketId, url: Arc<str>, events: mpsc::Sender<(SocketId, SocketEvent)>) {
    if let Ok((stream, _)) = connect_async(&*url).await {
        let (mut to_server, mut from_server) = stream.split();
        let (out, mut outbox) = mpsc::channel(64);
        if events.send((id, SocketEvent::Opened(out))).await.is_err() {
            return;
        }
        loop {
            tokio::select! {
                message = from_server.next() => match message {
                    Some(Ok(Message::Text(frame))) => {
                        if events.send((id, SocketEvent::Frame(frame.to_string()))).await.is_err() {
                            return;
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => {}
                },
                Some(message) = outbox.recv() => {
                    if to_server.send(message).await.is_err() {
                        break;
                    }
                }
            }
        }
    }
    // If nobody receives the event, the member is gone.
    let _ = events.send((id, SocketEvent::Closed)).await;
}
