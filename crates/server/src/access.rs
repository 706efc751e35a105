//! Which pages may use the signaling: decided by their origin and by the host name in the request.

use std::sync::Arc;

use axum::http::HeaderMap;

use crate::{
    hosts::{Arrived, HostRule},
    origin::{self, AllowedOrigin, PageRefusal},
    slots::Slot,
};

/// The rules, as the operator set them.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) origins: Arc<[AllowedOrigin]>,
    pub(crate) hosts: HostRule,
    pub(crate) is_tls: bool,
}

impl Access {
    /// Whether the sender of these headers may have a socket.
    pub(crate) fn check(&self, headers: &HeaderMap, slot: &Slot) -> Result<(), PageRefusal> {
        origin::check(headers, &self.origins, self.allows_host(headers, slot))
    }

    /// Whether a page of this origin may have a socket. The page asks beforehand, because a browser does not say why a socket did
    /// not open.
    pub(crate) fn check_origin(
        &self,
        origin: &str,
        headers: &HeaderMap,
        slot: &Slot,
    ) -> Result<(), PageRefusal> {
        origin::check_origin(origin, headers, &self.origins, self.allows_host(headers, slot))
    }

    /// Whether the server answers under the host name in these headers.
    pub(crate) fn allows_host(&self, headers: &HeaderMap, slot: &Slot) -> bool {
        self.hosts.allows(headers, Arrived { local: slot.local(), is_tls: self.is_tls })
    }
}
