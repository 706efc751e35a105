//! STUN and TURN servers as a person writes them: one address ([`IceUrl`]) and the list in the settings ([`OwnServers`]).

mod own_servers;
mod url;

pub use own_servers::{LineProblem, MAX_OWN_SERVERS, MAX_OWN_SERVERS_BYTES, OwnServers};
pub use url::{IceTransport, IceUrl, IceUrlInvalid, MAX_ICE_URL_BYTES};
