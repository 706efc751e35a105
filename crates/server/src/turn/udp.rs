//! A UDP socket that takes and sends many datagrams with one system call, where the system can.

use std::{
    cell::RefCell,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use quinn_udp::{EcnCodepoint, RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

/// Datagrams (or rows of them, where the system joins those of one sender) taken at once.
const BATCH: usize = 16;
/// The system joins up to so many bytes.
const BUFFER_BYTES: usize = 65_536;
/// Most bytes that the system cuts into datagrams by itself: what fits into one IPv4 datagram.
const BURST_BYTES: usize = 65_507;
/// What the system keeps for a socket that is not read for a moment: 50 ms of 160 Mbit/s.
const SOCKET_BUFFER_BYTES: usize = 1024 * 1024;

/// A UDP socket.
#[derive(Debug)]
pub(super) struct UdpPort {
    socket: UdpSocket,
    state: UdpSocketState,
    local_addr: SocketAddr,
}

/// A datagram that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Datagram<'a> {
    pub(super) from: SocketAddr,
    /// To which of this machine's addresses, where the system says.
    pub(super) to: Option<IpAddr>,
    /// Congestion experienced on the way, to be passed on (RFC 8656 section 14).
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

    /// Waits for something to come.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Takes what has come, in order; there may be nothing. Says whether more may be there already. `each` must not receive.
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

    /// Linux fills all places of a batch that it can (recvmmsg), so after fewer the socket is empty: said to the runtime, that
    /// saves the system call which would find nothing. Whatever comes after the batch makes the socket readable anew.
    fn has_more_after(&self, taken: usize) -> bool {
        let takes_whole_batches = cfg!(any(target_os = "linux", target_os = "android"));
        if takes_whole_batches && 0 < taken && taken < BATCH {
            let _ = self.socket.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
            return false;
        }
        taken > 0
    }

    /// Sends datagrams of `segment` bytes each (the last may be shorter). What the system does not take at once is
    /// lost, as it would be on the way.
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
        // Not by way of the runtime, which would have to notice first that a new socket can send.
        self.state.try_send((&self.socket).into(), &transmit)
    }

    fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }
}

thread_local! {
    /// Shared by all sockets that a thread reads, so that an allocation has no buffers of its own.
    static RECEIVE_BUFFERS: RefCell<[Vec<u8>; BATCH]> =
        RefCell::new(std::array::from_fn(|_| vec![0; BUFFER_BYTES]));
    static BURST_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Datagrams on their way out. Those in a row for one place and of one size leave with one system call.
#[derive(Debug)]
pub(super) struct Burst {
    route: Option<Route>,
    buffer: Vec<u8>,
    segment: usize,
    count: usize,
    lost: u64,
}

/// From where to where.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) port: Arc<UdpPort>,
    pub(super) to: SocketAddr,
    pub(super) from: Option<IpAddr>,
    pub(super) ecn: Option<EcnCodepoint>,
}

impl Route {
    fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.port, &other.port)
            && self.to == other.to
            && self.from == other.from
            && self.ecn == other.ecn
    }
}

impl Burst {
    pub(super) fn new() -> Self {
        let buffer = BURST_BUFFER.take();
        Self { route: None, buffer, segment: 0, count: 0, lost: 0 }
    }

    /// Adds a datagram of two parts.
    pub(super) fn push(&mut self, route: Route, head: &[u8], payload: &[u8]) {
        let bytes = head.len() + payload.len();
        let joins = self.route.as_ref().is_some_and(|current| {
            current.is_same(&route)
                && bytes <= self.segment
                && bytes > 0
                && self.count < route.port.max_segments()
                && self.buffer.len() + bytes <= BURST_BYTES
        });
        if !joins {
            self.flush();
            self.route = Some(route);
            self.segment = bytes;
        }
        self.buffer.extend_from_slice(head);
        self.buffer.extend_from_slice(payload);
        self.count += 1;
        // Only the last of a row may be shorter.
        if bytes < self.segment {
            self.flush();
        }
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) {
        if let Some(Route { port, to, from, ecn }) = self.route.take()
            && let Err(error) = port.send(to, from, ecn, &self.buffer, self.segment.max(1))
        {
            self.lost += self.count as u64;
            tracing::trace!(%error, %to, "not sent");
        }
        self.buffer.clear();
        self.count = 0;
    }

    /// Sends what waits and says how many datagrams the system did not take.
    pub(super) fn finish(mut self) -> u64 {
        self.flush();
        self.lost
    }
}

impl Drop for Burst {
    fn drop(&mut self) {
        self.flush();
        BURST_BUFFER.set(std::mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn received(port: &UdpPort, count: usize) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        while datagrams.len() < count {
            timeout(Duration::from_secs(20), port.readable()).await.unwrap().unwrap();
            port.receive(|datagram| datagrams.push(datagram.payload.to_vec())).unwrap();
        }
        datagrams
    }

    #[tokio::test]
    async fn datagrams_arrive_as_they_were_whatever_left_with_one_system_call() {
        let local = "127.0.0.1:0".parse().unwrap();
        let sender = Arc::new(UdpPort::bind(local).unwrap());
        let (here, there) = (UdpPort::bind(local).unwrap(), UdpPort::bind(local).unwrap());
        let route =
            |to: &UdpPort| Route { port: Arc::clone(&sender), to: to.local_addr(), from: None, ecn: None };
        let mut burst = Burst::new();
        let sizes = [100, 100, 100, 40, 100, 0, 0, 7, 1_000, 1_001];
        for (n, size) in (0_u8..).zip(sizes) {
            burst.push(route(&here), &vec![n; size / 2], &vec![n; size - size / 2]);
        }
        burst.push(route(&there), b"an", b"other");
        assert_eq!(burst.finish(), 0);
        let expected: Vec<_> = (0_u8..).zip(sizes).map(|(n, size)| vec![n; size]).collect();
        assert_eq!(received(&here, sizes.len()).await, expected);
        assert_eq!(received(&there, 1).await, [b"another"]);
    }
}
