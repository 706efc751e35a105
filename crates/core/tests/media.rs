//! Limits for senders, and who is speaking.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    media::{DegradationPreference, SendLimits, SendSituation, SpeakingDetector, send_limits},
    notice::NoticeCode,
};
use sightline_protocol::control::PublishedSource;

fn limits(members: usize, source: PublishedSource) -> SendLimits {
    send_limits(&SendSituation { members, source, captured_lines: Some(1080), ..SendSituation::default() })
}

#[test]
fn a_call_of_up_to_three_sends_all_that_is_captured() {
    for members in 0..=3 {
        for source in [PublishedSource::Camera, PublishedSource::Screen, PublishedSource::File] {
            let limits = limits(members, source);
            assert_eq!((limits.max_bitrate_bps, limits.max_frames_per_second), (None, None));
            assert!((limits.scale_down_by - 1.0).abs() < f64::EPSILON);
        }
    }
}

#[test]
fn another_member_never_raises_the_limits_of_a_sender() {
    for source in [PublishedSource::Camera, PublishedSource::Screen, PublishedSource::File] {
        for members in 4..12 {
            let (fewer, more) = (limits(members, source), limits(members + 1, source));
            assert!(more.max_bitrate_bps <= fewer.max_bitrate_bps, "{source:?} {members}");
            assert!(more.max_frames_per_second <= fewer.max_frames_per_second, "{source:?} {members}");
            assert!(more.scale_down_by >= fewer.scale_down_by, "{source:?} {members}");
        }
    }
}

#[test]
fn a_limited_camera_loses_pixels_before_frames() {
    let six = limits(6, PublishedSource::Camera);
    assert_eq!(six.max_frames_per_second, Some(30.0));
    assert!((six.scale_down_by - 3.0).abs() < 1e-9, "360 of 1080 lines");
    assert_eq!(six.degradation, DegradationPreference::MaintainFramerate);
    assert!(limits(7, PublishedSource::Camera).max_frames_per_second < Some(30.0));
}

#[test]
fn a_limited_screen_loses_frames_before_pixels() {
    let six = limits(6, PublishedSource::Screen);
    assert!((six.scale_down_by - 1.0).abs() < f64::EPSILON);
    assert!(six.max_frames_per_second < limits(4, PublishedSource::Screen).max_frames_per_second);
    assert_eq!(six.degradation, DegradationPreference::MaintainResolution);
    assert!(limits(7, PublishedSource::Screen).scale_down_by > 1.0);
}

#[test]
fn six_members_with_cameras_fit_an_ordinary_connection() {
    let upload_bps = limits(6, PublishedSource::Camera).max_bitrate_bps.map(|bitrate_bps| bitrate_bps * 5);
    assert!(upload_bps <= Some(3_000_000), "{upload_bps:?}");
}

#[test]
fn a_persons_limit_holds_for_any_number_of_members_and_is_never_raised() {
    for members in 2..12 {
        let limits = send_limits(&SendSituation {
            members,
            source: PublishedSource::Camera,
            max_bitrate_bps: Some(128_000),
            ..SendSituation::default()
        });
        assert_eq!(limits.max_bitrate_bps, Some(128_000));
    }
}

#[test]
fn a_picture_that_is_small_already_is_never_made_larger() {
    for members in 2..12 {
        let limits = send_limits(&SendSituation {
            members,
            source: PublishedSource::Camera,
            captured_lines: Some(180),
            ..SendSituation::default()
        });
        assert!((limits.scale_down_by - 1.0).abs() < f64::EPSILON);
    }
}

#[test]
fn a_persons_size_and_rate_hold_and_are_never_raised() {
    let limits = |members, scale_down_by| {
        send_limits(&SendSituation {
            members,
            source: PublishedSource::File,
            captured_lines: Some(1080),
            max_frames_per_second: Some(15),
            scale_down_by,
            ..SendSituation::default()
        })
    };
    assert!((limits(2, 4.0).scale_down_by - 4.0).abs() < f64::EPSILON);
    assert!((limits(2, 0.5).scale_down_by - 1.0).abs() < f64::EPSILON, "never larger");
    assert!((limits(6, 1.5).scale_down_by - 3.0).abs() < 1e-9, "the limit of six members");
    assert_eq!(limits(2, 1.0).max_frames_per_second, Some(15.0));
    assert_eq!(limits(8, 1.0).max_frames_per_second, Some(15.0));
}

#[test]
fn each_reason_why_a_file_does_not_play_has_its_own_notice() {
    let code = NoticeCode::from_media_error;
    assert_eq!(code(1, ""), NoticeCode::FileUnreadable);
    assert_eq!(code(2, ""), NoticeCode::FileUnreadable);
    assert_eq!(code(3, "PIPELINE_ERROR_DECODE: video decode error!"), NoticeCode::FileDamaged);
    assert_eq!(code(4, "DEMUXER_ERROR_NO_SUPPORTED_STREAMS: no supported streams"), NoticeCode::FileCodec);
    assert_eq!(code(4, "DEMUXER_ERROR_COULD_NOT_OPEN: open context failed"), NoticeCode::FileNotVideo);
    assert_eq!(code(4, ""), NoticeCode::FileNotVideo);
}

#[test]
fn a_pause_between_words_does_not_end_speaking_and_a_long_silence_does() {
    let mut voice = SpeakingDetector::default();
    let at = |ms| Timestamp::ZERO + Duration::from_millis(ms);
    assert!(!voice.handle_level(Some(0.005), at(0)), "the noise of a room");
    assert!(voice.handle_level(Some(0.2), at(250)));
    assert!(voice.handle_level(Some(0.0), at(900)));
    assert!(voice.handle_level(None, at(1000)));
    assert!(!voice.handle_level(Some(0.0), at(1050)));
    assert!(!voice.handle_level(None, at(2000)), "an unknown level is no voice");
}
