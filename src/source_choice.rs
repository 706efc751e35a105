//! The main source that a person may publish, as addresses, settings and the page name it.

/// What a person may publish.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SourceChoice {
    /// The camera.
    Camera,
    /// A screen or a window.
    Screen,
    /// A video file.
    File,
    /// Nothing.
    #[default]
    None,
}

impl SourceChoice {
    /// The word as addresses have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Screen => "screen",
            Self::File => "file",
            Self::None => "none",
        }
    }

    /// The choice of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Camera, Self::Screen, Self::File, Self::None]
            .into_iter()
            .find(|choice| choice.as_str() == word)
    }
}
