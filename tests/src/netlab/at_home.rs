//! Two browsers behind routers, and the server in the middle.

use std::sync::Arc;

use libtest_mimic::Trial;
use sightline_netlab::Internet;

use super::{Gateway, ignored_because};
use crate::page::Page;

pub use sightline_netlab::Router;

/// Two pages in two homes. They reach the page's server past their routers, and everything else through them.
#[derive(Debug)]
pub struct AtHome {
    /// The page in each home.
    pub pages: [Arc<Page>; 2],
    _to_server: [Gateway; 2],
}

impl AtHome {
    /// The address at which the homes reach the server's STUN and TURN.
    #[must_use]
    pub fn server_address() -> String {
        Internet::ADDRESS.to_string()
    }

    pub(crate) fn new(pages: [Arc<Page>; 2], to_server: [Gateway; 2]) -> Self {
        Self { pages, _to_server: to_server }
    }
}

/// These trials if routers can be made, else the same trials as ignored, with the reason.
#[must_use]
pub fn where_there_are_routers(trials: Vec<Trial>) -> Vec<Trial> {
    ignored_because(Internet::available().err(), trials)
}
