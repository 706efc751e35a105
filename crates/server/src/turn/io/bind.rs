//! The ports of STUN and TURN: one number, over UDP in both families and over TCP.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpListener;

use super::udp::UdpPort;
use crate::{listener::listen, start_error::StartError};

/// How often another port number is tried where TCP has a free one that UDP has not.
const PORT_TRIES: usize = 16;

/// The sockets of one port number.
#[derive(Debug)]
pub(super) struct ListeningPort {
    pub(super) number: u16,
    pub(super) udp: Vec<UdpPort>,
    pub(super) tcp: TcpListener,
}

impl ListeningPort {
    /// Listens on the port that was asked for; or else on the usual one, or any that is free.
    ///
    /// # Errors
    /// [`StartError`] where a port that was asked for cannot be opened.
    pub(super) fn bind(
        bind: Option<IpAddr>,
        wanted: Option<u16>,
        usual: u16,
        option: &'static str,
    ) -> Result<Self, StartError> {
        match wanted {
            Some(port) => Self::bind_one(bind, port, option),
            None => Self::bind_one(bind, usual, option).or_else(|error| {
                tracing::warn!("{error} Taking a free one.");
                Self::bind_one(bind, 0, option)
            }),
        }
    }

    fn bind_one(bind: Option<IpAddr>, port: u16, option: &'static str) -> Result<Self, StartError> {
        let mut tries = 0..PORT_TRIES;
        loop {
            let tcp = listen(bind, port).map_err(|error| error.of_option(option))?;
            let number = tcp.local_addr()?.port();
            match bind_udp(bind, number) {
                Ok(udp) => return Ok(Self { number, udp, tcp }),
                // The system chose a number that is free over TCP only.
                Err(error)
                    if port == 0 && error.kind() == io::ErrorKind::AddrInUse && tries.next().is_some() => {}
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    return Err(StartError::PortInUse { port: number, option });
                }
                Err(source) => {
                    let address = SocketAddr::new(bind.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), number);
                    return Err(StartError::Listen { address, source });
                }
            }
        }
    }
}

/// A socket for each family, because the system names the local address of a datagram only in the socket's own family.
fn bind_udp(bind: Option<IpAddr>, port: u16) -> io::Result<Vec<UdpPort>> {
    let open = |ip: IpAddr| UdpPort::bind(SocketAddr::new(ip, port));
    match bind {
        Some(IpAddr::V6(ip)) if ip.is_unspecified() => bind_udp(None, port),
        Some(ip) => Ok(vec![open(ip)?]),
        None => {
            let ipv4 = open(Ipv4Addr::UNSPECIFIED.into())?;
            match open(Ipv6Addr::UNSPECIFIED.into()) {
                Ok(ipv6) => Ok(vec![ipv4, ipv6]),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
                Err(error) => {
                    tracing::debug!(%error, "no IPv6");
                    Ok(vec![ipv4])
                }
            }
        }
    }
}
