//! The runtime of the peer connections: tokio's, with UDP sockets that send lost flights of the DTLS handshake again ([`super::flights`]),
//! spread bursts over time ([`super::pacer`]), and have room for those of others and answer within them ([`super::arrivals`]).

use std::{
    fmt, io,
    io::IoSliceMut,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::time::{Sleep, sleep_until};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

use super::{arrivals::Arrivals, flights::Flights, pacer::Pacer};
use crate::clock::Clock;

/// The size of the receive buffer of a socket, if the system allows it: what a fast sender has on its way in 50 ms.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// The kernel splits what is sent at once, and sends it as a burst.
const MAX_SEGMENTS: usize = 8;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// See the module.
#[derive(Debug)]
pub(super) struct LinkRuntime;

impl Runtime for LinkRuntime {
    fn spawn(&self, future: Task) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(future)
    }

    fn spawn_reactor(&self, pool_size: usize, future: Task) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn_reactor(pool_size, future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        // A system that allows less gives what it allows.
        let _ = SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
        let socket = TokioRuntime.wrap_udp_socket(socket)?;
        Ok(Arc::new(LinkSocket {
            socket,
            flights: Mutex::default(),
            is_handshaking: AtomicBool::new(false),
            pacing: Mutex::new(Pacing { clock: Clock::start(), pacer: Pacer::default(), wait: None }),
            arrivals: Mutex::default(),
        }))
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        TokioRuntime.connect_tcp(remote)
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        TokioRuntime.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn yield_now(&self) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        TokioRuntime.yield_now()
    }

    fn name(&self) -> &'static str {
        TokioRuntime.name()
    }
}

/// A UDP socket of a peer connection.
struct LinkSocket {
    socket: Arc<dyn AsyncUdpSocket>,
    flights: Mutex<Flights>,
    /// Whether `flights` has any, so that data does not wait for the lock.
    is_handshaking: AtomicBool,
    pacing: Mutex<Pacing>,
    arrivals: Mutex<Arrivals>,
}

struct Pacing {
    clock: Clock,
    pacer: Pacer,
    /// Runs while the next datagram has to wait.
    wait: Option<Pin<Box<Sleep>>>,
}

impl Pacing {
    fn handle_sent(&mut self, bytes: usize) {
        self.pacer.handle_sent(bytes, self.clock.now());
    }

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(wait) = &mut self.wait {
                ready!(wait.as_mut().poll(context));
                self.wait = None;
            }
            let Some(at) = self.pacer.ready_at(self.clock.now()) else { return Poll::Ready(()) };
            self.wait = Some(Box::pin(sleep_until(self.clock.instant(at))));
        }
    }
}

impl LinkSocket {
    fn pacing(&self) -> MutexGuard<'_, Pacing> {
        self.pacing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_flights<T>(&self, change: impl FnOnce(&mut Flights) -> T) -> T {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut flights);
        self.is_handshaking.store(!flights.is_empty(), Ordering::Relaxed);
        result
    }
}

impl fmt::Debug for LinkSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(formatter)
    }
}

impl AsyncUdpSocket for LinkSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, context: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        ready!(self.pacing().poll_ready(context));
        let sent = self.socket.poll_send(context, transmit);
        if let Poll::Ready(Ok(bytes)) = sent {
            self.pacing().handle_sent(bytes);
        }
        if matches!(sent, Poll::Ready(Ok(_))) && Flights::concern(transmit.contents) {
            self.with_flights(|flights| {
                for datagram in transmit.contents.chunks(transmit.segment_size.unwrap_or(usize::MAX).max(1)) {
                    flights.handle_sent(transmit.destination, datagram);
                }
            });
        }
        sent
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        if arrivals.is_pause() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let (Some(buffer), Some(meta)) = (buffers.first_mut(), meta.first_mut())
            && let Some(held) = arrivals.take_held(buffer)
        {
            *meta = held;
            return Poll::Ready(Ok(1));
        }
        let received = self.socket.poll_recv(context, buffers, meta);
        if let Poll::Ready(Ok(count)) = received
            && self.is_handshaking.load(Ordering::Relaxed)
        {
            for (buffer, meta) in buffers.iter().zip(meta.iter()).take(count) {
                for datagram in buffer[..meta.len.min(buffer.len())].chunks(meta.stride.max(1)) {
                    for again in self.with_flights(|flights| flights.handle_received(meta.addr, datagram)) {
                        // A datagram that finds no room is lost like any other. The task that reads is the one that sends, so its
                        // context is the right one.
                        let _ = self.socket.poll_send(
                            context,
                            &Transmit {
                                destination: meta.addr,
                                ecn: None,
                                contents: &again,
                                segment_size: None,
                                src_ip: None,
                            },
                        );
                    }
                }
            }
        }
        match (&received, buffers, meta) {
            (Poll::Ready(Ok(1)), [buffer, ..], [meta, ..]) => arrivals.handle_read(buffer, meta),
            (Poll::Ready(_), ..) => {}
            (Poll::Pending, ..) => arrivals.handle_none(),
        }
        received
    }

    fn max_gso_segments(&self) -> usize {
        self.socket.max_gso_segments().min(MAX_SEGMENTS)
    }

    fn max_gro_segments(&self) -> usize {
        self.socket.max_gro_segments()
    }
}
