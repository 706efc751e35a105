//! The recent history of one member: figures, once a second, and events.

use std::{collections::VecDeque, time::Duration};

use crate::{
    Timestamp,
    budget::{Bucket, Limit},
    duration_of_seconds,
    measure::metric::{Figure, FigureValue, Metric},
};

/// Time span of a history.
pub const HISTORY_SPAN: Duration = Duration::from_secs(300);
/// Slightly more than one report per second for [`HISTORY_SPAN`].
const MAX_SAMPLES: usize = 330;
const MAX_EVENTS: usize = 200;
/// Maximum number of failures of one subject, so that a page that causes failures does not displace all other events.
const MAX_FAILURES: usize = 40;
const MAX_FREEZES: usize = 100;
/// Rate of the failures of one subject that become events.
const FAILURES: Limit = Limit { burst: 40, per_second: 1.0 };
/// Maximum length of a failure's text, which may quote another page.
const MAX_FAILURE_BYTES: usize = 500;
/// A longer time between two samples is a gap in the chart: the page was hidden, or no report came.
const LONGEST_STEP: Duration = Duration::from_millis(2500);

/// The metrics that charts can show.
pub const PLOTTED: [Metric; 8] = [
    Metric::ReceiveBitrate,
    Metric::SendBitrate,
    Metric::AvailableOutgoingBitrate,
    Metric::FramesPerSecond,
    Metric::FramesPerSecondSent,
    Metric::RoundTripTime,
    Metric::LossRatio,
    Metric::Jitter,
];

/// The metrics with a word as value whose changes are events.
const FOLLOWED: [(Metric, Subject); 5] = [
    (Metric::DtlsState, Subject::Dtls),
    (Metric::Codec, Subject::CodecReceived),
    (Metric::CodecSent, Subject::CodecSent),
    (Metric::QualityLimitationReason, Subject::Limitation),
    (Metric::Path, Subject::Path),
];

/// The subject of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The state of the peer connection (`connectionState`).
    Connection,
    /// The state of the ICE connection (`iceConnectionState`).
    Ice,
    /// The state of gathering candidates (`iceGatheringState`).
    Gathering,
    /// The signaling state (`signalingState`).
    Signaling,
    /// The state of the DTLS transport (`dtlsState`).
    Dtls,
    /// The candidate pair in use.
    CandidatePair,
    /// The path: direct or through a relay.
    Path,
    /// A failure of a STUN or TURN server.
    CandidateError,
    /// A broken negotiation and its cause.
    Negotiation,
    /// A signal that had no effect, and why: the server or somebody else tampered with it.
    SignalRefused,
    /// A WebRTC call that the browser rejected, and the cause.
    FailedCall,
    /// A picture that did not arrive although the connection carried everything else, so that another connection was built.
    MissingPicture,
    /// The codec of the received picture.
    CodecReceived,
    /// The codec of the sent picture.
    CodecSent,
    /// The resolution of the received picture.
    ResolutionReceived,
    /// The resolution of the sent picture.
    ResolutionSent,
    /// `qualityLimitationReason` of the sent picture.
    Limitation,
    /// The source that the other side publishes.
    Source,
    /// Whether this page is visible; a hidden page measures nothing.
    Page,
}

impl Subject {
    /// The stable name for logs and tests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection_state",
            Self::Ice => "ice_state",
            Self::Gathering => "ice_gathering_state",
            Self::Signaling => "signaling_state",
            Self::Dtls => "dtls_state",
            Self::CandidatePair => "candidate_pair",
            Self::Path => "path",
            Self::CandidateError => "candidate_error",
            Self::Negotiation => "negotiation",
            Self::SignalRefused => "signal_refused",
            Self::FailedCall => "failed_call",
            Self::MissingPicture => "missing_picture",
            Self::CodecReceived => "codec",
            Self::CodecSent => "codec_sent",
            Self::ResolutionReceived => "resolution",
            Self::ResolutionSent => "resolution_sent",
            Self::Limitation => "quality_limitation_reason",
            Self::Source => "source",
            Self::Page => "page",
        }
    }
}

/// A change of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The time at which the change was noticed.
    pub at: Timestamp,
    /// The subject that changed.
    pub subject: Subject,
    /// The old value; `None` if there was none.
    pub before: Option<String>,
    /// The new value; `None` if the browser no longer reports one.
    pub now: Option<String>,
}

/// A time in which the picture stood still, by the browser's own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freeze {
    /// The time at which the freeze began.
    pub from: Timestamp,
    /// The time at which the freeze ended.
    pub to: Timestamp,
}

/// The figures of one report.
#[derive(Debug, Clone, PartialEq)]
struct Sample {
    at: Timestamp,
    values: [Option<f64>; PLOTTED.len()],
}

/// The minimum, maximum and latest value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The smallest value in the history.
    pub least: f64,
    /// The largest value in the history.
    pub greatest: f64,
    /// The value in the latest report; `None` if that report had none.
    pub latest: Option<f64>,
}

/// The figures and events of one member over [`HISTORY_SPAN`]. A history outlives the member's peer connections.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    samples: VecDeque<Sample>,
    events: VecDeque<Event>,
    freezes: VecDeque<Freeze>,
    /// The present value of each subject.
    current: Vec<(Subject, String)>,
    frozen_s: Option<f64>,
    /// The budget of each subject that failed.
    failures: Vec<(Subject, Bucket)>,
}

impl History {
    /// Takes the rows of a report.
    pub fn handle_figures(&mut self, rows: &[Figure], now: Timestamp) {
        let value = |metric| rows.iter().find(|row| row.metric == metric).and_then(|row| row.value.as_ref());
        let number = |metric| match value(metric) {
            // A value that is not a finite number cannot be drawn.
            Some(FigureValue::Number(number)) => Some(*number).filter(|number| number.is_finite()),
            Some(FigureValue::Word(_)) | None => None,
        };
        for (metric, subject) in FOLLOWED {
            match value(metric) {
                Some(FigureValue::Word(word)) => self.handle_state(subject, Some(word), now),
                Some(FigureValue::Number(_)) | None => self.handle_state(subject, None, now),
            }
        }
        for (width, height, subject) in [
            (Metric::FrameWidth, Metric::FrameHeight, Subject::ResolutionReceived),
            (Metric::FrameWidthSent, Metric::FrameHeightSent, Subject::ResolutionSent),
        ] {
            let size = number(width).zip(number(height)).map(|(width, height)| format!("{width}x{height}"));
            self.handle_state(subject, size.as_deref(), now);
        }
        self.note_freeze(number(Metric::TotalFreezesDuration), now);
        self.samples.push_back(Sample { at: now, values: PLOTTED.map(number) });
        self.forget(now);
    }

    /// Takes the present value of a subject. An unchanged value causes no event.
    pub fn handle_state(&mut self, subject: Subject, word: Option<&str>, now: Timestamp) {
        let at = self.current.iter().position(|(known, _)| *known == subject);
        let before = at.map(|at| self.current[at].1.clone());
        if before.as_deref() == word {
            return;
        }
        if let Some(at) = at {
            self.current.swap_remove(at);
        }
        self.current.extend(word.map(|word| (subject, word.to_owned())));
        self.note(Event { at: now, subject, before, now: word.map(str::to_owned) });
    }

    /// Takes a failure and returns whether the history keeps it as an event. A failure with the cause of the one before
    /// is an event too. Failures beyond [`FAILURES`] are dropped: a member can send signals that make calls fail without end.
    pub fn handle_failure(&mut self, subject: Subject, cause: &str, now: Timestamp) -> bool {
        let at = self.failures.iter().position(|(known, _)| *known == subject).unwrap_or_else(|| {
            self.failures.push((subject, Bucket::default()));
            self.failures.len() - 1
        });
        if !self.failures[at].1.take(FAILURES, 1, now) {
            return false;
        }
        let cause = &cause[..cause.floor_char_boundary(MAX_FAILURE_BYTES)];
        let is_of_subject = |event: &Event| event.subject == subject;
        if self.events.iter().filter(|event| is_of_subject(event)).count() >= MAX_FAILURES
            && let Some(oldest) = self.events.iter().position(is_of_subject)
        {
            self.events.remove(oldest);
        }
        self.note(Event { at: now, subject, before: None, now: Some(cause.to_owned()) });
        true
    }

    fn note(&mut self, event: Event) {
        self.events.push_back(event);
        if self.events.len() > MAX_EVENTS {
            self.events.pop_front();
        }
    }

    /// The time of the oldest report in the history.
    #[must_use]
    pub fn first_at(&self) -> Option<Timestamp> {
        self.samples.front().map(|sample| sample.at)
    }

    /// The time of the latest report.
    #[must_use]
    pub fn last_at(&self) -> Option<Timestamp> {
        self.samples.back().map(|sample| sample.at)
    }

    /// Number of reports in the history.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether the history has no report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The events, oldest first. Events older than [`HISTORY_SPAN`] are kept while there is room.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.iter()
    }

    /// The freezes, oldest first.
    pub fn freezes(&self) -> impl Iterator<Item = Freeze> {
        self.freezes.iter().copied()
    }

    /// The points of a metric's line, oldest first. `None` between two points is a gap, which no line may cross.
    #[must_use]
    pub fn line(&self, metric: Metric) -> Vec<Option<(Timestamp, f64)>> {
        let mut points: Vec<Option<(Timestamp, f64)>> = Vec::new();
        let mut last_at = None;
        for (at, value) in self.values(metric) {
            let follows = last_at.is_none_or(|last: Timestamp| at - last <= LONGEST_STEP);
            if (!follows || value.is_none()) && points.last().is_some_and(Option::is_some) {
                points.push(None);
            }
            points.extend(value.map(|value| Some((at, value))));
            last_at = Some(at);
        }
        if points.last() == Some(&None) {
            points.pop();
        }
        points
    }

    /// The value in the report nearest to a time; `None` in a gap.
    #[must_use]
    pub fn value_at(&self, metric: Metric, at: Timestamp) -> Option<f64> {
        let distance = |other: Timestamp| other.since(at).max(at.since(other));
        let (nearest, value) = self.values(metric).min_by_key(|(sampled, _)| distance(*sampled))?;
        value.filter(|_| distance(nearest) <= LONGEST_STEP / 2)
    }

    /// The minimum, maximum and latest value; `None` if the browser never reported the metric.
    #[must_use]
    pub fn summary(&self, metric: Metric) -> Option<Summary> {
        let known = || self.values(metric).filter_map(|(_, value)| value);
        Some(Summary {
            least: known().reduce(f64::min)?,
            greatest: known().reduce(f64::max)?,
            latest: self.values(metric).next_back()?.1,
        })
    }

    fn values(&self, metric: Metric) -> impl DoubleEndedIterator<Item = (Timestamp, Option<f64>)> {
        let at = PLOTTED.iter().position(|plotted| *plotted == metric);
        self.samples.iter().map(move |sample| (sample.at, at.and_then(|at| sample.values[at])))
    }

    /// Browsers count a freeze when it ends, so the freeze extends back from `now`.
    fn note_freeze(&mut self, frozen_s: Option<f64>, now: Timestamp) {
        let before = std::mem::replace(&mut self.frozen_s, frozen_s);
        let (Some(before), Some(frozen_s), Some(last)) = (before, frozen_s, self.last_at()) else { return };
        // Nobody saw a freeze while the page was hidden.
        if let Some(lasted) = duration_of_seconds(frozen_s - before)
            && !lasted.is_zero()
            && lasted < HISTORY_SPAN
            && now - last <= LONGEST_STEP
        {
            let from = Timestamp::from_origin(now.since_origin().saturating_sub(lasted));
            match self.freezes.back_mut() {
                Some(earlier) if earlier.to >= from => earlier.to = now,
                _ => self.freezes.push_back(Freeze { from, to: now }),
            }
        }
    }

    fn forget(&mut self, now: Timestamp) {
        let is_old = |at: Timestamp| now - at > HISTORY_SPAN;
        while self.samples.len() > MAX_SAMPLES || self.samples.front().is_some_and(|front| is_old(front.at)) {
            self.samples.pop_front();
        }
        while self.freezes.len() > MAX_FREEZES || self.freezes.front().is_some_and(|front| is_old(front.to)) {
            self.freezes.pop_front();
        }
    }
}
