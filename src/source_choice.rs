//! The main source that a person may publish, as it is named in addresses, settings and the page.

/// The main source to publish.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SourceChoice {
    /// The camera.
    Camera,
    /// A screen or a window.
    Screen,
    /// A video file.
    File,
    /// No source.
    #[default]
    None,
}

impl SourceChoice {
    /// The word for this choice in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Screen => "screen",
            Self::File => "file",
            Self::None => "none",
        }
    }

    /// The choice with this word in addresses.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Camera, Self::Screen, Self::File, Self::None]
            .into_iter()
            .find(|choice| choice.as_str() == word)
    }
}
