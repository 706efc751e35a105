//! The visitors that wait at a locked room.
//!
//! Owns their number and their rate, for the room and for each address, and their pictures. It never decides who is let in: a host does.
//!
//! Invariant: at most [`MAX_WAITING`] visitors wait, at most [`MAX_OF_ADDRESS`] of one address.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use sightline_protocol::{MemberId, Visitor, VisitorPicture};

use super::socket_id::SocketId;
use crate::{time::UnixTime, token_bucket::Bucket};

/// How long a visitor waits for an answer.
pub(super) const KNOCK_WAIT: Duration = Duration::from_secs(120);

/// Most visitors that wait at one room: as many as a host can look through.
const MAX_WAITING: usize = 8;
/// Most of them from one address. A school has one address.
const MAX_OF_ADDRESS: usize = 4;
/// Knocks at a room: at once, and a second.
const OF_ROOM: (f64, f64) = (16.0, 0.2);
/// Knocks of one address at a room: at once, and a second.
const OF_ADDRESS: (f64, f64) = (6.0, 0.1);
/// Most addresses whose knocks are counted. The rate of the room keeps the number far below, except in a flood.
const MAX_ADDRESSES: usize = 64;

/// A visitor that waits.
#[derive(Debug)]
pub(super) struct Knock {
    pub(super) socket: SocketId,
    pub(super) visitor: Visitor,
    pub(super) address: IpAddr,
    /// Whether its client knows what a rekey is.
    pub(super) rekeys: bool,
}

#[derive(Debug)]
pub(super) struct Knocks {
    waiting: Vec<Knock>,
    rate: Bucket<UnixTime>,
    addresses: HashMap<IpAddr, Bucket<UnixTime>>,
}

impl Knocks {
    pub(super) fn new(now: UnixTime) -> Self {
        Self { waiting: Vec::new(), rate: Bucket::full(OF_ROOM.0, OF_ROOM.1, now), addresses: HashMap::new() }
    }

    /// Counts a knock; `false` if it is one too many.
    pub(super) fn admit(&mut self, address: IpAddr, now: UnixTime) -> bool {
        let of_address = self.waiting.iter().filter(|knock| knock.address == address).count();
        if self.waiting.len() >= MAX_WAITING || of_address >= MAX_OF_ADDRESS {
            return false;
        }
        if self.addresses.len() >= MAX_ADDRESSES {
            self.addresses.retain(|_, rate| !rate.is_full(now));
        }
        if self.addresses.len() >= MAX_ADDRESSES && !self.addresses.contains_key(&address) {
            return false;
        }
        let full = || Bucket::full(OF_ADDRESS.0, OF_ADDRESS.1, now);
        // The address first, so that one address cannot use up the rate of the room.
        self.addresses.entry(address).or_insert_with(full).take(1.0, now) && self.rate.take(1.0, now)
    }

    pub(super) fn push(&mut self, knock: Knock) {
        self.waiting.push(knock);
    }

    /// Adds the picture of the visitor with this socket, if it has none. Returns the visitor as its hosts are to see it.
    pub(super) fn add_picture(&mut self, socket: SocketId, picture: VisitorPicture) -> Option<&Visitor> {
        let knock = self.waiting.iter_mut().find(|knock| knock.socket == socket)?;
        if knock.visitor.picture.is_some() {
            return None;
        }
        knock.visitor.picture = Some(picture);
        Some(&knock.visitor)
    }

    pub(super) fn has(&self, id: &MemberId) -> bool {
        self.waiting.iter().any(|knock| knock.visitor.id == *id)
    }

    pub(super) fn take(&mut self, id: &MemberId) -> Option<Knock> {
        let at = self.waiting.iter().position(|knock| knock.visitor.id == *id)?;
        Some(self.waiting.remove(at))
    }

    pub(super) fn take_of_socket(&mut self, socket: SocketId) -> Option<Knock> {
        let at = self.waiting.iter().position(|knock| knock.socket == socket)?;
        Some(self.waiting.remove(at))
    }

    /// All that wait, in the order in which they came.
    pub(super) fn take_all(&mut self) -> Vec<Knock> {
        std::mem::take(&mut self.waiting)
    }

    pub(super) fn visitors(&self) -> impl Iterator<Item = &Visitor> {
        self.waiting.iter().map(|knock| &knock.visitor)
    }
}
