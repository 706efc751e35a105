//! What a main source is to an encoder: moving pictures, or a page to be read.

use sightline_protocol::control::PublishedSource;

/// What a video track shows, for the encoder (W3C mst-content-hint, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentHint {
    /// Smoothness counts more than sharpness.
    Motion,
    /// Text and lines have to stay readable.
    Detail,
}

impl ContentHint {
    /// The word of the specification.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Motion => "motion",
            Self::Detail => "detail",
        }
    }
}

/// What an encoder gives up last (W3C mst-content-hint, `RTCDegradationPreference`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DegradationPreference {
    /// Pixels go before frames.
    MaintainFramerate,
    /// Frames go before pixels.
    MaintainResolution,
}

impl DegradationPreference {
    /// The word of the specification.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaintainFramerate => "maintain-framerate",
            Self::MaintainResolution => "maintain-resolution",
        }
    }
}

/// What the encoder is told of a source.
#[must_use]
pub const fn content_hint(source: PublishedSource) -> ContentHint {
    match source {
        PublishedSource::Screen => ContentHint::Detail,
        PublishedSource::None | PublishedSource::Camera | PublishedSource::File => ContentHint::Motion,
    }
}

/// What of a source is kept longest when there is too little of everything.
#[must_use]
pub const fn degradation_preference(source: PublishedSource) -> DegradationPreference {
    match content_hint(source) {
        ContentHint::Detail => DegradationPreference::MaintainResolution,
        ContentHint::Motion => DegradationPreference::MaintainFramerate,
    }
}
