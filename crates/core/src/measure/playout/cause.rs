//! The likely cause of a stall. A frame passes the source, the encoder, the network and the display, and each of these has counters:
//! the cause is where the frames of the stall are missing or late first. [`super::facts`] computes what the counters say.

use sightline_protocol::telemetry::Limitation;

use super::facts::{Evidence, Facts};

/// The most likely reason of a stall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum StallCause {
    /// Packets were lost in the network.
    Loss,
    /// Packets arrived late: the path has too little bandwidth.
    Bandwidth,
    /// The path became longer: the packets of the next frame, and all after it, were in transit for longer.
    Delay,
    /// The sender's computer encoded too slowly.
    SenderCpu,
    /// The sender held frames back because its upload was full.
    SenderBandwidth,
    /// The sender's source delivered no frames.
    Source,
    /// The path changed, or the connection was down.
    PathChange,
    /// The frames arrived in time and were shown late.
    Receiver,
    /// There is no evidence for any other cause.
    #[default]
    Unknown,
}

impl StallCause {
    /// All causes, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::Loss,
        Self::Bandwidth,
        Self::Delay,
        Self::SenderCpu,
        Self::SenderBandwidth,
        Self::Source,
        Self::PathChange,
        Self::Receiver,
        Self::Unknown,
    ];

    /// The stable word for tests and exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Bandwidth => "bandwidth",
            Self::Delay => "delay",
            Self::SenderCpu => "sender_cpu",
            Self::SenderBandwidth => "sender_bandwidth",
            Self::Source => "source",
            Self::PathChange => "path_change",
            Self::Receiver => "receiver",
            Self::Unknown => "unknown",
        }
    }

    /// The cause with this word; [`Self::Unknown`] for any other word.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word).unwrap_or_default()
    }
}

/// A cause, and how certain it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) cause: StallCause,
    /// In percent. The verdict is [`StallCause::Unknown`] below [`LEAST_CONFIDENCE`].
    pub(super) confidence: u8,
}

/// A less certain verdict is not given.
const LEAST_CONFIDENCE: u8 = 50;

impl Evidence<'_> {
    /// The cause by all evidence; unknown if the most likely one is too uncertain.
    pub(super) fn verdict(&self) -> Verdict {
        let mut verdict = self.facts().verdict();
        if verdict.confidence < LEAST_CONFIDENCE {
            verdict.cause = StallCause::Unknown;
        }
        verdict
    }
}

/// A smaller share of lost packets is normal and explains no stall.
const NOTABLE_LOSS: f64 = 0.005;
/// A path that loses this share of the packets also loses the browser's checks of it.
const HEAVY_LOSS: f64 = 0.05;
/// A shorter additional delay is no queue.
pub(super) const NOTABLE_QUEUE_S: f64 = 0.1;
/// A queue this long leaves the frames after it incomplete.
const LONG_QUEUE_S: f64 = 0.5;
/// An encoder that works for this part of the time leaves frames out, since frames come at uneven intervals.
const FULL_LOAD: f64 = 0.5;
/// A page whose timers are late by this much has no time for its frames either.
const BUSY_S: f64 = 0.1;
/// So many frames of a report may belong to the time before or after it.
const MISCOUNT: f64 = 2.0;
/// A page that stands still for this long loses packets, or the sender misses its reports.
const LOSES_PACKETS_S: f64 = 0.3;
/// The transits of the frames on a path that became longer differ by at most this part of the additional transit.
const STEADY: f64 = 0.35;
/// A link without any packet for this long was interrupted.
const SILENT_S: f64 = 0.5;

const fn certain(cause: StallCause, confidence: u8) -> Option<Verdict> {
    Some(Verdict { cause, confidence })
}

impl Facts {
    fn verdict(&self) -> Verdict {
        if self.has_source_failed {
            return Verdict { cause: StallCause::Source, confidence: 100 };
        }
        if self.has_source_stood {
            // A busy computer also decodes and paints its file too slowly.
            return if self.is_sender_busy() || self.is_encoder_slow() {
                Verdict { cause: StallCause::SenderCpu, confidence: 70 }
            } else {
                Verdict { cause: StallCause::Source, confidence: 95 }
            };
        }
        if self.has_new_path {
            return self
                .gave_the_path_up()
                .unwrap_or(Verdict { cause: StallCause::PathChange, confidence: 95 });
        }
        let verdict = self
            .shown_late()
            .or_else(|| self.page_was_busy())
            .or_else(|| self.late_in_transit())
            .or_else(|| self.not_from_the_source())
            .or_else(|| self.not_from_the_encoder())
            .or_else(|| self.lost())
            .or_else(|| self.queued())
            .or_else(|| self.by_the_frames_alone());
        let verdict = verdict.unwrap_or_default();
        self.aftermath_of_a_busy_viewer(verdict)
            .or_else(|| self.aftermath_of_a_queue(verdict))
            .unwrap_or(verdict)
    }

    /// The browser gives a path up, or tries another one, if too few of its checks come through. Packets did come all the time.
    fn gave_the_path_up(&self) -> Option<Verdict> {
        if self.was_congested() {
            return certain(StallCause::Bandwidth, 60);
        }
        let was_lossy = self.loss_before.is_some_and(|ratio| ratio >= HEAVY_LOSS) && !self.is_cut();
        if was_lossy { certain(StallCause::Loss, 60) } else { None }
    }

    /// Right after a time of too little bandwidth, packets for which the queue had no room are still missing, and the viewer's browser still
    /// holds frames back for as long as the late ones needed.
    fn aftermath_of_a_queue(&self, verdict: Verdict) -> Option<Verdict> {
        let follows = match verdict.cause {
            StallCause::Loss | StallCause::PathChange => self.lost + self.retransmitted >= 1.0,
            StallCause::Receiver => self.viewer_busy_ratio <= 0.0 && self.viewer_was_busy_s <= 0.0,
            _ => false,
        };
        if follows && self.was_congested() { certain(StallCause::Bandwidth, 60) } else { None }
    }

    /// Whether packets waited in a long queue right before the stall.
    fn was_congested(&self) -> bool {
        self.queue_before_s >= LONG_QUEUE_S && !self.is_cut()
    }

    /// Whether no packet came for half of the stall.
    fn is_cut(&self) -> bool {
        self.silent_s >= SILENT_S.max(self.stall_s / 2.0)
    }

    /// A page that stood still loses the packets for which its socket has no room, and reports nothing to the sender, which then sends
    /// less. So what looks like the path right after it is the viewer's.
    fn aftermath_of_a_busy_viewer(&self, verdict: Verdict) -> Option<Verdict> {
        let is_of_the_path = matches!(
            verdict.cause,
            StallCause::Loss
                | StallCause::Bandwidth
                | StallCause::SenderBandwidth
                | StallCause::Delay
                | StallCause::PathChange
        );
        if is_of_the_path && self.viewer_was_busy_s >= LOSES_PACKETS_S {
            return certain(StallCause::Receiver, 60);
        }
        None
    }

    /// The next frame was here in time.
    fn shown_late(&self) -> Option<Verdict> {
        // The display follows the clock of the captures, so frames that were captured late are rightly shown late.
        let is_in_time = self.received_late_s? < self.stall_s * 0.4
            && self.captured_late_s.is_none_or(|late| late < self.stall_s * 0.5)
            && !self.is_lossy();
        let confidence = if self.viewer_busy_ratio > 0.3 { 95 } else { 85 };
        if is_in_time { certain(StallCause::Receiver, confidence) } else { None }
    }

    /// This page had no time for its work, and the sender sent all frames.
    fn page_was_busy(&self) -> Option<Verdict> {
        let is_sent = |lacks: Option<f64>| lacks.is_none_or(|lacks| lacks < self.missing / 2.0);
        let is_whole = is_sent(self.source_lacks) && is_sent(self.encoder_lacks) && !self.is_path_lossy();
        if is_whole && self.viewer_busy_ratio >= 0.5 { certain(StallCause::Receiver, 85) } else { None }
    }

    /// The next frame was captured in time and received late. The transits of the frames after it distinguish a longer path from a cut.
    fn late_in_transit(&self) -> Option<Verdict> {
        let is_held_up =
            self.received_late_s? >= self.stall_s * 0.5 && self.captured_late_s? < self.stall_s * 0.5;
        let (shortest, longest) = self.longer_transit_s.filter(|_| is_held_up)?;
        let is_longer = shortest >= self.stall_s * 0.5 && longest - shortest <= shortest * STEADY;
        // If the frames waited at the sender, its other packets took no longer.
        let is_of_the_path = |delay: Option<f64>| delay.is_some_and(|delay| delay >= self.stall_s * 0.4);
        if is_longer
            && !self.is_lossy()
            && (is_of_the_path(self.late_s) || is_of_the_path(self.round_trip_rise_s))
        {
            return certain(StallCause::Delay, 90);
        }
        if self.is_interrupted() || self.silent_s >= SILENT_S {
            return certain(StallCause::PathChange, 85);
        }
        None
    }

    /// The source delivered too few frames.
    fn not_from_the_source(&self) -> Option<Verdict> {
        // A source that stood still captured the next frame late.
        let is_captured_in_time = self.captured_late_s.is_some_and(|late| late < self.stall_s * 0.5);
        if self.source_lacks? < (self.missing / 2.0).max(MISCOUNT)
            || is_captured_in_time
            || self.sender_s <= 0.0
        {
            return None;
        }
        if self.is_sender_busy() {
            return certain(StallCause::SenderCpu, 75);
        }
        self.source(if self.encoder_load.is_some() { 90 } else { 80 })
    }

    /// The source delivered, and the encoder left frames out: it had no time, or the bandwidth was too low for them.
    fn not_from_the_encoder(&self) -> Option<Verdict> {
        let lacks = self.encoder_lacks.or(self.sent_lacks)?;
        if lacks < self.missing / 2.0 || self.sender_s <= 0.0 {
            return None;
        }
        if self.encoder_load.is_some_and(|load| load >= FULL_LOAD) {
            return certain(StallCause::SenderCpu, 90);
        }
        if self.is_encoder_slow() {
            return certain(StallCause::SenderCpu, 75);
        }
        if self.is_lossy()
            && (!self.has_queue() || self.silent_s >= SILENT_S)
            && self.limitation != Limitation::Cpu
        {
            return self.lost();
        }
        let is_steady = |(shortest, longest): (f64, f64)| {
            shortest >= NOTABLE_QUEUE_S && longest - shortest <= shortest * STEADY
        };
        let is_longer = self.longer_transit_s.is_some_and(is_steady) && self.limitation == Limitation::None;
        if !self.is_lossy() && (is_longer || self.is_path_longer) {
            // The browser sends less because it takes the longer path for a congested one.
            return certain(StallCause::Delay, 60);
        }
        if self.has_queue() {
            return certain(StallCause::Bandwidth, 85);
        }
        match self.limitation {
            Limitation::Cpu => return certain(StallCause::SenderCpu, 80),
            Limitation::Bandwidth => return certain(StallCause::SenderBandwidth, 85),
            _ => {}
        }
        let is_less = self.target_ratio.is_some_and(|ratio| ratio < 0.7);
        let waits = self.send_delay_s.is_some_and(|waits| waits >= 0.05);
        if is_less || waits {
            return certain(StallCause::SenderBandwidth, 70);
        }
        if self.is_sender_busy() {
            return certain(StallCause::SenderCpu, 60);
        }
        // A sender that does not count its source's frames: frames that were captured late did not exist before.
        if self.encoder_lacks.is_none() && self.captured_late_s.is_none_or(|late| late >= self.stall_s / 2.0)
        {
            return self.source(if self.encoder_load.is_some() { 65 } else { 55 });
        }
        None
    }

    /// The frames were sent, and packets were lost.
    fn lost(&self) -> Option<Verdict> {
        if !self.is_lossy() {
            return None;
        }
        // After a long cut the sender left frames out and starts slowly, so the stall outlasts the loss.
        if self.silent_s >= SILENT_S {
            return certain(StallCause::PathChange, 75);
        }
        if self.has_queue() {
            return certain(StallCause::Bandwidth, 70);
        }
        if self.is_interrupted() {
            return certain(StallCause::PathChange, 75);
        }
        certain(StallCause::Loss, if self.loss_ratio() >= 0.02 { 85 } else { 65 })
    }

    /// The frames were sent, no packet was lost, and all took longer.
    fn queued(&self) -> Option<Verdict> {
        let late = self.late_s.unwrap_or(0.0);
        if !self.has_queue() {
            return None;
        }
        let stays = self.stays_late_s.is_some_and(|stays| stays >= late * 0.7 && stays >= self.stall_s * 0.5);
        let is_limited =
            self.limitation == Limitation::Bandwidth || self.target_ratio.is_some_and(|ratio| ratio < 0.3);
        // Firefox reports neither. While a queue grows, each frame takes longer than the one before.
        let is_uneven =
            self.longer_transit_s.is_some_and(|(shortest, longest)| longest - shortest > shortest * STEADY);
        // A full queue also delays all messages by the same time. But the first frames came earlier, while it grew.
        let came_earlier = self.longer_transit_s.is_some_and(|(shortest, _)| shortest < late * 0.7);
        let is_growing = is_uneven && (came_earlier || self.was_congested());
        if stays && !is_limited && !is_uneven || self.is_path_longer && !is_growing {
            return certain(StallCause::Delay, 70);
        }
        certain(StallCause::Bandwidth, 70)
    }

    /// What remains if neither side counts anything unusual.
    fn by_the_frames_alone(&self) -> Option<Verdict> {
        let is_late = |late: Option<f64>| late.map(|late| late >= self.stall_s / 2.0);
        let has_reports = self.sender_s > 0.0;
        if self.viewer_busy_ratio >= 0.3 {
            return certain(StallCause::Receiver, 70);
        }
        if self.has_hole() {
            return certain(StallCause::PathChange, 60);
        }
        match (is_late(self.captured_late_s), is_late(self.received_late_s)) {
            // Frames that were captured this much later did not exist before. Without reports of the sender, its source is the
            // likely cause.
            (Some(true), _) if !has_reports => self.source(55),
            // Held up once, and all frames after it came in time.
            (Some(false), Some(true)) => certain(StallCause::Delay, 55),
            // No packet arrived.
            (None, None) if self.has_steps && self.packets < 1.0 && has_reports => {
                certain(StallCause::PathChange, 55)
            }
            (None, None) if self.has_steps && self.packets < 1.0 => self.source(55),
            _ => None,
        }
    }

    /// The source, unless its own frames say that it delivered.
    fn source(&self, confidence: u8) -> Option<Verdict> {
        if self.has_source_delivered { None } else { certain(StallCause::Source, confidence) }
    }

    fn is_sender_busy(&self) -> bool {
        // A page that has no time for the frames of its file need not be late by a whole tenth of a second.
        let leaves_frames = self.unpainted >= 2.0 && self.unpainted * self.normal_s >= self.stall_s / 2.0;
        leaves_frames
            || self.sender_busy_s.is_some_and(|busy| busy >= BUSY_S)
            || self.encoder_load.is_some_and(|load| load >= FULL_LOAD)
            || self.limitation == Limitation::Cpu
    }

    /// Whether the encoder worked for a quarter of the time, and twice as long as usual for each frame.
    fn is_encoder_slow(&self) -> bool {
        self.encoder_load.is_some_and(|load| load >= FULL_LOAD / 2.0)
            && self.encode_s.zip(self.usual_encode_s).is_some_and(|(now, usual)| now >= usual * 2.0)
    }

    fn loss_ratio(&self) -> f64 {
        if self.lost > 0.0 { self.lost / (self.lost + self.packets) } else { 0.0 }
    }

    fn is_lossy(&self) -> bool {
        self.lost >= 1.0 && self.loss_ratio() >= NOTABLE_LOSS
    }

    /// Whether the path loses packets. A page that was stopped loses some by that, so a loss counts only if there are others.
    fn is_path_lossy(&self) -> bool {
        self.is_lossy() && self.loss_elsewhere.is_none_or(|ratio| ratio >= NOTABLE_LOSS)
    }

    /// Whether packets waited in a queue of the path.
    fn has_queue(&self) -> bool {
        let is_long = |delay: Option<f64>| delay.is_some_and(|delay| delay >= NOTABLE_QUEUE_S);
        // A queue also holds the sender's messages up: the frames after the stall are here before any message about its time.
        let is_held_up = self.sender_s <= 0.0 && is_long(self.longer_transit_s.map(|(shortest, _)| shortest));
        is_long(self.late_s) || is_long(self.round_trip_rise_s) || is_held_up
    }

    /// Whether hardly any packet arrived for a part of the stall, and the sender sent many again. The stall may outlast that part by far
    /// until a key frame comes. Packets that were sent again in time are not counted as lost.
    fn has_hole(&self) -> bool {
        let usual = self.usual_packets_per_s.unwrap_or(0.0);
        let is_quiet = self.fewest_packets_per_s.is_some_and(|packets| packets < usual / 4.0);
        let is_calm = |loss: Option<f64>| loss.is_none_or(|loss| loss < NOTABLE_LOSS);
        let is_sent = |lacks: Option<f64>| lacks.is_some_and(|lacks| lacks < self.missing / 2.0);
        is_quiet
            && self.retransmitted >= usual / 4.0
            && is_sent(self.source_lacks.or(self.sent_lacks))
            && is_calm(self.loss_before)
            && is_calm(self.loss_after)
    }

    /// Whether about all packets of the stall were lost, and none before and after it.
    fn is_interrupted(&self) -> bool {
        let usual = self.usual_packets_per_s.unwrap_or(0.0);
        let of_stall = usual * self.stall_s;
        let within = self.loss_within.unwrap_or(0.0).max(0.02);
        let is_calm = |loss: Option<f64>| loss.is_none_or(|loss| loss < within / 4.0);
        // A sender that gets no reports sends less, so fewer packets are missed, and fewer arrive.
        let is_quiet = self.fewest_packets_per_s.is_some_and(|packets| packets < usual / 2.0);
        let least = if is_quiet { 0.3 } else { 0.4 };
        let is_as_many = |packets: f64| packets >= of_stall * least && packets <= of_stall * 2.0 + 20.0;
        of_stall >= 1.0
            // A packet that was sent again and arrived is not counted as lost any more.
            && (is_as_many(self.lost) || is_as_many(self.retransmitted))
            && is_calm(self.loss_before)
            && is_calm(self.loss_after)
            && !self.has_queue()
    }
}
