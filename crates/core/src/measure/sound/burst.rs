//! The ledger of bursts of concealed sound, and their causes.

use std::time::Duration;

use super::{counters::Step, meter::SentSound};
use crate::{Timestamp, short_list};

/// Maximum number of bursts that are kept; the totals include all bursts.
pub const MAX_BURSTS: usize = 500;
/// Share of the time between two reports that must be concealed to count as a burst. Less than that is a single late packet.
const NOTABLE_SHARE: f64 = 0.01;
const NOTABLE: Duration = Duration::from_millis(20);
/// Time after a burst whose evidence counts: a loss is counted when the next packet arrives.
const AFTER: Duration = Duration::from_millis(1500);

/// A time in which the browser concealed missing sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoundBurst {
    /// The time of the last report before the burst.
    pub start: Timestamp,
    /// The time from `start` to the last report that shows the burst.
    pub duration: Duration,
    /// Length of the concealed sound in the burst.
    pub concealed: Duration,
    /// The most likely cause.
    pub cause: SoundCause,
}

impl SoundBurst {
    /// The time of the last report that shows the burst.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.start + self.duration
    }
}

/// The most likely cause of a burst.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SoundCause {
    /// Packets were lost in the network.
    Loss,
    /// Packets arrived too late to be played.
    Late,
    /// The sender sent no sound.
    Source,
    /// There is no evidence for any other cause.
    #[default]
    Unknown,
}

impl SoundCause {
    /// All causes, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Loss, Self::Late, Self::Source, Self::Unknown];

    /// The stable word for tests and exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Late => "late",
            Self::Source => "source",
            Self::Unknown => "unknown",
        }
    }

    /// The cause with this word; [`Self::Unknown`] for any other word.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word).unwrap_or_default()
    }
}

/// A burst and the evidence for its cause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kept {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    concealed: f64,
    silent: f64,
    made_up: Duration,
    /// Whether the member declared that it sends no sound.
    is_declared: bool,
    pub(super) cause: SoundCause,
}

impl Kept {
    /// The burst in a step; `None` if too little was concealed, or the browser does not report it.
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

    /// Sets the first cause that applies, in the order of `docs/measuring.md`.
    pub(super) fn update_cause(&mut self, steps: &[Step], sent: &[SentSound], was_disconnected: bool) {
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
        // Packets that were sent and not lost are late, if the path became longer.
        let is_in_transit = sent_fewer == Some(false) && lost < 1.0 && !was_disconnected;
        let is_silent = self.silent >= self.concealed * 0.75;
        self.cause = if sent_fewer == Some(true) {
            SoundCause::Source
        } else if is_lossy {
            SoundCause::Loss
        } else if sum(|step| step.discarded) >= 1.0 || came || is_in_transit {
            SoundCause::Late
        } else if sent_fewer.is_none() && is_silent && !was_disconnected {
            // Fewer packets arrived, none was lost, and the browser plays silence.
            SoundCause::Source
        } else {
            SoundCause::Unknown
        };
    }

    /// The sender's packets during the burst divided by their usual number; `None` without reports of the sender.
    fn sent_share(&self, sent: &[SentSound]) -> Option<f64> {
        let is_within = |sent: &&SentSound| sent.from < self.end && self.start < sent.to;
        let (mut packets, mut reported_s) = (0.0, 0.0);
        for sent in sent.iter().filter(is_within) {
            packets += f64::from(sent.packets);
            reported_s += seconds(sent.from, sent.to);
        }
        let outside = sent.iter().filter(|sent| !is_within(sent));
        let rate = |sent: &SentSound| f64::from(sent.packets) / seconds(sent.from, sent.to);
        let usual = upper_quartile(outside.map(rate)).filter(|usual| *usual > 0.0);
        match usual {
            _ if reported_s <= 0.0 => None,
            Some(usual) => Some(packets / reported_s / usual),
            None => (packets == 0.0).then_some(0.0),
        }
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    (to - from).as_secs_f64()
}

fn upper_quartile(rates: impl Iterator<Item = f64>) -> Option<f64> {
    let mut rates: Vec<_> = rates.filter(|rate| rate.is_finite()).collect();
    short_list::sort_numbers(&mut rates);
    rates.get(rates.len() * 3 / 4).copied()
}
