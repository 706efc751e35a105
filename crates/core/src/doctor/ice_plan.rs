//! Which gatherings look at the ICE servers that the server names.

use sightline_protocol::signalling::IceServer;

use super::check::{CheckId, CheckKind};
use crate::ice::{IceTransport, IceUrl};

/// ICE servers that are looked at, address by address.
pub const MAX_ICE_URLS: usize = 16;

/// STUN servers that one socket asks, to compare what they saw.
const COMPARED: usize = 2;

/// What is gathered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IcePlan {
    /// Each address by itself.
    pub(super) servers: Vec<PlannedServer>,
    /// Two STUN servers together; `None` where there are no two.
    pub(super) mapping: Option<IceServer>,
}

/// One address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlannedServer {
    pub(super) id: CheckId,
    /// The address as it is shown.
    pub(super) subject: String,
    /// `None` where browsers do not take the address.
    pub(super) server: Option<IceServer>,
}

impl IcePlan {
    /// `alternate_stun_urls` are the same servers at other ports, for comparing alone.
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
