//! Two browsers in two network namespaces with an emulated link between them. Their pages reach the server beside the
//! link, by a way that can be cut by itself. Needs root on Linux.

mod gateway;

use std::{net::TcpListener, sync::Arc};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_netlab::{Link, Side, available};
use tokio::process::Command;

pub use gateway::Gateway;
pub use sightline_netlab::{Direction, LinkProfile};

use crate::page::Page;

/// Which end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first page's.
    A,
    /// The second page's.
    B,
}

impl Place {
    pub(crate) fn side(self, link: &Link) -> &Side {
        match self {
            Self::A => &link.a,
            Self::B => &link.b,
        }
    }
}

/// Two pages at the two ends of a link.
#[derive(Debug)]
pub struct FarApart {
    /// The pages.
    pub pages: [Arc<Page>; 2],
    /// What is between them.
    pub link: Arc<Link>,
    to_server: [Gateway; 2],
}

impl FarApart {
    pub(crate) fn new(pages: [Arc<Page>; 2], link: Arc<Link>, to_server: [Gateway; 2]) -> Self {
        Self { pages, link, to_server }
    }

    /// Cuts the network between the two, or mends it. Both still reach the server.
    pub fn set_cut(&self, is_cut: bool) {
        self.link.set_cut(is_cut);
    }

    /// Cuts both pages off from the server, or mends that.
    pub fn set_server_cut(&self, is_cut: bool) {
        for gateway in &self.to_server {
            gateway.set_cut(is_cut);
        }
    }
}

/// A namespace that a browser runs in, with the way to its driver.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    pub(crate) link: Arc<Link>,
    pub(crate) place: Place,
}

/// The ways to a driver in a namespace; the driver listens on the same ports there.
#[derive(Debug)]
pub(crate) struct DriverPorts {
    pub(crate) driver: u16,
    /// Of WebDriver BiDi, where that has its own.
    pub(crate) bidi: u16,
    _gateways: [Gateway; 2],
}

impl Room {
    /// The command that runs `program` in it.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.place.side(&self.link).namespace.command(program).into()
    }

    pub(crate) fn driver_ports(&self) -> Result<DriverPorts> {
        let into = |listener: TcpListener| Gateway::into(&self.link, self.place, listener);
        let ((driver, driver_port), (bidi, bidi_port)) = (gateway::free_port()?, gateway::free_port()?);
        Ok(DriverPorts { driver: driver_port, bidi: bidi_port, _gateways: [into(driver)?, into(bidi)?] })
    }
}

/// These trials where namespaces can be made, else the same trials ignored, with the reason.
#[must_use]
pub fn where_there_are_namespaces(trials: Vec<Trial>) -> Vec<Trial> {
    let Err(reason) = available() else { return trials };
    trials
        .into_iter()
        .map(|trial| {
            eprintln!("ignored, because {reason}: {}", trial.name());
            trial.with_ignored_flag(true)
        })
        .collect()
}
