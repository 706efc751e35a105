//! The ledger of bursts, and why the browser had to make sound up.

use std::time::Duration;

use super::{counters::Step, meter::SentSound};
use crate::Timestamp;

/// Most bursts that are kept; totals go on.
pub const MAX_BURSTS: usize = 500;
/// Of the time between two reports, how much must be made up to be worth an entry: less is one packet that came late.
const NOTABLE_SHARE: f64 = 0.01;
const NOTABLE: Duration = Duration::from_millis(20);
/// What is looked at after a burst: a loss is counted when the next packet comes.
const AFTER: Duration = Duration::from_millis(1500);

/// A time in which the browser made sound up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoundBurst {
    /// When the last report before it was read.
    pub start: Timestamp,
    /// From then until the last report that shows it.
    pub duration: Duration,
    /// How much of that was made up.
    pub concealed: Duration,
    /// The most likely reason.
    pub cause: SoundCause,
}

impl SoundBurst {
    /// When the last report that shows it was read.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.start + self.duration
    }
}

/// The most likely reason of a burst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SoundCause {
    /// Packets were lost on the way.
    Loss,
    /// Packets came too late to be played.
    Late,
    /// The sender sent no sound.
    Source,
    /// Nothing speaks for any of them.
    #[default]
    Unknown,
}

impl SoundCause {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Loss, Self::Late, Self::Source, Self::Unknown];

    /// The word as tests and exports read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Late => "late",
            Self::Source => "source",
            Self::Unknown => "unknown",
        }
    }

    /// The cause of that word; [`Self::Unknown`] for any other.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word).unwrap_or_default()
    }
}

/// A burst with what its cause is told from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kept {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    concealed: f64,
    silent: f64,
    made_up: Duration,
    /// The member says that it sends no sound.
    is_declared: bool,
    pub(super) cause: SoundCause,
}

impl Kept {
    /// What a step has of a burst; `None` where it is not worth an entry, or the browser does not report it.
    pub(super) fn of(step: &Step, is_declared: bool) -> Option<Self> {
        let (concealed, share) = (step.concealed?, step.concealed_share());
        let made_up = (step.to - step.from).mul_f64(share);
        let is_notable = share >= NOTABLE_SHARE && made_up >= NOTABLE;
        is_notable.then(|| Self {
            start: step.from,
            end: step.to,
            concealed,
            silent: step.silent.unwrap_or(0.0),
            made_up,
            is_declared,
            cause: SoundCause::Unknown,
        })
    }

    /// Goes on with the next step of the same burst; whether it is one.
    pub(super) fn extend(&mut self, next: &Self) -> bool {
        let is_next = self.end == next.start && self.is_declared == next.is_declared;
        if is_next {
            self.end = next.end;
            self.concealed += next.concealed;
            self.silent += next.silent;
            self.made_up += next.made_up;
        }
        is_next
    }

    pub(super) fn burst(&self) -> SoundBurst {
        SoundBurst {
            start: self.start,
            duration: self.end - self.start,
            concealed: self.made_up,
            cause: self.cause,
        }
    }

    /// The first that holds, in the order in which `docs/measuring.md` has them.
    pub(super) fn tell_cause(&mut self, steps: &[Step], sent: &[SentSound], was_disconnected: bool) {
        if self.is_declared {
            self.cause = SoundCause::Source;
            return;
        }
        let is_own = |step: &&Step| self.start <= step.from && step.to <= self.end;
        let is_around = |step: &&Step| step.from < self.end + AFTER && self.start < step.to;
        let around = || steps.iter().filter(is_around);
        let sum = |of: fn(&Step) -> f64| around().map(of).sum::<f64>();
        let length = |step: &Step| seconds(step.from, step.to);
        let made_up_s: f64 =
            steps.iter().filter(is_own).map(|step| step.concealed_share() * length(step)).sum();
        let (own_s, looked_at_s) =
            (steps.iter().filter(is_own).map(length).sum::<f64>(), sum(|step| seconds(step.from, step.to)));
        let sent_fewer = self.sent_share(sent).map(|sent| (1.0 - sent) * own_s >= made_up_s / 2.0);
        let (packets, lost) = (sum(|step| step.packets), sum(|step| step.lost));
        let is_lossy = lost >= 1.0 && lost / (lost + packets) * looked_at_s >= made_up_s / 4.0;
        let outside = steps.iter().filter(|step| !is_around(step));
        let came = match upper_quartile(outside.map(|step| step.packets / length(step))) {
            Some(usual) => packets >= usual * (looked_at_s - made_up_s / 2.0),
            None => packets > 0.0,
        };
        let is_silent = self.silent >= self.concealed * 0.75;
        self.cause = if sent_fewer == Some(true) {
            SoundCause::Source
        } else if is_lossy {
            SoundCause::Loss
        } else if sum(|step| step.discarded) >= 1.0 || came {
            SoundCause::Late
        } else if sent_fewer.is_none() && is_silent && !was_disconnected {
            // Fewer packets came, none is missing, and the browser plays silence.
            SoundCause::Source
        } else {
            SoundCause::Unknown
        };
    }

    /// How much of its usual number of packets the sender sent meanwhile; `None` where it does not tell.
    fn sent_share(&self, sent: &[SentSound]) -> Option<f64> {
        let is_within = |sent: &&SentSound| sent.from < self.end && self.start < sent.to;
        let (mut packets, mut told) = (0.0, 0.0);
        for sent in sent.iter().filter(is_within) {
            packets += f64::from(sent.packets);
            told += seconds(sent.from, sent.to);
        }
        let outside = sent.iter().filter(|sent| !is_within(sent));
        let rate = |sent: &SentSound| f64::from(sent.packets) / seconds(sent.from, sent.to);
        let usual = upper_quartile(outside.map(rate)).filter(|usual| *usual > 0.0);
        match usual {
            _ if told <= 0.0 => None,
            Some(usual) => Some(packets / told / usual),
            None => (packets == 0.0).then_some(0.0),
        }
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to - from).as_secs_f64()
}

fn upper_quartile(rates: impl Iterator<Item = f64>) -> Option<f64> {
    let mut rates: Vec<_> = rates.filter(|rate| rate.is_finite()).collect();
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() * 3 / 4).copied()
}
