//! Browsers in separate network namespaces: two with an emulated link between them ([`FarApart`]), or two in homes behind routers
//! ([`AtHome`]). Their pages reach the server over another path, which can be cut separately; with [`Across`] they reach it over the
//! link. Needs root on Linux.

mod across;
mod at_home;
mod gateway;
mod room;

use std::sync::Arc;

use libtest_mimic::Trial;
use sightline_netlab::{Link, NetlabError, Side, available};

pub use across::Across;
pub use at_home::{AtHome, Router, where_there_are_routers};
pub use gateway::Gateway;
pub(crate) use room::{DriverPorts, Room};
pub use sightline_netlab::{Direction, LinkProfile};

use crate::page::Page;

/// An end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The end of the first page.
    A,
    /// The end of the second page.
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
    /// The page at each end.
    pub pages: [Arc<Page>; 2],
    /// The link between the pages.
    pub link: Arc<Link>,
    to_server: [Gateway; 2],
}

impl FarApart {
    pub(crate) fn new(pages: [Arc<Page>; 2], link: Arc<Link>, to_server: [Gateway; 2]) -> Self {
        Self { pages, link, to_server }
    }

    /// Cuts the network between the two, or ends the cut. Both still reach the server.
    pub fn set_cut(&self, is_cut: bool) {
        self.link.set_cut(is_cut);
    }

    /// Cuts both pages off from the server, or ends that cut.
    pub fn set_server_cut(&self, is_cut: bool) {
        for gateway in &self.to_server {
            gateway.set_cut(is_cut);
        }
    }
}

/// These trials if namespaces can be made, else the same trials as ignored, with the reason.
#[must_use]
pub fn where_there_are_namespaces(trials: Vec<Trial>) -> Vec<Trial> {
    ignored_because(available().err(), trials)
}

/// These trials, ignored if there is a reason.
fn ignored_because(reason: Option<NetlabError>, trials: Vec<Trial>) -> Vec<Trial> {
    let Some(reason) = reason else { return trials };
    trials
        .into_iter()
        .map(|trial| {
            eprintln!("ignored, because {reason}: {}", trial.name());
            trial.with_ignored_flag(true)
        })
        .collect()
}
