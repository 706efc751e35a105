//! Checks camera, microphone and loudspeakers.

use std::{cell::RefCell, future::pending, pin::pin, time::Duration};

use futures_util::future::select;
use sightline_browser::{
    LocalTrack,
    media::{
        audio_level::LevelMeter,
        capture::{CameraRequest, MicrophoneRequest, get_user_media},
        devices::{DeviceKind, enumerate, has_speaker_prompt},
        picture::PictureProbe,
    },
    page::clock,
};
use sightline_core::{
    doctor::{
        CheckCode, Detail, DetailLabel, Finding, Outcome,
        devices::{LevelWatch, PictureWatch, capture_failure, observed_until},
    },
    notice::NoticeCode,
};

const PICTURE_INTERVAL: Duration = Duration::from_millis(200);
const LEVEL_INTERVAL: Duration = Duration::from_millis(50);
/// Replaces the label of a device in a report.
const REDACTED: &str = "\u{2026}";

/// The granted tracks, until they are checked.
#[derive(Debug, Default)]
pub(super) struct Devices {
    camera: Option<LocalTrack>,
    microphone: Option<LocalTrack>,
}

/// Asks for both devices at once, so that the person gets one question; if that fails, asks for each, to find out which one is
/// missing.
pub(super) async fn ask(devices: &RefCell<Devices>) -> Finding {
    let (camera, microphone) = (CameraRequest::default(), MicrophoneRequest::default());
    if let Ok(captured) = get_user_media(Some(&camera), Some(&microphone)).await {
        *devices.borrow_mut() = Devices { camera: captured.video, microphone: captured.audio };
        return Finding::Devices { camera: None, microphone: None };
    }
    let failure = |name: &str| capture_failure(NoticeCode::from_capture_error(name));
    let camera = match get_user_media(Some(&camera), None).await {
        Ok(captured) => {
            devices.borrow_mut().camera = captured.video;
            None
        }
        Err(error) => Some(failure(&error.name)),
    };
    let microphone = match get_user_media(None, Some(&microphone)).await {
        Ok(captured) => {
            devices.borrow_mut().microphone = captured.audio;
            None
        }
        Err(error) => Some(failure(&error.name)),
    };
    Finding::Devices { camera, microphone }
}

/// Checks whether the camera shows a changing picture.
pub(super) async fn watch_camera(devices: &RefCell<Devices>) -> Outcome {
    let camera = devices.borrow_mut().camera.take();
    let Some(camera) = camera else { return Outcome::failed(CheckCode::NoDevice, Vec::new()) };
    let mut watch = PictureWatch::default();
    if let Ok(probe) = PictureProbe::new(camera.track()) {
        let until = observed_until(clock::now());
        while clock::now() < until {
            clock::sleep(PICTURE_INTERVAL).await;
            if let Some(luma) = probe.luma() {
                watch.handle_picture(&luma);
            }
        }
    }
    watch.judge(picture_details(&camera))
}

/// Checks whether the microphone hears something.
pub(super) async fn listen_to_microphone(devices: &RefCell<Devices>) -> Outcome {
    let microphone = devices.borrow_mut().microphone.take();
    let Some(microphone) = microphone else { return Outcome::failed(CheckCode::NoDevice, Vec::new()) };
    let mut watch = LevelWatch::default();
    if let Ok(meter) = LevelMeter::new(microphone.track()) {
        let until = observed_until(clock::now());
        let listening = pin!(async {
            while clock::now() < until {
                clock::sleep(LEVEL_INTERVAL).await;
                watch.handle_level((!meter.is_suspended()).then(|| meter.level()));
            }
        });
        // Without a sound device this future never completes.
        let resuming = pin!(async {
            let _ = meter.resume().await;
            pending::<()>().await;
        });
        select(listening, resuming).await;
    }
    watch.judge(vec![device_detail(&microphone)])
}

/// Counts the loudspeakers.
pub(super) async fn count_speakers() -> Outcome {
    let devices = enumerate().await.unwrap_or_default();
    let count = devices.iter().filter(|device| device.kind == DeviceKind::Speaker).count();
    if count > 0 {
        Outcome::ok(vec![Detail::new(DetailLabel::Count, count.to_string())])
    } else if has_speaker_prompt() {
        Outcome { code: CheckCode::NotListed, ..Outcome::ok(Vec::new()) }
    } else {
        Outcome::warning(CheckCode::NoDevice, Vec::new())
    }
}

fn device_detail(track: &LocalTrack) -> Detail {
    Detail::private(DetailLabel::Device, track.label(), REDACTED)
}

fn picture_details(camera: &LocalTrack) -> Vec<Detail> {
    let mut details = vec![device_detail(camera)];
    let settings = camera.settings();
    if let (Some(width), Some(height)) = (settings.width, settings.height) {
        let rate = settings.frames_per_second.map(|rate| format!(", {} fps", whole(rate)));
        let picture = format!("{width}\u{d7}{height}{}", rate.unwrap_or_default());
        details.push(Detail::new(DetailLabel::Picture, picture));
    }
    if let Some((width, height)) = camera.largest_picture() {
        details.push(Detail::new(DetailLabel::Resolutions, format!("\u{2264} {width}\u{d7}{height}")));
    }
    details
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
fn whole(number: f64) -> u32 {
    number.round() as u32
}
