//! Two homes behind routers, and the server in the middle.

use std::{ffi::OsStr, sync::Arc};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_netlab::Internet;

use super::{Gateway, Place, Room, ignored_because};
use crate::{native_peer::NativePeer, page::Page, server::Server};

pub use sightline_netlab::Router;

/// Two homes. They reach the page's server past their routers, and everything else through them.
#[derive(Debug)]
pub struct Homes {
    internet: Arc<Internet>,
    origin: String,
    _to_server: [Gateway; 2],
}

/// A page in each of two homes.
#[derive(Debug)]
pub struct AtHome {
    /// The page in each home.
    pub pages: [Arc<Page>; 2],
    /// The homes.
    pub homes: Homes,
}

impl Homes {
    /// The address at which the homes reach the server's STUN and TURN.
    #[must_use]
    pub fn server_address() -> String {
        Internet::ADDRESS.to_string()
    }

    /// Makes the homes, and starts the server between them.
    pub(crate) async fn new(routers: [Router; 2], options: &[&str]) -> Result<(Self, Server)> {
        let internet = Arc::new(Internet::new(routers)?);
        let middle = Room::Middle(Arc::clone(&internet));
        let server = Server::start_in(middle.clone(), options).await?;
        let port = server.port();
        let gateway =
            |place| Gateway::between(&Room::Home(Arc::clone(&internet), place), middle.clone(), port);
        let to_server = [gateway(Place::A)?, gateway(Place::B)?];
        Ok((Self { internet, origin: server.url(), _to_server: to_server }, server))
    }

    pub(crate) fn room(&self, place: Place) -> Room {
        Room::Home(Arc::clone(&self.internet), place)
    }

    /// The server's address in both homes.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Starts a command of `sightline-peer` in one home.
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

    /// Starts the connection doctor of `sightline-peer` in one home.
    ///
    /// # Errors
    /// As [`Self::peer`].
    pub fn check(&self, place: Place) -> Result<NativePeer> {
        NativePeer::check_in(&self.room(place), &self.origin)
    }
}

/// These trials if routers can be made, else the same trials as ignored, with the reason.
#[must_use]
pub fn where_there_are_routers(trials: Vec<Trial>) -> Vec<Trial> {
    ignored_because(Internet::available().err(), trials)
}
