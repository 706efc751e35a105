//! Sound at 48 kHz in packets of 20 ms, and the browser's counters of it, in simulated time.

use std::time::Duration;

use serde_json::{Value, json};
use sightline_core::{
    Timestamp,
    measure::{
        StatsEntry,
        sound::{SentSound, SoundBurst, SoundMeter},
    },
};

pub(crate) const SAMPLES_A_PACKET: u64 = 960;
pub(crate) const PACKETS_A_SECOND: u64 = 50;

/// The fate of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packet {
    Played,
    Lost,
    /// The packet arrived after its playout time.
    Late,
    /// The path became longer by a packet's time: the packet arrives when the next one was due, and all later ones as much later.
    Delayed,
    /// The sender sent no packet: the browser first conceals the gap, and then plays silence.
    NotSent,
}

/// The counters that a browser reports, and whether the sender reports its packets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) concealment: bool,
    pub(crate) discarded: bool,
    pub(crate) sender: bool,
}

pub(crate) const EVERYTHING: Known = Known { concealment: true, discarded: true, sender: true };

#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) meter: SoundMeter,
    known: Known,
    now: Duration,
    last: Duration,
    sent: u32,
    received: u64,
    lost: u64,
    discarded: u64,
    pub(crate) samples: u64,
    pub(crate) concealed: u64,
    pub(crate) silent: u64,
    in_a_row: u64,
}

impl Listener {
    pub(crate) fn new(known: Known) -> Self {
        Self {
            meter: SoundMeter::new(false),
            known,
            now: Duration::from_secs(10),
            last: Duration::from_secs(10),
            sent: 0,
            received: 0,
            lost: 0,
            discarded: 0,
            samples: 0,
            concealed: 0,
            silent: 0,
            in_a_row: 0,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_origin(self.now)
    }

    /// Plays packets, with a report for each second of them.
    pub(crate) fn play(&mut self, packets: impl IntoIterator<Item = Packet>) {
        for packet in packets {
            self.now += Duration::from_millis(20);
            self.samples += SAMPLES_A_PACKET;
            self.sent += u32::from(packet != Packet::NotSent);
            match packet {
                Packet::Played => self.received += 1,
                Packet::Lost => self.lost += 1,
                Packet::Late => {
                    self.received += 1;
                    self.discarded += 1;
                }
                Packet::Delayed | Packet::NotSent => {}
            }
            self.in_a_row = if packet == Packet::Played { 0 } else { self.in_a_row + 1 };
            if packet != Packet::Played {
                self.concealed += SAMPLES_A_PACKET;
                // Concealed sound fades within a tenth of a second.
                self.silent += if self.in_a_row > 5 { SAMPLES_A_PACKET } else { 0 };
            }
            if self.now - self.last >= Duration::from_secs(1) {
                self.report();
            }
        }
    }

    pub(crate) fn seconds(&mut self, seconds: u64, packet: Packet) {
        self.play((0..seconds * PACKETS_A_SECOND).map(|_| packet));
    }

    pub(crate) fn bursts(&self) -> Vec<SoundBurst> {
        self.meter.bursts().collect()
    }

    fn report(&mut self) {
        let mut entry = json!({
            "type": "inbound-rtp", "kind": "audio", "id": "A", "timestamp": self.now.as_millis() as u64,
            "packetsReceived": self.received, "packetsLost": self.lost, "totalSamplesReceived": self.samples,
            "jitterBufferDelay": self.received as f64 * 960.0 * 0.06, "jitterBufferEmittedCount": self.received * 960,
            "insertedSamplesForDeceleration": 2 * self.received, "removedSamplesForAcceleration": self.received,
        });
        let mut add = |name: &str, value: u64| entry[name] = Value::from(value);
        if self.known.concealment {
            add("concealedSamples", self.concealed);
            add("silentConcealedSamples", self.silent);
            add("concealmentEvents", self.lost + self.discarded);
        }
        if self.known.discarded {
            add("packetsDiscarded", self.discarded);
        }
        let entries: Vec<StatsEntry> = serde_json::from_value(json!([entry])).unwrap();
        self.meter.handle_report(&entries, self.now());
        if self.known.sender {
            let (from, to) = (Timestamp::from_origin(self.last), self.now());
            self.meter.handle_sent(SentSound { from, to, packets: self.sent });
        }
        self.sent = 0;
        self.last = self.now;
    }
}
