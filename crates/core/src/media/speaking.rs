//! Who is speaking, from audio levels.

use std::time::Duration;

use crate::Timestamp;

/// -40 dBov: louder than the noise of a quiet room, quieter than a quiet voice.
const LOUDEST_SILENCE: f64 = 0.01;
/// A voice counts as speaking during pauses between words, so that the ring in the tile does not flicker.
const PAUSE: Duration = Duration::from_millis(800);

/// Decides from the levels of one voice whether it speaks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpeakingDetector {
    last_heard: Option<Timestamp>,
}

impl SpeakingDetector {
    /// Takes the level of this moment, linear from 0 to 1 (W3C webrtc-stats, `audioLevel`); `None` without sound or where the
    /// browser does not report it. Returns whether the voice speaks now.
    pub fn handle_level(&mut self, level: Option<f64>, now: Timestamp) -> bool {
        if level.is_some_and(|level| level > LOUDEST_SILENCE) {
            self.last_heard = Some(now);
        }
        self.last_heard.is_some_and(|heard| now < heard + PAUSE)
    }
}
