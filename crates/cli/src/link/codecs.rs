//! The codecs of a member that shows a file, with their numbers in an offer.

use rtc::{
    peer_connection::configuration::media_engine::{
        MIME_TYPE_AV1, MIME_TYPE_H264, MIME_TYPE_OPUS, MIME_TYPE_VP8, MIME_TYPE_VP9, MediaEngine,
    },
    rtp_transceiver::rtp_sender::{RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind},
    shared::error::Error as RtcError,
};

use crate::media::{
    Source, VideoCodec,
    h264::ProfileLevel,
    rtp_clock::{AUDIO_HZ, VIDEO_HZ},
};

const OPUS_PAYLOAD_TYPE: u8 = 111;

/// Constrained Baseline, as every page with H.264 has it.
const H264_BASE: ProfileLevel = ProfileLevel([0x42, 0xe0, 0x1f]);
/// The profiles of H.264 that are received, with their payload types.
const H264_RECEIVED: [(ProfileLevel, u8); 4] = [
    (H264_BASE, H264_PAYLOAD_TYPE),
    (ProfileLevel([0x42, 0, 0x1f]), 105),
    (ProfileLevel([0x4d, 0, 0x1f]), 125),
    (ProfileLevel([0x64, 0, 0x1f]), 127),
];
const H264_PAYLOAD_TYPE: u8 = 126;

/// The codecs of a member that shows this file.
pub(super) fn sending_engine(source: &Source) -> Result<MediaEngine, RtcError> {
    let mut media = media_engine()?;
    if source.codec() == VideoCodec::H264 {
        media.register_codec(source_codec(source), RtpCodecKind::Video)?;
    }
    Ok(media)
}

/// The codecs of a member that receives. A page that can choose prefers one of the first.
pub(super) fn receiving_engine() -> Result<MediaEngine, RtcError> {
    let mut media = media_engine()?;
    for (profile, payload_type) in H264_RECEIVED {
        media.register_codec(h264(profile, payload_type), RtpCodecKind::Video)?;
    }
    Ok(media)
}

fn media_engine() -> Result<MediaEngine, RtcError> {
    let mut media = MediaEngine::default();
    let opus = RTCRtpCodecParameters { rtp_codec: opus(), payload_type: OPUS_PAYLOAD_TYPE };
    media.register_codec(opus, RtpCodecKind::Audio)?;
    for codec in [VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::Av1] {
        media.register_codec(video_codec(codec), RtpCodecKind::Video)?;
    }
    Ok(media)
}

pub(super) fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: AUDIO_HZ,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

/// The payload types are those of Firefox. It offers again after an offer without its own media, with these numbers whatever was
/// agreed on before (Firefox 153), while the crate `rtc` 0.21 keeps to the numbers of the first exchange. Chromium takes any.
///
/// There is no codec for retransmission, so lost packets are sent again as they were: a later offer of Firefox drops that codec.
pub(super) fn video_codec(codec: VideoCodec) -> RTCRtpCodecParameters {
    match codec {
        VideoCodec::Vp8 => of_video(MIME_TYPE_VP8, "", 120),
        VideoCodec::Vp9 => of_video(MIME_TYPE_VP9, "profile-id=0", 121),
        VideoCodec::Av1 => of_video(MIME_TYPE_AV1, "profile-id=0", 99),
        VideoCodec::H264 => h264(H264_BASE, H264_PAYLOAD_TYPE),
    }
}

/// The codec of a file.
pub(super) fn source_codec(source: &Source) -> RTCRtpCodecParameters {
    match source.summary().h264 {
        Some(profile) => h264(profile, H264_PAYLOAD_TYPE),
        None => video_codec(source.codec()),
    }
}

/// Units in fragments and aggregates (packetization mode 1). What either side receives may have another level (RFC 6184, 8.1).
fn h264(
    ProfileLevel([profile, constraints, level]): ProfileLevel,
    payload_type: u8,
) -> RTCRtpCodecParameters {
    let fmtp = format!(
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile:02x}{constraints:02x}{level:02x}"
    );
    of_video(MIME_TYPE_H264, &fmtp, payload_type)
}

fn of_video(mime_type: &str, fmtp: &str, payload_type: u8) -> RTCRtpCodecParameters {
    let feedback = [("ccm", "fir"), ("nack", ""), ("nack", "pli")]
        .map(|(typ, parameter)| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() });
    let rtp_codec = RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate: VIDEO_HZ,
        channels: 0,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback: feedback.to_vec(),
    };
    RTCRtpCodecParameters { rtp_codec, payload_type }
}

pub(super) fn offered_codecs(source: &Source) -> Vec<RTCRtpCodecParameters> {
    let mut codecs = vec![source_codec(source)];
    if source.codec() != VideoCodec::Vp8 {
        codecs.push(video_codec(VideoCodec::Vp8));
    }
    codecs
}

pub(super) fn is_video(wanted: VideoCodec) -> impl Fn(&RTCRtpCodec) -> bool {
    let parameters = video_codec(wanted).rtp_codec;
    move |codec| {
        // A profile that is not named is 0.
        let has_other_profile = codec.sdp_fmtp_line.split(';').any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            matches!(name.trim(), "profile-id" | "profile") && value.trim() != "0"
        });
        is_named(codec, &parameters.mime_type) && !has_other_profile
    }
}

/// Whether a file is sent with this codec: for H.264, its profile must be that of the file.
pub(super) fn is_of_source(source: &Source) -> impl Fn(&RTCRtpCodec) -> bool {
    let (is_video, profile) = (is_video(source.codec()), source.summary().h264);
    move |codec| {
        let has_profile = profile.is_none_or(|profile| {
            let named = parameter(codec, "profile-level-id").and_then(ProfileLevel::from_hex);
            let is_whole = parameter(codec, "packetization-mode") == Some("1");
            is_whole && named.is_some_and(|named| named.has_profile_of(profile))
        });
        is_video(codec) && has_profile
    }
}

fn parameter<'a>(codec: &'a RTCRtpCodec, name: &str) -> Option<&'a str> {
    let mut parameters = codec.sdp_fmtp_line.split(';').filter_map(|parameter| parameter.split_once('='));
    parameters.find(|(of, _)| of.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn is_named(codec: &RTCRtpCodec, mime_type: &str) -> bool {
    codec.mime_type.eq_ignore_ascii_case(mime_type)
}

pub(super) fn is_opus(codec: &RTCRtpCodec) -> bool {
    is_named(codec, MIME_TYPE_OPUS)
}
