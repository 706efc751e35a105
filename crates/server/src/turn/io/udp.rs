//! A UDP socket that takes and sends many datagrams with one system call, where the system can.

use std::{
    cell::RefCell,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
};

use quinn_udp::{EcnCodepoint, RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

/// Datagrams per system call, or rows of datagrams where the system joins those of one sender.
const BATCH: usize = 16;
/// The longest row that the system joins.
const BUFFER_BYTES: usize = 65_536;
/// Bytes that the system holds while a socket is not read: 50 ms of 160 Mbit/s.
const SOCKET_BUFFER_BYTES: usize = 1024 * 1024;

/// A UDP socket that never waits while it receives or sends.
#[derive(Debug)]
pub(super) struct UdpPort {
    socket: UdpSocket,
    state: UdpSocketState,
    local_addr: SocketAddr,
}

/// A received datagram with the system's information about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    pub(super) from: SocketAddr,
    /// The address of this machine that it was sent to, where the system says.
    pub(super) to: Option<IpAddr>,
    /// Whether a router on the way was congested; passed on to the other side (RFC 8656 section 14).
    pub(super) ecn: Option<EcnCodepoint>,
    pub(super) payload: &'a [u8],
}

impl UdpPort {
    /// Listens. An IPv6 socket takes IPv6 only.
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        let state = UdpSocketState::new((&socket).into())?;
        // The system may give less; then bursts are shorter.
        for result in [
            state.set_recv_buffer_size((&socket).into(), SOCKET_BUFFER_BYTES),
            state.set_send_buffer_size((&socket).into(), SOCKET_BUFFER_BYTES),
        ] {
            if let Err(error) = result {
                tracing::debug!(%error, "a socket's buffer stays as it is");
            }
        }
        let socket = UdpSocket::from_std(socket.into())?;
        let local_addr = socket.local_addr()?;
        Ok(Self { socket, state, local_addr })
    }

    pub(super) fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Waits until something can be received.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Hands out the datagrams that are there, in order. Returns whether more may be there already. `each` must not receive.
    pub(super) fn receive(&self, mut each: impl FnMut(Datagram<'_>)) -> io::Result<bool> {
        RECEIVE_BUFFERS.with_borrow_mut(|buffers| {
            let mut metas = [RecvMeta::default(); BATCH];
            let taken = self.socket.try_io(Interest::READABLE, || {
                let mut slices = buffers.each_mut().map(|buffer| IoSliceMut::new(buffer));
                self.state.recv((&self.socket).into(), &mut slices, &mut metas)
            });
            let taken = match taken {
                Ok(taken) => taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error),
            };
            for (meta, buffer) in metas.iter().zip(buffers.iter()).take(taken) {
                let bytes = buffer.get(..meta.len).unwrap_or_default();
                let mut take =
                    |payload| each(Datagram { from: meta.addr, to: meta.dst_ip, ecn: meta.ecn, payload });
                if bytes.is_empty() {
                    take(bytes);
                }
                bytes.chunks(meta.stride.max(1)).for_each(take);
            }
            Ok(self.has_more_after(taken))
        })
    }

    /// Linux fills a whole batch where it can (recvmmsg), so a batch that is not full has emptied the socket. Telling the runtime
    /// so saves the system call that would find nothing. Whatever comes after the batch makes the socket readable again.
    fn has_more_after(&self, taken: usize) -> bool {
        let takes_whole_batches = cfg!(any(target_os = "linux", target_os = "android"));
        if takes_whole_batches && 0 < taken && taken < BATCH {
            let _ = self.socket.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
            return false;
        }
        taken > 0
    }

    /// Sends datagrams of `segment` bytes each; the last may be shorter. Datagrams that the system does not take at once are
    /// lost, as they would be on the way.
    pub(super) fn send(
        &self,
        to: SocketAddr,
        from: Option<IpAddr>,
        ecn: Option<EcnCodepoint>,
        contents: &[u8],
        segment: usize,
    ) -> io::Result<()> {
        let segment_size = (contents.len() > segment).then_some(segment);
        let transmit = Transmit { destination: to, ecn, contents, segment_size, src_ip: from };
        // Bypasses the runtime, which does not know yet that a new socket is writable.
        self.state.try_send((&self.socket).into(), &transmit)
    }

    /// Datagrams that one [`Self::send`] can take.
    pub(super) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }
}

thread_local! {
    /// Shared by all sockets of a thread, so that an allocation needs no buffer.
    static RECEIVE_BUFFERS: RefCell<[Vec<u8>; BATCH]> =
        RefCell::new(std::array::from_fn(|_| vec![0; BUFFER_BYTES]));
}
