//! The reactions that members show to each other.

use serde::{Deserialize, Serialize};

/// A reaction. The set is closed, so that no member makes another page show something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// A thumb up.
    ThumbsUp,
    /// Clapping hands.
    Applause,
    /// A heart.
    Heart,
    /// A laughing face.
    Laughter,
    /// A surprised face.
    Surprise,
    /// A party popper.
    Celebration,
    /// A reaction of a later version.
    #[serde(other)]
    Unknown,
}

impl Reaction {
    /// Every reaction that this version shows, in the order in which they are offered.
    pub const ALL: [Self; 6] =
        [Self::ThumbsUp, Self::Applause, Self::Heart, Self::Laughter, Self::Surprise, Self::Celebration];

    /// The word in the JSON message.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ThumbsUp => "thumbs_up",
            Self::Applause => "applause",
            Self::Heart => "heart",
            Self::Laughter => "laughter",
            Self::Surprise => "surprise",
            Self::Celebration => "celebration",
            Self::Unknown => "unknown",
        }
    }

    /// The picture; empty for a reaction of a later version.
    #[must_use]
    pub const fn emoji(self) -> &'static str {
        match self {
            Self::ThumbsUp => "\u{1f44d}",
            Self::Applause => "\u{1f44f}",
            Self::Heart => "\u{2764}\u{fe0f}",
            Self::Laughter => "\u{1f602}",
            Self::Surprise => "\u{1f62e}",
            Self::Celebration => "\u{1f389}",
            Self::Unknown => "",
        }
    }
}
