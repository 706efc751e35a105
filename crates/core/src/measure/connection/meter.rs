//! Computes rows, bars and the path from one stats report per second.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{
    control::{Playback, PublishedSource, PublishedState},
    telemetry::{Limitation, Reception, Sending},
};

use super::{
    Quality,
    missing_picture::MissingPicture,
    quality::{Signs, assess, assess_sent},
    reception,
    snapshot::{Inbound, Outbound, Snapshot},
};
use crate::{
    Timestamp,
    measure::{
        entry::StatsEntry,
        metric::{Figure, FigureValue, Metric},
        playout::{PlayoutSummary, Score},
        stamp::FrameTruth,
    },
};

/// Number of reports over which ratios are computed: enough that one lost packet does not change the bars much.
const WINDOW: usize = 6;
/// Number of consecutive reports with the same limitation before the limitation counts as a cause. Every connection starts with
/// a low bandwidth estimate and needs about ten seconds to find the real one.
const SETTLED_REPORTS: usize = 15;
/// Number of reports without a byte of video before the verdict is that nothing arrives: a camera takes a moment to start.
const SILENT_REPORTS: usize = 2;
/// If reports are further apart, the page was hidden in between, and the growth of counters is meaningless.
const LONGEST_STEP_MS: f64 = 5_000.0;
/// How long a message about the other side's reception is valid. A visible page sends one every second.
const RECEPTION_HOLDS: Duration = Duration::from_secs(5);

/// The path of packets between the two browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkPath {
    /// From browser to browser.
    Direct,
    /// Through a TURN server.
    Relay,
}

impl LinkPath {
    /// The stable word for tests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Relay => "relay",
        }
    }
}

/// The picture to expect from the other side, according to its published state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExpectedPicture {
    /// No picture, or one that is declared to stand still.
    #[default]
    None,
    /// A picture that is only sent when it changes, such as a screen: silence and freezes mean nothing.
    OnlyChanges,
    /// A moving picture.
    Moving,
}

impl ExpectedPicture {
    /// The picture to expect from a member with this published state. A picture that is declared to stand still is not
    /// expected, and a failed file is not the connection's fault.
    #[must_use]
    pub fn of(published: PublishedState) -> Self {
        match (published.source, published.playback) {
            (PublishedSource::None, _) | (_, Some(Playback::Paused | Playback::Ended | Playback::Failed)) => {
                Self::None
            }
            (PublishedSource::Screen, _) => Self::OnlyChanges,
            _ => Self::Moving,
        }
    }
}

/// The states of a peer connection, as the browser names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionStates {
    /// The state of the peer connection (`connectionState`).
    pub connection: Option<String>,
    /// The state of the ICE connection (`iceConnectionState`).
    pub ice: Option<String>,
    /// The signaling state (`signalingState`).
    pub signaling: Option<String>,
}

/// The present figures of one member.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// One row for each of [`Metric::ALL`], in that order.
    pub rows: Vec<Figure>,
    /// Bars and cause for the received media.
    pub quality: Quality,
    /// Bars and cause for the sent media, as the other side receives it; `None` if the other side does not report its
    /// reception.
    pub sent_quality: Option<Quality>,
    /// The other side's report of its reception; `None` if there is none.
    pub reception: Option<Reception>,
    /// The path; `None` before a candidate pair is chosen.
    pub path: Option<LinkPath>,
}

impl Figures {
    /// Takes the score of the last seconds, and lowers bars and cause to match it.
    pub fn add_score(&mut self, score: Option<&Score>) {
        if let Some(score) = score {
            self.quality = self.quality.at_most(score);
        }
    }

    /// Fills in the rows about playout, and for a stamped source those from the stamps.
    pub fn add_playout(&mut self, playout: &PlayoutSummary, truth: Option<&FrameTruth>) {
        for row in &mut self.rows {
            let truth = truth.and_then(|truth| truth.value(row.metric));
            if let Some(number) = playout.value(row.metric).or(truth) {
                row.value = Some(FigureValue::Number(number));
            }
        }
    }

    /// The number of a metric; `None` if it has no number.
    #[must_use]
    pub fn number(&self, metric: Metric) -> Option<f64> {
        match &self.rows.iter().find(|row| row.metric == metric)?.value {
            Some(FigureValue::Number(number)) => Some(*number),
            Some(FigureValue::Word(_)) | None => None,
        }
    }
}

/// Measures one peer connection.
#[derive(Debug, Default)]
pub struct ConnectionMeter {
    window: VecDeque<Snapshot>,
    /// The latest `qualityLimitationReason`, and the number of consecutive reports that had it.
    limitation: (Option<String>, usize),
    /// The latest report of the other side about its reception, and its arrival time.
    remote: Option<(Reception, Timestamp)>,
    /// The next report to the other side about the local reception.
    next_reception: Option<Reception>,
    next_sequence: u32,
    /// Whether the ledger of stalls replaces the browser's own count of freezes.
    has_ledger: bool,
    missing: MissingPicture,
}

impl ConnectionMeter {
    /// Takes whether there is a ledger of this picture's stalls. If so, bars, cause and score ignore the browser's freezes,
    /// since they would count the same stalls twice.
    pub fn handle_ledger(&mut self, has_ledger: bool) {
        self.has_ledger = has_ledger;
    }

    /// Takes the other side's counts of the picture that it sends.
    pub fn handle_sending(&mut self, sending: Sending) {
        self.missing.handle_sending(sending);
    }

    /// Takes a report. Returns whether the other side's picture does not arrive although the connection carries everything else;
    /// true once for each connection.
    pub fn is_picture_missing(&mut self, entries: &[StatsEntry], now: Timestamp) -> bool {
        self.missing.handle_report(entries, now)
    }

    /// The path in the latest report.
    #[must_use]
    pub fn path(&self) -> Option<LinkPath> {
        self.window.back()?.path()
    }

    /// Takes the next report, and the picture to expect in it.
    pub fn handle_report(
        &mut self,
        entries: &[StatsEntry],
        states: &ConnectionStates,
        expected: ExpectedPicture,
        now_at: Timestamp,
    ) -> Figures {
        let now = Snapshot::new(entries);
        let limitation = now.video_out.as_ref().and_then(|video| video.limitation.clone());
        if self.limitation.0 == limitation {
            self.limitation.1 += 1;
        } else {
            self.limitation = (limitation, 1);
        }
        if self.window.back().is_some_and(|last| now.at_ms - last.at_ms > LONGEST_STEP_MS) {
            self.window.clear();
        }
        if self.window.back().is_none_or(|last| last.at_ms < now.at_ms) {
            self.window.push_back(now);
        }
        if self.window.len() > WINDOW {
            self.window.pop_front();
        }
        let remote = self.remote.as_ref().filter(|(_, at)| now_at - *at <= RECEPTION_HOLDS);
        let remote = remote.map(|(reception, _)| reception.clone());
        let (Some(now), Some(first)) = (self.window.back(), self.window.front()) else {
            let quality = assess(&Signs::default());
            return Figures { rows: Vec::new(), quality, sent_quality: None, reception: remote, path: None };
        };
        let previous = self.window.iter().rev().nth(1);
        let path = now.path();
        let remote_limitation = remote.as_ref().map(|reception| reception.limitation).unwrap_or_default();
        let expects_video = expected != ExpectedPicture::None;
        let signs = self.signs(now, first, expected, remote_limitation);
        let quality = assess(&signs);
        let own_limitation = self.settled_limitation();
        let rows: Vec<_> = Metric::ALL
            .iter()
            .map(|&metric| Figure {
                metric,
                value: reception::value(metric, remote.as_ref())
                    .or_else(|| value(metric, now, previous, first, states))
                    .filter(|_| expects_video || !is_of_shown_picture(metric)),
            })
            .collect();
        self.next_reception = Some(reception::of(&rows, quality, frozen_ratio(now, first), own_limitation));
        let sent_quality = remote.as_ref().map(|reception| assess_sent(reception, own_limitation));
        Figures { rows, quality, sent_quality, reception: remote, path }
    }

    /// Takes the figures after the playout was added to them, for the next report to the other side.
    pub fn handle_playout(&mut self, figures: &Figures) {
        if let Some(reception) = &mut self.next_reception {
            reception::add_playout(reception, &figures.rows, figures.quality);
        }
    }

    /// Takes the other side's report of its reception. An outdated report is ignored.
    pub fn handle_reception(&mut self, reception: Reception, now: Timestamp) {
        if self.remote.as_ref().is_none_or(|(known, _)| reception.sequence > known.sequence) {
            self.remote = Some((reception, now));
        }
    }

    /// The report of the local reception to send to the other side. Each is returned once.
    pub fn poll_reception(&mut self) -> Option<Reception> {
        let mut reception = self.next_reception.take()?;
        reception.sequence = self.next_sequence;
        self.next_sequence = self.next_sequence.wrapping_add(1);
        Some(reception)
    }

    fn signs(
        &self,
        now: &Snapshot,
        first: &Snapshot,
        expected: ExpectedPicture,
        sender_limitation: Limitation,
    ) -> Signs {
        let video_bytes = |snapshot: &Snapshot| snapshot.video_in.as_ref().and_then(|video| video.bytes);
        let before = self.window.iter().rev().nth(SILENT_REPORTS);
        let expects_video = expected != ExpectedPicture::None;
        // A screen without changes counts as seen once it has sent any video.
        let may_be_still = expected == ExpectedPicture::OnlyChanges && video_bytes(now) > Some(0.0);
        Signs {
            expects_video,
            video_arrives: before
                .map(|before| video_bytes(now) > video_bytes(before))
                .map(|arrives| arrives || may_be_still),
            loss_ratio: loss_ratio(now, first),
            round_trip_s: round_trip(now),
            jitter_s: jitter(now),
            frozen_ratio: frozen_ratio(now, first)
                .filter(|_| expected != ExpectedPicture::OnlyChanges && !self.has_ledger),
            dropped_ratio: dropped_ratio(now, first),
            limitation: if expects_video { sender_limitation } else { Limitation::None },
        }
    }

    /// `qualityLimitationReason`, unless it only reflects the start of the connection.
    fn settled_limitation(&self) -> Limitation {
        let (limitation, reports) = &self.limitation;
        match limitation.as_deref() {
            _ if *reports < SETTLED_REPORTS => Limitation::None,
            Some("bandwidth") => Limitation::Bandwidth,
            Some("cpu") => Limitation::Cpu,
            Some("other") => Limitation::Other,
            _ => Limitation::None,
        }
    }
}

/// Whether browsers continue to report the metric for the last picture after the sender stopped.
fn is_of_shown_picture(metric: Metric) -> bool {
    matches!(metric, Metric::FrameWidth | Metric::FrameHeight | Metric::FramesPerSecond)
}

fn value(
    metric: Metric,
    now: &Snapshot,
    previous: Option<&Snapshot>,
    first: &Snapshot,
    states: &ConnectionStates,
) -> Option<FigureValue> {
    let (video_in, audio_in) = (now.video_in.as_ref(), now.audio_in.as_ref());
    let video_out = now.video_out.as_ref();
    let word = |word: Option<&String>| word.cloned().map(FigureValue::Word);
    let number = |number: Option<f64>| number.filter(|number| number.is_finite()).map(FigureValue::Number);
    match metric {
        Metric::ReceiveBitrate => number(bitrate(now, previous, |snapshot| {
            sum([&snapshot.video_in, &snapshot.audio_in]
                .map(|side| side.as_ref().and_then(|side| side.bytes)))
        })),
        Metric::SendBitrate => number(bitrate(now, previous, |snapshot| {
            sum([&snapshot.video_out, &snapshot.audio_out]
                .map(|side| side.as_ref().and_then(|side| side.bytes)))
        })),
        Metric::AvailableOutgoingBitrate => {
            number(now.pair.as_ref().and_then(|pair| pair.available_outgoing_bitrate))
        }
        Metric::TargetBitrate => number(video_out.and_then(|video| video.target_bitrate)),
        Metric::EncodeTime => number(mean_sent(now, previous, |video| video.encode_time)),
        Metric::QuantizerSent => number(mean_sent(now, previous, |video| video.quantizers)),
        Metric::DecodeTime => number(mean_received(now, previous, |video| video.decode_time)),
        Metric::Quantizer => number(mean_received(now, previous, |video| video.quantizers)),
        Metric::RetransmittedPacketsReceived => number(video_in.and_then(|video| video.retransmitted)),
        Metric::RetransmittedPacketsSent => number(video_out.and_then(|video| video.retransmitted)),
        Metric::KeyFramesDecoded => number(video_in.and_then(|video| video.key_frames)),
        Metric::KeyFramesEncoded => number(video_out.and_then(|video| video.key_frames)),
        Metric::FramesPerSecond => number(frames_per_second(now, previous)),
        Metric::FramesPerSecondSent => number(frames_per_second_sent(now, previous)),
        Metric::FrameWidth => number(video_in.and_then(|video| video.width)),
        Metric::FrameHeight => number(video_in.and_then(|video| video.height)),
        Metric::FrameWidthSent => number(video_out.and_then(|video| video.width)),
        Metric::FrameHeightSent => number(video_out.and_then(|video| video.height)),
        Metric::Codec => word(video_in.and_then(|video| video.codec.as_ref())),
        Metric::CodecSent => word(video_out.and_then(|video| video.codec.as_ref())),
        Metric::AudioCodec => word(audio_in.and_then(|audio| audio.codec.as_ref())),
        Metric::RoundTripTime => number(round_trip(now)),
        Metric::Jitter => number(jitter(now)),
        Metric::PacketsLost => number(sum(totals(now, |side| side.lost))),
        Metric::LossRatio => number(loss_ratio(now, first)),
        Metric::FreezeCount => number(video_in.and_then(|video| video.freeze_count)),
        Metric::TotalFreezesDuration => number(video_in.and_then(|video| video.freezes_duration)),
        Metric::FramesDropped => number(video_in.and_then(|video| video.frames_dropped)),
        Metric::AudioLevel => number(audio_in.and_then(|audio| audio.audio_level)),
        Metric::QualityLimitationReason => word(video_out.and_then(|video| video.limitation.as_ref())),
        Metric::Path => now.path().map(|path| FigureValue::Word(path.as_str().to_owned())),
        Metric::Protocol => word(now.pair.as_ref().and_then(|pair| pair.protocol.as_ref())),
        Metric::ConnectionState => word(states.connection.as_ref()),
        Metric::IceState => word(states.ice.as_ref()),
        Metric::DtlsState => word(now.dtls_state.as_ref()),
        Metric::SignalingState => word(states.signaling.as_ref()),
        // The metrics of playout and stamps, and those that the other side reports.
        Metric::StallRatio
        | Metric::StallCount
        | Metric::StallTime
        | Metric::LongestStall
        | Metric::StallsPerMinute
        | Metric::UsualStallRatio
        | Metric::SourceFrames
        | Metric::SourceFramesPresented
        | Metric::SourceFramesPerSecond
        | Metric::LowerRateRatio
        | Metric::TimeToFirstFrame
        | Metric::FramesPresented
        | Metric::FramesReceived
        | Metric::FramesDecoded
        | Metric::MeanReceiveBitrate
        | Metric::BytesReceived
        | Metric::StampedFramesShown
        | Metric::StampedFramesLost
        | Metric::StampedFramesRepeated
        | Metric::StampedFramesLate
        | Metric::StampedFramesUnreadable
        | Metric::StampedDelay
        | Metric::StampedDelayMean
        | Metric::StampedDelayLongest
        | Metric::ClockOffset
        | Metric::ClockError
        | Metric::StampReadCost
        | Metric::RemoteReceiveBitrate
        | Metric::RemoteFrameWidth
        | Metric::RemoteFrameHeight
        | Metric::RemoteFramesPerSecond
        | Metric::RemoteLossRatio
        | Metric::RemoteJitter
        | Metric::RemoteFrozenRatio
        | Metric::ConcealedRatio
        | Metric::SoundBursts
        | Metric::JitterBufferDelay
        | Metric::ConcealedSamples
        | Metric::SilentConcealedSamples
        | Metric::ConcealmentEvents
        | Metric::InsertedSamples
        | Metric::RemovedSamples
        | Metric::SamplesReceived => None,
    }
}

fn totals(snapshot: &Snapshot, of: impl Fn(&Inbound) -> Option<f64>) -> [Option<f64>; 2] {
    [&snapshot.video_in, &snapshot.audio_in].map(|side| side.as_ref().and_then(&of))
}

/// The sum of the reported values; `None` if there are none.
fn sum(values: [Option<f64>; 2]) -> Option<f64> {
    values.into_iter().flatten().reduce(|a, b| a + b)
}

fn seconds_between(now: &Snapshot, previous: &Snapshot) -> Option<f64> {
    let seconds = (now.at_ms - previous.at_ms) / 1000.0;
    (seconds > 0.0).then_some(seconds)
}

/// Bits per second from a count of bytes; `None` before the second report, and if the count decreased because the stream is a
/// new one.
fn bitrate(
    now: &Snapshot,
    previous: Option<&Snapshot>,
    bytes: impl Fn(&Snapshot) -> Option<f64>,
) -> Option<f64> {
    rate(now, previous?, bytes).map(|bytes_per_second| bytes_per_second * 8.0)
}

fn rate(now: &Snapshot, previous: &Snapshot, total: impl Fn(&Snapshot) -> Option<f64>) -> Option<f64> {
    let grown = total(now)? - total(previous).unwrap_or(0.0);
    (grown >= 0.0).then_some(grown / seconds_between(now, previous)?)
}

/// The mean of a total over the frames encoded between the last two reports; `None` if there were none, or a total decreased.
fn mean_sent(
    now: &Snapshot,
    previous: Option<&Snapshot>,
    total: fn(&Outbound) -> Option<f64>,
) -> Option<f64> {
    let video =
        |snapshot: &Snapshot, of: fn(&Outbound) -> Option<f64>| snapshot.video_out.as_ref().and_then(of);
    mean(
        rate(now, previous?, |snapshot| video(snapshot, total)),
        rate(now, previous?, |snapshot| video(snapshot, |sent| sent.frames_encoded)),
    )
}

/// The same over the frames decoded.
fn mean_received(
    now: &Snapshot,
    previous: Option<&Snapshot>,
    total: fn(&Inbound) -> Option<f64>,
) -> Option<f64> {
    let video =
        |snapshot: &Snapshot, of: fn(&Inbound) -> Option<f64>| snapshot.video_in.as_ref().and_then(of);
    mean(
        rate(now, previous?, |snapshot| video(snapshot, total)),
        rate(now, previous?, |snapshot| video(snapshot, |received| received.frames_decoded)),
    )
}

fn mean(total: Option<f64>, frames: Option<f64>) -> Option<f64> {
    Some(total? / frames.filter(|frames| *frames > 0.0)?)
}

/// The browser's own value, or else the frames decoded between the last two reports.
fn frames_per_second(now: &Snapshot, previous: Option<&Snapshot>) -> Option<f64> {
    let video = now.video_in.as_ref()?;
    video.frames_per_second.or_else(|| {
        rate(now, previous?, |snapshot| snapshot.video_in.as_ref().and_then(|video| video.frames_decoded))
    })
}

fn frames_per_second_sent(now: &Snapshot, previous: Option<&Snapshot>) -> Option<f64> {
    let video: &Outbound = now.video_out.as_ref()?;
    video.frames_per_second.or_else(|| {
        rate(now, previous?, |snapshot| snapshot.video_out.as_ref().and_then(|video| video.frames_sent))
    })
}

fn round_trip(now: &Snapshot) -> Option<f64> {
    now.pair.as_ref().and_then(|pair| pair.round_trip_time).or(now.remote_round_trip_time)
}

/// The jitter of the picture, or else of the sound.
fn jitter(now: &Snapshot) -> Option<f64> {
    let [video, audio] = totals(now, |side| side.jitter);
    video.or(audio)
}

/// The share of lost packets in all expected packets, over the window. A count that decreases, since late packets were counted
/// as lost before, gives 0.
fn loss_ratio(now: &Snapshot, first: &Snapshot) -> Option<f64> {
    let grown = |of: fn(&Inbound) -> Option<f64>| {
        Some((sum(totals(now, of))? - sum(totals(first, of)).unwrap_or(0.0)).max(0.0))
    };
    let (lost, received) = (grown(|side| side.lost)?, grown(|side| side.packets)?);
    let expected = lost + received;
    (expected > 0.0).then(|| lost / expected)
}

/// The share of the window in which the picture stood still, by the browser's own count.
fn frozen_ratio(now: &Snapshot, first: &Snapshot) -> Option<f64> {
    let of = |snapshot: &Snapshot| snapshot.video_in.as_ref().and_then(|video| video.freezes_duration);
    Some(((of(now)? - of(first)?) / seconds_between(now, first)?).max(0.0))
}

/// The share of received frames that were not shown, over the window.
fn dropped_ratio(now: &Snapshot, first: &Snapshot) -> Option<f64> {
    let grown = |of: fn(&Inbound) -> Option<f64>| {
        let total = |snapshot: &Snapshot| snapshot.video_in.as_ref().and_then(of);
        Some((total(now)? - total(first)?).max(0.0))
    };
    let (dropped, decoded) = (grown(|video| video.frames_dropped)?, grown(|video| video.frames_decoded)?);
    let received = dropped + decoded;
    // A ratio over few frames is meaningless.
    (received >= 10.0).then(|| dropped / received)
}
