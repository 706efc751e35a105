//! STUN and TURN servers as a person writes them: one address ([`IceUrl`]) and the list in the settings ([`OwnServers`]). And what of a
//! relay candidate is told to nobody: [`without_related_address`].

mod own_servers;
mod related_address;
mod url;

pub use own_servers::{LineProblem, MAX_OWN_SERVERS, MAX_OWN_SERVERS_BYTES, OwnServers};
pub use related_address::{description_without_related_addresses, without_related_address};
pub use url::{IceTransport, IceUrl, IceUrlInvalid, MAX_ICE_URL_BYTES};
