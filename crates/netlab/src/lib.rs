//! Emulated networks. A [`Link`] between two network namespaces: delay, jitter, loss, rate and cuts, each direction by itself,
//! changed on command while packets are on their way. And an [`Internet`]: two homes behind routers that translate addresses or
//! block what they do not like.
//!
//! ```text
//!   namespace a                this process                namespace b
//!   [ tun, 10.77.0.1 ]  <->  queue a to b, queue b to a  <->  [ tun, 10.77.0.2 ]
//! ```
//!
//! Each namespace has one TUN device and a default route over it, so that everything that leaves it is seen here.
//! (`tc netem` would do the same where the kernel has it; not every kernel does.) The queues are those of
//! `str0m-netem`; what is here is the plumbing. Needs Linux, root, `/dev/net/tun` and the program `ip`; everything made
//! goes away when the [`Link`] is dropped.
#![cfg(target_os = "linux")]

mod error;
mod forward;
mod internet;
mod link;
mod namespace;
mod profile;

pub use error::NetlabError;
pub use internet::{Internet, Router};
pub use link::{Direction, Link, LinkCounters, Side};
pub use namespace::Namespace;
pub use profile::LinkProfile;

/// Whether this process may make namespaces and devices; if not, why, in words for a skipped test.
///
/// # Errors
/// The reason.
pub fn available() -> Result<(), NetlabError> {
    if !rustix::process::geteuid().is_root() {
        return Err(NetlabError::NotRoot);
    }
    if !std::path::Path::new("/dev/net/tun").exists() {
        return Err(NetlabError::NoTun);
    }
    // Even root may be refused, in a container.
    Namespace::new().map(drop)
}
