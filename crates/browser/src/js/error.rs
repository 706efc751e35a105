//! What a browser API failed with.

use js_sys::Reflect;
use sightline_core::negotiation::OperationFailure;
use wasm_bindgen::JsValue;

/// A `DOMException`, an `Error`, or whatever else was thrown, with its name and message kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct BrowserError {
    /// Its name (`NotAllowedError`, `TypeError` ...).
    pub name: String,
    /// Its message, in the browser's words, for a log. Never shown to a person.
    pub message: String,
}

/// What a [`BrowserError`] is about, for a `match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BrowserErrorKind {
    /// `NotAllowedError`: the person, a policy or a missing gesture forbids it.
    NotAllowed,
    /// `NotFoundError`: there is no such device or object.
    NotFound,
    /// `NotReadableError`: the device is there and cannot be opened, usually because something else has it.
    NotReadable,
    /// `OverconstrainedError`: no device meets what was required.
    Overconstrained,
    /// `AbortError`: it was given up on the way.
    Abort,
    /// `SecurityError`: the page may not.
    Security,
    /// `InvalidStateError`: not now, often because the object is closed.
    InvalidState,
    /// `NotSupportedError`, and [`BrowserError::not_supported`]: this browser, or this context, has no such thing.
    NotSupported,
    /// `TypeError`: an argument that the API does not take.
    TypeError,
    /// Any other.
    Other,
}

impl BrowserError {
    /// The error for an interface that this browser or this context does not have.
    #[must_use]
    pub fn not_supported(what: &str) -> Self {
        Self::of("NotSupportedError", what)
    }

    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> BrowserErrorKind {
        match self.name.as_str() {
            "NotAllowedError" => BrowserErrorKind::NotAllowed,
            "NotFoundError" => BrowserErrorKind::NotFound,
            "NotReadableError" => BrowserErrorKind::NotReadable,
            "OverconstrainedError" => BrowserErrorKind::Overconstrained,
            "AbortError" => BrowserErrorKind::Abort,
            "SecurityError" => BrowserErrorKind::Security,
            "InvalidStateError" => BrowserErrorKind::InvalidState,
            "NotSupportedError" => BrowserErrorKind::NotSupported,
            "TypeError" => BrowserErrorKind::TypeError,
            _ => BrowserErrorKind::Other,
        }
    }

    pub(crate) fn of(name: &str, message: &str) -> Self {
        Self { name: name.to_owned(), message: message.to_owned() }
    }
}

impl From<JsValue> for BrowserError {
    fn from(thrown: JsValue) -> Self {
        let member = |name: &str| {
            Reflect::get(&thrown, &JsValue::from_str(name))
                .ok()
                .and_then(|value| value.as_string())
                .filter(|text| !text.is_empty())
        };
        Self {
            name: member("name").unwrap_or_else(|| "Error".to_owned()),
            // An OverconstrainedError often has nothing but the constraint to say.
            message: member("message")
                .or_else(|| member("constraint"))
                .or_else(|| thrown.as_string())
                .unwrap_or_default(),
        }
    }
}

impl From<BrowserError> for OperationFailure {
    fn from(error: BrowserError) -> Self {
        Self { name: error.name, message: error.message }
    }
}
