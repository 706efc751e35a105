//! The contents of a page, read by its `data-testid` names.

use serde::Deserialize;

/// The contents of a page at one moment.
#[derive(Debug, Clone, Deserialize)]
pub struct Snapshot {
    /// The path of the page's address.
    pub path: String,
    /// The fragment of the page's address, with its `#`.
    pub fragment: String,
    /// What the page says of the protection of the room: `protected` or `open`, in the lobby, the bar or the invitation.
    pub protection: Vec<String>,
    /// The language in `<html lang>`.
    pub language: String,
    /// The title of the document.
    pub title: String,
    /// Whether the page is still being drawn.
    pub is_busy: bool,
    /// The `data-testid`s of all visible elements, in document order.
    pub shown: Vec<String>,
    /// The `data-state` of the signaling connection.
    pub connection: Option<String>,
    /// The address in `share-link`.
    pub invitation: Option<String>,
    /// The shown notices.
    pub notices: Vec<Notice>,
    /// The tiles, including the local one.
    pub tiles: Vec<Tile>,
    /// The chat messages.
    pub messages: Vec<Message>,
    /// The `data-testid` of the focused element.
    pub focused: Option<String>,
    /// The last announcement of an arrival or departure.
    pub announcement: String,
    /// The rows of the file shelf.
    pub transfers: Vec<Transfer>,
    /// The figures of the open panel.
    pub figures: Vec<Figure>,
    /// Number of elements that only injected markup could have made.
    pub injected: usize,
}

/// A `notice` element.
#[derive(Debug, Clone, Deserialize)]
pub struct Notice {
    /// The code in `data-code`.
    pub code: String,
    /// The text of the notice.
    pub text: String,
}

/// A `tile` element.
#[derive(Debug, Clone, Deserialize)]
pub struct Tile {
    /// `local` or the member's id.
    pub member: String,
    /// The name in the tile.
    pub name: String,
    /// The state of the link.
    pub state: Option<String>,
    /// `direct` or `relay`.
    pub path: Option<String>,
    /// `verified`, `changed`, `protected` or `open`, once there is a connection.
    pub trust: Option<String>,
    /// The numbers of the code to compare, while it is shown.
    pub code: Option<String>,
    /// `on` or `off`: the microphone.
    pub mic: Option<String>,
    /// `on` or `off`: the camera or another source.
    pub camera: Option<String>,
    /// All text in the tile.
    pub text: String,
    /// Whether the picture is mirrored.
    pub is_mirrored: bool,
}

/// A `chat-message` element.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    /// The id of the message.
    pub id: String,
    /// The delivery state.
    pub state: String,
    /// All text, including author and time.
    pub text: String,
    /// The targets of its links.
    pub links: Vec<String>,
}

/// A `transfer` element.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Transfer {
    /// The id of the transfer.
    pub id: String,
    /// The name of the other side.
    pub member: String,
    /// The name of the file.
    pub name: String,
    /// `sending` or `receiving`.
    pub direction: String,
    /// The size in bytes.
    pub size: u64,
    /// The verified bytes.
    pub bytes: u64,
    /// The state of the transfer.
    pub state: String,
    /// Whether the other side can be reached: `connected`, `waiting`, `gone`.
    pub reach: String,
    /// The code of its end, if it ended without the file.
    pub code: Option<String>,
    /// The shown SHA-256.
    pub hash: Option<String>,
    /// Whether there is a link to save the file.
    pub can_be_saved: bool,
    /// All text of the transfer.
    pub text: String,
}

/// A `stat` element.
#[derive(Debug, Clone, Deserialize)]
pub struct Figure {
    /// The id of the member.
    pub member: String,
    /// The name of the metric.
    pub metric: String,
    /// The number or the word; empty without a value.
    pub value: String,
}

impl Snapshot {
    /// Whether an element with this `data-testid` is visible.
    #[must_use]
    pub fn shows(&self, test_id: &str) -> bool {
        self.shown.iter().any(|shown| shown == test_id)
    }

    /// The tile of the member with this name.
    #[must_use]
    pub fn tile(&self, name: &str) -> Option<&Tile> {
        self.tiles.iter().find(|tile| tile.name == name)
    }

    /// The local tile.
    #[must_use]
    pub fn own_tile(&self) -> Option<&Tile> {
        self.tiles.iter().find(|tile| tile.member == "local")
    }

    /// The tiles of the other members.
    #[must_use]
    pub fn other_tiles(&self) -> Vec<&Tile> {
        self.tiles.iter().filter(|tile| tile.member != "local").collect()
    }

    /// Whether the member with this name is connected.
    #[must_use]
    pub fn is_connected_to(&self, name: &str) -> bool {
        self.tile(name).is_some_and(|tile| tile.state.as_deref() == Some("connected"))
    }

    /// Whether a notice with this code is shown.
    #[must_use]
    pub fn has_notice(&self, code: &str) -> bool {
        self.notices.iter().any(|notice| notice.code == code)
    }

    /// The message that contains these words.
    #[must_use]
    pub fn message(&self, words: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.text.contains(words))
    }

    /// The newest transfer of a file with this name.
    #[must_use]
    pub fn transfer(&self, name: &str) -> Option<&Transfer> {
        self.transfers.iter().rev().find(|transfer| transfer.name == name)
    }

    /// The value of a metric of a member; `None` if there is no such row.
    #[must_use]
    pub fn figure(&self, member: &str, metric: &str) -> Option<&str> {
        let figure = self.figures.iter().find(|figure| figure.member == member && figure.metric == metric);
        figure.map(|figure| figure.value.as_str())
    }
}
