//! All limits of the signaling sockets.

use std::time::Duration;

/// Limits of every signaling socket.
#[derive(Debug, Clone, Copy)]
pub struct SocketLimits {
    /// Sockets at the same time.
    pub max_sockets: usize,
    /// Time from the opening of the socket to its `join`.
    pub join_timeout: Duration,
    /// The same for a socket that has asked for ICE servers: its person is in the lobby.
    pub lobby_timeout: Duration,
    /// Time between two WebSocket pings of the server.
    pub ping_interval: Duration,
    /// A socket that sends nothing for this long is dropped.
    pub silence_timeout: Duration,
    /// Time to take the last message and to answer the Close frame.
    pub close_grace: Duration,
    /// Frames that wait to be sent to one socket.
    pub queue_frames: usize,
    /// Bytes of those frames.
    pub queue_bytes: usize,
    /// How long the oldest of those frames may wait. Closes a client that answers pings and reads nothing else.
    pub queue_age: Duration,
    /// Bytes of the frames that wait to be sent to all sockets together. Beyond it the socket with most of them is closed.
    pub total_queue_bytes: usize,
    /// Rates of one socket.
    pub rate: RateLimits,
    /// Limits of one address.
    pub address: AddressLimits,
}

/// Limits of all sockets of one address together, or of one IPv6 network of 64 bits.
///
/// A school or an office has one address, so there is room for many sockets. The limits only keep one machine from taking all.
#[derive(Debug, Clone, Copy)]
pub struct AddressLimits {
    /// Sockets at the same time.
    pub max_sockets: usize,
    /// Joins a minute, and as many at once.
    pub joins_per_min: u32,
    /// Whether this machine's addresses are limited too. A proxy on this machine may not name its clients.
    pub includes_loopback: bool,
}

/// Token buckets: `burst` at once, then `per_s`.
///
/// A newcomer to a full room sends 7 offers of some 10 KiB and a few dozen candidates for each; no other use comes near that. The
/// bytes are bounded well below [`SocketLimits::queue_bytes`], so that one member cannot fill the queue of another that reads.
#[derive(Debug, Clone, Copy)]
pub struct RateLimits {
    /// Frames of any kind at once: fragments, pings and empty ones too.
    pub burst_frames: u32,
    /// Frames of any kind a second.
    pub frames_per_s: u32,
    /// Bytes of payload at once, in frames of any kind.
    pub burst_bytes: u32,
    /// Bytes of payload a second.
    pub bytes_per_s: u32,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            max_sockets: 10_000,
            join_timeout: Duration::from_secs(10),
            lobby_timeout: Duration::from_secs(600),
            ping_interval: Duration::from_secs(5),
            silence_timeout: Duration::from_secs(15),
            close_grace: Duration::from_millis(1_500),
            queue_frames: 1_024,
            queue_bytes: 4 * 1024 * 1024,
            queue_age: Duration::from_secs(10),
            total_queue_bytes: 16 * 1024 * 1024,
            rate: RateLimits::default(),
            address: AddressLimits::default(),
        }
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { burst_frames: 500, frames_per_s: 200, burst_bytes: 1024 * 1024, bytes_per_s: 256 * 1024 }
    }
}

impl Default for AddressLimits {
    fn default() -> Self {
        Self { max_sockets: 256, joins_per_min: 240, includes_loopback: false }
    }
}
