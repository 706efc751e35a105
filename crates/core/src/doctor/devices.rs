//! Judges the picture of a camera and the sound of a microphone.

use std::time::Duration;

use super::check::{CheckCode, Detail, DetailLabel, Outcome};
use crate::{Timestamp, notice::NoticeCode};

/// How long a camera and a microphone are observed.
pub const OBSERVATION: Duration = Duration::from_millis(2500);

/// Greatest brightness of a black picture, of 255: sensors have noise in the dark.
const BLACK_LUMA: u8 = 16;
/// Difference at one point from which on two pictures are different, of 255.
const SAME_LUMA: u8 = 1;
/// Number of pictures to look at before an unchanged picture counts as frozen.
const MIN_PICTURES: u32 = 5;
/// Loudest level of a microphone that is switched off or unplugged, as a part of full scale.
const SILENCE: f32 = 0.0005;

/// The check code for a device that cannot be opened.
#[must_use]
pub fn capture_failure(notice: NoticeCode) -> CheckCode {
    match notice {
        NoticeCode::NoDevice => CheckCode::NoDevice,
        NoticeCode::DeviceInUse => CheckCode::DeviceInUse,
        _ => CheckCode::PermissionDenied,
    }
}

/// Judges a camera by scaled-down gray pictures.
#[derive(Debug, Clone, Default)]
pub struct PictureWatch {
    last: Vec<u8>,
    brightest: u8,
    pictures: u32,
    has_changed: bool,
}

impl PictureWatch {
    /// Takes a picture: the brightness of some points, from 0 to 255.
    pub fn handle_picture(&mut self, luma: &[u8]) {
        self.brightest = self.brightest.max(luma.iter().copied().max().unwrap_or(0));
        let differs = |(old, new): (&u8, &u8)| old.abs_diff(*new) > SAME_LUMA;
        self.has_changed |= self.pictures > 0 && self.last.iter().zip(luma).any(differs);
        self.last = luma.to_vec();
        self.pictures += 1;
    }

    /// The result for the pictures so far.
    #[must_use]
    pub fn judge(&self, details: Vec<Detail>) -> Outcome {
        if self.pictures == 0 {
            Outcome::failed(CheckCode::Timeout, details)
        } else if self.brightest <= BLACK_LUMA {
            Outcome::warning(CheckCode::PictureBlack, details)
        } else if !self.has_changed && self.pictures >= MIN_PICTURES {
            Outcome::warning(CheckCode::PictureFrozen, details)
        } else {
            Outcome::ok(details)
        }
    }
}

/// Judges a microphone by its levels.
#[derive(Debug, Clone, Default)]
pub struct LevelWatch {
    loudest: f32,
    is_suspended: bool,
}

impl LevelWatch {
    /// Takes a level from 0 to 1; `None` while the browser does not let the page listen.
    pub fn handle_level(&mut self, level: Option<f32>) {
        self.is_suspended = level.is_none();
        self.loudest = self.loudest.max(level.unwrap_or(0.0));
    }

    /// The result for the levels so far.
    #[must_use]
    pub fn judge(&self, mut details: Vec<Detail>) -> Outcome {
        if self.is_suspended && self.loudest == 0.0 {
            return Outcome::warning(CheckCode::SoundSuspended, details);
        }
        // In parts per thousand, so that the value has no fraction.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast from f32 saturates"
        )]
        let permille = (self.loudest * 1000.0) as u32;
        details.push(Detail::new(DetailLabel::Level, format!("{}.{} %", permille / 10, permille % 10)));
        if self.loudest <= SILENCE {
            Outcome::warning(CheckCode::Silent, details)
        } else {
            Outcome::ok(details)
        }
    }
}

/// The end of an observation that began at `start`.
#[must_use]
pub fn observed_until(start: Timestamp) -> Timestamp {
    start + OBSERVATION
}
