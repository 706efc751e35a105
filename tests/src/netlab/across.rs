//! A link with servers at its far end: a browser at the near end reaches them, and a browser beside them, over the link only.

use std::sync::Arc;

use anyhow::Result;
use sightline_netlab::{Link, LinkProfile};
use tokio::process::Command;

use super::{Gateway, Place, Room};
use crate::browser::{Browser, Profile};

/// A link with servers at its far end, [`Place::B`].
#[derive(Debug)]
pub struct Across {
    link: Arc<Link>,
    gateways: Vec<Gateway>,
}

impl Across {
    pub(crate) fn new(profile: &LinkProfile) -> Result<Self> {
        Ok(Self { link: Arc::new(Link::new(profile)?), gateways: Vec::new() })
    }

    /// The command that runs `program` at the far end.
    #[must_use]
    pub fn command_at_far_end(&self, program: &str) -> Command {
        self.room(Place::B).command(program)
    }

    /// Lets the near end reach a port of the far end under its own loopback address, because a page has a camera only there. A
    /// connection costs the round trips of TCP over the link.
    ///
    /// # Errors
    /// Where nobody can listen there.
    pub fn carry(&mut self, port: u16) -> Result<()> {
        let far = self.link.b.address;
        self.gateways.push(Gateway::across(&self.room(Place::A), far, port)?);
        Ok(())
    }

    /// A new browser at one end.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn browser(&self, place: Place, profile: Profile) -> Result<Browser> {
        Browser::start_in(profile, self.room(place)).await
    }

    pub(crate) fn room(&self, place: Place) -> Room {
        Room::Link(Arc::clone(&self.link), place)
    }
}
