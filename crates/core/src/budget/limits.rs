//! All budgets in one place, each with its reason.

use std::time::Duration;

/// A burst, and the rate at which it refills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// The size of the bucket, in messages or bytes.
    pub burst: u32,
    /// The refill, in messages or bytes per second.
    pub per_second: f64,
}

const fn limit(burst: u32, per_second: f64) -> Limit {
    Limit { burst, per_second }
}

/// What is counted for each member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// A message on the `control` channel, whatever its contents; counted before it is decoded.
    Control,
    /// A byte on the `control` channel; counted before the message is decoded.
    ControlByte,
    /// A text that cannot be decoded.
    Unreadable,
    /// Data that is a message in no version of the protocol: bytes where text belongs, or more than a message may have.
    NoMessage,
    /// An encrypted signal, whatever its contents; counted before it is decrypted.
    Sealed,
    /// An offer or answer about the member's own connection.
    Description,
    /// A candidate for the member's own connection.
    Candidate,
    /// A peer connection that this page makes because of an offer.
    Connection,
    /// An offer or answer about a bulk link.
    BulkDescription,
    /// A candidate for a bulk link.
    BulkCandidate,
    /// A bulk link that this page makes because of an offer.
    BulkConnection,
    /// A new instance of the member's page.
    Arrival,
    /// A chat message, to everyone or to this page alone.
    Chat,
    /// A byte of a chat message.
    ChatByte,
    /// The acknowledgement of a chat message.
    ChatAck,
    /// A message that declares what the member publishes.
    State,
    /// A reaction.
    Reaction,
    /// An offer of a file that was not offered before.
    Offer,
    /// The withdrawal of an offered file before it was accepted.
    Withdrawal,
    /// Any other message about a file.
    TransferNews,
    /// The beginning or end of a measurement.
    Run,
    /// A part of the log of a measurement.
    RunLog,
    /// A message that says which of two connections is used.
    Use,
    /// A step towards the code that two members compare.
    Verify,
    /// A message about the member's device.
    Recognition,
    /// A message about the secret of the room.
    Rekey,
    /// A message on the `telemetry` channel.
    Telemetry,
    /// A frame on a `bulk` channel while files of the member are on their way to this page.
    BulkFrame,
    /// A frame on a `bulk` channel while no file is.
    UnwantedFrame,
}

impl MessageKind {
    /// All kinds, in the order of their declaration.
    pub const ALL: [Self; 29] = [
        Self::Control,
        Self::ControlByte,
        Self::Unreadable,
        Self::NoMessage,
        Self::Sealed,
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
        Self::Reaction,
        Self::Offer,
        Self::Withdrawal,
        Self::TransferNews,
        Self::Run,
        Self::RunLog,
        Self::Use,
        Self::Verify,
        Self::Recognition,
        Self::Rekey,
        Self::Telemetry,
        Self::BulkFrame,
        Self::UnwantedFrame,
    ];

    /// How much patience with its sender one dropped message costs: more for a kind that no honest page sends too often.
    #[must_use]
    pub const fn weight(self) -> u64 {
        match self {
            // A message of the greatest length costs as much as hundreds of others to receive.
            Self::NoMessage => 100,
            // A dropped withdrawal leaves an offer, and the page needs milliseconds to show one.
            Self::Offer | Self::Withdrawal => 4,
            Self::Unreadable | Self::Connection | Self::BulkConnection | Self::Arrival => 10,
            _ => 1,
        }
    }

    /// The limit of this kind for each member.
    #[must_use]
    pub const fn limit(self) -> Limit {
        match self {
            // 2,000 files in both directions are all announced again on a new connection (4,000), and 2,000 small ones are
            // offered, accepted and done within seconds (6,000 more).
            Self::Control => limit(20_000, 1_500.0),
            // The longest log of a measurement (6 MB), 1,000 offers with the longest names (2.3 MB), 4 MiB of chat.
            Self::ControlByte => limit(16 << 20, 2_097_152.0),
            // A later version of the protocol may send messages that this version cannot read.
            Self::Unreadable => limit(50, 1.0),
            Self::NoMessage => limit(8, 0.2),
            // As many as `Description` and `Candidate` allow, and those that a reload of this page makes useless.
            Self::Sealed => limit(2_000, 80.0),
            // An exchange has two descriptions; an offer is repeated when signaling returns, at most every third of a second for
            // a while.
            Self::Description => limit(120, 6.0),
            // A browser keeps 64 for repetition; with two connections to a member 128 are sent each time that signaling returns,
            // at most every three seconds.
            Self::Candidate => limit(1_500, 64.0),
            // A repair builds one every four seconds at most.
            Self::Connection => limit(12, 0.5),
            // Sixteen bulk links in each direction have 64, and each repair of the member's connection opens them again.
            Self::BulkDescription => limit(400, 40.0),
            Self::BulkCandidate => limit(4_000, 400.0),
            // Sixteen in one direction, and the same again after a repair; a browser needs milliseconds to make one.
            Self::BulkConnection => limit(40, 4.0),
            // A person may hold down the reload key.
            Self::Arrival => limit(30, 0.5),
            // A paste of 100 lines, several times; nobody writes five messages a second for long.
            Self::Chat => limit(500, 5.0),
            // 256 of the longest messages.
            Self::ChatByte => limit(4 << 20, 65_536.0),
            // For each message of this page's log, twice.
            Self::ChatAck => limit(4_000, 100.0),
            // Seeking in a video file by dragging declares two states for each step.
            Self::State => limit(600, 30.0),
            // A page lets its person react six times at once and once a second.
            Self::Reaction => limit(20, 2.0),
            // A folder of 2,000 files, twice.
            Self::Offer => limit(4_000, 100.0),
            // All files of such a folder are taken back.
            Self::Withdrawal => limit(2_500, 5.0),
            // See `Control`. At 30 MB/s one file has 60 messages a second, and 600 concurrent files have three each.
            Self::TransferNews => limit(16_000, 1_200.0),
            Self::Run => limit(60, 1.0),
            // Four of the longest logs; a run that is stopped sends one.
            Self::RunLog => limit(1_024, 16.0),
            // Once for each repair.
            Self::Use => limit(60, 1.0),
            // Two for each connection that is used.
            Self::Verify => limit(60, 1.0),
            // One for each connection that is used, and two for each comparison.
            Self::Recognition => limit(60, 1.0),
            // One for each connection that is used, and twenty removals at once.
            Self::Rekey => limit(60, 1.0),
            // Pings, clock, reception and sending are about ten messages a second on each of two connections; a page that was
            // blocked for a minute receives a minute of them at once.
            Self::Telemetry => limit(1_500, 50.0),
            // 30 MB/s in the smallest chunks are 1,900 frames a second; a small file has one frame.
            Self::BulkFrame => limit(6_000, 4_000.0),
            // The frames on their way when the last file is canceled: 8 MiB in the smallest chunks are 512.
            Self::UnwantedFrame => limit(2_000, 50.0),
        }
    }
}

/// Dropped messages that are tolerated before a member is cut off: four times a paste that is five times too long.
pub const PATIENCE: Limit = limit(1_000, 5.0);

/// How long a member stays muted after the last dropped message.
pub const MUTE: Duration = Duration::from_secs(10);

/// Shortest time for which a member that was cut off is ignored, even with a new page instance: longer than a reload by a person
/// takes. It doubles each time.
pub const FIRST_EXILE: Duration = Duration::from_secs(10);
/// Upper limit of that time.
pub const LONGEST_EXILE: Duration = Duration::from_secs(640);

/// Number of members with an account, including members that left: four times the size of the largest room that a page shows.
pub const MAX_ACCOUNTS: usize = 256;

/// Peer connections that this page makes because of offers, for all members together: enough for a room of 64 that everyone
/// enters at once. Browsers have a few hundred connections and free them late.
pub const ROOM_CONNECTIONS: Limit = limit(128, 4.0);

/// Nonces that this page draws for the code to compare with one member. Each gives a middleman one guess, which is right in 1 of
/// 16,777,216 cases. Honest pages need one nonce until one of them is loaded again.
pub const CODES_OF_MEMBER: Limit = limit(8, 1.0 / 600.0);

/// Nonces that this page draws for all members together, because a server can invent members. Enough for a room of 64.
pub const CODES_OF_PAGE: Limit = limit(64, 1.0 / 60.0);

/// Computations of tags for one member: one for each page that it loads, and one for each comparison.
pub const RECOGNITIONS_OF_MEMBER: Limit = limit(8, 1.0 / 60.0);

/// Computations of tags for all members together, because a server can invent members. Enough for a room of 64.
pub const RECOGNITIONS_OF_PAGE: Limit = limit(128, 0.1);

/// Secrets that this page takes from hosts. The hosts of a room act twenty times at once and once a second.
pub const REKEYS: Limit = limit(30, 1.0);

/// Longest candidate, all its fields together, in bytes. Browsers write less than 300.
pub const MAX_CANDIDATE_BYTES: usize = 2_048;

/// Unreadable frames of the signaling server before the page closes the socket. Some are tolerated because a later server may
/// send types that this page does not know.
pub const UNREADABLE_FRAMES: Limit = limit(50, 0.2);

/// Signals that a tab accepts from another tab where there is no server: as many as the server forwards.
pub const TAB_SIGNALS: Limit = limit(500, 200.0);

/// Greetings that a tab accepts from other tabs where there is no server. Eight tabs send 14 in five seconds.
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
