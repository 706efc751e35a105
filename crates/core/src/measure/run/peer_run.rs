//! A run that another member started. This page's part in it is small and reveals little: the page measures how that one member
//! arrives here, and sends the result to that member alone. The run is independent of any run of this page.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::RunId;

use super::Recorder;
use crate::{Timestamp, measure::report::Party};

/// Maximum time that this page takes part, which is the longest run that an address can request.
pub(super) const LONGEST: Duration = Duration::from_secs(3 * 3600);
/// Maximum number of runs that a member may start within [`BEGINNINGS_WITHIN`].
const MAX_BEGINNINGS: usize = 10;
const BEGINNINGS_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The run is in progress.
    On,
    /// The run ended. The log is sent again when the channel opens again.
    Over,
    /// The person refused to take part.
    Refused,
}

#[derive(Debug, Clone)]
pub(super) struct PeerRun {
    pub(super) id: RunId,
    pub(super) part: Part,
    /// The recorder for the member; `None` until the channel to the member opens.
    pub(super) recorder: Option<Recorder>,
    /// This page, as the log names it.
    pub(super) observer: Party,
    since: Timestamp,
    pub(super) ended: Timestamp,
    /// Whether the member was informed that its first frame was shown here.
    pub(super) is_informed: bool,
    beginnings: VecDeque<Timestamp>,
}

impl PeerRun {
    /// The run that a member starts, after the run `before`; `None` if the member starts too many.
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
            is_informed: false,
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
