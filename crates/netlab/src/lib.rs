//! Emulated networks. A [`Link`] between two network namespaces has delay, jitter, loss, rate and cuts, separately for each
//! direction, which can be changed while packets are on their way. An [`Internet`] has two homes behind routers that translate
//! addresses or block UDP.
//!
//! ```text
//!   namespace a                this process                namespace b
//!   [ tun, 10.77.0.1 ]  <->  queue a to b, queue b to a  <->  [ tun, 10.77.0.2 ]
//! ```
//!
//! Each namespace has one TUN device with a default route, so that all packets that leave the namespace pass through this process.
//! (`tc netem` could do the same, but not every kernel has it.) The queues are those of `str0m-netem`. Needs Linux, root,
//! `/dev/net/tun` and the program `ip`. Dropping a [`Link`] removes everything that it made.
//!
//! | module | subject |
//! |---|---|
//! | `link`, `profile`, `forward` | two namespaces with a link; the properties of a direction; carrying its packets |
//! | `internet` | homes, routers, and the network between them |
//! | `namespace` | one network namespace |
//! | `error` | why an emulated network cannot be made |
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
