//! Which pages may use the signalling: by their origin, and by the name that they were asked for by.

use std::sync::Arc;

use axum::http::HeaderMap;

use crate::{
    hosts::{Arrived, HostRule},
    origin::{self, AllowedOrigin, PageRefusal},
    slots::Slot,
};

/// What decides it.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) origins: Arc<[AllowedOrigin]>,
    pub(crate) hosts: HostRule,
    pub(crate) is_tls: bool,
}

impl Access {
    /// Whether whoever sent these headers may have a socket.
    pub(crate) fn check(&self, headers: &HeaderMap, slot: &Slot) -> Result<(), PageRefusal> {
        origin::check(headers, &self.origins, self.allows_host(headers, slot))
    }

    /// The same for a page of this origin, which asks beforehand: a browser does not tell a page why it has no socket.
    pub(crate) fn check_origin(
        &self,
        origin: &str,
        headers: &HeaderMap,
        slot: &Slot,
    ) -> Result<(), PageRefusal> {
        origin::check_origin(origin, headers, &self.origins, self.allows_host(headers, slot))
    }

    /// Whether the server may be asked by the name in these headers.
    pub(crate) fn allows_host(&self, headers: &HeaderMap, slot: &Slot) -> bool {
        self.hosts.allows(headers, Arrived { local: slot.local(), is_tls: self.is_tls })
    }
}
