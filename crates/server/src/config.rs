//! What can be chosen when the server starts.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, ValueEnum, builder::RangedU64ValueParser};
use etcetera::BaseStrategy;
use sightline_protocol::{limits::DEFAULT_ROOM_MEMBERS, signalling::IceServer};

use crate::{origin::AllowedOrigin, rooms::RoomSettings, signalling::limits::SocketLimits};

/// Most members that one room may be allowed: the list of so many with the longest names fits into one frame.
const MAX_ROOM_LIMIT: u64 = 100;

/// What a [`crate::Server`] needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on; `None` for all, IPv4 and IPv6.
    pub bind: Option<IpAddr>,
    /// The port; 0 for one that is free.
    pub port: u16,
    /// Where the built client is.
    pub dist: PathBuf,
    /// Where the secret of the resume tokens is kept.
    pub data_dir: PathBuf,
    /// Pages of other origins that may use the signalling.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// What holds for every room.
    pub rooms: RoomSettings,
    /// What holds for every socket.
    pub sockets: SocketLimits,
}

/// The options of the command line; each is also an environment variable.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The port to listen on; 0 for one that is free
    #[arg(long, env = "SIGHTLINE_PORT", default_value_t = 8080)]
    pub port: u16,
    /// The address to listen on [default: all of this machine]
    #[arg(long, env = "SIGHTLINE_BIND", value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// The directory with the built client
    #[arg(long, env = "SIGHTLINE_DIST", value_name = "DIR", default_value = "dist")]
    pub dist: PathBuf,
    /// The directory for what survives a restart [default: the user's data directory]
    #[arg(long, env = "SIGHTLINE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Members in one room
    #[arg(long, env = "SIGHTLINE_ROOM_LIMIT", value_name = "MEMBERS", default_value_t = DEFAULT_ROOM_MEMBERS,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=MAX_ROOM_LIMIT))]
    pub room_limit: usize,
    /// Rooms at the same time
    #[arg(long, env = "SIGHTLINE_MAX_ROOMS", value_name = "ROOMS", default_value_t = RoomSettings::default().max_rooms)]
    pub max_rooms: usize,
    /// Signalling sockets at the same time
    #[arg(long, env = "SIGHTLINE_MAX_SOCKETS", value_name = "SOCKETS", default_value_t = SocketLimits::default().max_sockets,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub max_sockets: usize,
    /// Another origin whose pages may use the signalling, such as https://example.org (repeat, or separate by commas)
    #[arg(
        long = "allow-origin",
        env = "SIGHTLINE_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub allow_origin: Vec<AllowedOrigin>,
    /// A STUN server for the clients, such as stun:stun.example.org (repeat, or separate by commas)
    #[arg(long = "ice-server", env = "SIGHTLINE_ICE_SERVER", value_name = "URL", value_delimiter = ',',
        value_parser = stun_url)]
    pub ice_server: Vec<String>,
    /// How much is logged to standard error
    #[arg(long, env = "SIGHTLINE_LOG", value_enum, default_value_t = LogLevel::Info)]
    pub log: LogLevel,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the levels of the tracing crate")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// There is no home directory to keep anything in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("There is no home directory: say with --data-dir where to keep what survives a restart.")]
pub struct NoDataDir;

impl TryFrom<Options> for Config {
    type Error = NoDataDir;

    fn try_from(options: Options) -> Result<Self, NoDataDir> {
        let data_dir = match options.data_dir {
            Some(chosen) => chosen,
            None => etcetera::choose_base_strategy().map_err(|_| NoDataDir)?.data_dir().join("sightline"),
        };
        let ice_servers = if options.ice_server.is_empty() {
            Vec::new()
        } else {
            vec![IceServer { urls: options.ice_server, username: None, credential: None }]
        };
        Ok(Self {
            bind: options.bind,
            port: options.port,
            dist: options.dist,
            data_dir,
            allowed_origins: options.allow_origin,
            rooms: RoomSettings {
                room_limit: options.room_limit,
                max_rooms: options.max_rooms,
                ice_servers,
                ..RoomSettings::default()
            },
            sockets: SocketLimits { max_sockets: options.max_sockets, ..SocketLimits::default() },
        })
    }
}

/// Browsers throw at a `turn:` address without credentials, and at anything else (W3C WebRTC section 4.2.2.1).
fn stun_url(raw: &str) -> Result<String, &'static str> {
    let host = raw.strip_prefix("stun:").or_else(|| raw.strip_prefix("stuns:"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', ' ']) => Ok(raw.to_owned()),
        _ => Err("not of the form stun:host or stun:host:port"),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Parser, error::ErrorKind};

    use super::*;

    #[derive(Debug, Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: Options,
    }

    fn parse(arguments: &[&str]) -> Result<Config, ErrorKind> {
        let all = ["x", "--data-dir", "d"].iter().chain(arguments);
        let options = CommandLine::try_parse_from(all).map_err(|error| error.kind())?.options;
        Ok(options.try_into().expect("a data directory is given"))
    }

    #[test]
    fn nothing_has_to_be_chosen() {
        let config = parse(&[]).unwrap();
        assert_eq!((config.port, config.bind, config.rooms.room_limit), (8080, None, DEFAULT_ROOM_MEMBERS));
        assert_eq!(config.rooms.ice_servers, []);
    }

    #[test]
    fn lists_are_repeated_or_separated_by_commas() {
        let config = parse(&["--ice-server", "stun:a,stun:b:3478", "--ice-server", "stuns:c"]).unwrap();
        assert_eq!(config.rooms.ice_servers[0].urls, ["stun:a", "stun:b:3478", "stuns:c"]);
        let config = parse(&["--allow-origin", "https://a.example,http://b:1"]).unwrap();
        assert_eq!(config.allowed_origins.len(), 2);
    }

    #[test]
    fn what_no_browser_would_take_is_refused_at_the_start() {
        for url in ["turn:a", "a", "stun:", "stun:a?transport=udp", "https://a"] {
            assert_eq!(parse(&["--ice-server", url]).unwrap_err(), ErrorKind::ValueValidation, "{url}");
        }
    }

    #[test]
    fn a_room_of_nobody_or_of_thousands_is_refused() {
        for limit in ["0", "101", "-1", "x"] {
            assert!(parse(&["--room-limit", limit]).is_err(), "{limit}");
        }
        assert_eq!(parse(&["--room-limit", "100"]).unwrap().rooms.room_limit, 100);
    }
}
