//! Repeats the last frame of a source that stands still, so that a late joiner gets a picture.

use std::time::Duration;

use crate::Timestamp;

/// How long frames are repeated quickly after a viewer joined: encoders drop the first frames of a connection and begin with few
/// details.
const BURST: Duration = Duration::from_secs(3);
/// Interval between frames of a burst. Shorter than what W3C webrtc-stats calls a freeze at 15 frames per second (average + 150
/// ms), since all viewers get these frames.
const BURST_INTERVAL: Duration = Duration::from_millis(100);
/// Interval between frames outside of a burst: a receiver that lost a frame asks for a keyframe and gets it with the next frame.
/// Longer than the 5 s without packets after which Chromium counts a pause and not a freeze.
const INTERVAL: Duration = Duration::from_secs(10);

/// Decides when a standing picture is painted again.
///
/// Call the `handle_*` methods in any order, then [`Self::poll_repaint`] until it returns false, and again at
/// [`Self::poll_timeout`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StandingPicture {
    /// `None` while the source moves.
    standing: Option<Standing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Standing {
    next: Timestamp,
    burst_until: Timestamp,
}

impl StandingPicture {
    /// Notes whether the source stands still now.
    pub fn handle_standing(&mut self, is_standing: bool, now: Timestamp) {
        if !is_standing {
            self.standing = None;
        } else if self.standing.is_none() {
            self.begin_burst(now);
        }
    }

    /// Notes that a viewer joined, or that the connection to one was rebuilt.
    pub fn handle_viewer(&mut self, now: Timestamp) {
        if self.standing.is_some() {
            self.begin_burst(now);
        }
    }

    /// Notes that the standing picture changed: the person jumped within a paused file.
    pub fn handle_other_picture(&mut self, now: Timestamp) {
        self.handle_viewer(now);
    }

    /// Whether to paint now. Missed repaints are not caught up on.
    pub fn poll_repaint(&mut self, now: Timestamp) -> bool {
        let Some(standing) = self.standing.as_mut().filter(|standing| standing.next <= now) else {
            return false;
        };
        let interval = if now < standing.burst_until { BURST_INTERVAL } else { INTERVAL };
        standing.next = now + interval;
        true
    }

    /// When to call [`Self::poll_repaint`] next; `None` while the source moves.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.standing.map(|standing| standing.next)
    }

    fn begin_burst(&mut self, now: Timestamp) {
        self.standing = Some(Standing { next: now, burst_until: now + BURST });
    }
}
