//! Writes the inputs from browser and server, and the actions that the core requests, to the session's log.

use sightline_browser::{
    rtc::{data_channel::DataChannelEvent, peer_connection::PeerConnectionEvent},
    signaling::TransportEvent,
};
use sightline_core::{
    negotiation::{Completed, Operation},
    room::{LinkId, RoomEvent, RoomOutput},
    signaling::SocketId,
};

use super::Driver;
use crate::session::{
    input::Input,
    log::Level::{Debug, Info, Warn},
};

impl Driver {
    pub(super) fn log_input(&self, input: &Input) {
        match input {
            Input::Transport(socket, event) => self.log_socket(*socket, event),
            Input::Connection(link, event) => self.log_connection(*link, event),
            Input::Channel(link, event) => self.log_channel(*link, "control", event),
            Input::Telemetry(link, event) => self.log_channel(*link, "telemetry", event),
            Input::Completed(link, _, method, Ok(completed)) => {
                let id = link.0.to_string();
                self.log.write(Debug, "call completed", &[("link", &id), ("method", method)]);
                if let Completed::LocalDescription { sdp } = completed {
                    self.log.write_description("local description", &id, sdp);
                }
            }
            Input::Online(is_online) => {
                self.log.write(Info, "network", &[("online", &is_online.to_string())]);
            }
            Input::Visible(is_visible) => {
                self.log.write(Info, "page", &[("visible", &is_visible.to_string())]);
            }
            // Failed calls are logged where they are handled. The other inputs are actions of the person, or too frequent.
            _ => {}
        }
    }

    fn log_socket(&self, socket: SocketId, event: &TransportEvent) {
        let id = socket.0.to_string();
        match event {
            TransportEvent::Open => self.log.write(Info, "socket open", &[("socket", &id)]),
            TransportEvent::Closed { code, reason } => {
                let code = code.to_string();
                self.log.write(
                    Info,
                    "socket closed",
                    &[("socket", &id), ("code", &code), ("reason", reason)],
                );
            }
            TransportEvent::Unreadable => self.log.write(Warn, "frame unreadable", &[("socket", &id)]),
            TransportEvent::Frame(frame) => {
                let bytes = frame.len().to_string();
                self.log.write(Debug, "frame received", &[("socket", &id), ("bytes", &bytes)]);
            }
        }
    }

    fn log_connection(&self, link: LinkId, event: &PeerConnectionEvent) {
        let id = link.0.to_string();
        let state = |level, name: &str, word: &str| {
            self.log.write(level, "state", &[("link", &id), (name, word)]);
        };
        match event {
            PeerConnectionEvent::ConnectionState(word) => state(Info, "connection_state", word.as_str()),
            PeerConnectionEvent::IceConnectionState(word) => state(Debug, "ice_state", word.as_str()),
            PeerConnectionEvent::IceGatheringState(word) => {
                state(Debug, "ice_gathering_state", word.as_str());
            }
            PeerConnectionEvent::SignalingState(word) => state(Debug, "signaling_state", word.as_str()),
            PeerConnectionEvent::CandidateError { url, code, text } => {
                let code = code.to_string();
                let fields = [("link", id.as_str()), ("url", url), ("code", &code), ("error", text)];
                self.log.write(Info, "candidate error", &fields);
            }
            PeerConnectionEvent::NegotiationNeeded => {
                self.log.write(Debug, "negotiation needed", &[("link", &id)]);
            }
            PeerConnectionEvent::LocalCandidate(_) => {
                self.log.write(Debug, "local candidate", &[("link", &id)]);
            }
            PeerConnectionEvent::Track { .. } => self.log.write(Debug, "track", &[("link", &id)]),
        }
    }

    fn log_channel(&self, link: LinkId, label: &str, event: &DataChannelEvent) {
        if matches!(event, DataChannelEvent::Message(_) | DataChannelEvent::BufferedAmountLow) {
            return;
        }
        let id = link.0.to_string();
        let fields = [("link", id.as_str()), ("label", label)];
        match event {
            DataChannelEvent::Open => self.log.write(Info, "channel open", &fields),
            DataChannelEvent::Closed => self.log.write(Info, "channel closed", &fields),
            // No warning: a member can send these without end until it is cut off.
            DataChannelEvent::Oversized => self.log.write(Debug, "message too long", &fields),
            DataChannelEvent::Error(error) => {
                let error = error.to_string();
                // Channels end with an error when the other page closes.
                self.log.write(Info, "channel error", &[fields[0], fields[1], ("error", &error)]);
            }
            DataChannelEvent::Message(_) | DataChannelEvent::BufferedAmountLow => {}
        }
    }

    pub(super) fn log_output(&self, output: &RoomOutput) {
        match output {
            RoomOutput::OpenSocket(socket) => {
                self.log.write(Info, "socket opening", &[("socket", &socket.0.to_string())]);
            }
            RoomOutput::SendFrame(socket, frame) => {
                let (id, bytes) = (socket.0.to_string(), frame.len().to_string());
                self.log.write(Debug, "frame sent", &[("socket", &id), ("bytes", &bytes)]);
            }
            RoomOutput::CloseSocket(socket, refusal) => {
                let reason = refusal.map_or("", |code| code.as_str());
                let id = socket.0.to_string();
                self.log.write(Info, "socket given up", &[("socket", &id), ("reason", reason)]);
            }
            RoomOutput::OpenLink { link, member, .. } => {
                let fields = [("link", &*link.0.to_string()), ("member", member.as_str())];
                self.log.write(Info, "link opening", &fields);
            }
            RoomOutput::OpenBulkLink { link, member } => {
                let fields = [("link", &*link.0.to_string()), ("member", member.as_str())];
                self.log.write(Info, "link for files opening", &fields);
            }
            RoomOutput::UseLink(link) => {
                self.log.write(Info, "link in use", &[("link", &link.0.to_string())]);
            }
            RoomOutput::CloseLink(link) => {
                self.log.write(Info, "link closed", &[("link", &link.0.to_string())]);
            }
            RoomOutput::Perform(link, _, operation) => {
                let id = link.0.to_string();
                self.log.write(Debug, "call", &[("link", &id), ("method", operation.method())]);
                if let Operation::SetRemoteDescription(description) = operation {
                    self.log.write_description("remote description", &id, &description.sdp);
                }
            }
            RoomOutput::IceServersChanged => self.log.write(Debug, "ice servers changed", &[]),
            RoomOutput::Event(event) => self.log_event(event),
            RoomOutput::SendControl(..)
            | RoomOutput::SendTelemetry(..)
            | RoomOutput::Transfer(_)
            | RoomOutput::Recognition(_) => {}
        }
    }

    fn log_event(&self, event: &RoomEvent) {
        match event {
            RoomEvent::Status(status) => self.log.write(Info, "signaling", &[("status", status.as_str())]),
            RoomEvent::Raised(code) => self.log.write(Warn, "notice raised", &[("code", code.as_str())]),
            RoomEvent::Cleared(code) => self.log.write(Info, "notice cleared", &[("code", code.as_str())]),
            RoomEvent::Entered { you, .. } => self.log.write(Info, "entered", &[("member", you.as_str())]),
            RoomEvent::HostingChanged => {
                let hosting = self.session.hosting();
                let word = |is_so: bool| if is_so { "yes" } else { "no" };
                let fields = [("host", word(hosting.is_host())), ("locked", word(hosting.is_locked()))];
                self.log.write(Info, "hosts changed", &fields);
            }
            RoomEvent::PeerChanged(member) => {
                self.log.write(Debug, "member changed", &[("member", member.as_str())]);
            }
            RoomEvent::PeerGone(member) => {
                self.log.write(Info, "member gone", &[("member", member.as_str())]);
            }
            RoomEvent::WayOpen(member) => {
                self.log.write(Info, "member connected", &[("member", member.as_str())]);
            }
            RoomEvent::NegotiationBroken(member, link, cause) => {
                let (id, error) = (link.0.to_string(), format!("{}: {}", cause.name, cause.message));
                let fields = [("member", member.as_str()), ("link", &id), ("error", &error)];
                self.log.write(Warn, "negotiation broken", &fields);
            }
            RoomEvent::SignalRefused(member, refusal) => {
                let fields = [("member", member.as_str()), ("reason", refusal.as_str())];
                self.log.write(Info, "signal refused", &fields);
            }
            // The secret is in no log.
            RoomEvent::LinkChanged(_) => self.log.write(Info, "link changed", &[]),
            RoomEvent::TokenChanged(_)
            | RoomEvent::ChatChanged(_)
            | RoomEvent::ChatForgotten(_)
            | RoomEvent::Reacted(..)
            | RoomEvent::Run(..) => {}
        }
    }
}
