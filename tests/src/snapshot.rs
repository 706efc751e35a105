//! What a page shows, read by its `data-testid` names.

use serde::Deserialize;

/// The whole page at one moment.
#[derive(Debug, Clone, Deserialize)]
pub struct Snapshot {
    /// The path of its address.
    pub path: String,
    /// `<html lang>`.
    pub language: String,
    /// Of the document.
    pub title: String,
    /// The `data-testid` of everything that can be seen, in the page's order.
    pub shown: Vec<String>,
    /// The signalling's state.
    pub connection: Option<String>,
    /// The invitation that `share-link` gives.
    pub invitation: Option<String>,
    /// Problems.
    pub notices: Vec<Notice>,
    /// Members, oneself included.
    pub tiles: Vec<Tile>,
    /// The conversation.
    pub messages: Vec<Message>,
    /// What has the focus.
    pub focused: Option<String>,
    /// Who came or left last, in words.
    pub announcement: String,
    /// The files on their way.
    pub transfers: Vec<Transfer>,
    /// The open figures.
    pub figures: Vec<Figure>,
    /// How many elements exist that only injected markup could have made.
    pub injected: usize,
}

/// One `notice`.
#[derive(Debug, Clone, Deserialize)]
pub struct Notice {
    /// Which problem.
    pub code: String,
    /// The sentence.
    pub text: String,
}

/// One `tile`.
#[derive(Debug, Clone, Deserialize)]
pub struct Tile {
    /// `local` or the member's id.
    pub member: String,
    /// The name shown.
    pub name: String,
    /// Of the link.
    pub state: Option<String>,
    /// `direct` or `relay`.
    pub path: Option<String>,
    /// `on` or `off`.
    pub mic: Option<String>,
    /// `on` or `off`.
    pub camera: Option<String>,
    /// All its words.
    pub text: String,
    /// Whether its picture is shown as in a mirror.
    pub is_mirrored: bool,
}

/// One `chat-message`.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// How far it came.
    pub state: String,
    /// All its words, author and time included.
    pub text: String,
    /// Where its links lead.
    pub links: Vec<String>,
}

/// One `transfer`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Transfer {
    /// Its id.
    pub id: String,
    /// The other side's.
    pub member: String,
    /// The file's.
    pub name: String,
    /// `sending` or `receiving`.
    pub direction: String,
    /// In bytes.
    pub size: u64,
    /// Verified.
    pub bytes: u64,
    /// How far it is.
    pub state: String,
    /// Whether the other side can be reached: `connected`, `waiting`, `gone`.
    pub reach: String,
    /// Why it ended without the file.
    pub code: Option<String>,
    /// The SHA-256 shown.
    pub hash: Option<String>,
    /// Whether there is a link to save it.
    pub can_be_saved: bool,
    /// All its words.
    pub text: String,
}

/// One `stat`.
#[derive(Debug, Clone, Deserialize)]
pub struct Figure {
    /// Whose.
    pub member: String,
    /// Which.
    pub metric: String,
    /// The number or the word; empty where the browser has none.
    pub value: String,
}

impl Snapshot {
    /// Whether something with this `data-testid` can be seen.
    #[must_use]
    pub fn shows(&self, test_id: &str) -> bool {
        self.shown.iter().any(|shown| shown == test_id)
    }

    /// The tile of the member with this name.
    #[must_use]
    pub fn tile(&self, name: &str) -> Option<&Tile> {
        self.tiles.iter().find(|tile| tile.name == name)
    }

    /// One's own tile.
    #[must_use]
    pub fn own_tile(&self) -> Option<&Tile> {
        self.tiles.iter().find(|tile| tile.member == "local")
    }

    /// Everyone else's tiles.
    #[must_use]
    pub fn other_tiles(&self) -> Vec<&Tile> {
        self.tiles.iter().filter(|tile| tile.member != "local").collect()
    }

    /// Whether the member with this name is connected.
    #[must_use]
    pub fn is_connected_to(&self, name: &str) -> bool {
        self.tile(name).is_some_and(|tile| tile.state.as_deref() == Some("connected"))
    }

    /// Whether this problem is told.
    #[must_use]
    pub fn has_notice(&self, code: &str) -> bool {
        self.notices.iter().any(|notice| notice.code == code)
    }

    /// The message with these words in it.
    #[must_use]
    pub fn message(&self, words: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.text.contains(words))
    }

    /// The newest transfer of a file with this name.
    #[must_use]
    pub fn transfer(&self, name: &str) -> Option<&Transfer> {
        self.transfers.iter().rev().find(|transfer| transfer.name == name)
    }

    /// The value of a figure of a member; `None` where there is no such row.
    #[must_use]
    pub fn figure(&self, member: &str, metric: &str) -> Option<&str> {
        let figure = self.figures.iter().find(|figure| figure.member == member && figure.metric == metric);
        figure.map(|figure| figure.value.as_str())
    }
}
