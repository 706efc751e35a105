//! The command line.

use std::{env, path::PathBuf};

use clap::{Args, Parser, Subcommand, builder::NonEmptyStringValueParser};

use crate::{
    address::{RoomAddress, is_address},
    failure::{Exit, Failure},
};

/// Contains the address if there is no argument for it. The arguments of a process are visible to other users of the computer, its
/// environment is not.
const ROOM_VARIABLE: &str = "SIGHTLINE_ROOM";

/// Contains the token of the server's operator that allows to open rooms, where only its holders may.
const CREATE_TOKEN_VARIABLE: &str = "SIGHTLINE_CREATE_TOKEN";

/// Stands for the standard input among the files to send, and for the standard output in place of a directory.
pub const STANDARD_STREAM: &str = "-";

/// A member of a Sightline room without a browser.
#[derive(Debug, Clone, Parser)]
#[command(name = "sightline-peer", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 local failure, 2 usage, 3 server unreachable, 4 room refused, 5 nobody came in \
                  time, 6 transfer failed, 7 verification failed, 8 calls work in part, 9 no calls, 130 interrupted."
)]
pub struct Options {
    /// What to do in the room.
    #[command(subcommand)]
    pub command: Command,
}

/// The token that allows to open a room, if the environment has one.
#[must_use]
pub fn create_token() -> Option<String> {
    env::var(CREATE_TOKEN_VARIABLE).ok().filter(|token| !token.is_empty())
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Talk in text: lines of the standard input go to everyone, messages of others to the standard output
    Chat(ChatOptions),
    /// Send files and directories to everyone in the room
    Send(SendOptions),
    /// Receive files
    Receive(ReceiveOptions),
    /// Show a video file to everyone in the room, without encoding it again
    Provide(ProvideOptions),
    /// Receive the pictures of others, measure them, and write a report or a recording
    Watch(WatchOptions),
    /// Put several members into a room that write now and then, to load a room and a server
    Bots(BotsOptions),
    /// Find out whether calls work from this computer, and what prevents them, without entering a room
    Check(CheckOptions),
    /// Print a completion script for a shell
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

impl Command {
    /// The options that every command with a server has.
    #[must_use]
    pub fn common(&self) -> Option<&CommonOptions> {
        match self {
            Self::Chat(options) => Some(&options.member.common),
            Self::Send(options) => Some(&options.member.common),
            Self::Receive(options) => Some(&options.member.common),
            Self::Provide(options) => Some(&options.member.common),
            Self::Watch(options) => Some(&options.member.common),
            Self::Bots(options) => Some(&options.member.common),
            Self::Check(options) => Some(&options.common),
            Self::Completions { .. } | Self::Man => None,
        }
    }
}

/// What every command with a server accepts.
#[derive(Debug, Clone, Args)]
pub struct CommonOptions {
    /// The whole address, as an invitation says it; without it, the environment variable SIGHTLINE_ROOM is read
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    /// A STUN or TURN server instead of the server's, as in "turn:a.example user password"; may be given several times
    #[arg(long = "ice-server", value_name = "SERVER")]
    pub ice_servers: Vec<String>,

    /// Trust the certificates in this PEM file, too
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub cert: Option<PathBuf>,

    /// Trust any certificate: whoever is between here and the server can read and change what the server is told
    #[arg(long)]
    pub insecure: bool,

    /// Print one event a line as JSON
    #[arg(long)]
    pub json: bool,

    /// Print nothing but results and errors
    #[arg(long, short, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Print more about connections
    #[arg(long, short)]
    pub verbose: bool,
}

impl CommonOptions {
    /// The text of the address: the argument, else the variable [`ROOM_VARIABLE`].
    ///
    /// # Errors
    /// A [`Failure`] where there is none.
    pub fn address_text(&self) -> Result<String, Failure> {
        let variable = || env::var(ROOM_VARIABLE).ok().filter(|text| !text.trim().is_empty());
        self.url.clone().or_else(variable).ok_or_else(|| {
            let sentence = format!(
                "Give the address as the first argument or in the environment variable {ROOM_VARIABLE}."
            );
            Failure::new(Exit::Usage, "address-invalid", sentence)
        })
    }
}

/// What every command of a member in a room accepts.
#[derive(Debug, Clone, Args)]
pub struct MemberOptions {
    /// The options of every command.
    #[command(flatten)]
    pub common: CommonOptions,

    /// The name shown to the others
    #[arg(long, default_value = "sightline-peer")]
    pub name: String,

    /// How long to wait for somebody to come, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub wait: Option<u64>,

    /// Use relayed paths only, so that nobody learns this computer's address
    #[arg(long)]
    pub relay_only: bool,
}

impl MemberOptions {
    /// The address of the room.
    ///
    /// # Errors
    /// A [`Failure`] where there is none. Its sentence never contains the text, which may contain a secret.
    pub fn address(&self) -> Result<RoomAddress, Failure> {
        RoomAddress::parse(&self.common.address_text()?).map_err(|error| {
            Failure::new(Exit::Usage, "address-invalid", format!("This is no room: {error}."))
        })
    }
}

/// The options of `chat`.
#[derive(Debug, Clone, Args)]
#[allow(missing_docs, reason = "the texts of the options say it")]
pub struct ChatOptions {
    #[command(flatten)]
    pub member: MemberOptions,

    /// Send this text, wait until it is delivered, and leave
    #[arg(long, value_name = "TEXT")]
    pub once: Option<String>,

    /// Stay in the room after the end of the standard input
    #[arg(long, conflicts_with = "once")]
    pub stay: bool,
}

/// The options of `send`.
#[derive(Debug, Clone, Args)]
#[allow(missing_docs, reason = "the texts of the options say it")]
pub struct SendOptions {
    #[command(flatten)]
    pub member: MemberOptions,

    /// Files, directories with everything in them, and "-" for the standard input
    #[arg(value_name = "FILE|DIR|-")]
    pub paths: Vec<PathBuf>,

    /// The name of the file from the standard input
    #[arg(long = "as", value_name = "FILE", default_value = "stdin", value_parser = NonEmptyStringValueParser::new())]
    pub file_name: String,
}

impl SendOptions {
    /// The options with the address that is meant: if the first argument is no address while the environment variable has one, the
    /// argument is a file.
    ///
    /// # Errors
    /// A [`Failure`] where nothing is to be sent.
    pub fn resolved(mut self) -> Result<Self, Failure> {
        let common = &mut self.member.common;
        if let Some(path) = common.url.take_if(|url| !is_address(url) && env::var_os(ROOM_VARIABLE).is_some())
        {
            self.paths.insert(0, path.into());
        }
        if self.paths.is_empty() && common.url.as_ref().is_none_or(|url| is_address(url)) {
            let sentence = "Give the files and directories to send.";
            return Err(Failure::new(Exit::Usage, "no-files", sentence));
        }
        Ok(self)
    }
}

/// The options of `provide`.
#[derive(Debug, Clone, Args)]
#[allow(missing_docs, reason = "the texts of the options say it")]
pub struct ProvideOptions {
    #[command(flatten)]
    pub member: MemberOptions,

    /// The video: IVF, WebM, Matroska, MP4 or Ogg with VP8, VP9, AV1 or H.264, and sound in Opus
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Begin again at the end of the file
    #[arg(long = "loop")]
    pub is_loop: bool,

    /// Stay in the room after the end of the file, so that its last picture stays
    #[arg(long, conflicts_with = "is_loop")]
    pub stay: bool,

    /// Begin with the line "play" on the standard input, and not when the first viewer is there
    #[arg(long)]
    pub paused: bool,
}

impl ProvideOptions {
    /// The file, and the options with the address that is meant: if the only argument is no address while the environment variable
    /// has one, it is the file.
    ///
    /// # Errors
    /// A [`Failure`] where no file is named.
    pub fn resolved(mut self) -> Result<(PathBuf, Self), Failure> {
        let common = &mut self.member.common;
        if self.file.is_none()
            && let Some(path) =
                common.url.take_if(|url| !is_address(url) && env::var_os(ROOM_VARIABLE).is_some())
        {
            self.file = Some(path.into());
        }
        match self.file.clone() {
            Some(file) => Ok((file, self)),
            None => Err(Failure::new(Exit::Usage, "no-files", "Give the video file to show.")),
        }
    }
}

/// The options of `receive`.
#[derive(Debug, Clone, Args)]
#[allow(missing_docs, reason = "the texts of the options say it")]
pub struct ReceiveOptions {
    #[command(flatten)]
    pub member: MemberOptions,

    /// The directory for the files; "-" writes one file to the standard output
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub into: PathBuf,

    /// Which files to accept: "all", or "ask" about each
    #[arg(long, value_name = "WHICH", conflicts_with = "from", hide_possible_values = true)]
    pub accept: Option<Acceptance>,

    /// Accept files of members with this name, and decline all others; may be given several times
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub from: Vec<String>,

    /// Leave when the first files, and those offered together with them, have arrived
    #[arg(long)]
    pub once: bool,

    /// Run as a service: wait for a server that cannot be reached yet, and take files only --from certain members
    #[arg(long, requires = "from", conflicts_with_all = ["once", "accept"])]
    pub daemon: bool,
}

/// The options of `watch`.
#[derive(Debug, Clone, Args)]
#[allow(missing_docs, reason = "the texts of the options say it")]
pub struct WatchOptions {
    #[command(flatten)]
    pub member: MemberOptions,

    /// Measure for this long, from the first picture on; without it, until the pictures end or until Ctrl-C
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub run: Option<u64>,

    /// Write the report of the run into this file, which the page /report opens
    #[arg(long, value_name = "FILE.json")]
    pub report: Option<PathBuf>,

    /// Record the pictures of the first member that shows some into this file, as they arrive: with sound (.webm, .mkv), or without (IVF)
    #[arg(long, value_name = "FILE.webm")]
    pub record: Option<PathBuf>,
}

/// Bots in one process: each is connected to each, so their number counts twice.
pub const MAX_BOTS: i64 = 100;

/// The options of `bots`.
#[derive(Debug, Clone, Args)]
#[allow(missing_docs, reason = "the texts of the options say it")]
pub struct BotsOptions {
    /// The number of members, 100 at most; a room takes 8 unless its server says otherwise
    #[arg(value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_BOTS))]
    pub count: u16,

    #[command(flatten)]
    pub member: MemberOptions,

    /// How often each bot writes a message; 0 for never
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub every: u64,

    /// Show this video file to all members with a screen, again and again
    #[arg(long, value_name = "FILE")]
    pub provide: Option<PathBuf>,

    /// Leave this long after the last bot has entered; without it, the bots stay until Ctrl-C
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: Option<u64>,
}

/// The options of `check`.
#[derive(Debug, Clone, Args)]
#[allow(missing_docs, reason = "the texts of the options say it")]
pub struct CheckOptions {
    #[command(flatten)]
    pub common: CommonOptions,

    /// Exit with 8 also if calls work and a row is not good
    #[arg(long)]
    pub strict: bool,
}

/// Which files are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Acceptance {
    /// Every file.
    All,
    /// Those that the person says yes to.
    Ask,
}
