//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{
    address::RoomAddress,
    failure::{Exit, Failure},
};

/// A member of a Sightline room without a browser.
#[derive(Debug, Clone, Parser)]
#[command(name = "sightline-peer", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 local failure, 2 usage, 3 server unreachable, 4 room refused, 5 nobody came in \
                        time, 6 transfer failed, 7 verification failed, 130 interrupted."
)]
pub struct Options {
    /// What to do in the room.
    #[command(subcommand)]
    pub command: Command,
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
    /// The options that every command of a room has.
    #[must_use]
    pub fn common(&self) -> Option<&CommonOptions> {
        match self {
            Self::Chat(options) => Some(&options.common),
            Self::Send(options) => Some(&options.common),
            Self::Receive(options) => Some(&options.common),
            Self::Completions { .. } | Self::Man => None,
        }
    }
}

/// What every command of a room accepts.
#[derive(Debug, Clone, Args)]
pub struct CommonOptions {
    /// The room's whole address, as an invitation says it
    #[arg(value_name = "URL")]
    pub url: String,

    /// The name shown to the others
    #[arg(long, default_value = "sightline-peer")]
    pub name: String,

    /// How long to wait for somebody to come, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub wait: Option<u64>,

    /// Use relayed paths only, so that nobody learns this computer's address
    #[arg(long)]
    pub relay_only: bool,

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
    /// The address of the room.
    ///
    /// # Errors
    /// A [`Failure`] where this is no room. Its sentence never contains the text, which may contain a secret.
    pub fn address(&self) -> Result<RoomAddress, Failure> {
        RoomAddress::parse(&self.url).map_err(|error| {
            Failure::new(Exit::Usage, "address-invalid", format!("This is no room: {error}."))
        })
    }
}

/// The options of `chat`.
#[derive(Debug, Clone, Args)]
#[allow(missing_docs, reason = "the texts of the options say it")]
pub struct ChatOptions {
    #[command(flatten)]
    pub common: CommonOptions,

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
    pub common: CommonOptions,

    /// Files, and directories with everything in them
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
}

/// The options of `receive`.
#[derive(Debug, Clone, Args)]
#[allow(missing_docs, reason = "the texts of the options say it")]
pub struct ReceiveOptions {
    #[command(flatten)]
    pub common: CommonOptions,

    /// The directory for the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub into: PathBuf,

    /// Which files to accept: "all", or "ask" about each
    #[arg(long, value_name = "WHICH", conflicts_with = "from", hide_possible_values = true)]
    pub accept: Option<Acceptance>,

    /// Accept files of members with this name, and decline all others; may be given several times
    #[arg(long, value_name = "NAME")]
    pub from: Vec<String>,

    /// Leave when the first files, and those offered together with them, have arrived
    #[arg(long)]
    pub once: bool,
}

/// Which files are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Acceptance {
    /// Every file.
    All,
    /// Those that the person says yes to.
    Ask,
}
