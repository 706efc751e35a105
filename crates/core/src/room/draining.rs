//! Moving what the parts of a session put out to where it goes.

use super::{RoomEvent, RoomOutput, RoomSession, connection::push_control, link::LinkId};
use crate::{
    Timestamp,
    negotiation::{NegotiatorOutput, Role},
    signalling::SignallingOutput,
};

impl RoomSession {
    pub(super) fn drain(&mut self, now: Timestamp) {
        loop {
            let mut moved = false;
            while let Some(output) = self.client.poll_output() {
                moved = true;
                match output {
                    SignallingOutput::Connect(socket) => {
                        self.outputs.push_back(RoomOutput::OpenSocket(socket));
                    }
                    SignallingOutput::Send(socket, frame) => {
                        self.outputs.push_back(RoomOutput::SendFrame(socket, frame));
                    }
                    SignallingOutput::Close(socket, refusal) => {
                        self.outputs.push_back(RoomOutput::CloseSocket(socket, refusal));
                    }
                    SignallingOutput::Event(event) => self.handle_signalling(event, now),
                }
            }
            moved |= self.drain_links(now);
            for at in 0..self.peers.len() {
                moved |= self.drain_bulk(at);
            }
            if !moved {
                break;
            }
        }
        while let Some(outgoing) = self.conversation.poll_outgoing() {
            let link = self.index_of(&outgoing.to).and_then(|at| self.peers[at].link.as_ref());
            if let Some(link) = link.filter(|link| link.watch.is_channel_open()) {
                push_control(&mut self.outputs, link.id, &outgoing.message);
            }
        }
        while let Some(number) = self.conversation.poll_changed() {
            self.event(RoomEvent::ChatChanged(number));
        }
        while let Some(number) = self.conversation.poll_forgotten() {
            self.event(RoomEvent::ChatForgotten(number));
        }
        self.drain_transfers();
    }

    fn drain_links(&mut self, now: Timestamp) -> bool {
        let mut moved = false;
        let mut broken = Vec::new();
        for peer in &mut self.peers {
            let member = &peer.member.id;
            for link in peer.link.iter_mut().chain(&mut peer.next) {
                while let Some(output) = link.negotiator.poll_output() {
                    moved = true;
                    match output {
                        NegotiatorOutput::Perform(id, operation) => {
                            self.outputs.push_back(RoomOutput::Perform(link.id, id, operation));
                        }
                        NegotiatorOutput::Send(payload) => {
                            self.client.send_signal(member.clone(), link.stamp(payload));
                        }
                        NegotiatorOutput::Broken(_) => broken.push(link.id),
                    }
                }
            }
        }
        for link in broken {
            self.handle_broken(link, now);
        }
        moved
    }

    /// Nothing can be negotiated on a link any more. The leader replaces it while it still carries what it does; it can
    /// know of the follower's only when that lets go.
    fn handle_broken(&mut self, id: LinkId, now: Timestamp) {
        let Some(at) = self.index_of_link(id) else { return };
        if let Some(link) = self.link_mut(id) {
            link.is_broken = true;
        }
        let is_in_use = !self.peers[at].is_next(id);
        if is_in_use && self.peers[at].link.as_ref().is_some_and(|link| link.role == Role::Answerer) {
            self.give_up_link(at, now);
        }
        self.review(at, now);
    }
}
