//! The protection of a room by its link: encrypts the signals that this page sends, and decrypts signals, names and pictures of the
//! others.
//!
//! Owns the seals of this page, if the room is protected. It never talks to the server: [`SignalPath`](super::signal_path::SignalPath)
//! does.
//!
//! Invariant: in a protected room no unencrypted signal, name or picture has an effect, and in any other room no encrypted one.

use sightline_protocol::{
    DisplayName, InstanceId, Member, MemberId, SealedName, VisitorPicture,
    signaling::{Signal, SignalPayload},
};

use crate::{
    picture::StillPicture,
    random::SeededRandom,
    trust::{Refusal, RoomKeys, SignalSeals},
};

#[derive(Debug)]
pub(super) struct Sealing {
    /// `None` in an unprotected room.
    seals: Option<SignalSeals>,
}

impl Sealing {
    /// `keys` are those of a protected room; `instance` is the instance id of this page.
    pub(super) fn new(keys: Option<&RoomKeys>, instance: InstanceId, nonces: SeededRandom) -> Self {
        Self { seals: keys.map(|keys| SignalSeals::new(keys.clone(), instance, nonces)) }
    }

    /// Uses other keys from now on. Has no effect in an unprotected room.
    pub(super) fn use_keys(&mut self, keys: RoomKeys) {
        if let Some(seals) = &mut self.seals {
            seals.use_keys(keys);
        }
    }

    /// Whether the name of the page with this instance id is encrypted with the present keys: its page has them.
    pub(super) fn is_sealed_with_present_keys(&self, sealed: &SealedName, instance: &InstanceId) -> bool {
        self.seals.as_ref().is_some_and(|seals| seals.keys().open_name(sealed, instance).is_some())
    }

    pub(super) fn is_protected(&self) -> bool {
        self.seals.is_some()
    }

    /// A signal of this page as it goes to the server; `None` if it is too long. `local` is the member id of this page.
    pub(super) fn seal(&mut self, local: &MemberId, to: &Member, signal: Signal) -> Option<Signal> {
        match &mut self.seals {
            None => Some(signal),
            Some(seals) => seals.seal(local, to, &signal),
        }
    }

    /// A signal of a member as it takes effect. `local` is the member id of this page.
    pub(super) fn open(
        &mut self,
        from: &Member,
        local: &MemberId,
        signal: Signal,
    ) -> Result<Signal, Refusal> {
        match (&mut self.seals, &signal.payload) {
            (Some(seals), _) => seals.open(from, local, &signal),
            (None, SignalPayload::Sealed(_)) => Err(Refusal::NoKey),
            (None, _) => Ok(signal),
        }
    }

    /// The picture of the page with this instance id; `None` if it may not be shown.
    pub(super) fn open_picture(
        &self,
        picture: &VisitorPicture,
        instance: &InstanceId,
    ) -> Option<StillPicture> {
        match (&self.seals, picture) {
            (Some(seals), VisitorPicture::Sealed(sealed)) => seals.keys().open_picture(sealed, instance),
            (None, VisitorPicture::Jpeg(text)) => StillPicture::from_text(text).ok(),
            (Some(_), VisitorPicture::Jpeg(_)) | (None, VisitorPicture::Sealed(_)) => None,
        }
    }

    /// The name of the page with this instance id, as it may be shown. A name that cannot be read is empty and still has a sealed name:
    /// see [`PeerView::has_readable_name`](super::PeerView::has_readable_name).
    pub(super) fn open_name(
        &self,
        name: DisplayName,
        sealed_name: Option<SealedName>,
        instance: &InstanceId,
    ) -> (DisplayName, Option<SealedName>) {
        let opened = match (&self.seals, &sealed_name) {
            (Some(seals), Some(sealed)) => seals.open_name(sealed, instance),
            (None, None) => return (name, None),
            (Some(_), None) | (None, Some(_)) => None,
        };
        match opened {
            Some(name) => (name, None),
            None => (DisplayName::default(), sealed_name.or_else(|| SealedName::new(String::new()).ok())),
        }
    }
}
