//! The fixed places for media on a peer connection.

use std::cell::RefCell;

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{RtcPeerConnection, RtcRtpTransceiver};

use super::{
    codec,
    shim::{PeerConnectionShim, SenderShim},
};
use crate::{
    js::{dictionary::dictionary, error::BrowserError},
    media::{
        stream::MediaStream,
        track::{MediaKind, MediaTrack},
    },
};

/// A fixed place for media: one transceiver, one m-line, in this order. What is in it may change at any time, without
/// negotiation; the places do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaSlot {
    /// The microphone.
    Microphone,
    /// The pictures of the main source.
    Video,
    /// The sound of the main source, where that is no camera: of a shared screen. Beside the microphone rather than
    /// mixed into it, since mixing wants an audio context, which resamples, delays and waits for a gesture.
    SourceAudio,
}

impl MediaSlot {
    /// All of them, in the order of their m-lines.
    pub const ALL: [Self; 3] = [Self::Microphone, Self::Video, Self::SourceAudio];

    /// What fits in it.
    #[must_use]
    pub const fn kind(self) -> MediaKind {
        match self {
            Self::Microphone | Self::SourceAudio => MediaKind::Audio,
            Self::Video => MediaKind::Video,
        }
    }
}

/// The slots of one peer connection.
#[derive(Debug)]
pub(super) struct Slots {
    /// Names the tracks as belonging together (RFC 8830), so that the other side plays them in step.
    stream: MediaStream,
    /// The video codec that is wanted first, as in `video/<codec>`.
    codec: RefCell<Option<String>>,
    contents: RefCell<[SlotContent; MediaSlot::ALL.len()]>,
}

#[derive(Debug, Clone, Default)]
struct SlotContent {
    track: Option<MediaTrack>,
    transceiver: Option<RtcRtpTransceiver>,
}

impl Slots {
    pub(super) fn new() -> Result<Self, BrowserError> {
        Ok(Self { stream: MediaStream::new(&[])?, codec: RefCell::default(), contents: RefCell::default() })
    }

    /// Adds a transceiver for each slot that has none, in order.
    pub(super) fn add_transceivers(&self, connection: &RtcPeerConnection) -> Result<(), BrowserError> {
        let connection: &PeerConnectionShim = connection.unchecked_ref();
        let init = dictionary(&[
            ("direction", JsValue::from_str("sendrecv")),
            ("streams", Array::of(&[JsValue::from(self.stream.as_ref())]).into()),
        ]);
        for slot in MediaSlot::ALL {
            let content = self.content(slot);
            if content.transceiver.is_some() {
                continue;
            }
            let track_or_kind = match &content.track {
                Some(track) => JsValue::from(track.as_ref()),
                None => JsValue::from_str(slot.kind().as_str()),
            };
            let transceiver = connection.add_transceiver(&track_or_kind, &init)?;
            if slot.kind() == MediaKind::Video {
                codec::prefer(&transceiver, self.codec.borrow().as_deref());
            }
            self.contents.borrow_mut()[slot as usize].transceiver = Some(transceiver);
        }
        Ok(())
    }

    /// Makes what the other side offered our own: tracks in it, both directions. A transceiver that fits no slot is
    /// one of a later version and stays unused.
    pub(super) fn adopt(&self, connection: &RtcPeerConnection) -> Result<Vec<Promise>, BrowserError> {
        let mut replacing = Vec::new();
        for transceiver in connection.get_transceivers().iter() {
            let transceiver: RtcRtpTransceiver = transceiver.unchecked_into();
            // A stopped one has no direction that could be set.
            if transceiver.direction() == web_sys::RtcRtpTransceiverDirection::Stopped {
                continue;
            }
            let Some(slot) = self.slot_for(&transceiver) else {
                set_direction(&transceiver, "inactive")?;
                continue;
            };
            let sender = transceiver.sender();
            set_direction(&transceiver, "sendrecv")?;
            if slot.kind() == MediaKind::Video {
                codec::prefer(&transceiver, self.codec.borrow().as_deref());
            }
            // Only for playing in step; an older browser goes without.
            let _ = sender.unchecked_ref::<SenderShim>().set_streams(self.stream.as_ref());
            replacing.push(sender.replace_track(self.content(slot).track.as_ref().map(MediaTrack::as_ref)));
        }
        Ok(replacing)
    }

    /// The slot of a transceiver: the one it has, or the first of its kind that is free, which it then has.
    pub(super) fn slot_for(&self, transceiver: &RtcRtpTransceiver) -> Option<MediaSlot> {
        let kind = MediaTrack::from(transceiver.receiver().track()).kind();
        let mut contents = self.contents.borrow_mut();
        let known = |slot: &MediaSlot| contents[*slot as usize].transceiver.as_ref() == Some(transceiver);
        let free = |slot: &MediaSlot| slot.kind() == kind && contents[*slot as usize].transceiver.is_none();
        let slot =
            MediaSlot::ALL.into_iter().find(known).or_else(|| MediaSlot::ALL.into_iter().find(free))?;
        contents[slot as usize].transceiver = Some(transceiver.clone());
        Some(slot)
    }

    /// Puts a track, or none, in a slot; the promise of the sender, where there is one already and it has another track.
    pub(super) fn set_track(&self, slot: MediaSlot, track: Option<&MediaTrack>) -> Option<Promise> {
        let transceiver = {
            let mut contents = self.contents.borrow_mut();
            let content = &mut contents[slot as usize];
            if content.track.as_ref() == track {
                return None;
            }
            content.track = track.cloned();
            content.transceiver.clone()
        };
        transceiver.map(|transceiver| transceiver.sender().replace_track(track.map(MediaTrack::as_ref)))
    }

    /// Wants a video codec first, in this and in every later exchange.
    pub(super) fn prefer_codec(&self, codec: Option<&str>) {
        *self.codec.borrow_mut() = codec.map(str::to_owned);
        if let Some(transceiver) = self.transceiver(MediaSlot::Video) {
            codec::prefer(&transceiver, codec);
        }
    }

    pub(super) fn transceiver(&self, slot: MediaSlot) -> Option<RtcRtpTransceiver> {
        self.content(slot).transceiver
    }

    fn content(&self, slot: MediaSlot) -> SlotContent {
        self.contents.borrow()[slot as usize].clone()
    }
}

/// The setter of web-sys does not catch what a closed connection throws.
fn set_direction(transceiver: &RtcRtpTransceiver, direction: &str) -> Result<(), BrowserError> {
    Reflect::set(transceiver, &JsValue::from_str("direction"), &JsValue::from_str(direction))?;
    Ok(())
}
