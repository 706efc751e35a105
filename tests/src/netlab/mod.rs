//! Browsers and native peers in separate network namespaces: at the two ends of an emulated link ([`Ends`], with two pages
//! [`FarApart`]), or in homes behind routers ([`Homes`], [`AtHome`]). They reach the server over another path, which can be cut separately; with
//! [`Across`] they reach it over the link. Needs root on Linux.

mod across;
mod at_home;
mod ends;
mod gateway;
mod room;

use std::sync::Arc;

use libtest_mimic::Trial;
use sightline_netlab::{Link, NetlabError, Side, available};

pub use across::Across;
pub use at_home::{AtHome, Homes, Router, where_there_are_routers};
pub use ends::Ends;
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
    /// The ends, and the link between them.
    pub ends: Ends,
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
