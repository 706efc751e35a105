//! The rules of a room at one moment, numbered, so that a server that restarted can tell newer tokens from older ones.

use sightline_protocol::Arrival;

/// Orders the states of a room. A new version begins with every change of the lock or the hosts, with every removal, and with every
/// departure for good from a locked room. All present members get a token of the new version, so only the token of somebody who was
/// not there has an older one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoomVersion {
    /// The number of the room's first arrival: a room that is made again under the same name has a later life. 0 in tokens of
    /// earlier servers.
    pub life: Arrival,
    /// Number of the version in that life.
    pub epoch: u32,
}

/// What applies to everybody who joins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoomRules {
    /// The version that these rules belong to.
    pub version: RoomVersion,
    /// Whether nobody is admitted without a host's yes.
    pub locked: bool,
}
