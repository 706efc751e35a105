//! A link that shows a file, and a foreign peer connection that watches it.

use std::{sync::Arc, time::Duration};

use rtc::{
    peer_connection::configuration::media_engine::{MIME_TYPE_VP8, MediaEngine},
    rtcp::{self, payload_feedbacks::picture_loss_indication::PictureLossIndication},
    rtp,
    rtp_transceiver::rtp_sender::{RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind},
};
use sightline_core::{
    link::LinkId,
    negotiation::{Completed, Operation, OperationId, Role},
};
use sightline_protocol::signaling::{DescriptionKind, SignalCandidate, SignalDescription};
use tokio::{sync::mpsc, time::timeout};
use webrtc::{
    data_channel::RTCDataChannelInit,
    media_stream::track_remote::{TrackRemote, TrackRemoteEvent},
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit,
        RTCPeerConnectionIceEvent, RTCSessionDescription, SettingEngineBuilder,
    },
};

use super::{Link, LinkInputs, LinkKind, tests::config};
use crate::{
    input::Input,
    media::{Source, testing},
};

/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const SAMPLE: &[u8] = include_bytes!("../../../../assets/sample/sample.webm");

/// What the viewer gets.
enum Seen {
    Candidate(String),
    Track(Arc<dyn TrackRemote>),
}

struct Handler(mpsc::Sender<Seen>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let candidate = event.candidate.to_json().unwrap().candidate;
        let _ = self.0.send(Seen::Candidate(candidate)).await;
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let _ = self.0.send(Seen::Track(track)).await;
    }
}

struct Viewer {
    connection: Box<dyn PeerConnection>,
    seen: mpsc::Receiver<Seen>,
    tracks: Vec<Arc<dyn TrackRemote>>,
}

impl Viewer {
    async fn new(media: MediaEngine) -> Self {
        let (to, seen) = mpsc::channel(100);
        let settings = SettingEngineBuilder::new().with_include_loopback_candidate(true).build();
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(media)
            .with_setting_engine(settings)
            .with_handler(Arc::new(Handler(to)))
            .with_udp_addrs(vec!["127.0.0.1:0".to_owned()])
            .build()
            .await
            .unwrap();
        // The channel that `channels.rs` opens first.
        let channel = RTCDataChannelInit { negotiated: Some(0), ..RTCDataChannelInit::default() };
        connection.create_data_channel("", Some(channel)).await.unwrap();
        Self { connection: Box::new(connection), seen, tracks: Vec::new() }
    }

    /// The next RTP packet of pictures or sound.
    async fn packet(&mut self, kind: RtpCodecKind) -> rtp::Packet {
        loop {
            for track in &self.tracks {
                if track.kind().await != kind {
                    continue;
                }
                while let Some(event) = track.poll().await {
                    if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                        return packet;
                    }
                }
            }
            if let Some(Seen::Track(track)) = self.seen.recv().await {
                self.tracks.push(track);
            }
        }
    }

    /// Sends RTCP about the pictures.
    async fn send_feedback(&self, feedback: impl Fn(u32) -> Box<dyn rtcp::Packet>) {
        for track in &self.tracks {
            if track.kind().await == RtpCodecKind::Video {
                track.write_rtcp(vec![feedback(track.ssrcs().await[0])]).await.unwrap();
            }
        }
    }
}

fn begins_keyframe(packet: &rtp::Packet) -> bool {
    packet.payload[0] & 0x10 != 0 && packet.payload[1] & 1 == 0
}

struct Provider {
    link: Link,
    first: mpsc::Receiver<Input>,
    candidates: Vec<SignalCandidate>,
}

impl Provider {
    fn open(role: Role, source: &Source) -> Self {
        let (first_sender, first) = mpsc::channel(100);
        let (messages, mut unread) = mpsc::channel(100);
        tokio::spawn(async move { while unread.recv().await.is_some() {} });
        let inputs = LinkInputs { first: first_sender, messages };
        let config = config(Some(source.clone()), None);
        let link = Link::open(LinkId(1), LinkKind::Member(role), config, inputs);
        Self { link, first, candidates: Vec::new() }
    }

    async fn perform(&mut self, operation: Operation) -> Completed {
        assert!(self.link.perform(OperationId(1), operation));
        loop {
            match self.first.recv().await.unwrap() {
                Input::Completed(_, _, result) => return result.unwrap(),
                Input::LocalCandidate(_, candidate) => self.candidates.push(candidate),
                _ => {}
            }
        }
    }

    async fn describe(&mut self, operation: Operation) -> String {
        let Completed::LocalDescription { sdp } = self.perform(operation).await else {
            panic!("no description")
        };
        sdp
    }

    async fn set_remote(&mut self, kind: DescriptionKind, sdp: String) {
        let description = SignalDescription { kind, exchange: 1, sdp, published: None };
        self.perform(Operation::SetRemoteDescription(description)).await;
    }
}

/// Connects the two. Returns the description that the link made, and whether the viewer watches.
async fn connect(role: Role, provider: &mut Provider, viewer: &mut Viewer) -> (String, bool) {
    let made = match role {
        Role::Offerer => {
            let offer = provider.describe(Operation::SetLocalOffer { ice_restart: false }).await;
            let description = RTCSessionDescription::offer(offer.clone()).unwrap();
            viewer.connection.set_remote_description(description).await.unwrap();
            let answer = viewer.connection.create_answer(None).await.unwrap();
            viewer.connection.set_local_description(answer.clone()).await.unwrap();
            provider.set_remote(DescriptionKind::Answer, answer.sdp).await;
            offer
        }
        Role::Answerer => {
            // The slots of a page.
            for kind in [RtpCodecKind::Audio, RtpCodecKind::Video, RtpCodecKind::Audio] {
                viewer.connection.add_transceiver_from_kind(kind, None).await.unwrap();
            }
            let offer = viewer.connection.create_offer(None).await.unwrap();
            viewer.connection.set_local_description(offer.clone()).await.unwrap();
            provider.set_remote(DescriptionKind::Offer, offer.sdp).await;
            let answer = provider.describe(Operation::SetLocalAnswer).await;
            let description = RTCSessionDescription::answer(answer.clone()).unwrap();
            viewer.connection.set_remote_description(description).await.unwrap();
            answer
        }
    };
    for candidate in std::mem::take(&mut provider.candidates) {
        add_candidate(viewer, candidate).await;
    }
    loop {
        tokio::select! {
            input = provider.first.recv() => match input.unwrap() {
                Input::LocalCandidate(_, candidate) => add_candidate(viewer, candidate).await,
                Input::Watching(_) => return (made, true),
                Input::CodecMissing(_) => return (made, false),
                _ => {}
            },
            seen = viewer.seen.recv() => match seen.unwrap() {
                Seen::Candidate(candidate) => {
                    let candidate = SignalCandidate {
                        candidate,
                        sdp_mid: None,
                        sdp_m_line_index: Some(0),
                        ufrag: None,
                    };
                    provider.perform(Operation::AddIceCandidate(candidate)).await;
                }
                Seen::Track(track) => viewer.tracks.push(track),
            },
        }
    }
}

async fn add_candidate(viewer: &Viewer, candidate: SignalCandidate) {
    let candidate = RTCIceCandidateInit {
        candidate: candidate.candidate,
        sdp_mline_index: Some(0),
        ..RTCIceCandidateInit::default()
    };
    let _ = viewer.connection.add_ice_candidate(candidate).await;
}

fn all_codecs() -> MediaEngine {
    let mut media = MediaEngine::default();
    media.register_default_codecs().unwrap();
    media
}

fn vp8_alone() -> MediaEngine {
    let mut media = MediaEngine::default();
    let rtp_codec =
        RTCRtpCodec { mime_type: MIME_TYPE_VP8.to_owned(), clock_rate: 90_000, ..RTCRtpCodec::default() };
    media.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type: 96 }, RtpCodecKind::Video).unwrap();
    let rtp_codec = RTCRtpCodec {
        mime_type: "audio/opus".to_owned(),
        clock_rate: 48_000,
        channels: 2,
        ..RTCRtpCodec::default()
    };
    media
        .register_codec(RTCRtpCodecParameters { rtp_codec, payload_type: 111 }, RtpCodecKind::Audio)
        .unwrap();
    media
}

/// A file that plays in a loop.
fn playing(name: &str, bytes: &[u8]) -> (tempfile::TempDir, Source) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let source = Source::open(&path).unwrap();
    source.start(true).unwrap();
    source.play();
    (folder, source)
}

/// Waits for a stage of a test, and names the stage that did not come.
async fn stage<T>(name: &str, role: Role, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{role:?}: no {name} in time"))
}

async fn show(role: Role) {
    let (_folder, source) = playing("sample.webm", SAMPLE);
    let mut provider = Provider::open(role, &source);
    let mut viewer = Viewer::new(all_codecs()).await;
    let (sdp, watches) = stage("connection", role, connect(role, &mut provider, &mut viewer)).await;
    assert!(watches);
    let lines: Vec<_> =
        sdp.lines().filter(|line| line.starts_with("m=") || line.starts_with("a=sendonly")).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line.split(' ').next().unwrap()).collect();
    let expected = ["m=audio", "m=video", "a=sendonly", "m=audio", "a=sendonly"];
    assert_eq!(&kinds[..5], &expected, "{sdp}");

    // The first thing that a viewer gets is a keyframe.
    let first = stage("picture", role, viewer.packet(RtpCodecKind::Video)).await;
    assert!(begins_keyframe(&first), "{first:?}");
    let mut sound = Vec::new();
    for name in ["sound", "second packet of sound"] {
        sound.push(stage(name, role, viewer.packet(RtpCodecKind::Audio)).await);
    }
    assert_eq!(sound[1].header.timestamp.wrapping_sub(sound[0].header.timestamp) % 960, 0);

    // The file stands, so only a request brings a keyframe.
    source.pause();
    viewer.send_feedback(|media_ssrc| Box::new(PictureLossIndication { sender_ssrc: 0, media_ssrc })).await;
    let answer = async {
        loop {
            let packet = viewer.packet(RtpCodecKind::Video).await;
            if begins_keyframe(&packet) && packet.header.sequence_number != first.header.sequence_number {
                return;
            }
        }
    };
    stage("keyframe on request", role, answer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_offers_shows_a_file_with_sound() {
    show(Role::Offerer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_answers_shows_a_file_with_sound_in_the_slots_of_a_page() {
    show(Role::Answerer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_without_the_codec_is_reported() {
    let av1 = testing::ivf(b"AV01", &[(0, &testing::AV1_KEY), (1, &testing::AV1_KEY)]);
    for role in [Role::Offerer, Role::Answerer] {
        let (_folder, source) = playing("clip.ivf", &av1);
        let mut provider = Provider::open(role, &source);
        let mut viewer = Viewer::new(vp8_alone()).await;
        let connected = stage("report", role, connect(role, &mut provider, &mut viewer)).await;
        assert!(!connected.1, "{role:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h264_is_shown_to_a_viewer_that_decodes_its_profile_and_to_no_other() {
    let baseline = [&testing::H264_KEY[..], &[7; 3000]].concat();
    // The viewer lacks Main.
    let mut main = baseline.clone();
    main[5..7].copy_from_slice(&[0x4d, 0x40]);
    for role in [Role::Offerer, Role::Answerer] {
        for (frame, is_shown) in [(&baseline, true), (&main, false)] {
            let (_folder, source) = playing("clip.ivf", &testing::ivf(b"H264", &[(0, frame), (1, frame)]));
            let mut provider = Provider::open(role, &source);
            let mut viewer = Viewer::new(all_codecs()).await;
            let connected = stage("report", role, connect(role, &mut provider, &mut viewer)).await;
            assert_eq!(connected.1, is_shown, "{role:?}");
            if is_shown {
                let sets = stage("picture", role, viewer.packet(RtpCodecKind::Video)).await;
                assert_eq!(sets.payload[..3], [0x78, 0, 10], "the parameter sets in one packet");
                let begin = stage("fragment", role, viewer.packet(RtpCodecKind::Video)).await;
                assert_eq!(begin.payload[..2], [0x7c, 0x85]);
            }
        }
    }
}
