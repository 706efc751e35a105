//! The media of a link: the source of this member in the slots that pages use, and what its viewer asks for.
//!
//! A page has three slots, each with its m-line: microphone, pictures of the main source, sound of the main source. A member that
//! provides a file sends in the last two and receives nothing. Each link sends packets of its own: see [`Outlet`].

use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

use rtc::{
    interceptor::{NackResponderBuilder, SenderReportBuilder, Slot},
    rtp,
    rtp_transceiver::rtp_sender::{
        RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
    },
    shared::error::Error as RtcError,
};
use sightline_core::link::LinkId;
use tokio::sync::{mpsc, watch};
use webrtc::{
    media_stream::{
        MediaStreamTrack,
        track_local::{TrackLocal, TrackLocalEvent, static_rtp::TrackLocalStaticRTP},
    },
    peer_connection::{PeerConnection, Registry},
    rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit, RtpTransceiver},
};

use super::{
    codecs::{is_of_source, is_opus, offered_codecs, opus, source_codec},
    direction::receives,
    feedback::ViewerFeedback,
};
use crate::{
    clock::until,
    input::Input,
    media::{
        Source, Track,
        outlet::{MediaPacket, Outlet, Step},
    },
};

/// Packets that can be sent again, for each stream: almost a second of 20 Mbit/s.
const RETRANSMISSION_PACKETS: u16 = 2048;
/// Keyframe requests that wait; more of them are about the same loss.
const MAX_REQUESTS: usize = 4;
/// A position among the interceptors next to the application, so that all others see a packet before.
const NEAREST_TO_APPLICATION: usize = 14_000;

/// The tracks of a link that sends.
pub(super) struct Sending {
    source: Source,
    random: u64,
    /// The slot of the microphone, which this member does not use. `add_track` takes slots in order, so the slot needs a track.
    microphone: Arc<TrackLocalStaticRTP>,
    video: Outgoing,
    audio: Option<Outgoing>,
    has_tracks: AtomicBool,
    /// The number of the latest packet of pictures that the viewer has.
    received: watch::Sender<Option<u16>>,
}

struct Outgoing {
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
}

impl Sending {
    pub(super) fn new(source: Source) -> Result<Self, RtcError> {
        let mut random = [0; 28];
        getrandom::fill(&mut random).map_err(|error| RtcError::Other(error.to_string()))?;
        let number =
            |at: usize| u32::from_ne_bytes([random[at], random[at + 1], random[at + 2], random[at + 3]]);
        // One stream, so that a page plays pictures and sound in step.
        let stream = format!("{:08x}{:08x}", number(0), number(4));
        let outgoing = |label: &str, kind, codec: RTCRtpCodec, ssrc| Outgoing {
            track: Arc::new(track(&stream, label, kind, codec, ssrc)),
            ssrc,
        };
        let video = outgoing("video", RtpCodecKind::Video, source_codec(&source).rtp_codec, number(8));
        let has_audio = source.info().has_audio;
        let audio = has_audio.then(|| outgoing("audio", RtpCodecKind::Audio, opus(), number(12)));
        let microphone =
            Arc::new(track(&stream, "microphone", RtpCodecKind::Audio, RTCRtpCodec::default(), number(16)));
        Ok(Self {
            source,
            random: u64::from(number(20)) << 32 | u64::from(number(24)),
            microphone,
            video,
            audio,
            has_tracks: AtomicBool::default(),
            received: watch::Sender::new(None),
        })
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Retransmission, sender reports, and what the viewer says.
    pub(super) fn interceptors(&self) -> Registry {
        let retransmission = NackResponderBuilder::new().with_size(RETRANSMISSION_PACKETS).build();
        Registry::new()
            .with(Slot::NackResponder, retransmission)
            .with(Slot::SenderReport, SenderReportBuilder::new().build())
            .with(
                Slot::from(NEAREST_TO_APPLICATION),
                ViewerFeedback::new(self.video.ssrc, self.received.clone()),
            )
    }

    /// Adds the slots to a connection that makes the first offer.
    pub(super) async fn add_slots(&self, connection: &dyn PeerConnection) -> Result<(), RtcError> {
        let unused = async || {
            let slot = connection.add_transceiver_from_kind(RtpCodecKind::Audio, None).await?;
            slot.set_direction(RTCRtpTransceiverDirection::Inactive).await
        };
        let used = async |track: &Arc<TrackLocalStaticRTP>| {
            let direction = RTCRtpTransceiverDirection::Sendonly;
            let init = RTCRtpTransceiverInit { direction, streams: Vec::new(), send_encodings: Vec::new() };
            connection.add_transceiver_from_track(Arc::clone(track) as Arc<dyn TrackLocal>, Some(init)).await
        };
        unused().await?;
        let video = used(&self.video.track).await?;
        // A page without the codec accepts the slot with VP8, and the answer tells what it lacks.
        video.set_codec_preferences(offered_codecs(&self.source)).await?;
        match &self.audio {
            Some(audio) => drop(used(&audio.track).await?),
            None => unused().await?,
        }
        self.has_tracks.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Puts the tracks into the slots of the other side's offer, before each answer.
    pub(super) async fn adopt_slots(&self, connection: &dyn PeerConnection) -> Result<(), RtcError> {
        if !self.has_tracks.swap(true, Ordering::Relaxed) {
            let audio = self.audio.as_ref().map(|audio| &audio.track);
            for track in [Some(&self.microphone), Some(&self.video.track), audio].into_iter().flatten() {
                match connection.add_track(Arc::clone(track) as Arc<dyn TrackLocal>).await {
                    // The other side lacks the codec, which is reported when the connection is up.
                    Ok(_) | Err(RtcError::ErrRTPTransceiverCodecUnsupported) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        for slot in connection.get_transceivers().await {
            let sends = self.is_in_use(&*slot).await? && is_received(connection, &*slot).await;
            let direction = if sends {
                RTCRtpTransceiverDirection::Sendonly
            } else {
                RTCRtpTransceiverDirection::Inactive
            };
            slot.set_direction(direction).await?;
        }
        Ok(())
    }

    async fn is_in_use(&self, slot: &dyn RtpTransceiver) -> Result<bool, RtcError> {
        let Some(sender) = slot.sender().await? else { return Ok(false) };
        let id = sender.id();
        let tracks = [Some(&self.video), self.audio.as_ref()];
        let mut is_in_use = false;
        for track in tracks.into_iter().flatten() {
            let own: Arc<dyn TrackLocal> = Arc::clone(&track.track) as _;
            is_in_use |= Arc::ptr_eq(sender.track(), &own) && sender.id() == id;
        }
        Ok(is_in_use)
    }

    /// Sends once the channels are open: then the other side is able to decrypt, and does not miss the first keyframe.
    pub(super) async fn begin(
        self: Arc<Self>,
        connection: Weak<dyn PeerConnection>,
        mut is_open: watch::Receiver<bool>,
        link: LinkId,
        to: mpsc::Sender<Input>,
    ) {
        if is_open.wait_for(|is_open| *is_open).await.is_err() {
            return;
        }
        let Some(connection) = connection.upgrade() else { return };
        let video = self.negotiated(&*connection, &self.video, is_of_source(&self.source)).await;
        let video = match video {
            Negotiated::PayloadType(payload_type) => payload_type,
            Negotiated::NoCodec => {
                let _ = to.send(Input::CodecMissing(link)).await;
                return;
            }
            // A member without a screen.
            Negotiated::Declined => return,
        };
        let mut audio = None;
        if let Some(outgoing) = &self.audio
            && let Negotiated::PayloadType(payload_type) =
                self.negotiated(&*connection, outgoing, is_opus).await
        {
            audio = Some(payload_type);
        }
        drop(connection);
        if to.send(Input::Watching(link)).await.is_ok() {
            self.send(video, audio).await;
        }
    }

    /// What the exchange made of a slot.
    async fn negotiated(
        &self,
        connection: &dyn PeerConnection,
        outgoing: &Outgoing,
        is_wanted: impl Fn(&RTCRtpCodec) -> bool,
    ) -> Negotiated {
        let own: Arc<dyn TrackLocal> = Arc::clone(&outgoing.track) as _;
        for slot in connection.get_transceivers().await {
            let Ok(Some(sender)) = slot.sender().await else { continue };
            if !Arc::ptr_eq(sender.track(), &own) {
                continue;
            }
            if !is_received(connection, &*slot).await {
                return Negotiated::Declined;
            }
            let direction = slot.current_direction().await.unwrap_or_default();
            let Ok(parameters) = sender.get_parameters().await else { return Negotiated::Declined };
            let codecs = parameters.rtp_parameters.codecs;
            let is_sent = matches!(
                direction,
                RTCRtpTransceiverDirection::Sendonly | RTCRtpTransceiverDirection::Sendrecv
            );
            return match codecs.iter().find(|codec| is_wanted(&codec.rtp_codec)) {
                Some(codec) if is_sent => Negotiated::PayloadType(codec.payload_type),
                None if is_sent => Negotiated::NoCodec,
                _ => Negotiated::Declined,
            };
        }
        Negotiated::NoCodec
    }

    /// Sends until the connection closes.
    async fn send(&self, video: u8, audio: Option<u8>) {
        let mut released = self.source.released();
        let (to, mut requests) = mpsc::channel(MAX_REQUESTS);
        let feedback = Arc::clone(&self.video.track);
        tokio::spawn(async move {
            while let Some(event) = feedback.poll().await {
                if let TrackLocalEvent::OnRtcpPacket(_) = event {
                    // A request that finds no place is about the same loss.
                    let _ = to.try_send(());
                }
            }
        });
        let mut outlet = self.source.outlet(self.random);
        let mut received = self.received.subscribe();
        loop {
            while let Ok(()) = requests.try_recv() {
                self.source.request_keyframe(&mut outlet);
            }
            let wakes_at = match self.next(&mut outlet, audio.is_some()) {
                Step::Send(packet) => {
                    if self.write(packet, video, audio).await.is_err() {
                        return;
                    }
                    continue;
                }
                Step::WaitUntil(at) => Some(self.source.clock().instant(at)),
                Step::Idle => None,
            };
            tokio::select! {
                () = until(wakes_at) => {}
                released = released.changed() => if released.is_err() { return },
                // The sender is a part of this.
                Ok(()) = received.changed() => {
                    if let Some(number) = *received.borrow_and_update() {
                        outlet.handle_received(number);
                    }
                }
                request = requests.recv() => match request {
                    Some(()) => self.source.request_keyframe(&mut outlet),
                    // The connection is closed.
                    None => return,
                },
            }
        }
    }

    fn next(&self, outlet: &mut Outlet, sends_audio: bool) -> Step {
        loop {
            match self.source.poll(outlet) {
                Step::Send(packet) if packet.track == Track::Audio && !sends_audio => {}
                step => return step,
            }
        }
    }

    async fn write(&self, packet: MediaPacket, video: u8, audio: Option<u8>) -> Result<(), RtcError> {
        let (outgoing, payload_type) = match (packet.track, &self.audio, audio) {
            (Track::Video, ..) => (&self.video, video),
            (Track::Audio, Some(outgoing), Some(payload_type)) => (outgoing, payload_type),
            (Track::Audio, ..) => return Ok(()),
        };
        let header = rtp::Header {
            version: 2,
            marker: packet.is_marked,
            payload_type,
            sequence_number: packet.sequence_number,
            timestamp: packet.timestamp,
            ssrc: outgoing.ssrc,
            ..rtp::Header::default()
        };
        outgoing.track.write_rtp(rtp::Packet { header, payload: packet.payload }).await
    }
}

/// Whether the other side receives in this slot, as far as its description says.
async fn is_received(connection: &dyn PeerConnection, slot: &dyn RtpTransceiver) -> bool {
    match (slot.mid().await, connection.remote_description().await) {
        (Ok(Some(mid)), Some(description)) => receives(&description.sdp, &mid),
        _ => true,
    }
}

enum Negotiated {
    PayloadType(u8),
    NoCodec,
    Declined,
}

fn track(
    stream: &str,
    label: &str,
    kind: RtpCodecKind,
    codec: RTCRtpCodec,
    ssrc: u32,
) -> TrackLocalStaticRTP {
    let rtp_coding_parameters =
        RTCRtpCodingParameters { ssrc: Some(ssrc), ..RTCRtpCodingParameters::default() };
    let coding =
        RTCRtpEncodingParameters { rtp_coding_parameters, codec, ..RTCRtpEncodingParameters::default() };
    let id = format!("{stream}-{label}");
    TrackLocalStaticRTP::new(MediaStreamTrack::new(
        stream.to_owned(),
        id,
        label.to_owned(),
        kind,
        vec![coding],
    ))
}
