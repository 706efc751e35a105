//! STUN and TURN on the command line; each option is also an environment variable.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

use clap::{
    Args,
    builder::{FalseyValueParser, RangedU64ValueParser},
    value_parser,
};
use ipnet::IpNet;

use super::{
    engine::{credentials::MAX_CREDENTIAL_LIFE, quotas::AllocationLimits},
    settings::{RelaySource, TurnLimits, TurnSettings},
};
use crate::hosts::UrlHost;

/// The options of STUN and TURN.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "STUN and TURN")]
pub struct TurnOptions {
    /// Switch off STUN and TURN in this server
    #[arg(long, env = "SIGHTLINE_NO_TURN", value_parser = FalseyValueParser::new())]
    no_turn: bool,
    /// The port of STUN, and of TURN over UDP and TCP; 0 for one that is free [default: 3478, or a free one]
    #[arg(long, env = "SIGHTLINE_TURN_PORT", value_name = "PORT")]
    turn_port: Option<u16>,
    /// The port of TURN over TLS; 0 for one that is free [default: 5349, or a free one]
    #[arg(long, env = "SIGHTLINE_TURN_TLS_PORT", value_name = "PORT")]
    turn_tls_port: Option<u16>,
    /// The UDP ports to relay from
    #[arg(long, env = "SIGHTLINE_TURN_RELAY_PORTS", value_name = "FIRST-LAST", default_value = "49152-65535",
        value_parser = port_range)]
    turn_relay_ports: RangeInclusive<u16>,
    /// The address by which others reach this machine, where a NAT is in front of it (repeat for IPv6)
    #[arg(long, env = "SIGHTLINE_EXTERNAL_IP", value_name = "ADDRESS", value_delimiter = ',', value_parser = external)]
    external_ip: Vec<IpAddr>,
    /// The name by which clients reach STUN and TURN [default: the name of the page]
    #[arg(long, env = "SIGHTLINE_TURN_HOST", value_name = "NAME", value_parser = UrlHost::of_authority)]
    turn_host: Option<UrlHost>,
    /// A network that the relay may reach although it is private, such as 192.168.0.0/16 (repeat, or separate by commas)
    #[arg(long, env = "SIGHTLINE_TURN_ALLOW", value_name = "CIDR", value_delimiter = ',')]
    turn_allow: Vec<IpNet>,
    /// A network that the relay never reaches, whatever is allowed, in every spelling of an address (repeat, or separate by commas)
    #[arg(long, env = "SIGHTLINE_TURN_DENY", value_name = "CIDR", value_delimiter = ',')]
    turn_deny: Vec<IpNet>,
    /// Another TURN server to use instead, such as turn:turn.example.org?transport=udp (repeat, or separate by commas)
    #[arg(long, env = "SIGHTLINE_TURN_URL", value_name = "URL", value_delimiter = ',', value_parser = relay_url,
        requires = "turn_secret")]
    turn_url: Vec<String>,
    /// The secret of the credentials (coturn's static-auth-secret) [default: a random one]
    #[arg(long, env = "SIGHTLINE_TURN_SECRET", value_name = "SECRET", hide_env_values = true,
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    turn_secret: Option<String>,
    /// How many seconds a credential is valid
    #[arg(long, env = "SIGHTLINE_TURN_CREDENTIAL_LIFE", value_name = "SECONDS", default_value_t = 600,
        value_parser = value_parser!(u64).range(1..=MAX_CREDENTIAL_LIFE.as_secs()))]
    turn_credential_life: u64,
    /// Most allocations at the same time
    #[arg(long, env = "SIGHTLINE_TURN_MAX_ALLOCATIONS", value_name = "ALLOCATIONS",
        default_value_t = TurnLimits::default().allocations.total, value_parser = count())]
    turn_max_allocations: usize,
    /// Most allocations of one member at the same time
    #[arg(long, env = "SIGHTLINE_TURN_MAX_ALLOCATIONS_PER_USER", value_name = "ALLOCATIONS",
        default_value_t = TurnLimits::default().allocations.per_user, value_parser = count())]
    turn_max_allocations_per_user: usize,
    /// Most allocations of one address at the same time
    #[arg(long, env = "SIGHTLINE_TURN_MAX_ALLOCATIONS_PER_ADDRESS", value_name = "ALLOCATIONS",
        default_value_t = TurnLimits::default().allocations.per_address, value_parser = count())]
    turn_max_allocations_per_address: usize,
    /// Most bits a second of one allocation in each direction
    #[arg(long, env = "SIGHTLINE_TURN_MAX_BITRATE", value_name = "BITS",
        default_value_t = TurnLimits::default().bitrate_bps, value_parser = value_parser!(u64).range(1..))]
    turn_max_bitrate: u64,
    /// Most bits a second that the relay sends, shared fairly among the allocations [default: no limit]
    #[arg(long, env = "SIGHTLINE_TURN_MAX_TOTAL_BITRATE", value_name = "BITS", value_parser = value_parser!(u64).range(1..))]
    turn_max_total_bitrate: Option<u64>,
    /// Most requests a second of one address, after a burst of four times as many
    #[arg(long, env = "SIGHTLINE_TURN_MAX_REQUESTS_PER_SECOND", value_name = "REQUESTS",
        default_value_t = TurnLimits::default().requests_per_s, value_parser = value_parser!(u32).range(1..))]
    turn_max_requests_per_second: u32,
    /// Most answers a second to one address for requests without credentials, after a burst of four times as many
    #[arg(long, env = "SIGHTLINE_TURN_MAX_UNAUTHENTICATED_PER_SECOND", value_name = "ANSWERS",
        default_value_t = TurnLimits::default().unauthenticated_per_s, value_parser = value_parser!(u32).range(1..))]
    turn_max_unauthenticated_per_second: u32,
}

impl From<TurnOptions> for RelaySource {
    fn from(options: TurnOptions) -> Self {
        let credential_life = Duration::from_secs(options.turn_credential_life);
        match options.turn_secret {
            Some(secret) if !options.turn_url.is_empty() => {
                Self::Elsewhere { urls: options.turn_url, secret, credential_life }
            }
            _ if options.no_turn => Self::Off,
            secret => Self::Own(Box::new(TurnSettings {
                port: options.turn_port,
                tls_port: options.turn_tls_port,
                relay_ports: options.turn_relay_ports,
                external: options.external_ip,
                allowed_peers: options.turn_allow,
                denied_peers: options.turn_deny,
                secret,
                credential_life,
                host: options.turn_host,
                limits: TurnLimits {
                    allocations: AllocationLimits {
                        per_user: options.turn_max_allocations_per_user,
                        per_address: options.turn_max_allocations_per_address,
                        total: options.turn_max_allocations,
                    },
                    bitrate_bps: options.turn_max_bitrate,
                    total_bitrate_bps: options.turn_max_total_bitrate,
                    requests_per_s: options.turn_max_requests_per_second,
                    unauthenticated_per_s: options.turn_max_unauthenticated_per_second,
                    ..TurnLimits::default()
                },
            })),
        }
    }
}

fn count() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1_000_000)
}

fn port_range(raw: &str) -> Result<RangeInclusive<u16>, &'static str> {
    let ends = raw.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    match ends {
        Some((first, last)) if 0 < first && first <= last => Ok(first..=last),
        _ => Err("not of the form 49152-65535"),
    }
}

fn external(raw: &str) -> Result<IpAddr, &'static str> {
    match raw.parse::<IpAddr>() {
        Ok(address) if !address.is_unspecified() && !address.is_multicast() => Ok(address),
        _ => Err("not an address of one machine"),
    }
}

/// Accepts the addresses that browsers accept (RFC 7064, RFC 7065). Browsers throw an exception at any other.
fn relay_url(raw: &str) -> Result<String, &'static str> {
    let (scheme, rest) = raw.split_once(':').unwrap_or_default();
    let (authority, query) =
        rest.split_once('?').map_or((rest, None), |(authority, query)| (authority, Some(query)));
    let is_query_sound = match scheme {
        "stun" | "stuns" => query.is_none(),
        "turn" | "turns" => matches!(query, None | Some("transport=udp" | "transport=tcp")),
        _ => false,
    };
    if is_query_sound && UrlHost::of_authority(authority).is_ok() {
        Ok(raw.to_owned())
    } else {
        Err("not of the form turn:host:port?transport=udp, turns:host or stun:host")
    }
}

#[cfg(test)]
mod tests {
    use clap::{Parser, error::ErrorKind};

    use super::*;

    #[derive(Debug, Parser)]
    struct CommandLine {
        #[command(flatten)]
        turn: TurnOptions,
    }

    fn parse(arguments: &[&str]) -> Result<RelaySource, ErrorKind> {
        let all = ["x"].iter().chain(arguments);
        Ok(CommandLine::try_parse_from(all).map_err(|error| error.kind())?.turn.into())
    }

    fn own(arguments: &[&str]) -> TurnSettings {
        match parse(arguments) {
            Ok(RelaySource::Own(settings)) => *settings,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn turn_is_on_unless_it_is_switched_off() {
        let settings = own(&[]);
        assert_eq!((settings.port, settings.credential_life), (None, Duration::from_secs(600)));
        assert_eq!((settings.allowed_peers, settings.secret), (vec![], None));
        assert!(matches!(parse(&["--no-turn"]), Ok(RelaySource::Off)));
    }

    #[test]
    fn every_setting_has_an_option() {
        let settings = own(&[
            "--turn-port=0",
            "--turn-relay-ports=50000-50009",
            "--external-ip=198.51.100.1,2001:db8::1",
            "--turn-allow=127.0.0.0/8",
            "--turn-allow=::1/128",
            "--turn-deny=192.0.2.0/24,2001:db8::/32",
            "--turn-deny=8.8.8.8/32",
            "--turn-max-total-bitrate=1000000000",
            "--turn-max-requests-per-second=7",
            "--turn-secret=s",
            "--turn-credential-life=5",
            "--turn-host=turn.example.org",
            "--turn-max-allocations-per-user=3",
        ]);
        assert_eq!((settings.port, settings.relay_ports), (Some(0), 50_000..=50_009));
        assert_eq!((settings.external.len(), settings.allowed_peers.len()), (2, 2));
        assert_eq!((settings.secret.as_deref(), settings.credential_life.as_secs()), (Some("s"), 5));
        assert_eq!(settings.host.unwrap().to_string(), "turn.example.org");
        assert_eq!(settings.limits.allocations.per_user, 3);
        assert_eq!((settings.denied_peers.len(), settings.limits.requests_per_s), (3, 7));
        assert_eq!(settings.limits.total_bitrate_bps, Some(1_000_000_000));
    }

    #[test]
    fn an_external_turn_server_requires_a_secret() {
        let url = "turn:turn.example.org:3478?transport=udp";
        assert_eq!(parse(&["--turn-url", url]).unwrap_err(), ErrorKind::MissingRequiredArgument);
        match parse(&["--turn-url", url, "--turn-url=stun:a,turns:b:443", "--turn-secret=s"]).unwrap() {
            RelaySource::Elsewhere { urls, secret, .. } => {
                assert_eq!(
                    (urls, secret.as_str()),
                    (vec![url.into(), "stun:a".into(), "turns:b:443".into()], "s")
                );
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn invalid_values_are_refused() {
        for argument in [
            "--turn-relay-ports=5",
            "--turn-relay-ports=9-5",
            "--turn-relay-ports=0-5",
            "--turn-relay-ports=1-70000",
            "--external-ip=0.0.0.0",
            "--external-ip=x",
            "--turn-allow=127.0.0.1",
            "--turn-allow=10.0.0.0/33",
            "--turn-deny=10.0.0.0/33",
            "--turn-deny=10.0.0.1",
            "--turn-max-total-bitrate=0",
            "--turn-max-requests-per-second=0",
            "--turn-secret=",
            "--turn-credential-life=0",
            "--turn-credential-life=86401",
            "--turn-host=a/b",
            "--turn-max-allocations=0",
        ] {
            assert!(parse(&[argument]).is_err(), "{argument}");
        }
        for url in [
            "a",
            "turn:",
            "http://a",
            "turn:a?transport=sctp",
            "stun:a?transport=udp",
            "turn:u@a",
            "turn:a b",
        ] {
            assert!(parse(&["--turn-secret=s", "--turn-url", url]).is_err(), "{url}");
        }
    }
}
