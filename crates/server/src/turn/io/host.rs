//! The addresses of this machine, as the system reports them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use crate::{announce::interface_addresses, turn::engine::HostAddresses};

/// Reads the addresses of the interfaces and those that the default routes start from.
pub(super) fn read_host_addresses() -> HostAddresses {
    let default = [
        (IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))),
        (Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()),
    ];
    HostAddresses {
        interfaces: interface_addresses(),
        default: default.into_iter().filter_map(|(any, far)| source_address(any, far)).collect(),
    }
}

/// The source address for packets to `far`. Connecting a UDP socket sends nothing.
fn source_address(any: IpAddr, far: IpAddr) -> Option<IpAddr> {
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((far, 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_to_this_machine_come_from_this_machine() {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(source_address(Ipv4Addr::UNSPECIFIED.into(), here), Some(here));
    }
}
