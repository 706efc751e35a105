//! The two ends of a link, for whatever runs there.

use std::{ffi::OsStr, net::IpAddr, sync::Arc};

use anyhow::Result;
use sightline_netlab::{Direction, Link, LinkProfile};
use tokio::process::Command;

use super::{Gateway, Place, Room};
use crate::{native_peer::NativePeer, server::Server};

/// A link whose ends reach the server past it.
#[derive(Debug)]
pub struct Ends {
    /// The link between the ends.
    pub link: Arc<Link>,
    origin: String,
    to_server: [Gateway; 2],
}

impl Ends {
    pub(crate) fn new(server: &Server, profile: &LinkProfile) -> Result<Self> {
        let link = Arc::new(Link::new(profile)?);
        let port = server.port();
        let to_server = [
            Gateway::out_of(&Room::Link(Arc::clone(&link), Place::A), port)?,
            Gateway::out_of(&Room::Link(Arc::clone(&link), Place::B), port)?,
        ];
        Ok(Self { link, origin: server.url(), to_server })
    }

    pub(crate) fn room(&self, place: Place) -> Room {
        Room::Link(Arc::clone(&self.link), place)
    }

    /// The server's address at both ends.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Starts a command of `sightline-peer` at one end.
    ///
    /// # Errors
    /// Where it is not built or does not start.
    pub fn peer<S: AsRef<OsStr>>(
        &self,
        place: Place,
        command: &str,
        room: &str,
        name: &str,
        arguments: &[S],
    ) -> Result<NativePeer> {
        NativePeer::start_in(&self.room(place), command, &self.origin, room, name, arguments)
    }

    /// The command that runs a program at one end.
    #[must_use]
    pub fn command(&self, place: Place, program: &str) -> Command {
        self.room(place).command(program)
    }

    /// The address of one end on the link.
    #[must_use]
    pub fn address(&self, place: Place) -> IpAddr {
        place.side(&self.link).address
    }

    /// Cuts the network between the ends, or ends the cut. Both still reach the server.
    pub fn set_cut(&self, is_cut: bool) {
        self.link.set_cut(is_cut);
    }

    /// Cuts both ends off from the server, or ends that cut.
    pub fn set_server_cut(&self, is_cut: bool) {
        for gateway in &self.to_server {
            gateway.set_cut(is_cut);
        }
    }

    /// Bytes of all packets that one end has sent so far, with their IP headers.
    #[must_use]
    pub fn sent_bytes(&self, from: Place) -> u64 {
        let direction = match from {
            Place::A => Direction::AToB,
            Place::B => Direction::BToA,
        };
        self.link.counters(direction).taken_bytes
    }
}
