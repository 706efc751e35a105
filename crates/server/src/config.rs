//! The configuration of a server, and the options of the command line that set it.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{
    Args,
    builder::{FalseyValueParser, RangedU64ValueParser},
    value_parser,
};
use etcetera::BaseStrategy;
use sightline_protocol::{limits::DEFAULT_ROOM_MEMBERS, signaling::IceServer};

use crate::{
    files::EmbeddedClient,
    hosts::AllowedHost,
    log::{LogFormat, LogLevel},
    origin::AllowedOrigin,
    proxy::TrustedProxy,
    rooms::RoomSettings,
    signaling::limits::{AddressLimits, RateLimits, SocketLimits},
    slots::ConnectionLimits,
    start_error::NoDataDir,
    tls::TlsIdentity,
    turn::{RelaySource, options::TurnOptions},
};

/// The greatest room limit: the list of 100 members with the longest names fits into one frame.
const MAX_ROOM_LIMIT: u64 = 100;

/// The configuration of a [`crate::Server`].
#[derive(Debug, Clone)]
pub struct Config {
    /// The address to listen on; `None` for all addresses, IPv4 and IPv6.
    pub bind: Option<IpAddr>,
    /// The port of the page; 0 for any free port.
    pub port: u16,
    /// Where the certificate of https comes from; `None` for http.
    pub tls: Option<TlsIdentity>,
    /// With [`Self::tls`], a second port that redirects every request to the first; 0 for any free port.
    pub http_port: Option<u16>,
    /// The directory of the built client; `None` for [`Self::client`].
    pub dist: Option<PathBuf>,
    /// The client in the program; without it and [`Self::dist`] the directory `dist` is served.
    pub client: Option<EmbeddedClient>,
    /// The directory of the resume tokens' secret and of the self-signed certificate.
    pub data_dir: PathBuf,
    /// The file with the key of the tokens that allow to open a room; `None` if everybody may open one.
    pub create_token_file: Option<PathBuf>,
    /// Other origins whose pages may use the signaling.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Host names that the server answers to, in addition to `localhost` and addresses. If empty: every name that a stranger
    /// cannot have registered.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Proxies whose `X-Forwarded-For` is trusted, in addition to those on this machine.
    pub trusted_proxies: Vec<TrustedProxy>,
    /// The address of a port for the metrics; `None` to serve them on the port of the page.
    pub metrics_bind: Option<SocketAddr>,
    /// Whether the metrics on the port of the page are shown to everyone, not only to this machine.
    pub has_open_metrics: bool,
    /// Where STUN and TURN come from.
    pub turn: RelaySource,
    /// Settings of every room.
    pub rooms: RoomSettings,
    /// Limits of the signaling sockets.
    pub sockets: SocketLimits,
    /// Limits of the page's connections.
    pub connections: ConnectionLimits,
}

/// The options of the command line; each is also an environment variable.
#[derive(Debug, Clone, Args)]
#[allow(rustdoc::bare_urls, reason = "these texts are the output of --help")]
pub struct Options {
    /// The port of the page and of the signaling; 0 for one that is free
    #[arg(long, env = "SIGHTLINE_PORT", default_value_t = 8080)]
    pub port: u16,
    /// The address to listen on [default: all of this machine]
    #[arg(long, env = "SIGHTLINE_BIND", value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// Speak https with a self-signed certificate, which browsers warn of once; http on the same port is redirected
    #[arg(long, env = "SIGHTLINE_TLS", value_parser = FalseyValueParser::new())]
    pub tls: bool,
    /// Speak https with this certificate chain (PEM); read again on SIGHUP and every hour
    #[arg(long, env = "SIGHTLINE_CERT", value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// The private key of --cert (PEM)
    #[arg(long, env = "SIGHTLINE_KEY", value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// With --tls or --cert, another port on which http is redirected to https, such as 80
    #[arg(long, env = "SIGHTLINE_HTTP_PORT", value_name = "PORT")]
    pub http_port: Option<u16>,
    /// The directory with the built client [default: the client in this binary, or dist where it has none]
    #[arg(long, env = "SIGHTLINE_DIST", value_name = "DIR")]
    pub dist: Option<PathBuf>,
    /// The directory for what survives a restart [default: the user's data directory]
    #[arg(long, env = "SIGHTLINE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Only holders of a token may open a room: the file with the key of the tokens, which is made if it does not exist; the command
    /// create-token makes a token
    #[arg(long, env = "SIGHTLINE_CREATE_TOKEN_FILE", value_name = "FILE")]
    pub create_token_file: Option<PathBuf>,
    /// Most members of one room
    #[arg(long, env = "SIGHTLINE_ROOM_LIMIT", value_name = "MEMBERS", default_value_t = DEFAULT_ROOM_MEMBERS,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=MAX_ROOM_LIMIT))]
    pub room_limit: usize,
    /// Most rooms at the same time
    #[arg(long, env = "SIGHTLINE_MAX_ROOMS", value_name = "ROOMS", default_value_t = RoomSettings::default().max_rooms)]
    pub max_rooms: usize,
    /// Most signaling sockets at the same time
    #[arg(long, env = "SIGHTLINE_MAX_SOCKETS", value_name = "SOCKETS", default_value_t = SocketLimits::default().max_sockets,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub max_sockets: usize,
    /// Another origin whose pages may use the signaling, such as https://example.org (repeat, or separate by commas)
    #[arg(
        long = "allow-origin",
        env = "SIGHTLINE_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub allow_origin: Vec<AllowedOrigin>,
    /// A host name that the server answers to, such as calls.example.org (repeat, or separate by commas); it always answers to
    /// localhost and addresses [default: any name by https, through a proxy or at a public address, else names that nobody
    /// can register]
    #[arg(long = "allowed-host", env = "SIGHTLINE_ALLOWED_HOST", value_name = "HOST", value_delimiter = ',')]
    pub allowed_host: Vec<AllowedHost>,
    /// A STUN server for the clients, such as stun:stun.example.org (repeat, or separate by commas)
    #[arg(long = "ice-server", env = "SIGHTLINE_ICE_SERVER", value_name = "URL", value_delimiter = ',',
        value_parser = stun_url)]
    pub ice_server: Vec<String>,
    /// Most signaling sockets of one address at the same time [default: 256, and no limit for this machine itself]
    #[arg(long, env = "SIGHTLINE_MAX_SOCKETS_PER_ADDRESS", value_name = "SOCKETS",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub max_sockets_per_address: Option<usize>,
    /// Most joins of one address a minute [default: 240, and no limit for this machine itself]
    #[arg(long, env = "SIGHTLINE_MAX_JOINS_PER_MINUTE", value_name = "JOINS", value_parser = value_parser!(u32).range(1..))]
    pub max_joins_per_minute: Option<u32>,
    /// Most frames that one socket may send a second, after a burst of 2.5 times as many
    #[arg(long, env = "SIGHTLINE_MAX_FRAMES_PER_SECOND", value_name = "FRAMES",
        default_value_t = RateLimits::default().frames_per_s, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub max_frames_per_second: u32,
    /// Most bytes that one socket may send a second, after a burst of four times as many
    #[arg(long, env = "SIGHTLINE_MAX_BYTES_PER_SECOND", value_name = "BYTES",
        default_value_t = RateLimits::default().bytes_per_s, value_parser = value_parser!(u32).range(1..=1_000_000_000))]
    pub max_bytes_per_second: u32,
    /// A proxy, or a network of them, whose X-Forwarded-For is believed, such as 10.0.0.0/8 (repeat, or separate by
    /// commas); one on this machine always is
    #[arg(
        long = "trusted-proxy",
        env = "SIGHTLINE_TRUSTED_PROXY",
        value_name = "ADDRESS",
        value_delimiter = ','
    )]
    pub trusted_proxy: Vec<TrustedProxy>,
    /// A separate address for /metrics, such as 127.0.0.1:9090, open to everyone who reaches it [default: on the port of the
    /// page, for this machine only]
    #[arg(long, env = "SIGHTLINE_METRICS_BIND", value_name = "ADDRESS:PORT")]
    pub metrics_bind: Option<SocketAddr>,
    /// Show /metrics on the port of the page to everyone
    #[arg(long, env = "SIGHTLINE_OPEN_METRICS", value_parser = FalseyValueParser::new(), conflicts_with = "metrics_bind")]
    pub open_metrics: bool,
    #[command(flatten)]
    turn: TurnOptions,
    /// How much is logged
    #[arg(long, env = "SIGHTLINE_LOG", value_enum, default_value_t = LogLevel::Info)]
    pub log: LogLevel,
    /// The format of the log, on standard output and in the file
    #[arg(long, env = "SIGHTLINE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Also log to this file; at 16 MiB it is renamed, and five renamed files are kept
    #[arg(long, env = "SIGHTLINE_LOG_FILE", value_name = "FILE")]
    pub log_file: Option<PathBuf>,
}

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
        let default = AddressLimits::default();
        let address = AddressLimits {
            max_sockets: options.max_sockets_per_address.unwrap_or(default.max_sockets),
            joins_per_min: options.max_joins_per_minute.unwrap_or(default.joins_per_min),
            includes_loopback: options.max_sockets_per_address.is_some()
                || options.max_joins_per_minute.is_some(),
        };
        let tls = match (options.cert, options.key) {
            (Some(certificate), Some(key)) => Some(TlsIdentity::Files { certificate, key }),
            _ => options.tls.then_some(TlsIdentity::SelfSigned),
        };
        Ok(Self {
            bind: options.bind,
            port: options.port,
            http_port: options.http_port.filter(|_| tls.is_some()),
            tls,
            dist: options.dist,
            client: None,
            data_dir,
            create_token_file: options.create_token_file,
            allowed_origins: options.allow_origin,
            allowed_hosts: options.allowed_host,
            trusted_proxies: options.trusted_proxy,
            metrics_bind: options.metrics_bind,
            has_open_metrics: options.open_metrics,
            turn: options.turn.into(),
            rooms: RoomSettings {
                room_limit: options.room_limit,
                max_rooms: options.max_rooms,
                ice_servers,
                ..RoomSettings::default()
            },
            sockets: SocketLimits {
                max_sockets: options.max_sockets,
                rate: RateLimits {
                    burst_frames: options.max_frames_per_second.saturating_mul(5) / 2,
                    frames_per_s: options.max_frames_per_second,
                    burst_bytes: options.max_bytes_per_second.saturating_mul(4),
                    bytes_per_s: options.max_bytes_per_second,
                },
                address,
                ..SocketLimits::default()
            },
            connections: ConnectionLimits::default(),
        })
    }
}

/// Browsers throw an exception at a `turn:` address without credentials and at any other scheme (W3C WebRTC section 4.2.2.1).
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
    fn every_option_has_a_default() {
        let config = parse(&[]).unwrap();
        assert_eq!((config.port, config.bind, config.rooms.room_limit), (8080, None, DEFAULT_ROOM_MEMBERS));
        assert_eq!(config.rooms.ice_servers, []);
    }

    #[test]
    fn https_uses_a_self_signed_certificate_or_a_given_one_with_its_key() {
        assert_eq!(parse(&[]).unwrap().tls, None);
        assert_eq!(parse(&["--tls"]).unwrap().tls, Some(TlsIdentity::SelfSigned));
        let given = TlsIdentity::Files { certificate: "c".into(), key: "k".into() };
        assert_eq!(parse(&["--cert", "c", "--key", "k", "--tls"]).unwrap().tls, Some(given));
        assert_eq!(parse(&["--cert", "c"]).unwrap_err(), ErrorKind::MissingRequiredArgument);
        assert_eq!(parse(&["--key", "k"]).unwrap_err(), ErrorKind::MissingRequiredArgument);
    }

    #[test]
    fn lists_are_repeated_or_separated_by_commas() {
        let config = parse(&["--ice-server", "stun:a,stun:b:3478", "--ice-server", "stuns:c"]).unwrap();
        assert_eq!(config.rooms.ice_servers[0].urls, ["stun:a", "stun:b:3478", "stuns:c"]);
        let config = parse(&["--allow-origin", "https://a.example,http://b:1"]).unwrap();
        assert_eq!(config.allowed_origins.len(), 2);
        let config = parse(&["--allowed-host", "a.example,b", "--allowed-host", "[::1]"]).unwrap();
        assert_eq!(config.allowed_hosts.len(), 3);
    }

    #[test]
    fn a_stun_address_that_no_browser_accepts_is_refused_at_the_start() {
        for url in ["turn:a", "a", "stun:", "stun:a?transport=udp", "https://a"] {
            assert_eq!(parse(&["--ice-server", url]).unwrap_err(), ErrorKind::ValueValidation, "{url}");
        }
    }

    #[test]
    fn a_room_limit_of_zero_or_beyond_100_is_refused() {
        for limit in ["0", "101", "-1", "x"] {
            assert!(parse(&["--room-limit", limit]).is_err(), "{limit}");
        }
        assert_eq!(parse(&["--room-limit", "100"]).unwrap().rooms.room_limit, 100);
    }
}
