//! Limits for each sender in a full mesh: each member is sent a separately encoded picture, so the budget for each falls with the
//! number of members.

use sightline_protocol::control::PublishedSource;

use super::source::{DegradationPreference, degradation_preference};

/// The situation of one sender.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SendSituation {
    /// Members in the room, including this one.
    pub members: usize,
    /// The kind of source that is sent.
    pub source: PublishedSource,
    /// The shorter side of the captured picture, in pixels; `None` where the browser does not say.
    pub captured_lines: Option<u32>,
    /// The person's limit for one sender; `None` for no limit.
    pub max_bitrate_bps: Option<u32>,
    /// The person's limit of frames per second; `None` for no limit.
    pub max_frames_per_second: Option<u32>,
    /// The scaling that the person wants, at least; 1 for the original size. A picture is never enlarged.
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

/// Parameters of one sender (W3C WebRTC, `RTCRtpEncodingParameters`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SendLimits {
    /// `maxBitrate`, in bit/s.
    pub max_bitrate_bps: Option<u32>,
    /// `maxFramerate`, in frames per second.
    pub max_frames_per_second: Option<f64>,
    /// `scaleResolutionDownBy`: 1 sends every pixel.
    pub scale_down_by: f64,
    /// `degradationPreference`: whether frames or pixels go first.
    pub degradation: DegradationPreference,
}

/// One step of a ladder of limits.
struct Step {
    /// The step applies up to this number of members, this one included.
    members: usize,
    /// The shorter side of the picture, in pixels.
    lines: u32,
    frames_per_second: u32,
    bitrate_bps: u32,
}

/// Up to this number of members there are no limits, so a call of two or three uses the full picture of the camera.
const MEMBERS_WITHOUT_LIMITS: usize = 3;

/// A camera loses pixels first, since a tile among many is small, and frames last.
const CAMERA: [Step; 4] = [
    Step { members: 4, lines: 540, frames_per_second: 30, bitrate_bps: 1_200_000 },
    Step { members: 5, lines: 450, frames_per_second: 30, bitrate_bps: 900_000 },
    Step { members: 6, lines: 360, frames_per_second: 30, bitrate_bps: 600_000 },
    Step { members: usize::MAX, lines: 270, frames_per_second: 20, bitrate_bps: 350_000 },
];

/// A screen loses frames first, since text must stay readable but not smooth, and pixels last.
const SCREEN: [Step; 4] = [
    Step { members: 4, lines: u32::MAX, frames_per_second: 15, bitrate_bps: 1_500_000 },
    Step { members: 5, lines: u32::MAX, frames_per_second: 10, bitrate_bps: 1_200_000 },
    Step { members: 6, lines: u32::MAX, frames_per_second: 5, bitrate_bps: 1_000_000 },
    Step { members: usize::MAX, lines: 720, frames_per_second: 5, bitrate_bps: 700_000 },
];

/// The limits for each sender of a member.
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
