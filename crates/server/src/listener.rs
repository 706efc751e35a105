//! Listening TCP sockets.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::start_error::StartError;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1_024;

/// Listens on one address, or on all of both families, or on all of IPv4 where the system has no IPv6.
///
/// # Errors
/// Where the address is in use or is not one of this machine.
///
/// # Panics
/// Outside a tokio runtime.
pub(crate) fn listen(bind: Option<IpAddr>, port: u16) -> Result<TcpListener, StartError> {
    let explained = |address: SocketAddr, source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse { port: address.port(), option: "--port" },
        _ => StartError::Listen { address, source },
    };
    if let Some(ip) = bind {
        let address = SocketAddr::new(ip, port);
        return listen_on(address).map_err(|source| explained(address, source));
    }
    let both = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
    match listen_on(both) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(explained(both, error)),
        Err(_) => {
            let ipv4 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
            listen_on(ipv4).map_err(|source| explained(ipv4, source))
        }
    }
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
        socket.set_only_v6(false)?;
    }
    // On Windows this option would let two servers share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
