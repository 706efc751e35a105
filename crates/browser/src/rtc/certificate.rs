//! The DTLS certificate of a peer connection.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{RtcCertificate, RtcPeerConnection};

use crate::js::{dictionary::dictionary, error::BrowserError, promise::settled};

/// A self-signed certificate for DTLS (RFC 8827). Generating one takes a moment, so it is made ahead of time; one serves any
/// number of connections of a page.
#[derive(Debug, Clone)]
pub struct Certificate(pub(crate) RtcCertificate);

impl Certificate {
    /// Generates an ECDSA P-256 certificate.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser cannot.
    pub async fn generate() -> Result<Self, BrowserError> {
        let algorithm =
            dictionary(&[("name", JsValue::from_str("ECDSA")), ("namedCurve", JsValue::from_str("P-256"))]);
        let promise: Promise = RtcPeerConnection::generate_certificate_with_object(&algorithm)?;
        Ok(Self(settled(promise).await?.unchecked_into()))
    }
}
