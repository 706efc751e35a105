//! How much each sender of a mesh may use: every member is sent a picture of its own, encoded by itself, so what is
//! affordable for each falls with their number.

use sightline_protocol::control::PublishedSource;

use super::source::{DegradationPreference, degradation_preference};

/// What decides how much one sender may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SendSituation {
    /// Members in the room, oneself included.
    pub members: usize,
    /// What is sent.
    pub source: PublishedSource,
    /// The shorter side of the captured picture, in pixels; `None` where the browser does not say.
    pub captured_lines: Option<u32>,
    /// The most that the person allows for one sender; `None` for no limit.
    pub max_bitrate_bps: Option<u32>,
    /// The most frames a second that the person allows; `None` for no limit.
    pub max_frames_per_second: Option<u32>,
    /// By how much the person wants the picture smaller, at least; 1 for as it is. It is never made larger.
    pub scale_down_by: f64,
}

impl Default for SendSituation {
    fn default() -> Self {
        Self {
            members: 0,
            source: PublishedSource::None,
            captured_lines: None,
            max_bitrate_bps: None,
            max_frames_per_second: None,
            scale_down_by: 1.0,
        }
    }
}

/// What one sender may use (W3C WebRTC, `RTCRtpEncodingParameters`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SendLimits {
    /// `maxBitrate`
    pub max_bitrate_bps: Option<u32>,
    /// `maxFramerate`
    pub max_frames_per_second: Option<f64>,
    /// `scaleResolutionDownBy`: 1 sends every pixel.
    pub scale_down_by: f64,
    /// `degradationPreference`
    pub degradation: DegradationPreference,
}

/// One step of the ladder.
struct Step {
    /// Up to this many members.
    members: usize,
    /// The shorter side, in pixels.
    lines: u32,
    frames_per_second: u32,
    bitrate_bps: u32,
}

/// Up to here a call of two or three takes what the camera gives.
const MEMBERS_WITHOUT_LIMITS: usize = 3;

/// A camera loses pixels first, since a tile among many is small, and frames only in the end.
const CAMERA: [Step; 4] = [
    Step { members: 4, lines: 540, frames_per_second: 30, bitrate_bps: 1_200_000 },
    Step { members: 5, lines: 450, frames_per_second: 30, bitrate_bps: 900_000 },
    Step { members: 6, lines: 360, frames_per_second: 30, bitrate_bps: 600_000 },
    Step { members: usize::MAX, lines: 270, frames_per_second: 20, bitrate_bps: 350_000 },
];

/// A screen loses frames first, since what cannot be read need not be smooth, and pixels only in the end.
const SCREEN: [Step; 4] = [
    Step { members: 4, lines: u32::MAX, frames_per_second: 15, bitrate_bps: 1_500_000 },
    Step { members: 5, lines: u32::MAX, frames_per_second: 10, bitrate_bps: 1_200_000 },
    Step { members: 6, lines: u32::MAX, frames_per_second: 5, bitrate_bps: 1_000_000 },
    Step { members: usize::MAX, lines: 720, frames_per_second: 5, bitrate_bps: 700_000 },
];

/// How much each sender of a member may use.
#[must_use]
pub fn send_limits(situation: &SendSituation) -> SendLimits {
    let degradation = degradation_preference(situation.source);
    let step = step_for(situation);
    SendLimits {
        max_bitrate_bps: smallest(situation.max_bitrate_bps, step.map(|step| step.bitrate_bps)),
        max_frames_per_second: smallest(
            situation.max_frames_per_second,
            step.map(|step| step.frames_per_second),
        )
        .map(f64::from),
        scale_down_by: situation.scale_down_by.max(match (situation.captured_lines, step) {
            (Some(captured), Some(step)) if captured > step.lines => {
                f64::from(captured) / f64::from(step.lines)
            }
            _ => 1.0,
        }),
        degradation,
    }
}

fn step_for(situation: &SendSituation) -> Option<&'static Step> {
    if situation.members <= MEMBERS_WITHOUT_LIMITS {
        return None;
    }
    let ladder = match degradation_preference(situation.source) {
        DegradationPreference::MaintainFramerate => &CAMERA,
        DegradationPreference::MaintainResolution => &SCREEN,
    };
    ladder.iter().find(|step| situation.members <= step.members)
}

fn smallest(one: Option<u32>, other: Option<u32>) -> Option<u32> {
    one.into_iter().chain(other).min()
}
