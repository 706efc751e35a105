//! Credentials that expire, by the TURN REST convention (draft-uberti-behave-turn-rest-00): the user name is
//! `expiry:user`, the password is base64(HMAC-SHA1(secret, user name)). Nothing is stored for them.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;

use crate::time::UnixTime;

/// Credentials that are valid for longer than this are refused: what is handed out lives for minutes, and a service
/// with the same secret has no need of more.
pub const MAX_CREDENTIAL_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How much faster the clock of who handed them out may go.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Hands out credentials and knows them again.
#[derive(Clone)]
pub struct RestCredentials {
    key: hmac::Key,
    life: Duration,
}

/// What a client authenticates with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// `expiry:user`, the expiry in seconds since 1970.
    pub username: String,
    /// In base64.
    pub password: String,
}

/// Why a user name is refused, whatever its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Not of the form `expiry:user`.
    #[error("not of the form expiry:user")]
    Malformed,
    /// It was valid once.
    #[error("expired")]
    Expired,
    /// It would be valid for longer than [`MAX_CREDENTIAL_LIFE`].
    #[error("valid for too long")]
    TooFarAhead,
}

impl RestCredentials {
    /// Credentials under this secret, valid for `life` from when they are handed out.
    #[must_use]
    pub fn new(secret: &[u8], life: Duration) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret), life }
    }

    /// How long a credential is valid.
    #[must_use]
    pub fn life(&self) -> Duration {
        self.life
    }

    /// A credential for `user`.
    #[must_use]
    pub fn hand_out(&self, user: &str, now: UnixTime) -> Credential {
        let username = format!("{}:{user}", (now + self.life).as_s());
        let password = self.password(&username);
        Credential { username, password }
    }

    /// The password that belongs to a user name, whether valid or not.
    #[must_use]
    pub fn password(&self, username: &str) -> String {
        STANDARD.encode(hmac::sign(&self.key, username.as_bytes()))
    }

    /// The user of a user name that is valid now.
    ///
    /// # Errors
    /// [`CredentialError`] where it is not.
    pub fn user_of(username: &str, now: UnixTime) -> Result<&str, CredentialError> {
        let (expiry, user) = username.split_once(':').ok_or(CredentialError::Malformed)?;
        let is_number = !expiry.is_empty() && expiry.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || user.is_empty() {
            return Err(CredentialError::Malformed);
        }
        // Only a number beyond 64 bits does not fit.
        let expiry_s: u64 = expiry.parse().map_err(|_| CredentialError::TooFarAhead)?;
        if expiry_s <= now.as_s() {
            Err(CredentialError::Expired)
        } else if expiry_s > (now + MAX_CREDENTIAL_LIFE + CLOCK_SKEW).as_s() {
            Err(CredentialError::TooFarAhead)
        } else {
            Ok(user)
        }
    }
}

impl fmt::Debug for RestCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RestCredentials").field("life", &self.life).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_ms(1_790_000_000_000);

    #[test]
    fn the_password_is_what_other_implementations_compute() {
        // printf '1790000600:ada' | openssl dgst -sha1 -hmac secret -binary | base64
        let credentials = RestCredentials::new(b"secret", Duration::from_secs(600));
        let credential = credentials.hand_out("ada", NOW);
        assert_eq!(credential.username, "1790000600:ada");
        assert_eq!(credential.password, "ngD1yYY/KMaVq9ksVNbsbHptjMo=");
    }

    #[test]
    fn what_was_handed_out_is_valid_until_it_expires() {
        let credentials = RestCredentials::new(b"secret", Duration::from_secs(600));
        let username = credentials.hand_out("ada", NOW).username;
        let after = |s| RestCredentials::user_of(&username, NOW + Duration::from_secs(s));
        assert_eq!(after(0), Ok("ada"));
        assert_eq!(after(599), Ok("ada"));
        assert_eq!(after(600), Err(CredentialError::Expired));
        assert_eq!(after(1_000_000), Err(CredentialError::Expired));
    }

    #[test]
    fn a_user_name_of_the_far_future_or_of_another_form_is_refused() {
        let refusal = |username: &str| RestCredentials::user_of(username, NOW).unwrap_err();
        for far in
            ["1790090000:ada", "2790000000:ada", "18446744073709551615:ada", "99999999999999999999999:ada"]
        {
            assert_eq!(refusal(far), CredentialError::TooFarAhead, "{far}");
        }
        for malformed in
            ["", "ada", ":", ":ada", "1790000600", "1790000600:", "+1790000600:ada", "x:ada", "-1:ada"]
        {
            assert_eq!(refusal(malformed), CredentialError::Malformed, "{malformed}");
        }
    }
}
