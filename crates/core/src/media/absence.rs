//! Whether a device has delivered nothing for long enough that a person must hear of it.

use std::time::Duration;

use crate::Timestamp;

/// A device that is gone for a shorter time is not reported. Browsers also mute a camera whose pictures are late.
const REPORTED_AFTER: Duration = Duration::from_secs(2);

/// A device that the system or another app may have for a while, such as the microphone during a phone call.
///
/// Call the `handle_*` methods in any order, and [`Self::handle_timeout`] at [`Self::poll_timeout`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceAbsence {
    /// When the absence is reported; `None` while the device delivers.
    report_at: Option<Timestamp>,
    is_reported: bool,
}

impl DeviceAbsence {
    /// Notes whether the device delivers nothing now.
    pub fn handle_muted(&mut self, is_muted: bool, now: Timestamp) {
        if is_muted {
            self.report_at.get_or_insert(now + REPORTED_AFTER);
        } else {
            *self = Self::default();
        }
    }

    /// Handles the passing of time.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.is_reported |= self.report_at.is_some_and(|due| due <= now);
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.report_at.filter(|_| !self.is_reported)
    }

    /// Whether the device has been gone for so long that a person must hear of it.
    #[must_use]
    pub fn is_reported(&self) -> bool {
        self.is_reported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    #[test]
    fn a_device_is_reported_once_it_was_gone_for_a_while() {
        let mut microphone = DeviceAbsence::default();
        assert_eq!(microphone.poll_timeout(), None);
        microphone.handle_muted(true, at(1_000));
        // Looked at again for another reason.
        microphone.handle_muted(true, at(2_500));
        assert_eq!(microphone.poll_timeout(), Some(at(3_000)));
        microphone.handle_timeout(at(2_999));
        assert!(!microphone.is_reported());
        microphone.handle_timeout(at(3_000));
        assert!(microphone.is_reported());
        assert_eq!(microphone.poll_timeout(), None);
        microphone.handle_muted(false, at(9_000));
        assert!(!microphone.is_reported());
    }

    #[test]
    fn a_camera_that_is_late_for_a_moment_is_not_reported() {
        let mut camera = DeviceAbsence::default();
        for start in [0, 2_000, 4_000] {
            camera.handle_muted(true, at(start));
            camera.handle_timeout(at(start + 1_400));
            camera.handle_muted(false, at(start + 1_500));
            camera.handle_timeout(at(start + 1_900));
            assert!(!camera.is_reported());
        }
        assert_eq!(camera.poll_timeout(), None);
    }
}
