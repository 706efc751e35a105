//! A member, for display.

use sightline_protocol::{Member, control::PublishedState};

use super::LinkState;
use crate::budget::Standing;

/// Another member, for display.
#[derive(Debug, Clone, Copy)]
pub struct PeerView<'a> {
    /// The server's data about the member.
    pub member: &'a Member,
    /// The state of the link.
    pub state: LinkState,
    /// The member's published state; `None` before it was received.
    pub published: Option<PublishedState>,
    /// Whether the member's messages take effect.
    pub standing: Standing,
}

impl PeerView<'_> {
    /// Whether the name could be read. In a protected room the session removes a sealed name that it opened.
    #[must_use]
    pub fn has_readable_name(&self) -> bool {
        self.member.sealed_name.is_none()
    }
}
