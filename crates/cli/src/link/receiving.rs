//! The media of a link that receives: the slots of a page, the packets that arrive in them, and what is asked for.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use rtc::{
    interceptor::{NackGeneratorBuilder, ReceiverReportBuilder, Slot},
    peer_connection::configuration::interceptor_registry::configure_twcc_receiver_only,
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication,
    rtp::Packet,
    rtp_transceiver::rtp_sender::RtpCodecKind,
    shared::error::Error as RtcError,
};
use serde::Serialize;
use serde_json::Value;
use sightline_core::{Timestamp, measure::StatsEntry};
use sightline_protocol::MemberId;
use webrtc::{
    media_stream::track_remote::{TrackRemote, TrackRemoteEvent},
    peer_connection::{
        MediaEngine, PeerConnection, RTCStatsReport, RTCStatsReportEntry, Registry, StatsSelector,
    },
    rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit},
};

use super::{
    codecs::{self, is_opus, is_video},
    direction::sends,
};
use crate::{
    arrival::{Arrivals, ArrivedFrame, ArrivedSound, Format, FrameSender, Media, StreamKey},
    clock::{Clock, unix_ms, until},
    input::Arrived,
    media::VideoCodec,
};

/// Packets whose absence is noticed: a second of 10 Mbit/s.
const NOTICED_PACKETS: u16 = 1024;
/// How often missing packets are asked for.
const NACK_INTERVAL: Duration = Duration::from_millis(30);
/// How often one packet is asked for: until it is given up.
const MAX_NACKS: u16 = 12;

/// How a link receives.
#[derive(Debug, Clone)]
pub(crate) struct LinkWatch {
    pub(crate) member: MemberId,
    pub(crate) clock: Clock,
    /// Takes the frames. Those that it has no room for are lost.
    pub(crate) frames: Option<FrameSender>,
}

/// What a link receives.
#[derive(Debug)]
pub(super) struct Receiving {
    watch: LinkWatch,
    arrivals: Mutex<Arrivals>,
    /// The entries of the latest report about the path.
    path: Mutex<Vec<StatsEntry>>,
}

impl Receiving {
    pub(super) fn new(watch: LinkWatch) -> Self {
        Self { watch, arrivals: Mutex::default(), path: Mutex::default() }
    }

    /// The codecs, and what is reported to the sender: missing packets, and the arrival of all, by which a page sets its bitrate.
    pub(super) fn engine() -> Result<(MediaEngine, Registry), RtcError> {
        let mut media = codecs::receiving_engine()?;
        let nacks = NackGeneratorBuilder::new()
            .with_size(NOTICED_PACKETS)
            .with_interval(NACK_INTERVAL)
            .with_max_nacks_per_packet(MAX_NACKS)
            .build();
        let registry = configure_twcc_receiver_only(Registry::new(), &mut media)?
            .with(Slot::NackGenerator, nacks)
            .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build());
        Ok((media, registry))
    }

    /// Adds the slots of a page to a connection that makes the first offer.
    pub(super) async fn add_slots(connection: &dyn PeerConnection) -> Result<(), RtcError> {
        for kind in [RtpCodecKind::Audio, RtpCodecKind::Video, RtpCodecKind::Audio] {
            let direction = RTCRtpTransceiverDirection::Recvonly;
            let init = RTCRtpTransceiverInit { direction, streams: Vec::new(), send_encodings: Vec::new() };
            connection.add_transceiver_from_kind(kind, Some(init)).await?;
        }
        Ok(())
    }

    /// Receives in the slots in which the other side sends, before each answer.
    pub(super) async fn adopt_slots(connection: &dyn PeerConnection) -> Result<(), RtcError> {
        let description = connection.remote_description().await;
        for slot in connection.get_transceivers().await {
            let is_sent = match (slot.mid().await?, &description) {
                (Some(mid), Some(description)) => sends(&description.sdp, &mid),
                _ => true,
            };
            let direction = if is_sent {
                RTCRtpTransceiverDirection::Recvonly
            } else {
                RTCRtpTransceiverDirection::Inactive
            };
            slot.set_direction(direction).await?;
        }
        Ok(())
    }

    /// Receives a track until it ends.
    pub(super) async fn receive(
        self: Arc<Self>,
        track: Arc<dyn TrackRemote>,
        connection: Weak<dyn PeerConnection>,
    ) {
        let kind = track.kind().await;
        let clock = self.watch.clock;
        let mut latest = None;
        let mut stream: Option<StreamKey> = None;
        let mut is_recording_broken = false;
        let mut is_microphone = false;
        loop {
            let due = stream.and_then(|stream| self.arrivals().poll_timeout(stream));
            let whole = tokio::select! {
                event = track.poll() => match event {
                    Some(TrackRemoteEvent::OnRtpPacket(packet)) => {
                        let of_packet = (packet.header.ssrc, packet.header.payload_type);
                        if latest.replace(of_packet) != Some(of_packet) {
                            let format = format_of(&connection, kind, of_packet.1).await;
                            let (ssrc, payload_type) = of_packet;
                            stream = format.map(|format| StreamKey { ssrc, payload_type, format });
                            is_microphone = is_in_first_slot(&connection, &track).await;
                        }
                        // A codec that was not agreed on.
                        let Some(stream) = stream else { continue };
                        if stream.format == Format::Opus {
                            self.record_sound(&packet, is_microphone, clock.now());
                        }
                        self.arrivals().handle(stream, packet, clock.now())
                    }
                    Some(TrackRemoteEvent::OnEnded) | None => return,
                    Some(_) => continue,
                },
                () = until(due.map(|due| clock.instant(due))) => match stream {
                    Some(stream) => self.arrivals().handle_timeout(stream, clock.now()),
                    None => continue,
                },
            };
            let Some(stream) = stream else { continue };
            self.record(whole, &mut is_recording_broken);
            let wants_keyframe = self.arrivals().poll_keyframe_request(stream, clock.now());
            if wants_keyframe {
                let request = PictureLossIndication { sender_ssrc: 0, media_ssrc: stream.ssrc };
                // It is repeated while a keyframe is needed.
                let _ = track.write_rtcp(vec![Box::new(request)]).await;
            }
        }
    }

    /// Looks at the path, and returns what arrived since the call before.
    #[allow(clippy::disallowed_methods, reason = "native only")]
    pub(super) async fn arrived(&self, connection: &dyn PeerConnection) -> Arrived {
        let path = path_entries(&connection.get_stats(Instant::now(), StatsSelector::None).await);
        *self.path.lock().unwrap_or_else(PoisonError::into_inner) = path;
        self.arrived_now()
    }

    /// What arrived since the call before, with the path of the report before.
    pub(super) fn arrived_now(&self) -> Arrived {
        let mut entries = self.path.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut arrivals = self.arrivals();
        entries.extend(arrivals.entries(unix_ms()));
        Arrived { entries, has_picture: arrivals.has_picture(), frames: arrivals.take_frames() }
    }

    fn record(&self, whole: Vec<ArrivedFrame>, is_broken: &mut bool) {
        let Some(to) = &self.watch.frames else { return };
        for frame in whole {
            // What depends on a frame that is missing in the file cannot be decoded.
            if *is_broken && !frame.is_key {
                continue;
            }
            *is_broken = !to.send(&self.watch.member, Media::Picture(frame));
        }
    }

    fn record_sound(&self, packet: &Packet, is_microphone: bool, now: Timestamp) {
        if let Some(to) = &self.watch.frames {
            let sound = ArrivedSound {
                is_microphone,
                ssrc: packet.header.ssrc,
                rtp_timestamp: packet.header.timestamp,
                arrived_at: now,
                data: packet.payload.clone(),
            };
            // Without room for it there is a gap in the sound.
            to.send(&self.watch.member, Media::Sound(sound));
        }
    }

    fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a track arrives in the first slot of the connection, which is that of the microphone.
async fn is_in_first_slot(connection: &Weak<dyn PeerConnection>, track: &Arc<dyn TrackRemote>) -> bool {
    let Some(connection) = connection.upgrade() else { return false };
    let mut first: Option<(String, bool)> = None;
    for slot in connection.get_transceivers().await {
        let Ok(Some(mid)) = slot.mid().await else { continue };
        let receiver = slot.receiver().await.ok().flatten();
        let is_own = receiver.is_some_and(|receiver| Arc::ptr_eq(receiver.track(), track));
        if first.as_ref().is_none_or(|(before, _)| (mid.len(), &mid) < (before.len(), before)) {
            first = Some((mid, is_own));
        }
    }
    first.is_some_and(|(_, is_own)| is_own)
}

/// What a payload type stands for in this connection.
async fn format_of(
    connection: &Weak<dyn PeerConnection>,
    kind: RtpCodecKind,
    payload_type: u8,
) -> Option<Format> {
    let connection = connection.upgrade()?;
    for slot in connection.get_transceivers().await {
        let Ok(Some(receiver)) = slot.receiver().await else { continue };
        let Ok(parameters) = receiver.get_parameters().await else { continue };
        let mut codecs = parameters.rtp_parameters.codecs.iter();
        let Some(codec) = codecs.find(|codec| codec.payload_type == payload_type) else { continue };
        let format = match kind {
            RtpCodecKind::Video => VideoCodec::ALL
                .into_iter()
                .find(|video| is_video(*video)(&codec.rtp_codec))
                .map(Format::Video),
            _ => is_opus(&codec.rtp_codec).then_some(Format::Opus),
        };
        if format.is_some() {
            return format;
        }
    }
    None
}

/// The entries about the path: those of the crate `rtc` without values that it does not measure, which are 0 there.
fn path_entries(report: &RTCStatsReport) -> Vec<StatsEntry> {
    let entry = |entry: &RTCStatsReportEntry| match entry {
        RTCStatsReportEntry::Transport(stats) => read(stats),
        RTCStatsReportEntry::IceCandidatePair(stats) => read(stats),
        RTCStatsReportEntry::LocalCandidate(stats) | RTCStatsReportEntry::RemoteCandidate(stats) => {
            read(stats)
        }
        _ => None,
    };
    report.iter().filter_map(entry).collect()
}

fn read(stats: &impl Serialize) -> Option<StatsEntry> {
    let Ok(Value::Object(all)) = serde_json::to_value(stats) else { return None };
    let is_measured = |value: &Value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    };
    let known = all.into_iter().filter(|(_, value)| is_measured(value));
    serde_json::from_value(Value::Object(known.collect())).ok()
}
