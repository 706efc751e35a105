//! The key schedule of a protected room, and authenticated encryption with its keys.
//!
//! HKDF-SHA256 (RFC 5869) makes the keys; XChaCha20-Poly1305 (RFC 8439, draft-irtf-cfrg-xchacha-03) encrypts. Both come from
//! RustCrypto. XChaCha20 has nonces of 192 bits, which may be drawn at random; it adds less to the client than AES-GCM.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305,
    aead::{Aead, KeyInit, Payload},
};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use sightline_protocol::{
    AdmissionDigest, AdmissionTag, DisplayName, InstanceId, KeyId, RoomName, SealedName, SealedPicture,
};

use super::RoomSecret;
use crate::{picture::StillPicture, random::SeededRandom};

/// Bytes of a key, and of the admission tag before it is encoded.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce of XChaCha20-Poly1305.
pub(super) const NONCE_BYTES: usize = 24;
/// Every name has this length before encryption, so that the ciphertext does not tell how long it is: 64 characters of four bytes.
const PADDED_NAME_BYTES: usize = 256;

/// The keys derived from the secret of a room and the room's name. `Debug` prints no key.
#[derive(Clone)]
pub struct RoomKeys {
    pub(super) room: RoomName,
    signals: [u8; KEY_BYTES],
    names: [u8; KEY_BYTES],
    admission: Option<AdmissionTag>,
    id: Option<KeyId>,
}

impl RoomKeys {
    /// The keys of a room.
    #[must_use]
    pub fn derive(secret: RoomSecret, room: &RoomName) -> Self {
        let salt = format!("sightline/1 {room}");
        let schedule = Hkdf::<Sha256>::new(Some(salt.as_bytes()), &secret.to_bytes());
        let key = |label: &str| {
            let mut key = [0; KEY_BYTES];
            // HKDF fails only for more than 8,160 bytes.
            let _ = schedule.expand(label.as_bytes(), &mut key);
            key
        };
        let admission = AdmissionTag::new(URL_SAFE_NO_PAD.encode(key("admission"))).ok();
        let id = key("id").first_chunk::<16>().and_then(|id| KeyId::new(URL_SAFE_NO_PAD.encode(id)).ok());
        Self { room: room.clone(), signals: key("signals"), names: key("names"), admission, id }
    }

    /// The name of the secret among members.
    #[must_use]
    pub fn id(&self) -> Option<&KeyId> {
        self.id.as_ref()
    }

    /// What the server tells members of the tag.
    #[must_use]
    pub fn admission_digest(&self) -> Option<AdmissionDigest> {
        let digest = Sha256::digest(self.admission.as_ref()?.as_str());
        AdmissionDigest::new(URL_SAFE_NO_PAD.encode(digest)).ok()
    }

    /// The tag that admits to the room. The server sees it, and learns no key from it.
    #[must_use]
    pub fn admission(&self) -> Option<&AdmissionTag> {
        self.admission.as_ref()
    }

    /// Encrypts the name of the member whose page has this instance id. `random` gives a nonce that is used once.
    #[must_use]
    pub fn seal_name(
        &self,
        name: &DisplayName,
        instance: &InstanceId,
        random: &mut SeededRandom,
    ) -> Option<SealedName> {
        let padded = format!("{:PADDED_NAME_BYTES$}", name.as_str());
        // `format!` counts characters, and a name has bytes.
        let padded = padded.as_bytes().get(..PADDED_NAME_BYTES)?;
        SealedName::new(self.seal_for_page(padded, "name", instance, random)?).ok()
    }

    /// Decrypts the name of the member whose page has this instance id; `None` if it was not encrypted for this room and instance id.
    #[must_use]
    pub fn open_name(&self, sealed: &SealedName, instance: &InstanceId) -> Option<DisplayName> {
        let padded = self.open_of_page(sealed.as_str(), "name", instance)?;
        DisplayName::new(std::str::from_utf8(&padded).ok()?).ok()
    }

    /// Encrypts the picture of the visitor whose page has this instance id. `random` gives a nonce that is used once.
    #[must_use]
    pub fn seal_picture(
        &self,
        picture: &StillPicture,
        instance: &InstanceId,
        random: &mut SeededRandom,
    ) -> Option<SealedPicture> {
        SealedPicture::new(self.seal_for_page(picture.as_bytes(), "picture", instance, random)?).ok()
    }

    /// Decrypts the picture of the visitor whose page has this instance id; `None` if it was not encrypted for this room and instance
    /// id, or is none that may be shown.
    #[must_use]
    pub fn open_picture(&self, sealed: &SealedPicture, instance: &InstanceId) -> Option<StillPicture> {
        StillPicture::new(&self.open_of_page(sealed.as_str(), "picture", instance)?).ok()
    }

    pub(super) fn seal_signal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        content: &[u8],
        context: &str,
    ) -> Option<Vec<u8>> {
        seal(&self.signals, nonce, content, context)
    }

    pub(super) fn open_signal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        sealed: &[u8],
        context: &str,
    ) -> Option<Vec<u8>> {
        open(&self.signals, nonce, sealed, context)
    }

    /// Encrypts what describes the page with this instance id; `kind` is what it is.
    fn seal_for_page(
        &self,
        content: &[u8],
        kind: &str,
        instance: &InstanceId,
        random: &mut SeededRandom,
    ) -> Option<String> {
        let mut nonce = [0; NONCE_BYTES];
        for part in nonce.chunks_exact_mut(8) {
            part.copy_from_slice(&random.next_u64().to_be_bytes());
        }
        let mut sealed = nonce.to_vec();
        sealed.extend(seal(&self.names, &nonce, content, &self.page_context(kind, instance))?);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    fn open_of_page(&self, sealed: &str, kind: &str, instance: &InstanceId) -> Option<Vec<u8>> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        open(&self.names, nonce, sealed, &self.page_context(kind, instance))
    }

    fn page_context(&self, kind: &str, instance: &InstanceId) -> String {
        format!("sightline/1 {kind}\n{}\n{instance}", self.room)
    }
}

impl fmt::Debug for RoomKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RoomKeys").field("room", &self.room).finish_non_exhaustive()
    }
}

fn seal(key: &[u8; KEY_BYTES], nonce: &[u8; NONCE_BYTES], content: &[u8], context: &str) -> Option<Vec<u8>> {
    let payload = Payload { msg: content, aad: context.as_bytes() };
    XChaCha20Poly1305::new(key.into()).encrypt(nonce.into(), payload).ok()
}

fn open(key: &[u8; KEY_BYTES], nonce: &[u8; NONCE_BYTES], sealed: &[u8], context: &str) -> Option<Vec<u8>> {
    let payload = Payload { msg: sealed, aad: context.as_bytes() };
    XChaCha20Poly1305::new(key.into()).decrypt(nonce.into(), payload).ok()
}
