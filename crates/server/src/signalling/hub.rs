//! Where the socket tasks meet the rooms: one lock around the registry, held for one input at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sightline_protocol::{ErrorCode, limits::MAX_FRAME_BYTES};
use tokio::{sync::Notify, time::sleep_until};

use super::{
    frame,
    limits::SocketLimits,
    outbox::{Outbox, OutboxFull},
};
use crate::{
    rooms::{Closing, Output, Registry, SocketId},
    time::Clock,
};

/// All sockets and the rooms they are in.
#[derive(Debug)]
pub(crate) struct Hub {
    limits: SocketLimits,
    clock: Clock,
    state: Mutex<State>,
    timeout_changed: Notify,
}

#[derive(Debug)]
struct State {
    registry: Registry,
    outboxes: HashMap<SocketId, Arc<Outbox>>,
    next_socket: u64,
    shutting_down: bool,
}

impl Hub {
    pub(crate) fn new(registry: Registry, limits: SocketLimits, clock: Clock) -> Self {
        let state = State { registry, outboxes: HashMap::new(), next_socket: 0, shutting_down: false };
        Self { limits, clock, state: Mutex::new(state), timeout_changed: Notify::new() }
    }

    pub(super) fn limits(&self) -> &SocketLimits {
        &self.limits
    }

    /// Takes a new socket. Where there is no place for it, its outbox has ended already and says why.
    pub(super) fn attach(&self) -> (SocketId, Arc<Outbox>) {
        let mut state = self.lock();
        let socket = SocketId(state.next_socket);
        state.next_socket += 1;
        let outbox = Arc::new(Outbox::new(&self.limits));
        if state.shutting_down {
            outbox.end(shutting_down());
        } else if state.outboxes.len() >= self.limits.max_sockets {
            outbox.end(Closing::failed(ErrorCode::ServerFull, "the server has no socket left"));
        } else {
            state.outboxes.insert(socket, Arc::clone(&outbox));
        }
        (socket, outbox)
    }

    /// A text frame came.
    pub(super) fn receive(&self, socket: SocketId, text: &str) {
        let read = frame::read(text);
        self.with_open(socket, |state| match read {
            Ok(message) => state.registry.handle_message(socket, message, self.clock.now()),
            Err(refusal) => {
                state.registry.handle_failure(socket, refusal.code, &refusal.message, self.clock.now());
            }
        });
    }

    /// The socket did something for which it is closed.
    pub(super) fn fail(&self, socket: SocketId, code: ErrorCode, message: &str) {
        self.with_open(socket, |state| {
            state.registry.handle_failure(socket, code, message, self.clock.now());
        });
    }

    /// The other side of the socket is gone.
    pub(super) fn lost(&self, socket: SocketId) {
        self.with_open(socket, |state| {
            state.registry.handle_socket_closed(socket, self.clock.now());
            if let Some(outbox) = state.outboxes.get(&socket) {
                outbox.end(Closing::Gone);
            }
        });
    }

    /// The socket's task ends.
    pub(super) fn detach(&self, socket: SocketId) {
        self.lost(socket);
        self.lock().outboxes.remove(&socket);
    }

    /// Gives up the places of those who stayed away, for as long as the server runs.
    pub(crate) async fn run_timeouts(&self) {
        loop {
            let next = self.lock().registry.poll_timeout();
            let passed = async {
                match next {
                    Some(at) => sleep_until(self.clock.instant_of(at)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = passed => {
                    let mut state = self.lock();
                    state.registry.handle_timeout(self.clock.now());
                    flush(&mut state, None, self.clock);
                }
                () = self.timeout_changed.notified() => {}
            }
        }
    }

    /// Tells everyone that the server goes, and every later socket too.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        state.shutting_down = true;
        tracing::info!(sockets = state.outboxes.len(), rooms = state.registry.room_count(), "shutting down");
        for outbox in state.outboxes.values() {
            outbox.end(shutting_down());
        }
    }

    /// Does something with the registry, unless the socket has been told to go: then it is not listened to any more.
    fn with_open(&self, socket: SocketId, act: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        if state.outboxes.get(&socket).is_some_and(|outbox| !outbox.is_ended()) {
            act(&mut state);
            flush(&mut state, Some(socket), self.clock);
            drop(state);
            self.timeout_changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries out what the registry wants done after an input from `origin`.
fn flush(state: &mut State, origin: Option<SocketId>, clock: Clock) {
    while let Some(output) = state.registry.poll_output() {
        match output {
            Output::Send(socket, message) => {
                let Some(outbox) = state.outboxes.get(&socket) else { continue };
                let frame = match serde_json::to_string(&message) {
                    Ok(frame) => frame,
                    Err(error) => {
                        tracing::error!(%error, "a message cannot be written");
                        continue;
                    }
                };
                // `from` is longer than `to`: what was just within the limit may not be so any more, and whoever
                // gets it would have to close.
                if frame.len() > MAX_FRAME_BYTES
                    && let Some(origin) = origin
                {
                    let message = "the message with its sender is too long";
                    state.registry.handle_failure(origin, ErrorCode::FrameTooLarge, message, clock.now());
                } else if outbox.push(frame) == Err(OutboxFull) {
                    let message = "too much is waiting to be read";
                    state.registry.handle_failure(socket, ErrorCode::TooSlow, message, clock.now());
                }
            }
            Output::Close(socket, closing) => {
                tracing::debug!(socket = socket.0, reason = closing.reason(), "closing");
                if let Some(outbox) = state.outboxes.get(&socket) {
                    outbox.end(closing);
                }
            }
        }
    }
}

fn shutting_down() -> Closing {
    Closing::failed(ErrorCode::ShuttingDown, "the server is being shut down")
}
