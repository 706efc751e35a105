//! The token that allows this browser to open rooms on a server whose operator lets only holders of a token open them. The operator's
//! link has the token (`/#create-token=…`); the browser keeps it.

use sightline_browser::page::{
    location::{self, Location},
    storage::StorageArea,
};
use sightline_protocol::limits::MAX_CREATE_TOKEN_CHARS;

const KEY: &str = "sightline.create-token";
const FRAGMENT: &str = "#create-token=";

/// Takes a token out of the page's address, so that nobody copies it with the address, and keeps it.
pub fn take_from_address() {
    let address = Location::current();
    if let Some(token) = of_fragment(&address.fragment) {
        StorageArea::Local.set(KEY, token);
        location::replace(&format!("{}{}", address.path, address.query));
    }
}

/// The token that this browser keeps.
#[must_use]
pub fn kept() -> Option<String> {
    StorageArea::Local.get(KEY).filter(|token| token.len() <= MAX_CREATE_TOKEN_CHARS)
}

/// Forgets the token.
pub fn forget() {
    StorageArea::Local.remove(KEY);
}

fn of_fragment(fragment: &str) -> Option<&str> {
    let token = fragment.strip_prefix(FRAGMENT)?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (!token.is_empty() && token.len() <= MAX_CREATE_TOKEN_CHARS && token.bytes().all(is_token))
        .then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_from_a_fragment_that_has_nothing_else() {
        assert_eq!(of_fragment("#create-token=Y3J.e_-0"), Some("Y3J.e_-0"));
        for other in
            ["", "#", "#create-token=", "#create-token=a b", "#create-token=<b>", "#c2VjcmV0c2VjcmV0c2Vjcg"]
        {
            assert_eq!(of_fragment(other), None, "{other}");
        }
        let long = format!("#create-token={}", "a".repeat(MAX_CREATE_TOKEN_CHARS + 1));
        assert_eq!(of_fragment(&long), None);
    }
}
