//! How the members of a protected room replace its secret, so that a removed member knows the room's keys no longer. `sightline-core`
//! decides when (`trust`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    id::InstanceId,
    limits::{ADMISSION_TAG_CHARS, KEY_ID_CHARS, SECRET_CHARS},
    verification::Base64Url,
};

/// Names a secret without telling anything of it: 128 bits.
pub type KeyId = Base64Url<KEY_ID_CHARS>;

/// SHA-256 of the admission tag under which the server knows a room.
pub type AdmissionDigest = Base64Url<ADMISSION_TAG_CHARS>;

/// A secret as it stands in an invitation behind the `#`. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(Base64Url<SECRET_CHARS>);

impl SecretText {
    /// Takes a text of this length; whether it is a secret is up to the reader.
    #[must_use]
    pub fn new(text: Base64Url<SECRET_CHARS>) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretText")
    }
}

/// The present secret of the room, from a host to a member that stays. Contains the whole state, so the latest one is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rekey {
    /// The secret that is used from now on.
    pub secret: SecretText,
    /// The secrets that it replaced, the latest one last; at most [`MAX_REPLACED_KEYS`](crate::limits::MAX_REPLACED_KEYS).
    pub replaces: Vec<KeyId>,
    /// The removed pages from which it is kept; at most [`MAX_REMOVED_PAGES`](crate::limits::MAX_REMOVED_PAGES).
    pub removed: Vec<InstanceId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed_by_debug() {
        let text = "AAECAwQFBgcICQoLDA0ODw";
        let secret = SecretText::new(Base64Url::new(text.to_owned()).unwrap());
        assert_eq!((format!("{secret:?}"), secret.as_str()), ("SecretText".to_owned(), text));
    }
}
