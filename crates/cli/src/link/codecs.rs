//! The codecs of a member that shows a file, with their numbers in an offer.

use rtc::{
    peer_connection::configuration::media_engine::{
        MIME_TYPE_AV1, MIME_TYPE_OPUS, MIME_TYPE_VP8, MIME_TYPE_VP9, MediaEngine,
    },
    rtp_transceiver::rtp_sender::{RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind},
    shared::error::Error as RtcError,
};

use crate::media::VideoCodec;

const OPUS_PAYLOAD_TYPE: u8 = 111;

/// The codecs that files are in.
pub(super) fn media_engine() -> Result<MediaEngine, RtcError> {
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
        clock_rate: 48_000,
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
    let (mime_type, fmtp, payload_type) = match codec {
        VideoCodec::Vp8 => (MIME_TYPE_VP8, "", 120),
        VideoCodec::Vp9 => (MIME_TYPE_VP9, "profile-id=0", 121),
        VideoCodec::Av1 => (MIME_TYPE_AV1, "profile-id=0", 99),
    };
    let feedback = [("ccm", "fir"), ("nack", ""), ("nack", "pli")]
        .map(|(typ, parameter)| RTCPFeedback { typ: typ.to_owned(), parameter: parameter.to_owned() });
    let rtp_codec = RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback: feedback.to_vec(),
    };
    RTCRtpCodecParameters { rtp_codec, payload_type }
}

pub(super) fn offered_codecs(codec: VideoCodec) -> Vec<RTCRtpCodecParameters> {
    let mut codecs = vec![video_codec(codec)];
    if codec != VideoCodec::Vp8 {
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

fn is_named(codec: &RTCRtpCodec, mime_type: &str) -> bool {
    codec.mime_type.eq_ignore_ascii_case(mime_type)
}

pub(super) fn is_opus(codec: &RTCRtpCodec) -> bool {
    is_named(codec, MIME_TYPE_OPUS)
}
