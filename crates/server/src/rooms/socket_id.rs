//! Identifies a socket.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
};

/// Identifies one WebSocket for as long as the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// Looked up several times for each frame. The server counts the ids, so nobody can choose some that collide, and one multiplication
/// is hash enough.
pub(crate) type SocketMap<V> = HashMap<SocketId, V, BuildHasherDefault<SocketIdHasher>>;

/// The same without values.
pub(crate) type SocketSet = HashSet<SocketId, BuildHasherDefault<SocketIdHasher>>;

/// Spreads the bits of a [`SocketId`] (Fibonacci hashing).
#[derive(Debug, Default)]
pub(crate) struct SocketIdHasher(u64);

impl Hasher for SocketIdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn write_u64(&mut self, number: u64) {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0 = (self.0 ^ number).wrapping_mul(GOLDEN);
    }
}
