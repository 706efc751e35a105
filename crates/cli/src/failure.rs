//! Why a command ended without doing its work: a sentence, a stable code, and the code that the process exits with.

use std::fmt;

use sightline_core::notice::NoticeCode;

/// What the process exits with. The numbers are documented in `docs/cli.md` and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Something on this computer failed: the terminal, a file that cannot be read.
    Local = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The server cannot be reached.
    Unreachable = 3,
    /// The server refused the room.
    Refused = 4,
    /// Nobody came in time.
    Alone = 5,
    /// A file did not arrive, a message was not delivered, or the viewer cannot decode the video.
    TransferFailed = 6,
    /// What arrived is not what was sent, or the server is not who it should be.
    VerificationFailed = 7,
    /// Calls work with some people only, or it is not known with whom; with `--strict`, something is not as it should be.
    Limited = 8,
    /// No calls work, except within this network.
    NoCalls = 9,
    /// Interrupted by a signal.
    Interrupted = 130,
}

/// The code of a disk that became full. What is on it already can be continued.
pub(crate) const DISK_FULL: &str = "disk-full";

/// Why a command ended without doing its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the process exits with.
    pub exit: Exit,
    /// The stable code, for scripts.
    pub code: &'static str,
    /// The sentence for a person.
    pub sentence: String,
}

impl Failure {
    /// A failure with its exit code, its stable code and its sentence.
    #[must_use]
    pub fn new(exit: Exit, code: &'static str, sentence: impl Into<String>) -> Self {
        Self { exit, code, sentence: sentence.into() }
    }

    /// The failure for a signal such as Ctrl-C.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted", "Interrupted.")
    }

    /// The failure for a computer that starts no more threads.
    #[must_use]
    pub fn of_thread(error: &std::io::Error) -> Self {
        Self::new(Exit::Local, "no-thread", format!("No thread can be started: {error}."))
    }

    /// The failure for a standard input that cannot be read.
    #[must_use]
    pub fn of_input(error: &std::io::Error) -> Self {
        Self::new(Exit::Local, "input-failed", format!("The standard input cannot be read: {error}."))
    }

    /// The failure for an output that cannot be written.
    #[must_use]
    pub fn of_output(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::new(
                Exit::Local,
                "output-closed",
                "The program that reads this output has ended, so there is nobody to write to.",
            ),
            _ => Self::new(Exit::Local, "output-failed", format!("The output cannot be written: {error}.")),
        }
    }

    /// The failure for a problem that ends the session. `None` for one that only warns.
    #[must_use]
    pub fn of_notice(code: NoticeCode, server: &str) -> Option<Self> {
        let (exit, sentence) = match code {
            NoticeCode::RoomNameInvalid => (Exit::Refused, "The server does not accept this room name."),
            NoticeCode::NameInvalid => {
                (Exit::Refused, "The server does not accept this name: it is too long.")
            }
            NoticeCode::RoomFull => (Exit::Refused, "The room is full."),
            NoticeCode::RoomLocked => (Exit::Refused, "The room is locked: a host has to open it."),
            NoticeCode::KnockRefused => (Exit::Refused, "A host of the locked room said no."),
            NoticeCode::KnockUnanswered => (Exit::Refused, "No host of the locked room answered."),
            NoticeCode::RoomNotOpen => (
                Exit::Refused,
                "The room is not open, and this server's operator lets only holders of a token open one.",
            ),
            NoticeCode::LinkChanged => (
                Exit::Refused,
                "The link to the room was changed when a host removed somebody: ask for the new one.",
            ),
            NoticeCode::Removed => (Exit::Refused, "A host removed this member from the room."),
            NoticeCode::RoomEnded => (Exit::Refused, "A host ended the room for everyone."),
            NoticeCode::ServerFull => (Exit::Refused, "The server accepts no more rooms or members for now."),
            NoticeCode::OriginRefused | NoticeCode::HostRefused => {
                (Exit::Refused, "The server refuses this client.")
            }
            NoticeCode::Replaced => (Exit::Refused, "Another program took this member's seat in the room."),
            NoticeCode::ProtocolVersion => (
                Exit::Refused,
                "The server has another protocol version: use a client of the server's version.",
            ),
            NoticeCode::ProtocolError => (Exit::Refused, "Client and server do not understand each other."),
            NoticeCode::ServerUnreachable => {
                return Some(Self::new(
                    Exit::Unreachable,
                    code.as_str(),
                    format!("The server {server} does not answer."),
                ));
            }
            _ => return None,
        };
        Some(Self::new(exit, code.as_str(), sentence))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.sentence, self.code)
    }
}

impl std::error::Error for Failure {}
