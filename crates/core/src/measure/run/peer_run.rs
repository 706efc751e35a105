//! A run that another member began. This page takes part in it only as far as it costs and says little: it measures how that one
//! member arrives here, and tells the outcome to that member alone. It has nothing to do with a run of this page.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::RunId;

use super::Recorder;
use crate::{Timestamp, measure::report::Party};

/// Longest that this page takes part: the longest run that an address can ask for.
pub(super) const LONGEST: Duration = Duration::from_secs(3 * 3600);
/// Most runs that a member may begin within [`BEGINNINGS_WITHIN`].
const MAX_BEGINNINGS: usize = 10;
const BEGINNINGS_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It is on.
    On,
    /// It is over, and its log is told again when the way is open again.
    Over,
    /// The person takes no part.
    Refused,
}

#[derive(Debug, Clone)]
pub(super) struct PeerRun {
    pub(super) id: RunId,
    pub(super) part: Part,
    /// What is measured of the member; `None` until the way to it is open.
    pub(super) recorder: Option<Recorder>,
    /// What this page is called in the log.
    pub(super) observer: Party,
    since: Timestamp,
    pub(super) ended: Timestamp,
    /// The member was told that its first frame was shown here.
    pub(super) is_told: bool,
    beginnings: VecDeque<Timestamp>,
}

impl PeerRun {
    /// The run that a member begins, after those that it began before; `None` where it begins too many.
    pub(super) fn begin(before: Option<&Self>, id: &RunId, observer: Party, now: Timestamp) -> Option<Self> {
        let mut beginnings = before.map(|before| before.beginnings.clone()).unwrap_or_default();
        beginnings.retain(|at| now - *at < BEGINNINGS_WITHIN);
        if beginnings.len() >= MAX_BEGINNINGS {
            return None;
        }
        beginnings.push_back(now);
        Some(Self {
            id: id.clone(),
            part: Part::On,
            recorder: None,
            observer,
            since: now,
            ended: now,
            is_told: false,
            beginnings,
        })
    }

    pub(super) fn is_on(&self) -> bool {
        self.part == Part::On
    }

    pub(super) fn is_too_long(&self, now: Timestamp) -> bool {
        self.is_on() && now - self.since >= LONGEST
    }

    pub(super) fn finish(&mut self, now: Timestamp) {
        self.part = Part::Over;
        self.ended = now;
        if let Some(recorder) = &mut self.recorder {
            recorder.finish(now);
        }
    }

    pub(super) fn refuse(&mut self) {
        self.part = Part::Refused;
        self.recorder = None;
    }
}
