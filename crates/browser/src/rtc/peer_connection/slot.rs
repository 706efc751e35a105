//! The fixed media slots of a peer connection.

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

/// A fixed slot for media: one transceiver, one m-line, in this order. The track in a slot may change at any time without
/// negotiation; the slots do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaSlot {
    /// The sound of the microphone.
    Microphone,
    /// The pictures of the main source.
    Video,
    /// The sound of the main source, for example of a shared screen. It is not mixed into the microphone, since mixing needs an
    /// audio context, which resamples, adds delay and waits for a gesture.
    SourceAudio,
}

impl MediaSlot {
    /// All slots, in the order of their m-lines.
    pub const ALL: [Self; 3] = [Self::Microphone, Self::Video, Self::SourceAudio];

    /// The kind of track that fits.
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
    /// Marks the tracks as belonging together (RFC 8830), so that the other side plays them in step.
    stream: MediaStream,
    /// The preferred video codec, as in `video/<codec>`.
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

    /// Adds a transceiver for each slot without one, in order.
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

    /// Adopts the transceivers of the other side's offer: sets the tracks and both directions. A transceiver that fits no slot
    /// belongs to a later version and stays unused.
    pub(super) fn adopt(&self, connection: &RtcPeerConnection) -> Result<Vec<Promise>, BrowserError> {
        let mut replacing = Vec::new();
        for transceiver in connection.get_transceivers().iter() {
            let transceiver: RtcRtpTransceiver = transceiver.unchecked_into();
            // The direction of a stopped transceiver cannot be set.
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
            // Only needed for playing in step, so an older browser works without it.
            let _ = sender.unchecked_ref::<SenderShim>().set_streams(self.stream.as_ref());
            replacing.push(sender.replace_track(self.content(slot).track.as_ref().map(MediaTrack::as_ref)));
        }
        Ok(replacing)
    }

    /// The slot of a transceiver: its own, or the first free one of its kind, which it then occupies.
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

    /// Sets or removes the track of a slot. Returns the promise of the sender, if there is a sender with another track.
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

    /// Sets the preferred video codec for this and every later exchange.
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

/// The setter of web-sys does not catch the exception of a closed connection.
fn set_direction(transceiver: &RtcRtpTransceiver, direction: &str) -> Result<(), BrowserError> {
    Reflect::set(transceiver, &JsValue::from_str("direction"), &JsValue::from_str(direction))?;
    Ok(())
}
