//! Detects whether one peer connection carries data.

use super::PeerConnectionState;
use crate::{
    Timestamp,
    ping::{Pings, Pong},
};

/// Number of consecutive pings without any arrival after which there is trouble.
const SILENT_PINGS: u32 = 3;
/// Number of consecutive unanswered pings after which there is trouble although data arrives. It is higher, since a lossy path
/// loses answers in both directions.
const UNANSWERED_PINGS: u32 = 8;

/// The health of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Health {
    /// It has not come up yet.
    Pending,
    /// The connection is up and carries data.
    Carrying,
    /// The connection was up and carries no data; it may heal.
    Troubled,
    /// The connection will not carry data again.
    Dead,
}

/// Watches one peer connection by arriving data and by the answers to its pings.
#[derive(Debug)]
pub struct LinkWatch {
    state: PeerConnectionState,
    channel: Channel,
    pings: Pings,
    /// Pings since the last arrival of anything.
    silent: u32,
    /// Pings since the last answer.
    unanswered: u32,
    /// Whether the other side ever answered: an older version never does, and its silence means nothing.
    answers: bool,
    /// The first ping whose answer would end the trouble; `None` without trouble.
    trouble: Option<u32>,
    inbound_packets: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Connecting,
    Open,
    Closed,
}

impl Default for LinkWatch {
    fn default() -> Self {
        Self {
            state: PeerConnectionState::New,
            channel: Channel::Connecting,
            pings: Pings::default(),
            silent: 0,
            unanswered: 0,
            answers: false,
            trouble: None,
            inbound_packets: 0,
        }
    }
}

impl LinkWatch {
    /// The present health.
    #[must_use]
    pub fn health(&self) -> Health {
        use PeerConnectionState::{Closed, Connected, Disconnected, Failed};
        match (self.channel, self.state) {
            (Channel::Closed, _) | (_, Failed | Closed) => Health::Dead,
            (Channel::Connecting, _) => Health::Pending,
            (Channel::Open, _) if self.trouble.is_some() => Health::Troubled,
            (Channel::Open, Connected | Disconnected) => Health::Carrying,
            (Channel::Open, _) => Health::Pending,
        }
    }

    /// Whether the channel accepts messages.
    #[must_use]
    pub fn is_channel_open(&self) -> bool {
        self.channel == Channel::Open
    }

    /// Takes a change of `connectionState`.
    pub fn handle_state(&mut self, state: PeerConnectionState) {
        if state == PeerConnectionState::Disconnected && self.state == PeerConnectionState::Connected {
            self.begin_trouble();
        }
        // If the other side never answers pings, only the browser's state counts.
        if state == PeerConnectionState::Connected && !self.answers {
            self.trouble = None;
        }
        self.state = state;
    }

    /// Notes that the `control` channel opened.
    pub fn handle_channel_opened(&mut self, now: Timestamp) {
        if self.channel == Channel::Connecting {
            self.channel = Channel::Open;
            self.pings.open(now);
        }
    }

    /// Notes that the `control` channel closed.
    pub fn handle_channel_closed(&mut self) {
        self.channel = Channel::Closed;
        self.pings.close();
    }

    /// The pings of the connection.
    #[must_use]
    pub fn pings(&self) -> &Pings {
        &self.pings
    }

    /// The pings of the connection, to send further ones. Their answers go to [`Self::handle_pong`].
    pub fn pings_mut(&mut self) -> &mut Pings {
        &mut self.pings
    }

    /// Whether the other side ever answered a ping.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.answers
    }

    /// Notes that the other side answers pings, as an earlier connection showed: its silence means trouble from the start.
    pub fn expect_answers(&mut self) {
        self.answers = true;
    }

    /// Notes that something arrived on one of the channels.
    pub fn handle_heard(&mut self) {
        self.silent = 0;
    }

    /// Takes the total number of audio and video packets that arrived so far.
    pub fn handle_inbound_packets(&mut self, packets: u64) {
        if packets > self.inbound_packets {
            self.silent = 0;
        }
        self.inbound_packets = packets;
    }

    /// Takes the answer to a ping. Returns whether it ended the trouble.
    pub fn handle_pong(&mut self, pong: Pong) -> bool {
        self.answers = true;
        (self.silent, self.unanswered) = (0, 0);
        self.trouble.take_if(|first| pong.nonce >= *first).is_some()
    }

    /// Notes that the page slept or was offline: the next ping is due at once.
    pub fn handle_wake(&mut self, now: Timestamp) {
        self.pings.handle_wake(now);
    }

    /// Handles the deadlines that have passed. Returns the ping to send, if one is due.
    pub fn handle_timeout(&mut self, now: Timestamp) -> Option<u32> {
        if self.pings.next_at().is_none_or(|due| due > now) {
            return None;
        }
        if self.answers && (self.silent >= SILENT_PINGS || self.unanswered >= UNANSWERED_PINGS) {
            self.begin_trouble();
        }
        (self.silent, self.unanswered) = (self.silent.saturating_add(1), self.unanswered.saturating_add(1));
        self.pings.poll_due(now)
    }

    /// The time at which [`Self::handle_timeout`] or [`Pings::poll_clock`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.pings.poll_timeout()
    }

    fn begin_trouble(&mut self) {
        // Pings that were sent before the trouble may be answered late by packets that were on their way.
        self.trouble.get_or_insert(self.pings.next_nonce());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sightline_protocol::telemetry::TelemetryMessage;

    use super::*;
    use crate::ping::Heard;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    /// A watch with an open connection that answered one ping, at second 1.
    fn carrying() -> LinkWatch {
        let mut watch = LinkWatch::default();
        watch.handle_state(PeerConnectionState::Connected);
        watch.handle_channel_opened(at(0));
        let nonce = watch.handle_timeout(at(1)).unwrap_or(99);
        answer(&mut watch, nonce);
        assert_eq!(watch.health(), Health::Carrying);
        watch
    }

    /// Delivers the answer to this ping, if there is a ping. Returns whether it ended the trouble.
    fn answer(watch: &mut LinkWatch, nonce: u32) -> bool {
        match watch.pings_mut().handle(TelemetryMessage::Pong { nonce }, at(700)) {
            Heard::Answered(pong) => watch.handle_pong(pong),
            _ => false,
        }
    }

    fn pass(watch: &mut LinkWatch, seconds: std::ops::RangeInclusive<u64>) -> Vec<u32> {
        seconds.filter_map(|second| watch.handle_timeout(at(second))).collect()
    }

    #[test]
    fn three_pings_of_silence_are_trouble_and_an_answer_ends_it() {
        let mut watch = carrying();
        pass(&mut watch, 2..=4);
        assert_eq!(watch.health(), Health::Carrying);
        let nonces = pass(&mut watch, 5..=5);
        assert_eq!(watch.health(), Health::Troubled);
        watch.handle_heard();
        assert_eq!(watch.health(), Health::Troubled, "one direction proves nothing");
        assert!(answer(&mut watch, nonces[0]));
        assert_eq!(watch.health(), Health::Carrying);
    }

    #[test]
    fn an_answer_to_a_ping_sent_before_the_trouble_does_not_end_it() {
        let mut watch = carrying();
        let before = pass(&mut watch, 2..=4);
        pass(&mut watch, 5..=6);
        assert!(!answer(&mut watch, before[2]));
        assert_eq!(watch.health(), Health::Troubled);
    }

    #[test]
    fn an_answer_with_an_unknown_number_does_not_end_the_trouble() {
        let mut watch = carrying();
        pass(&mut watch, 2..=6);
        assert!(!answer(&mut watch, 4_000_000));
        assert_eq!(watch.health(), Health::Troubled);
    }

    #[test]
    fn arriving_media_delays_the_trouble_of_a_channel_that_answers_nothing() {
        let mut watch = carrying();
        for second in 2..=9 {
            watch.handle_inbound_packets(second * 50);
            pass(&mut watch, second..=second);
            assert_eq!(watch.health(), Health::Carrying, "{second}");
        }
        watch.handle_inbound_packets(600);
        pass(&mut watch, 10..=10);
        assert_eq!(watch.health(), Health::Troubled);
    }

    #[test]
    fn a_page_that_slept_does_not_report_trouble_when_it_wakes() {
        let mut watch = carrying();
        let nonces = pass(&mut watch, 600..=600);
        assert_eq!(nonces.len(), 1);
        assert_eq!(watch.health(), Health::Carrying);
    }

    #[test]
    fn the_silence_of_a_side_that_never_answered_is_not_trouble() {
        let mut watch = LinkWatch::default();
        watch.handle_state(PeerConnectionState::Connected);
        watch.handle_channel_opened(at(0));
        pass(&mut watch, 1..=60);
        assert_eq!(watch.health(), Health::Carrying);
        watch.handle_state(PeerConnectionState::Disconnected);
        assert_eq!(watch.health(), Health::Troubled);
        watch.handle_state(PeerConnectionState::Connected);
        assert_eq!(watch.health(), Health::Carrying);
    }

    #[test]
    fn a_bad_connection_state_is_believed_and_a_good_one_is_not() {
        let mut watch = carrying();
        watch.handle_state(PeerConnectionState::Disconnected);
        assert_eq!(watch.health(), Health::Troubled);
        watch.handle_state(PeerConnectionState::Connected);
        assert_eq!(watch.health(), Health::Troubled);
        watch.handle_state(PeerConnectionState::Failed);
        assert_eq!(watch.health(), Health::Dead);
        let mut watch = carrying();
        watch.handle_channel_closed();
        assert_eq!((watch.health(), watch.poll_timeout()), (Health::Dead, None));
    }
}
