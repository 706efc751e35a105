//! Every budget, in one place, each with its reason.

use std::time::Duration;

/// How much may come at once, and how much in every second after that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// At once.
    pub burst: u32,
    /// Sustained.
    pub per_second: f64,
}

const fn limit(burst: u32, per_second: f64) -> Limit {
    Limit { burst, per_second }
}

/// What is counted of one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// A message on `control`, whatever it says; counted before it is read.
    Control,
    /// A byte on `control`; counted before it is read.
    ControlByte,
    /// What cannot be read, or is too long.
    Unreadable,
    /// An offer or answer about the member's own connection.
    Description,
    /// A candidate for it.
    Candidate,
    /// A peer connection that this page makes because of an offer.
    Connection,
    /// An offer or answer about a connection for bytes alone.
    BulkDescription,
    /// A candidate for one.
    BulkCandidate,
    /// A peer connection for bytes alone that this page makes because of an offer.
    BulkConnection,
    /// A new instance of the member's page.
    Arrival,
    /// A chat message.
    Chat,
    /// A byte of a chat message.
    ChatByte,
    /// The acknowledgement of a chat message.
    ChatAck,
    /// What the member publishes.
    State,
    /// A file that was not offered before.
    Offer,
    /// A file that was offered and is taken back before it was accepted.
    Withdrawal,
    /// Anything else about a file.
    TransferNews,
    /// The beginning or end of a measurement.
    Run,
    /// A part of a measurement's log.
    RunLog,
    /// Which of two connections is used.
    Use,
    /// A message on `telemetry`.
    Telemetry,
    /// A frame on `bulk` while files of the member are on their way here.
    BulkFrame,
    /// A frame on `bulk` while none is.
    UnwantedFrame,
}

impl MessageKind {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 23] = [
        Self::Control,
        Self::ControlByte,
        Self::Unreadable,
        Self::Description,
        Self::Candidate,
        Self::Connection,
        Self::BulkDescription,
        Self::BulkCandidate,
        Self::BulkConnection,
        Self::Arrival,
        Self::Chat,
        Self::ChatByte,
        Self::ChatAck,
        Self::State,
        Self::Offer,
        Self::Withdrawal,
        Self::TransferNews,
        Self::Run,
        Self::RunLog,
        Self::Use,
        Self::Telemetry,
        Self::BulkFrame,
        Self::UnwantedFrame,
    ];

    /// How much one that is dropped takes of the patience with its sender: what no honest page sends too much of costs this page
    /// more, too.
    #[must_use]
    pub const fn weight(self) -> u64 {
        match self {
            Self::Unreadable | Self::Connection | Self::BulkConnection | Self::Arrival => 10,
            _ => 1,
        }
    }

    /// How much of it a member may send.
    #[must_use]
    pub const fn limit(self) -> Limit {
        match self {
            // 2,000 files both ways are all told again on a new connection (4,000), and 2,000 small ones are offered,
            // accepted and done within seconds (6,000 more).
            Self::Control => limit(20_000, 1_500.0),
            // The longest log of a measurement (6 MB), 1,000 offers with the longest names (2.3 MB), 4 MiB of chat.
            Self::ControlByte => limit(16 << 20, 2_097_152.0),
            // A later version may say in its own way what this one cannot read.
            Self::Unreadable => limit(50, 1.0),
            // An exchange has two; an offer is repeated when signaling is back, at most every third of a second for a while.
            Self::Description => limit(120, 6.0),
            // A browser keeps 64 for repetition; with two connections to a member 128 go out each time that signaling is back,
            // at most every three seconds.
            Self::Candidate => limit(1_500, 64.0),
            // A repair builds one every four seconds at most.
            Self::Connection => limit(12, 0.5),
            // Sixteen connections each way have 64, and each repair of the member's connection opens them anew.
            Self::BulkDescription => limit(400, 40.0),
            Self::BulkCandidate => limit(4_000, 400.0),
            Self::BulkConnection => limit(64, 8.0),
            // Someone holds down the key that reloads the page.
            Self::Arrival => limit(30, 0.5),
            // A paste of 100 lines, several times; nobody writes five messages a second for long.
            Self::Chat => limit(500, 5.0),
            // 256 of the longest messages.
            Self::ChatByte => limit(4 << 20, 65_536.0),
            // For each message of this page's log, twice.
            Self::ChatAck => limit(4_000, 100.0),
            // Seeking in a video file by dragging declares two states for each step.
            Self::State => limit(600, 30.0),
            // A folder of 2,000 files, twice.
            Self::Offer => limit(4_000, 100.0),
            // All files of such a folder are taken back.
            Self::Withdrawal => limit(2_500, 5.0),
            // See `Control`; at 30 MB/s one file has 60 messages a second, and 600 files at once have three each.
            Self::TransferNews => limit(16_000, 1_200.0),
            Self::Run => limit(60, 1.0),
            // Four of the longest logs; a run that is stopped sends one.
            Self::RunLog => limit(1_024, 16.0),
            // Once for each repair.
            Self::Use => limit(60, 1.0),
            // Pings, clock, reception and sending are some ten a second on each of two connections; a page that was held up for a
            // minute finds a minute of them.
            Self::Telemetry => limit(1_500, 50.0),
            // 30 MB/s in the smallest chunks are 1,900 a second; small files have one frame each.
            Self::BulkFrame => limit(6_000, 4_000.0),
            // What is on its way when the last file is cancelled: 8 MiB in the smallest chunks are 512.
            Self::UnwantedFrame => limit(2_000, 50.0),
        }
    }
}

/// Messages beyond the budgets that are put up with. Four times a paste that was five times too long.
pub const PATIENCE: Limit = limit(1_000, 5.0);

/// How long after the last dropped message a member counts as muted.
pub const MUTE: Duration = Duration::from_secs(10);

/// How long a member that was cut off is ignored at least, though its page is a new one: long enough that a page which begins again
/// at once is none that a person reloaded. Doubled each time.
pub const FIRST_EXILE: Duration = Duration::from_secs(10);
/// And at most.
pub const LONGEST_EXILE: Duration = Duration::from_secs(640);

/// Members that are remembered, those that are gone included: four times those of the largest room that a page shows.
pub const MAX_ACCOUNTS: usize = 256;

/// Peer connections that this page makes because of others' offers, of all members together: what a room of 64 needs when
/// everyone comes at once. Browsers have some hundreds and free them late.
pub const ROOM_CONNECTIONS: Limit = limit(128, 4.0);

/// Longest candidate, all its fields together. Browsers' have less than 300 bytes.
pub const MAX_CANDIDATE_BYTES: usize = 2_048;

/// Frames of the signaling server that may be unreadable before the page gives it up: a later server may say things that this page
/// does not know.
pub const UNREADABLE_FRAMES: Limit = limit(50, 0.2);

/// Signals that a tab hears of another where there is no server: as many as a server passes on.
pub const TAB_SIGNALS: Limit = limit(500, 200.0);

/// Greetings that a tab hears of others where there is no server. Eight tabs have 14 in five seconds.
pub const TAB_GREETINGS: Limit = limit(200, 20.0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_all_kinds_is_in_the_order_of_their_declaration() {
        for (at, kind) in MessageKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at, "{kind:?}");
        }
    }
}
