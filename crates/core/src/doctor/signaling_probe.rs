//! Probes the signaling socket without joining a room: whether it opens, how long an answer takes, and which ICE servers the
//! server names.

use std::time::Duration;

use sightline_protocol::{
    ErrorCode,
    limits::MAX_FRAME_BYTES,
    signaling::{ClientMessage, ServerMessage},
};

use super::operation::SignalingFinding;
use crate::Timestamp;

/// Number of questions. The fastest answer counts, since the first question wakes things up.
const QUESTIONS: usize = 3;

/// The probe of one socket.
#[derive(Debug)]
pub struct SignalingProbe {
    started_at: Timestamp,
    opened_after: Option<Duration>,
    asked_at: Timestamp,
    round_trips: Vec<Duration>,
    to_send: Option<String>,
    finding: Option<SignalingFinding>,
}

impl SignalingProbe {
    /// Begins when the socket is being opened.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            started_at: now,
            opened_after: None,
            asked_at: now,
            round_trips: Vec::new(),
            to_send: None,
            finding: None,
        }
    }

    /// Notes that the socket is open.
    pub fn handle_open(&mut self, now: Timestamp) {
        self.opened_after = Some(now - self.started_at);
        self.ask(now);
    }

    /// Takes a frame of the server.
    pub fn handle_frame(&mut self, frame: &str, now: Timestamp) {
        let message = if frame.len() > MAX_FRAME_BYTES { None } else { serde_json::from_str(frame).ok() };
        match message {
            Some(ServerMessage::IceServers { ice_servers, alternate_stun_urls, .. }) => {
                self.round_trips.push(now - self.asked_at);
                if self.round_trips.len() < QUESTIONS {
                    return self.ask(now);
                }
                self.finding = Some(SignalingFinding::Open {
                    opened_after: self.opened_after.unwrap_or_default(),
                    round_trip: self.round_trips.iter().copied().min().unwrap_or_default(),
                    ice_servers,
                    alternate_stun_urls,
                });
            }
            Some(ServerMessage::Error { code, .. }) => self.refuse(code),
            _ => self.refuse(ErrorCode::ProtocolError),
        }
    }

    /// Notes that the socket closed, or never opened.
    pub fn handle_closed(&mut self, reason: &str) {
        let closed = match self.opened_after {
            Some(_) => SignalingFinding::Refused(reason.chars().take(80).collect()),
            None => SignalingFinding::Closed,
        };
        self.finding.get_or_insert(closed);
    }

    /// The next frame to send.
    pub fn poll_output(&mut self) -> Option<String> {
        self.to_send.take()
    }

    /// The result, once the probe is over.
    #[must_use]
    pub fn finding(&self) -> Option<&SignalingFinding> {
        self.finding.as_ref()
    }

    fn ask(&mut self, now: Timestamp) {
        self.asked_at = now;
        self.to_send = serde_json::to_string(&ClientMessage::IceServers).ok();
    }

    fn refuse(&mut self, code: ErrorCode) {
        self.finding.get_or_insert(SignalingFinding::Refused(code.as_str().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    const ANSWER: &str = r#"{"type":"ice_servers","ice_servers":[{"urls":["stun:a"]}]}"#;

    #[test]
    fn the_fastest_of_three_answers_is_the_round_trip() {
        let mut probe = SignalingProbe::new(at(0));
        probe.handle_open(at(30));
        let mut now = 30;
        for took in [50, 8, 20] {
            assert!(probe.poll_output().is_some_and(|frame| frame.contains("ice_servers")));
            assert_eq!(probe.finding(), None);
            now += took;
            probe.handle_frame(ANSWER, at(now));
        }
        let Some(SignalingFinding::Open { opened_after, round_trip, ice_servers, .. }) = probe.finding()
        else {
            panic!("{:?}", probe.finding())
        };
        assert_eq!((*opened_after, *round_trip), (Duration::from_millis(30), Duration::from_millis(8)));
        assert_eq!((ice_servers.len(), probe.poll_output()), (1, None));
    }

    #[test]
    fn the_probe_tells_a_socket_that_never_opens_from_a_refusal_by_the_server() {
        let mut closed = SignalingProbe::new(at(0));
        closed.handle_closed("");
        assert_eq!(closed.finding(), Some(&SignalingFinding::Closed));
        let mut refused = SignalingProbe::new(at(0));
        refused.handle_open(at(1));
        refused.handle_frame(r#"{"type":"error","code":"server-full","message":"m"}"#, at(2));
        refused.handle_closed("later");
        assert_eq!(refused.finding(), Some(&SignalingFinding::Refused("server-full".to_owned())));
    }

    #[test]
    fn an_unexpected_frame_is_a_protocol_error() {
        for frame in ["", "{}", r#"{"type":"pong","nonce":1}"#, &"x".repeat(MAX_FRAME_BYTES + 1)] {
            let mut probe = SignalingProbe::new(at(0));
            probe.handle_open(at(1));
            probe.handle_frame(frame, at(2));
            assert_eq!(
                probe.finding(),
                Some(&SignalingFinding::Refused("protocol-error".to_owned())),
                "{frame:.9}"
            );
        }
    }
}
