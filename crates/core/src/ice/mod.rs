//! STUN and TURN servers as a person writes them: their addresses ([`IceUrl`]) and a list of one's own ([`OwnServers`]).

mod own_servers;
mod url;

pub use own_servers::{LineProblem, MAX_OWN_SERVERS, MAX_OWN_SERVERS_BYTES, OwnServers};
pub use url::{IceTransport, IceUrl, IceUrlInvalid, MAX_ICE_URL_BYTES};
