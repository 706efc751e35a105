//! Credentials that expire, by the TURN REST convention (draft-uberti-behave-turn-rest-00): the user name is `expiry:user`, the
//! password is base64(HMAC-SHA1(secret, user name)). Nothing is stored for them, except the users that were removed from a room.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::hmac;

use crate::{proxy::limited_address, time::UnixTime};

/// Credentials that are valid for longer than this are refused. This server hands out credentials for minutes, and another service
/// with the same secret needs no more than a day.
pub const MAX_CREDENTIAL_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How far ahead the clock of another service that makes credentials may be.
const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// How long a credential of a page without a room is valid, at most.
pub const VISITOR_CREDENTIAL_LIFE: Duration = Duration::from_secs(2 * 60);

/// The beginning of a visitor's user name. No member's id has a hyphen.
const VISITOR_PREFIX: &str = "visitor-";
/// Bytes of the hash of the visitor's address in its user name.
const VISITOR_HASH_BYTES: usize = 8;

/// How long a removed user is refused: longer than its credentials are valid, and than an allocation that it has may be refreshed.
const REVOKED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// Most removed users that are remembered.
const MAX_REVOKED: usize = 10_000;

/// Makes credentials and checks them. Clones share the users that were removed.
#[derive(Clone)]
pub struct RestCredentials {
    key: hmac::Key,
    life: Duration,
    /// Until when each removed user is refused.
    revoked: Arc<Mutex<HashMap<String, UnixTime>>>,
}

/// The user name and password of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// `expiry:user`, the expiry in seconds since 1970.
    pub username: String,
    /// The password in base64.
    pub password: String,
}

/// Why a user name is refused regardless of its password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The user name does not have the form `expiry:user`.
    #[error("not of the form expiry:user")]
    Malformed,
    /// The credential has expired.
    #[error("expired")]
    Expired,
    /// The credential would be valid for longer than [`MAX_CREDENTIAL_LIFE`].
    #[error("valid for too long")]
    TooFarAhead,
}

impl RestCredentials {
    /// Credentials under this secret, valid for `life` from when they are handed out.
    #[must_use]
    pub fn new(secret: &[u8], life: Duration) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
        Self { key, life, revoked: Arc::default() }
    }

    /// Refuses a user from now on, whatever credentials it has.
    pub fn revoke(&self, user: &str, now: UnixTime) {
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        if revoked.len() >= MAX_REVOKED {
            revoked.retain(|_, until| now < *until);
        }
        if revoked.len() < MAX_REVOKED {
            revoked.insert(user.to_owned(), now + REVOKED_FOR);
        }
    }

    /// Whether the user in a user name was removed from its room.
    #[must_use]
    pub fn is_revoked(&self, username: &str, now: UnixTime) -> bool {
        let user = username.split_once(':').map_or(username, |(_, user)| user);
        let revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        revoked.get(user).is_some_and(|until| now < *until)
    }

    /// How long a credential is valid.
    #[must_use]
    pub fn life(&self) -> Duration {
        self.life
    }

    /// How long a credential of a page without a room is valid.
    #[must_use]
    pub fn visitor_life(&self) -> Duration {
        self.life.min(VISITOR_CREDENTIAL_LIFE)
    }

    /// A credential for `user`.
    #[must_use]
    pub fn hand_out(&self, user: &str, now: UnixTime) -> Credential {
        self.hand_out_for(user, self.life, now)
    }

    /// A credential for a page at `address` that has no room. All pages of an address are one user, so they share its quota.
    #[must_use]
    pub fn hand_out_to_visitor(&self, address: IpAddr, now: UnixTime) -> Credential {
        // Signed with the key, because an address that is merely hashed could be found by trying all addresses.
        let hash = hmac::sign(&self.key, format!("{VISITOR_PREFIX}{}", limited_address(address)).as_bytes());
        let hash: String =
            hash.as_ref().iter().take(VISITOR_HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
        self.hand_out_for(&format!("{VISITOR_PREFIX}{hash}"), self.visitor_life(), now)
    }

    /// Whether a user is a page that has no room.
    #[must_use]
    pub fn is_visitor(user: &str) -> bool {
        user.starts_with(VISITOR_PREFIX)
    }

    fn hand_out_for(&self, user: &str, life: Duration, now: UnixTime) -> Credential {
        let username = format!("{}:{user}", (now + life).as_s());
        let password = self.password(&username);
        Credential { username, password }
    }

    /// The password that belongs to a user name, whether valid or not.
    #[must_use]
    pub fn password(&self, username: &str) -> String {
        STANDARD.encode(hmac::sign(&self.key, username.as_bytes()))
    }

    /// The user in a user name that is valid now.
    ///
    /// # Errors
    /// [`CredentialError`] where the user name is not valid.
    pub fn user_of(username: &str, now: UnixTime) -> Result<&str, CredentialError> {
        let (expiry, user) = username.split_once(':').ok_or(CredentialError::Malformed)?;
        let is_number = !expiry.is_empty() && expiry.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || user.is_empty() {
            return Err(CredentialError::Malformed);
        }
        // A number of digits fails to parse only where it is beyond 64 bits.
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
    fn the_password_equals_that_of_other_implementations() {
        // printf '1790000600:ada' | openssl dgst -sha1 -hmac secret -binary | base64
        let credentials = RestCredentials::new(b"secret", Duration::from_secs(600));
        let credential = credentials.hand_out("ada", NOW);
        assert_eq!(credential.username, "1790000600:ada");
        assert_eq!(credential.password, "ngD1yYY/KMaVq9ksVNbsbHptjMo=");
    }

    #[test]
    fn a_credential_is_valid_until_it_expires() {
        let credentials = RestCredentials::new(b"secret", Duration::from_secs(600));
        let username = credentials.hand_out("ada", NOW).username;
        let after = |s| RestCredentials::user_of(&username, NOW + Duration::from_secs(s));
        assert_eq!(after(0), Ok("ada"));
        assert_eq!(after(599), Ok("ada"));
        assert_eq!(after(600), Err(CredentialError::Expired));
        assert_eq!(after(1_000_000), Err(CredentialError::Expired));
    }

    #[test]
    fn all_visitors_of_an_address_are_one_user_for_two_minutes() {
        let credentials = RestCredentials::new(b"secret", Duration::from_secs(600));
        let username = |address: &str, credentials: &RestCredentials| {
            credentials.hand_out_to_visitor(address.parse().unwrap(), NOW).username
        };
        let first = username("192.0.2.1", &credentials);
        let user = RestCredentials::user_of(&first, NOW).unwrap();
        assert!(RestCredentials::is_visitor(user) && !RestCredentials::is_visitor("ada"));
        assert!(first.starts_with("1790000120:visitor-"), "{first}");
        assert_eq!(first, username("::ffff:192.0.2.1", &credentials));
        assert_ne!(first, username("192.0.2.2", &credentials));
        assert_eq!(username("2001:db8::1", &credentials), username("2001:db8::2", &credentials));
        assert_ne!(first, username("192.0.2.1", &RestCredentials::new(b"other", Duration::from_secs(600))));
        let short = RestCredentials::new(b"secret", Duration::from_secs(5));
        assert!(username("192.0.2.1", &short).starts_with("1790000005:"));
    }

    #[test]
    fn removed_users_take_bounded_memory_and_make_room_as_they_expire() {
        let credentials = RestCredentials::new(b"secret", Duration::from_secs(600));
        for n in 0..MAX_REVOKED {
            credentials.revoke(&format!("m{n}"), NOW);
        }
        credentials.revoke("ada", NOW);
        assert!(!credentials.is_revoked("ada", NOW) && credentials.is_revoked("m0", NOW));
        let later = NOW + REVOKED_FOR;
        credentials.revoke("ada", later);
        assert!(credentials.is_revoked("ada", later) && !credentials.is_revoked("m0", later));
    }

    #[test]
    fn a_user_name_of_the_far_future_or_of_another_form_is_refused() {
        let refusal = |username: &str| RestCredentials::user_of(username, NOW).unwrap_err();
        for far in
            ["1790090000:ada", "2790000000:ada", "18446744073709551615:ada", "99999999999999999999999:ada"]
        {
            assert_eq!(refusal(far), CredentialError::TooFarAhead, "{far}");
        }
        let latest_s = (NOW + MAX_CREDENTIAL_LIFE + CLOCK_SKEW).as_s();
        assert_eq!(RestCredentials::user_of(&format!("{latest_s}:ada"), NOW), Ok("ada"));
        assert_eq!(refusal(&format!("{}:ada", latest_s + 1)), CredentialError::TooFarAhead);
        for malformed in
            ["", "ada", ":", ":ada", "1790000600", "1790000600:", "+1790000600:ada", "x:ada", "-1:ada"]
        {
            assert_eq!(refusal(malformed), CredentialError::Malformed, "{malformed}");
        }
    }
}
