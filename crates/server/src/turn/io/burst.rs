//! Outgoing datagrams, joined so that many leave with one system call.

use std::{
    cell::RefCell,
    net::{IpAddr, SocketAddr},
    rc::Rc,
};

use quinn_udp::EcnCodepoint;

use super::udp::UdpPort;

/// Most bytes that one system call splits into datagrams (UDP segmentation offload): the payload of one IPv4 datagram.
const BURST_BYTES: usize = 65_507;

thread_local! {
    /// Reused by the next burst.
    static BURST_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Collects datagrams. Datagrams in a row with one route and one size leave with one system call.
#[derive(Debug)]
pub(super) struct Burst {
    route: Option<Route>,
    buffer: Vec<u8>,
    segment: usize,
    count: usize,
    lost: u64,
}

/// The route of a datagram. Datagrams with different routes cannot be joined.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) port: Rc<UdpPort>,
    pub(super) to: SocketAddr,
    pub(super) from: Option<IpAddr>,
    pub(super) ecn: Option<EcnCodepoint>,
}

impl Route {
    fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.port, &other.port)
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
        // Only the last datagram of a row may be shorter.
        if bytes < self.segment {
            self.flush();
        }
    }

    /// Sends the datagrams that wait.
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

    /// Sends the waiting datagrams. Returns how many datagrams in total the system did not take.
    pub(super) fn finish(&mut self) -> u64 {
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
    async fn datagrams_arrive_unchanged_when_one_system_call_sends_several() {
        let local = "127.0.0.1:0".parse().unwrap();
        let sender = Rc::new(UdpPort::bind(local).unwrap());
        let (here, there) = (UdpPort::bind(local).unwrap(), UdpPort::bind(local).unwrap());
        let route =
            |to: &UdpPort| Route { port: Rc::clone(&sender), to: to.local_addr(), from: None, ecn: None };
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

    #[tokio::test]
    async fn datagrams_that_the_system_does_not_take_are_counted() {
        let port = Rc::new(UdpPort::bind("127.0.0.1:0".parse().unwrap()).unwrap());
        let route =
            |to: &str| Route { port: Rc::clone(&port), to: to.parse().unwrap(), from: None, ecn: None };
        let mut burst = Burst::new();
        for _ in 0..3 {
            // An IPv4 socket sends nothing to an IPv6 address.
            burst.push(route("[::1]:9"), b"head", b"payload");
        }
        burst.push(route("127.0.0.1:9"), b"head", b"payload");
        assert_eq!(burst.finish(), 3);
    }
}
