//! Who is speaking, from audio levels.

use std::time::Duration;

use crate::Timestamp;

/// -40 dBov: above the noise of a quiet room, below a quiet voice.
const LOUDEST_SILENCE: f64 = 0.01;
/// Words have pauses between them, which should not make the ring flicker.
const PAUSE: Duration = Duration::from_millis(800);

/// Decides from one voice's levels whether it speaks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpeakingDetector {
    last_heard: Option<Timestamp>,
}

impl SpeakingDetector {
    /// Takes the level of this moment, linear from 0 to 1 (W3C webrtc-stats, `audioLevel`); `None` where nothing is
    /// heard or the browser does not say. Answers whether the voice speaks now.
    pub fn handle_level(&mut self, level: Option<f64>, now: Timestamp) -> bool {
        if level.is_some_and(|level| level > LOUDEST_SILENCE) {
            self.last_heard = Some(now);
        }
        self.last_heard.is_some_and(|heard| now < heard + PAUSE)
    }
}
