//! Two peer connections in one page.

use crate::call::{Call, Peer, camera_and_microphone, in_time, remote, sdp, until};
use sightline_browser::{
    BrowserErrorKind, MediaStream, MediaTrack,
    js::queue::event_queue,
    media::media_element,
    rtc::{
        certificate::Certificate,
        peer_connection::{
            ConnectionState, MediaSlot, PeerConnection, PeerConnectionConfig, PeerConnectionEvent,
            video_codecs,
        },
    },
};
use sightline_core::{
    measure::StatsEntry,
    media::{DegradationPreference, SendLimits},
    negotiation::{Completed, Operation},
};
use sightline_protocol::signaling::{DescriptionKind, IceServer, SignalCandidate};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlAudioElement;

/// A call in which both sides publish camera and microphone.
async fn call_with_media() -> (Call, sightline_browser::media::capture::Captured) {
    let media = camera_and_microphone().await;
    let mut call = Call::new();
    for peer in [&call.offerer, &call.answerer] {
        let audio = media.audio.as_ref().unwrap().track();
        let video = media.video.as_ref().unwrap().track();
        peer.connection.set_track(MediaSlot::Microphone, Some(audio)).await.unwrap();
        peer.connection.set_track(MediaSlot::Video, Some(video)).await.unwrap();
    }
    call.negotiate(false).await;
    call.until_connected().await;
    (call, media)
}

async fn inbound(connection: &PeerConnection, kind: &str) -> StatsEntry {
    let entries = connection.stats().await.unwrap();
    // Chromium also lists slots where nothing arrives.
    let mut inbound = entries.into_iter().filter(|entry| {
        entry.entry_type == "inbound-rtp"
            && entry.kind.as_deref() == Some(kind)
            && entry.bytes_received.is_some_and(|bytes| bytes > 0.0)
    });
    let entry = inbound.next().unwrap_or_default();
    assert!(inbound.next().is_none(), "more than one {kind} stream arrives");
    entry
}

/// Waits until new frames and sound arrive on both sides.
async fn media_arrives(call: &Call) {
    for peer in [&call.offerer, &call.answerer] {
        // Chromium decodes only sound that is played.
        let _playing = Playing::new(&peer.connection.remote_track(MediaSlot::Microphone).unwrap()).await;
        let frames_before = inbound(&peer.connection, "video").await.frames_decoded.unwrap_or_default();
        until("video frames", async || {
            inbound(&peer.connection, "video").await.frames_decoded.is_some_and(|n| n > frames_before + 2.0)
        })
        .await;
        let energy_before = inbound(&peer.connection, "audio").await.total_audio_energy.unwrap_or_default();
        until("sound", async || {
            inbound(&peer.connection, "audio").await.total_audio_energy.is_some_and(|e| e > energy_before)
        })
        .await;
    }
}

/// An element that plays a track, until it is dropped.
struct Playing(HtmlAudioElement);

impl Playing {
    async fn new(track: &MediaTrack) -> Self {
        let element = HtmlAudioElement::new().unwrap();
        let stream = MediaStream::new(std::slice::from_ref(track)).unwrap();
        media_element::set_stream(&element, Some(&stream));
        media_element::play(&element).await.unwrap();
        Self(element)
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        media_element::set_stream(&self.0, None);
    }
}

#[wasm_bindgen_test]
async fn media_arrives_both_ways_over_exactly_three_m_lines() {
    let (mut call, _media) = call_with_media().await;
    media_arrives(&call).await;

    for peer in [&mut call.offerer, &mut call.answerer] {
        let sdp = peer.connection.local_description_sdp().unwrap();
        let media: Vec<_> = sdp.split("\nm=").skip(1).collect();
        assert_eq!(media.len(), 3, "{sdp}");
        assert!(media.iter().all(|section| section.contains("a=sendrecv")), "{sdp}");
        for (section, slot) in media.iter().zip(MediaSlot::ALL) {
            assert!(section.starts_with(slot.kind().as_str()), "{sdp}");
        }

        let tracks: Vec<_> = peer
            .reported
            .iter()
            .filter_map(|event| match event {
                PeerConnectionEvent::Track { slot, mid, track } => Some((*slot, mid.clone(), track.clone())),
                _ => None,
            })
            .collect();
        assert_eq!(tracks.len(), 3, "{:?}", peer.reported);
        for (slot, mid, track) in tracks {
            let slot = slot.unwrap();
            assert!(mid.is_some());
            assert_eq!(track.kind(), slot.kind());
            assert_eq!(peer.connection.remote_track(slot), Some(track));
        }
    }
}

#[wasm_bindgen_test]
async fn sound_and_pictures_of_one_side_are_announced_as_one_stream() {
    let mut call = Call::new();
    let (offer, answer) = call.negotiate(false).await;
    for sdp in [offer, answer] {
        let streams: Vec<_> = sdp
            .lines()
            .filter_map(|line| line.strip_prefix("a=msid:"))
            .filter_map(|msid| msid.split(' ').next())
            .collect();
        assert_eq!(streams.len(), 3, "{sdp}");
        assert_ne!(streams[0], "-");
        assert!(streams.iter().all(|stream| *stream == streams[0]), "{sdp}");
    }
}

#[wasm_bindgen_test]
async fn a_track_is_added_replaced_and_removed_without_negotiation() {
    let mut call = Call::new();
    call.negotiate(false).await;
    call.until_connected().await;
    let needed_before = [call.offerer.negotiations_needed(), call.answerer.negotiations_needed()];

    let media = camera_and_microphone().await;
    let audio = media.audio.as_ref().unwrap().track();
    for peer in [&call.offerer, &call.answerer] {
        let video = media.video.as_ref().unwrap().track();
        peer.connection.set_track(MediaSlot::Microphone, Some(audio)).await.unwrap();
        peer.connection.set_track(MediaSlot::Video, Some(video)).await.unwrap();
    }
    media_arrives(&call).await;

    for peer in [&call.offerer, &call.answerer] {
        peer.connection.set_track(MediaSlot::Video, None).await.unwrap();
    }
    let other = camera_and_microphone().await;
    for peer in [&call.offerer, &call.answerer] {
        let video = other.video.as_ref().unwrap().track();
        peer.connection.set_track(MediaSlot::Video, Some(video)).await.unwrap();
    }
    media_arrives(&call).await;

    call.carry().await;
    assert_eq!([call.offerer.negotiations_needed(), call.answerer.negotiations_needed()], needed_before);
}

#[wasm_bindgen_test]
async fn a_track_of_the_wrong_kind_is_refused() {
    let media = camera_and_microphone().await;
    let call = Call::new();
    let audio = media.audio.as_ref().unwrap().track();
    let refused = call.offerer.connection.set_track(MediaSlot::Video, Some(audio)).await.unwrap_err();
    assert_eq!(refused.kind(), BrowserErrorKind::TypeError);
}

#[wasm_bindgen_test]
async fn an_ice_restart_changes_the_credentials_and_media_goes_on() {
    let (mut call, _media) = call_with_media().await;
    let ufrag = |sdp: &str| {
        sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:").map(str::to_owned)).unwrap()
    };
    let before = ufrag(&call.offerer.connection.local_description_sdp().unwrap());
    let (offer, answer) = call.negotiate(true).await;
    assert_ne!(ufrag(&offer), before);
    assert_eq!(answer.matches("\nm=").count(), 3);
    call.until("a candidate of the new generation", |call| {
        // The helper takes the candidates from the queue, so the connection state is checked.
        call.offerer.is_connected() && call.answerer.is_connected()
    })
    .await;
    media_arrives(&call).await;
}

#[wasm_bindgen_test]
async fn candidates_name_their_ice_generation_and_end_with_an_empty_one() {
    let mut call = Call::new();
    let (offer, _) = call.negotiate(false).await;
    let mut seen: Vec<SignalCandidate> = Vec::new();
    until("the end of candidates", async || {
        call.offerer.listen();
        while let Some(candidate) = call.offerer.candidates.pop_front() {
            call.answerer.perform(Operation::AddIceCandidate(candidate.clone())).await;
            seen.push(candidate);
        }
        seen.iter().any(|candidate| candidate.candidate.is_empty())
    })
    .await;
    assert!(seen.len() > 1, "{seen:?}");
    for candidate in seen {
        let line = format!("a=ice-ufrag:{}", candidate.ufrag.as_ref().unwrap());
        assert!(offer.contains(&line), "{candidate:?}");
    }
}

#[wasm_bindgen_test]
async fn a_dropped_connection_is_closed_and_reports_nothing_more() {
    let (mut call, _media) = call_with_media().await;
    let Call { answerer, offerer } = &mut call;
    let remote_track = answerer.connection.remote_track(MediaSlot::Video).unwrap();
    let pending = answerer.connection.stats();
    offerer.listen();

    // Replacing the sink drops the first one.
    let (sink, _events) = event_queue(10);
    answerer.listen();
    answerer.connection = PeerConnection::new(&PeerConnectionConfig::default(), &sink).unwrap();

    assert_eq!(
        in_time("what was pending", pending).await.unwrap_err().kind(),
        BrowserErrorKind::InvalidState
    );
    // The queue ends, because the last sinks are gone with the listeners.
    assert!(in_time("the end of the events", answerer.events.next()).await.is_none());
    until("the remote track ends", async || remote_track.is_ended()).await;
    call.until("the other side notices", |call| {
        call.offerer.connection.connection_state() != ConnectionState::Connected
    })
    .await;
}

#[wasm_bindgen_test]
async fn an_operation_under_way_ends_when_the_connection_is_dropped() {
    let call = Call::new();
    let mut performing =
        Box::pin(call.offerer.connection.perform(Operation::SetLocalOffer { ice_restart: false }));
    assert!(futures_util::poll!(performing.as_mut()).is_pending());
    drop(call);
    let failure = in_time("the operation", performing).await.unwrap_err();
    assert_eq!(failure.name, "InvalidStateError");
}

#[wasm_bindgen_test]
async fn operations_in_the_wrong_state_fail_with_the_name_of_the_error() {
    let call = Call::new();
    let peer = &call.answerer.connection;
    let answer = peer.perform(Operation::SetLocalAnswer).await.unwrap_err();
    assert_eq!(answer.name, "InvalidStateError");

    let early = SignalCandidate {
        candidate: "candidate:1 1 udp 1 192.0.2.1 9 typ host".to_owned(),
        sdp_mid: Some("0".to_owned()),
        sdp_m_line_index: Some(0),
        ufrag: None,
    };
    let early = peer.perform(Operation::AddIceCandidate(early)).await.unwrap_err();
    assert_eq!(early.name, "InvalidStateError");

    let garbage = peer.perform(remote(DescriptionKind::Offer, "no sdp")).await.unwrap_err();
    assert!(!garbage.name.is_empty() && !garbage.message.is_empty(), "{garbage:?}");

    let offer = sdp(call.offerer.perform(Operation::SetLocalOffer { ice_restart: false }).await);
    call.answerer.perform(remote(DescriptionKind::Offer, &offer)).await;
    let offer = peer.perform(Operation::SetLocalOffer { ice_restart: false }).await.unwrap_err();
    assert_eq!(offer.name, "InvalidStateError");
    assert!(matches!(
        call.answerer.perform(Operation::SetLocalAnswer).await,
        Completed::LocalDescription { .. }
    ));
}

#[wasm_bindgen_test]
async fn a_remote_offer_rolls_back_the_local_offer() {
    let mut call = Call::new();
    call.negotiate(false).await;
    call.answerer.perform(Operation::SetLocalOffer { ice_restart: false }).await;
    let (_, answer) = call.negotiate(false).await;
    assert_eq!(answer.matches("\nm=").count(), 3, "{answer}");
    call.until_connected().await;
}

#[wasm_bindgen_test]
async fn a_certificate_that_was_made_ahead_of_time_is_used() {
    let certificate = Certificate::generate().await.unwrap();
    let config = PeerConnectionConfig { certificate: Some(&certificate), ..Default::default() };
    let mut fingerprints = Vec::new();
    for config in [config, config, PeerConnectionConfig::default()] {
        let peer = Peer::new(&config);
        peer.connection.add_transceivers().unwrap();
        let sdp = sdp(peer.perform(Operation::SetLocalOffer { ice_restart: false }).await);
        fingerprints.push(sdp.lines().find(|line| line.starts_with("a=fingerprint:")).unwrap().to_owned());
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
    assert_ne!(fingerprints[0], fingerprints[2]);
}

#[wasm_bindgen_test]
async fn stats_have_the_values_that_the_metrics_need() {
    let (call, _media) = call_with_media().await;
    media_arrives(&call).await;
    let entries = call.answerer.connection.stats().await.unwrap();

    let video = entries
        .iter()
        .find(|entry| entry.entry_type == "inbound-rtp" && entry.kind.as_deref() == Some("video"))
        .unwrap();
    assert!(video.frames_decoded.unwrap() > 0.0);
    assert!(video.frame_width.unwrap() > 0.0);
    assert!(video.bytes_received.unwrap() > 0.0);
    assert!(video.jitter.is_some() && video.packets_lost.is_some() && video.ssrc.is_some());
    assert!(video.timestamp > 1.0e12, "milliseconds since 1970");
    assert_eq!(video.frames_sent, None, "absent is not zero");

    let codec = entries.iter().find(|entry| Some(&entry.id) == video.codec_id.as_ref()).unwrap();
    assert!(codec.mime_type.as_ref().unwrap().starts_with("video/"));
    let pair =
        entries.iter().find(|e| e.entry_type == "candidate-pair" && e.nominated == Some(true)).unwrap();
    assert_eq!(pair.state.as_deref(), Some("succeeded"));
    let local = entries.iter().find(|entry| Some(&entry.id) == pair.local_candidate_id.as_ref()).unwrap();
    assert!(local.candidate_type.is_some());
    assert!(entries.iter().any(|entry| entry.entry_type == "outbound-rtp" && entry.bytes_sent.is_some()));
}

#[wasm_bindgen_test]
async fn the_limits_of_a_sender_are_set_and_removed() {
    let (call, _media) = call_with_media().await;
    let connection = &call.offerer.connection;
    let free = SendLimits {
        max_bitrate_bps: None,
        max_frames_per_second: None,
        scale_down_by: 1.0,
        degradation: DegradationPreference::MaintainFramerate,
    };
    let limits = SendLimits { max_bitrate_bps: Some(150_000), scale_down_by: 2.0, ..free };
    connection.set_send_limits(MediaSlot::Video, &limits).await.unwrap();
    let received = async || inbound(&call.answerer.connection, "video").await.frame_width;
    until("half the width", async || received().await.is_some_and(|width| width <= 320.0)).await;
    connection.set_send_limits(MediaSlot::Video, &free).await.unwrap();
    until("the whole width", async || received().await.is_some_and(|width| width > 320.0)).await;
    media_arrives(&call).await;
}

#[wasm_bindgen_test]
async fn both_sides_use_the_preferred_codec() {
    let (mut call, _media) = call_with_media().await;
    let codecs = video_codecs();
    assert!(codecs.contains(&"VP8".to_owned()) && !codecs.contains(&"rtx".to_owned()), "{codecs:?}");
    for codec in ["VP9", "VP8"] {
        call.offerer.connection.prefer_codec(Some(codec));
        call.negotiate(false).await;
        for peer in [&call.offerer, &call.answerer] {
            until(codec, async || {
                let entries = peer.connection.stats().await.unwrap();
                let id = entries
                    .iter()
                    .find(|entry| entry.entry_type == "inbound-rtp" && entry.kind.as_deref() == Some("video"))
                    .and_then(|entry| entry.codec_id.clone());
                let mime_type = entries.iter().find(|entry| Some(&entry.id) == id.as_ref());
                mime_type.and_then(|entry| entry.mime_type.clone()) == Some(format!("video/{codec}"))
            })
            .await;
        }
    }
}

#[wasm_bindgen_test]
async fn switching_to_relay_only_requests_new_candidates() {
    let mut call = Call::new();
    call.negotiate(false).await;
    call.until_connected().await;
    let before = call.offerer.negotiations_needed();
    call.offerer.connection.set_relay_only(true).unwrap();
    call.until("negotiation needed", |call| call.offerer.negotiations_needed() > before).await;
    call.offerer.connection.set_relay_only(false).unwrap();
    call.negotiate(false).await;
    call.until_connected().await;
}

#[wasm_bindgen_test]
async fn a_played_microphone_has_a_level_and_a_silent_slot_has_none() {
    let (call, _media) = call_with_media().await;
    let peer = &call.answerer.connection;
    let _playing = Playing::new(&peer.remote_track(MediaSlot::Microphone).unwrap()).await;
    until("a level", async || peer.audio_level(MediaSlot::Microphone).is_some_and(|level| level > 0.0)).await;
    assert_eq!(peer.audio_level(MediaSlot::SourceAudio), None, "nothing arrives there");
    peer.set_jitter_buffer_target(MediaSlot::Microphone, Some(200));
    peer.set_jitter_buffer_target(MediaSlot::Microphone, None);
}

#[wasm_bindgen_test]
async fn a_malformed_ice_server_is_an_error() {
    let server = IceServer { urls: vec!["http://example.org".to_owned()], username: None, credential: None };
    let (sink, _events) = event_queue(10);
    let config = PeerConnectionConfig { ice_servers: &[server], ..Default::default() };
    let error = PeerConnection::new(&config, &sink).unwrap_err();
    assert_eq!(error.name, "SyntaxError");
    assert!(!error.message.is_empty());
}
