//! Rooms protected by the link: from the secret in an invitation to encrypted signals and names, and to the tag that admits to the
//! room. Also the code that two members of any room compare to exclude a middleman.
//!
//! | module | subject |
//! |---|---|
//! | `secret` | the secret as it stands in an invitation; needs no cryptography, so the first page loads none |
//! | `keys` | the key schedule: one key for signals, one for names, one tag for the server |
//! | `signals` | seals the signals of this page, and opens those of the others |
//! | `secret_source` | makes the secrets of one page |
//! | `removed_pages` | the pages that hosts removed, and whether they may know the present secret |
//! | `server_tag` | what the server knows of the present secret |
//! | `rekeying` | replaces the secret when a member is removed |
//! | `fingerprints` | the DTLS fingerprints of both ends of a peer connection |
//! | `short_code` | the code that two members compare by voice |
//! | `device_key` | public keys and tags as bytes |
//! | `person` | somebody that this device remembers from an earlier call |
//! | `recognition` | how two devices recognize each other |
//!
//! This module never decides who is in the room and never talks to the server; [`RoomSession`](crate::room::RoomSession) uses it.
//!
//! Invariant: what cannot be opened has no effect. There is no way from a protected room to unprotected signals.
//!
//! `docs/security.md` has the formats, test vectors and what this protects against.

mod device_key;
mod fingerprints;
mod keys;
mod person;
mod recognition;
mod rekeying;
mod removed_pages;
mod secret;
mod secret_source;
mod server_tag;
mod short_code;
mod signals;

pub use device_key::{device_key, device_key_bytes};
pub use fingerprints::{EndFingerprints, Fingerprints};
pub use keys::RoomKeys;
pub use person::{Acquaintance, Person, PersonId};
pub use recognition::{ComputationId, KeyTags, Recognition, RecognitionOutput, RecognitionTask};
pub use rekeying::{RekeyOutput, Rekeying};
pub use secret::{RoomSecret, SecretInvalid};
pub use short_code::{
    CODE_SYMBOLS, CodeBasis, CodeExchange, NonceSource, SYMBOLS, ShortCode, Verification, Verified,
};
pub use signals::{Refusal, SignalSeals};
