//! Errors of browser APIs.

use js_sys::Reflect;
use sightline_core::negotiation::OperationFailure;
use wasm_bindgen::JsValue;

/// A `DOMException`, an `Error`, or any other thrown value, with its name and message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct BrowserError {
    /// The name (`NotAllowedError`, `TypeError` ...).
    pub name: String,
    /// The browser's message, for a log. Never shown to a person.
    pub message: String,
}

/// The kind of a [`BrowserError`], for a `match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BrowserErrorKind {
    /// `NotAllowedError`: forbidden by the person, by a policy or for lack of a gesture.
    NotAllowed,
    /// `NotFoundError`: the device or object does not exist.
    NotFound,
    /// `NotReadableError`: the device exists and cannot be opened, usually because another program uses it.
    NotReadable,
    /// `OverconstrainedError`: no device meets the required constraints.
    Overconstrained,
    /// `AbortError`: the operation was aborted.
    Abort,
    /// `SecurityError`: the page lacks the permission.
    Security,
    /// `InvalidStateError`: not possible in this state, often because the object is closed.
    InvalidState,
    /// `NotSupportedError`, and [`BrowserError::not_supported`]: this browser or this context lacks the feature.
    NotSupported,
    /// `TypeError`: the API does not accept an argument.
    TypeError,
    /// Any other name.
    Other,
}

impl BrowserError {
    /// The error for an interface that this browser or this context lacks.
    #[must_use]
    pub fn not_supported(what: &str) -> Self {
        Self::of("NotSupportedError", what)
    }

    /// The kind of the error, by its name.
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

    /// An error of this page with the name of a `DOMException`.
    #[must_use]
    pub fn of(name: &str, message: &str) -> Self {
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
            // An `OverconstrainedError` often contains only the name of the constraint.
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
