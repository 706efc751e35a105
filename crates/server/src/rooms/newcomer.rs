//! Who asks to join a room, as the `join` message and the socket say.

use std::net::IpAddr;

use sightline_protocol::{DisplayName, InstanceId, SealedName};

use super::place::ClientKind;

/// Who joins.
pub(super) struct Newcomer {
    pub(super) name: DisplayName,
    pub(super) sealed_name: Option<SealedName>,
    pub(super) instance: InstanceId,
    pub(super) resume: Option<String>,
    pub(super) client: ClientKind,
    pub(super) address: IpAddr,
    pub(super) create_token: Option<String>,
    /// Whether its client knows what a rekey is.
    pub(super) rekeys: bool,
}
