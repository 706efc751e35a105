//! A member as the page shows it.

use sightline_protocol::{Member, control::PublishedState};

use super::LinkState;
use crate::budget::Standing;

/// Another member as the page shows it.
#[derive(Debug, Clone, Copy)]
pub struct PeerView<'a> {
    /// What the signaling server says of the member.
    pub member: &'a Member,
    /// How the link stands.
    pub state: LinkState,
    /// What the member says it publishes; `None` before it said so.
    pub published: Option<PublishedState>,
    /// Whether what the member says counts.
    pub standing: Standing,
}
