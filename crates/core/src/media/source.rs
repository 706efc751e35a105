//! Encoder hints for a main source: moving pictures, or a page to be read.

use sightline_protocol::control::PublishedSource;

/// The content hint of a video track (W3C mst-content-hint, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContentHint {
    /// Smoothness matters more than sharpness.
    Motion,
    /// Text and lines must stay readable.
    Detail,
}

impl ContentHint {
    /// The word of the specification for `contentHint`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Motion => "motion",
            Self::Detail => "detail",
        }
    }
}

/// What an encoder keeps longest (W3C mst-content-hint, `RTCDegradationPreference`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DegradationPreference {
    /// Reduces pixels before frames.
    MaintainFramerate,
    /// Reduces frames before pixels.
    MaintainResolution,
}

impl DegradationPreference {
    /// The word of the specification for `degradationPreference`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaintainFramerate => "maintain-framerate",
            Self::MaintainResolution => "maintain-resolution",
        }
    }
}

/// The content hint for a source.
#[must_use]
pub const fn content_hint(source: PublishedSource) -> ContentHint {
    match source {
        PublishedSource::Screen => ContentHint::Detail,
        PublishedSource::None | PublishedSource::Camera | PublishedSource::File => ContentHint::Motion,
    }
}

/// The degradation preference for a source.
#[must_use]
pub const fn degradation_preference(source: PublishedSource) -> DegradationPreference {
    match content_hint(source) {
        ContentHint::Detail => DegradationPreference::MaintainResolution,
        ContentHint::Motion => DegradationPreference::MaintainFramerate,
    }
}
