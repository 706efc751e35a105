//! The place where a program of a test runs.

use std::{net::TcpListener, sync::Arc};

use anyhow::Result;
use sightline_netlab::{Internet, Link, Namespace};
use tokio::process::Command;

use super::{
    Place,
    gateway::{Gateway, free_port},
};

/// A namespace, with the network that it belongs to.
#[derive(Debug, Clone)]
pub(crate) enum Room {
    /// An end of a link.
    Link(Arc<Link>, Place),
    /// A home behind a router.
    Home(Arc<Internet>, Place),
    /// The network that connects the homes.
    Middle(Arc<Internet>),
}

/// The gateways to a driver in a namespace; the driver listens on the same ports there.
#[derive(Debug)]
pub(crate) struct DriverPorts {
    pub(crate) driver: u16,
    /// The gateway for WebDriver BiDi, if it has a separate port.
    pub(crate) bidi: u16,
    _gateways: [Gateway; 2],
}

impl Room {
    pub(crate) fn namespace(&self) -> &Namespace {
        match self {
            Self::Link(link, place) => &place.side(link).namespace,
            Self::Home(internet, Place::A) => &internet.homes[0],
            Self::Home(internet, Place::B) => &internet.homes[1],
            Self::Middle(internet) => &internet.middle,
        }
    }

    /// The command that runs `program` in this place.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.namespace().command(program).into()
    }

    pub(crate) fn driver_ports(&self) -> Result<DriverPorts> {
        let into = |listener: TcpListener| Gateway::into(self.clone(), listener);
        let ((driver, driver_port), (bidi, bidi_port)) = (free_port()?, free_port()?);
        Ok(DriverPorts { driver: driver_port, bidi: bidi_port, _gateways: [into(driver)?, into(bidi)?] })
    }
}
