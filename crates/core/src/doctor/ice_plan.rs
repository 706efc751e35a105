//! Plans the gatherings that check the ICE servers named by the server.

use sightline_protocol::signaling::IceServer;

use super::check::{CheckId, CheckKind};
use crate::ice::{IceTransport, IceUrl};

/// Number of ICE server addresses that are checked.
pub const MAX_ICE_URLS: usize = 16;

/// Number of STUN servers that are asked from one socket, to compare the addresses they saw.
const COMPARED: usize = 2;

/// The planned gatherings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IcePlan {
    /// One gathering for each address.
    pub(super) servers: Vec<PlannedServer>,
    /// One gathering with two STUN servers; `None` where there are fewer than two.
    pub(super) mapping: Option<IceServer>,
}

/// The gathering for one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedServer {
    pub(super) id: CheckId,
    /// The address as it is displayed.
    pub(super) subject: String,
    /// `None` if browsers do not accept the address.
    pub(super) server: Option<IceServer>,
}

impl IcePlan {
    /// Plans the gatherings. `alternate_stun_urls` are the same servers at other ports; they are used only for the comparison.
    pub(super) fn new(ice_servers: &[IceServer], alternate_stun_urls: &[String]) -> Self {
        let mut plan = Self { servers: Vec::new(), mapping: None };
        let mut stun: Vec<String> = Vec::new();
        let alone =
            |server: &IceServer, raw: &String| IceServer { urls: vec![raw.clone()], ..server.clone() };
        let all = ice_servers.iter().flat_map(|server| server.urls.iter().map(move |raw| (server, raw)));
        for (server, raw) in all.take(MAX_ICE_URLS) {
            let url = IceUrl::parse(raw).ok();
            let kind = url.as_ref().map_or(CheckKind::StunUdp, kind_of);
            let number = plan.servers.iter().filter(|other| other.id.kind == kind).count() + 1;
            plan.servers.push(PlannedServer {
                id: CheckId { kind, number: u8::try_from(number).unwrap_or(u8::MAX) },
                subject: url.as_ref().map_or_else(|| raw.clone(), ToString::to_string),
                server: url.is_some().then(|| alone(server, raw)),
            });
            let as_stun = url.as_ref().and_then(IceUrl::as_stun).map(|url| url.to_string());
            stun.extend(as_stun.filter(|url| !stun.contains(url)));
        }
        for url in alternate_stun_urls.iter().take(MAX_ICE_URLS).filter_map(|raw| IceUrl::parse(raw).ok()) {
            let as_stun = url.as_stun().map(|url| url.to_string());
            stun.extend(as_stun.filter(|url| !stun.contains(url)));
        }
        stun.truncate(COMPARED);
        plan.mapping =
            (stun.len() == COMPARED).then_some(IceServer { urls: stun, username: None, credential: None });
        plan
    }
}

fn kind_of(url: &IceUrl) -> CheckKind {
    match (url.is_turn, url.transport) {
        (false, _) => CheckKind::StunUdp,
        (true, IceTransport::Udp) => CheckKind::TurnUdp,
        (true, IceTransport::Tcp) => CheckKind::TurnTcp,
        (true, IceTransport::Tls) => CheckKind::TurnTls,
    }
}
