//! Two homes behind routers, and the network between them.

use std::{
    io::Write,
    net::{IpAddr, Ipv4Addr},
    process::Stdio,
};

use crate::{Namespace, NetlabError};

/// The behavior of a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Router {
    /// Network address translation that keeps ports if possible, as most routers do: all destinations see one port.
    Nat,
    /// Network address translation with another random port for each destination ("symmetric").
    SymmetricNat,
    /// The translation of [`Self::Nat`], and a firewall that blocks all UDP.
    NoUdp,
}

/// ```text
///   home 0            router 0                        router 1            home 1
///   192.168.1.2  --  .1 | 11.0.1.2  --  internet  --  11.0.2.2 | .1  --  192.168.2.2
///                                       11.0.0.1
/// ```
///
/// Nobody in a home is reached from outside except by what was asked for from inside. Dropping it removes the namespaces, and
/// the devices with them.
#[derive(Debug)]
pub struct Internet {
    /// The namespaces for programs in the homes.
    pub homes: [Namespace; 2],
    /// The namespace for servers, at [`Internet::ADDRESS`].
    pub middle: Namespace,
    _routers: [Namespace; 2],
}

impl Internet {
    /// The address at which the homes reach the servers.
    pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(11, 0, 0, 1));

    /// Whether this process may make one; if not, why, in words for a skipped test.
    ///
    /// # Errors
    /// The reason.
    pub fn available() -> Result<(), NetlabError> {
        if rustix::process::geteuid().is_root() {
            Self::new([Router::Nat, Router::SymmetricNat]).map(drop)
        } else {
            Err(NetlabError::NotRoot)
        }
    }

    /// Makes it, with a router for each home.
    ///
    /// # Errors
    /// [`NetlabError`] where a namespace or a device cannot be made, or `nft` refuses.
    pub fn new(routers: [Router; 2]) -> Result<Self, NetlabError> {
        let middle = Namespace::new()?;
        middle.ip(&["addr", "add", &format!("{}/32", Self::ADDRESS), "dev", "lo"])?;
        let [first, second] = routers;
        let (home_0, router_0) = home(&middle, first, 1)?;
        let (home_1, router_1) = home(&middle, second, 2)?;
        forward(&middle)?;
        Ok(Self { homes: [home_0, home_1], middle, _routers: [router_0, router_1] })
    }
}

/// A home, with a router that is connected to the middle.
fn home(middle: &Namespace, kind: Router, number: u8) -> Result<(Namespace, Namespace), NetlabError> {
    let (home, router) = (Namespace::new()?, Namespace::new()?);
    let inner = format!("192.168.{number}");
    let outer = format!("11.0.{number}");
    cable(&home, ("eth0", &format!("{inner}.2/24")), &router, ("lan", &format!("{inner}.1/24")))?;
    let at_the_middle = format!("wan{number}");
    cable(&router, ("wan", &format!("{outer}.2/24")), middle, (&at_the_middle, &format!("{outer}.1/24")))?;
    home.ip(&["route", "add", "default", "via", &format!("{inner}.1")])?;
    router.ip(&["route", "add", "default", "via", &format!("{outer}.1")])?;
    forward(&router)?;
    filter(&router, kind)?;
    Ok((home, router))
}

/// Connects two namespaces with a pair of devices.
fn cable(
    from: &Namespace,
    (device, address): (&str, &str),
    to: &Namespace,
    (far_device, far_address): (&str, &str),
) -> Result<(), NetlabError> {
    from.ip(&["link", "add", device, "type", "veth", "peer", "name", far_device, "netns", to.name()])?;
    for (namespace, device, address) in [(from, device, address), (to, far_device, far_address)] {
        namespace.ip(&["addr", "add", address, "dev", device])?;
        namespace.ip(&["link", "set", device, "up"])?;
    }
    Ok(())
}

fn forward(router: &Namespace) -> Result<(), NetlabError> {
    run(router, "sysctl", &["-qw", "net.ipv4.ip_forward=1"], "")
}

fn filter(router: &Namespace, kind: Router) -> Result<(), NetlabError> {
    let mapping = match kind {
        Router::Nat | Router::NoUdp => "masquerade",
        Router::SymmetricNat => "masquerade fully-random",
    };
    let blocked = match kind {
        Router::NoUdp => "meta l4proto udp drop",
        Router::Nat | Router::SymmetricNat => "",
    };
    let rules = format!(
        "table ip home {{
            chain translated {{
                type nat hook postrouting priority 100;
                oifname wan {mapping}
            }}
            # What comes uninvited is not for the router either. Else it would be remembered, and keep its port from whoever
            # inside asks the same place a moment later.
            chain own {{
                type filter hook input priority 0;
                iifname wan ct state new drop
            }}
            chain passed {{
                type filter hook forward priority 0; policy drop;
                {blocked}
                iifname lan accept
                ct state established,related accept
            }}
        }}"
    );
    run(router, "nft", &["-f", "-"], &rules)
}

/// Runs a program in a namespace, with `input` on its standard input.
fn run(namespace: &Namespace, program: &str, arguments: &[&str], input: &str) -> Result<(), NetlabError> {
    let failed = |said: String| NetlabError::Program { program: program.to_owned(), said };
    let spawned = namespace
        .command(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).map_err(|error| failed(error.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}
