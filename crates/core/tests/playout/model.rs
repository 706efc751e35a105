//! A model of a call whose faults are known: a source, an encoder, a pacer that follows an estimate of the bandwidth, a link with a queue, and a
//! display. Both sides report their counters once a second, as browsers do; the sender's messages cross the same link.

use std::collections::BTreeMap;

use serde_json::json;
use sightline_core::{
    Timestamp,
    measure::{
        ShownFrame, StatsEntry,
        clock::ClockSync,
        playout::{PlayoutMeter, SenderTimeline, Stall},
    },
};
use sightline_protocol::{
    bounded::UpTo,
    telemetry::{Limitation, Sending, SentPicture},
};

use crate::viewer::ms;

const FRAME_MS: u64 = 40;
const WAY_MS: u64 = 20;
const PACKET_BYTES: u64 = 1200;
const QUEUE_BYTES: u64 = 64 * 1024;
const MOST_BPS: f64 = 1_700_000.0;
/// The sender's clock is ahead by this much.
const AHEAD_MS: u64 = 70_000;
const FROM_MS: u64 = 14_000;
const END_MS: u64 = 34_000;

/// What goes wrong from [`FROM_MS`] on, and how badly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// The source delivers nothing for this many milliseconds.
    SourceStop(u64),
    /// Encoding takes this many times as long, for six seconds.
    SlowEncoder(u64),
    /// The link passes this many bits per second, for eight seconds.
    Narrow(u64),
    /// The link loses this many packets in a hundred, for six seconds.
    Lossy(u64),
    /// Every packet takes this many milliseconds longer, for good.
    Longer(u64),
    /// No packet passes for this many milliseconds.
    Cut(u64),
    /// The viewer's computer does nothing for this many milliseconds.
    BusyViewer(u64),
}

impl Fault {
    fn lasts_ms(self) -> u64 {
        match self {
            Self::SourceStop(ms) | Self::Cut(ms) | Self::BusyViewer(ms) => ms,
            Self::SlowEncoder(_) | Self::Lossy(_) => 6000,
            Self::Narrow(_) => 8000,
            Self::Longer(ms) => ms + 1000,
        }
    }

    fn is_at(self, at_ms: u64) -> bool {
        let lasts_ms = if matches!(self, Self::Longer(_)) { END_MS } else { self.lasts_ms() };
        (FROM_MS..FROM_MS + lasts_ms).contains(&at_ms)
    }
}

/// The browser that sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    Chromium,
    /// It reports no limitation, no target of the encoder and no waiting of packets.
    Firefox,
}

#[derive(Debug, Clone, Copy)]
struct Packet {
    number: u64,
    frame: u64,
    queued_ms: u64,
}

#[derive(Debug, Default)]
struct Frame {
    captured_ms: u64,
    packets: u64,
    here: u64,
    complete_ms: Option<u64>,
}

/// Numbers that are random enough (xorshift).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// The counters of the sender.
#[derive(Debug, Default)]
struct Sent {
    source: u32,
    encoded: u32,
    encode_us: u64,
    packets: u32,
    retransmitted: u32,
    waited_ms: u64,
    last_load: [u64; 2],
}

#[derive(Debug)]
struct Model {
    fault: Fault,
    sender: Sender,
    random: Random,
    sent: Sent,
    target_bps: f64,
    pacer: Vec<Packet>,
    frames: BTreeMap<u64, Frame>,
    next_packet: u64,
    /// The frame of each packet.
    frame_of: Vec<u64>,
    link_free_us: u64,
    last_arrival_ms: u64,
    /// Packets on their way, and messages of the sender, by arrival.
    arriving: BTreeMap<u64, Vec<Packet>>,
    messages: BTreeMap<u64, Vec<Sending>>,
    /// Requests for packets, by their arrival at the sender.
    requests: BTreeMap<u64, Vec<Packet>>,
    missing: BTreeMap<u64, (Packet, u64)>,
    expected: u64,
    received: u64,
    lost: u64,
    /// How long the last packet waited in the link's queue.
    queue_ms: u64,
}

/// The stalls that the fault caused, as the ledger has them.
pub(crate) fn stalls(fault: Fault, sender: Sender, seed: u64) -> Vec<Stall> {
    let mut model = Model {
        fault,
        sender,
        random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
        sent: Sent::default(),
        target_bps: MOST_BPS,
        pacer: Vec::new(),
        frames: BTreeMap::new(),
        next_packet: 0,
        frame_of: Vec::new(),
        link_free_us: 0,
        last_arrival_ms: 0,
        arriving: BTreeMap::new(),
        messages: BTreeMap::new(),
        requests: BTreeMap::new(),
        missing: BTreeMap::new(),
        expected: 0,
        received: 0,
        lost: 0,
        queue_ms: 0,
    };
    let stalls = model.play();
    let until = ms(FROM_MS + fault.lasts_ms() + 500);
    stalls.into_iter().filter(|stall| stall.end() > ms(FROM_MS) && stall.start < until).collect()
}

impl Model {
    fn play(&mut self) -> Vec<Stall> {
        let (mut meter, mut timeline, mut clock) =
            (PlayoutMeter::new(Timestamp::ZERO), SenderTimeline::default(), ClockSync::default());
        meter.handle_callbacks_supported();
        let phase = self.random.below(1000);
        let (mut next_source, mut next_frame, mut decoded) = (1000, 0_u64, 0_u64);
        let (mut pending, mut encoding): (Option<u64>, Option<(u64, u64, u64)>) = (None, None);
        let (mut waits, mut presented, mut low_since) = (Vec::<(u64, u64, u64)>::new(), 0, None);
        let mut credit = 0.0;
        for now in 0..END_MS {
            let is_fault = self.fault.is_at(now);
            // The source.
            if now >= next_source {
                if matches!(self.fault, Fault::SourceStop(_)) && is_fault {
                    next_source = now + 1;
                } else {
                    self.sent.source += 1;
                    pending = Some(now);
                    next_source = next_source.max(now.saturating_sub(FRAME_MS)) + FRAME_MS;
                }
            }
            // The encoder, which leaves frames out if too much waits to be sent.
            if let Some((captured, until, cost_us)) = encoding
                && now >= until
            {
                encoding = None;
                self.sent.encoded += 1;
                self.sent.encode_us += cost_us;
                let bytes = self.target_bps / 8.0 * FRAME_MS as f64 / 1e3
                    * (0.7 + self.random.below(60) as f64 / 100.0);
                let packets = (bytes as u64).div_ceil(PACKET_BYTES).max(1);
                self.frames.insert(next_frame, Frame { captured_ms: captured, packets, ..Frame::default() });
                for _ in 0..packets {
                    self.pacer.push(Packet { number: self.next_packet, frame: next_frame, queued_ms: now });
                    self.next_packet += 1;
                    self.frame_of.push(next_frame);
                }
                next_frame += 1;
            }
            let waiting_ms = self.pacer.len() as f64 * PACKET_BYTES as f64 * 8e3 / self.target_bps;
            if encoding.is_none()
                && let Some(captured) = pending.take()
                && waiting_ms < 250.0
            {
                let slower = match self.fault {
                    Fault::SlowEncoder(times) if is_fault => times,
                    _ => 1,
                };
                let cost_us = (2500 + self.random.below(3000)) * slower;
                encoding = Some((captured, now + cost_us.div_ceil(1000), cost_us));
            }
            // The pacer.
            for packet in self.requests.remove(&now).unwrap_or_default() {
                self.sent.retransmitted += 1;
                self.pacer.insert(0, Packet { queued_ms: now, ..packet });
            }
            credit = f64::min(credit + self.target_bps * 2.5 / 8e3, PACKET_BYTES as f64 * 3.0);
            while credit >= PACKET_BYTES as f64 && !self.pacer.is_empty() {
                credit -= PACKET_BYTES as f64;
                let packet = self.pacer.remove(0);
                self.sent.packets += 1;
                self.sent.waited_ms += now - packet.queued_ms;
                if let Some(arrival) = self.pass(now, PACKET_BYTES) {
                    self.arriving.entry(arrival).or_default().push(packet);
                }
            }
            if now % 100 == 0 {
                self.estimate(now);
            }
            low_since = if self.target_bps < MOST_BPS / 2.0 { low_since.or(Some(now)) } else { None };
            if now % 1000 == phase {
                let limitation = if low_since.is_some_and(|since| now - since > 2000) {
                    Limitation::Bandwidth
                } else {
                    Limitation::None
                };
                let message = self.message(now, limitation);
                if let Some(arrival) = self.pass(now, 300) {
                    self.messages.entry(arrival).or_default().push(message);
                }
            }
            // The viewer.
            if matches!(self.fault, Fault::BusyViewer(_)) && is_fault {
                continue;
            }
            if matches!(self.fault, Fault::BusyViewer(_)) && now == FROM_MS + self.fault.lasts_ms() {
                let due = FROM_MS + self.random.below(250);
                if due < now {
                    meter.handle_busy(ms(due), ms(now));
                }
            }
            for packet in taken_until(&mut self.arriving, now) {
                self.arrive(packet, now);
            }
            for message in taken_until(&mut self.messages, now) {
                if let Some(interval) = timeline.handle_sending(message, &mut clock, ms(now)) {
                    meter.handle_sender(interval, ms(now));
                }
            }
            while let Some((captured, complete)) =
                self.frames.get(&decoded).and_then(|frame| Some((frame.captured_ms, frame.complete_ms?)))
            {
                self.frames.remove(&decoded);
                decoded += 1;
                // The jitter buffer evens out 50 ms.
                waits.push((u64::max(now, captured + WAY_MS + 50), captured, complete));
            }
            if now * 60 / 1000 != (now + 1) * 60 / 1000 {
                let ready: Vec<_> = waits.iter().copied().filter(|(at, ..)| *at <= now).collect();
                waits.retain(|(at, ..)| *at > now);
                if let Some((_, captured, complete)) = ready.last() {
                    presented += 1;
                    meter.handle_frame(
                        ShownFrame {
                            shown_at: ms(now),
                            presented_frames: presented,
                            width: 640,
                            height: 360,
                            rtp_timestamp: Some((captured * 90) as u32),
                            received_at: Some(ms(*complete)),
                            ..ShownFrame::default()
                        },
                        ms(now),
                    );
                }
            }
            if now % 1000 == 0 && now > 0 {
                meter.handle_report(&self.report(now), ms(now));
            }
        }
        meter.finish(ms(END_MS));
        meter.stalls(ms(END_MS))
    }

    fn way_ms(&self, now: u64) -> u64 {
        match self.fault {
            Fault::Longer(by) if self.fault.is_at(now) => WAY_MS + by,
            _ => WAY_MS,
        }
    }

    /// The arrival of what is sent now; `None` if it is lost.
    fn pass(&mut self, now: u64, bytes: u64) -> Option<u64> {
        let is_fault = self.fault.is_at(now);
        match self.fault {
            Fault::Cut(_) if is_fault => return None,
            Fault::Lossy(percent) if is_fault && self.random.below(100) < percent => return None,
            Fault::Narrow(bps) if is_fault || self.link_free_us > now * 1000 => {
                let bps = if is_fault { bps } else { bps * 10 };
                let from = self.link_free_us.max(now * 1000);
                if (from - now * 1000) * bps / 8_000_000 > QUEUE_BYTES {
                    return None;
                }
                self.link_free_us = from + bytes * 8_000_000 / bps;
                self.queue_ms = self.link_free_us / 1000 - now;
            }
            _ => self.queue_ms = 0,
        }
        self.last_arrival_ms = self.last_arrival_ms.max(now + self.queue_ms + self.way_ms(now));
        Some(self.last_arrival_ms)
    }

    /// The sender's estimate of the bandwidth: less when the queue grows or much is lost, else slowly more.
    fn estimate(&mut self, now: u64) {
        let is_fault = self.fault.is_at(now);
        let is_step =
            matches!(self.fault, Fault::Longer(by) if (FROM_MS + by..FROM_MS + by + 400).contains(&now));
        self.target_bps *= match self.fault {
            _ if is_step => 0.8,
            Fault::Narrow(_) if self.queue_ms > 60 => 0.85,
            Fault::Lossy(percent) if is_fault && percent > 10 && now.is_multiple_of(1000) => {
                1.0 - percent as f64 / 200.0
            }
            Fault::Cut(_) if is_fault && now > FROM_MS + 500 => 0.9,
            _ => 1.006,
        };
        self.target_bps = self.target_bps.clamp(60_000.0, MOST_BPS);
    }

    fn arrive(&mut self, packet: Packet, now: u64) {
        self.received += 1;
        if packet.number > self.expected {
            for number in self.expected..packet.number {
                let frame = self.frame_of[number as usize];
                self.lost += 1;
                self.missing.insert(number, (Packet { number, frame, queued_ms: 0 }, now));
            }
        }
        self.expected = self.expected.max(packet.number + 1);
        self.missing.remove(&packet.number);
        if let Some(frame) = self.frames.get_mut(&packet.frame) {
            frame.here += 1;
            if frame.here >= frame.packets {
                frame.complete_ms = frame.complete_ms.or(Some(now));
            }
        }
        let back = self.way_ms(now);
        for (packet, ask_at) in self.missing.values_mut().filter(|(_, ask_at)| *ask_at <= now) {
            *ask_at = now + 2 * back + self.queue_ms + 20;
            self.requests.entry(now + back).or_default().push(*packet);
        }
    }

    fn message(&mut self, now: u64, limitation: Limitation) -> Sending {
        let sent = &mut self.sent;
        sent.last_load = [sent.last_load[1], sent.encode_us];
        let is_busy = sent.last_load[1] - sent.last_load[0] > 900_000;
        let is_told = self.sender == Sender::Chromium;
        Sending {
            at_us: ms(now + AHEAD_MS).page_time(),
            source_frames: Some(sent.source),
            frames_sent: Some(sent.encoded),
            sound_packets: None,
            limitation: match limitation {
                _ if !is_told => Limitation::None,
                _ if is_busy => Limitation::Cpu,
                limitation => limitation,
            },
            picture: SentPicture {
                frames_encoded: Some(sent.encoded),
                encode_ms: Some((sent.encode_us / 1000) as u32),
                packets: Some(sent.packets),
                retransmitted: Some(sent.retransmitted),
                send_delay_ms: is_told.then_some(sent.waited_ms as u32),
                lost: Some(self.lost as u32),
                target_bps: is_told.then_some(self.target_bps as u32),
                round_trip_ms: Some(UpTo::saturating(2 * self.way_ms(now) + self.queue_ms)),
                busy_ms: Some(UpTo::saturating(self.random.below(12))),
            },
        }
    }

    fn report(&mut self, now: u64) -> Vec<StatsEntry> {
        let round_trip_s = (2 * self.way_ms(now) + self.queue_ms) as f64 / 1e3;
        serde_json::from_value(json!([
            {"type": "inbound-rtp", "kind": "video", "id": "V", "timestamp": now, "bytesReceived": self.received * PACKET_BYTES,
             "packetsReceived": self.received, "packetsLost": self.lost},
            {"type": "candidate-pair", "id": "P", "state": "succeeded", "selected": true, "currentRoundTripTime": round_trip_s},
        ]))
        .unwrap()
    }
}

fn taken_until<T>(waiting: &mut BTreeMap<u64, Vec<T>>, now: u64) -> Vec<T> {
    let later = waiting.split_off(&(now + 1));
    std::mem::replace(waiting, later).into_values().flatten().collect()
}

/// How often each cause was named for a fault with these magnitudes, over many seeds.
pub(crate) fn named(faults: &[Fault], sender: Sender, seeds: u64) -> BTreeMap<&'static str, u32> {
    let mut named = BTreeMap::new();
    for fault in faults {
        for seed in 1..=seeds {
            for stall in stalls(*fault, sender, seed) {
                *named.entry(stall.cause.as_str()).or_default() += 1;
            }
        }
    }
    named
}
