//! What all bots together have done so far.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sightline_protocol::MemberId;

use super::bot::BotEvent;

/// What the bots have done, as it is printed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in crate::command) struct Totals {
    /// How many bots were asked for.
    pub(in crate::command) bots: usize,
    /// How many were admitted to the room.
    pub(in crate::command) joined: usize,
    /// The pairs of bots that are connected to each other now.
    pub(in crate::command) connected_pairs: usize,
    /// The pairs of all bots that are asked for.
    pub(in crate::command) pairs: usize,
    /// The connections to members that are no bots of this process.
    pub(in crate::command) other_connections: usize,
    /// The members that get the pictures, counted once for each bot.
    pub(in crate::command) viewers: usize,
    pub(in crate::command) messages_sent: u64,
    pub(in crate::command) messages_delivered: u64,
    pub(in crate::command) messages_undeliverable: u64,
    /// Each message counts once for each bot that received it.
    pub(in crate::command) messages_received: u64,
    /// How often a bot lost the server.
    pub(in crate::command) server_reconnections: u64,
    /// How often a connection to a member was lost and came back, counted by the bot of either end.
    pub(in crate::command) peer_reconnections: u64,
}

/// Counts the events of all bots.
#[derive(Debug, Default)]
pub(super) struct Tally {
    bots: Vec<Counted>,
    totals: Totals,
}

#[derive(Debug, Default)]
struct Counted {
    id: Option<MemberId>,
    /// The members that a connection was made to, and whether it is up now.
    connections: BTreeMap<MemberId, bool>,
    viewers: BTreeSet<MemberId>,
}

impl Tally {
    pub(super) fn new(count: usize) -> Self {
        let pairs = count * count.saturating_sub(1) / 2;
        let totals = Totals { bots: count, pairs, ..Totals::default() };
        Self { bots: std::iter::repeat_with(Counted::default).take(count).collect(), totals }
    }

    /// Takes an event of the bot at this position.
    pub(super) fn handle(&mut self, at: usize, event: &BotEvent) {
        let Some(bot) = self.bots.get_mut(at) else { return };
        let totals = &mut self.totals;
        match event {
            BotEvent::Entered(id) => {
                totals.joined += usize::from(bot.id.is_none());
                bot.id = Some(id.clone());
            }
            BotEvent::Connected(member) => {
                let was_known = bot.connections.insert(member.clone(), true).is_some();
                totals.peer_reconnections += u64::from(was_known);
            }
            BotEvent::Lost(member) => {
                if let Some(is_up) = bot.connections.get_mut(member) {
                    *is_up = false;
                }
            }
            BotEvent::Left(member) => {
                bot.connections.remove(member);
                bot.viewers.remove(member);
            }
            BotEvent::Watching(member) => drop(bot.viewers.insert(member.clone())),
            BotEvent::Sent => totals.messages_sent += 1,
            BotEvent::Delivered => totals.messages_delivered += 1,
            BotEvent::Undeliverable => totals.messages_undeliverable += 1,
            BotEvent::Heard => totals.messages_received += 1,
            BotEvent::Reconnecting => totals.server_reconnections += 1,
            BotEvent::Failed(_) => {
                bot.connections.clear();
                bot.viewers.clear();
            }
            BotEvent::CodecMissing => {}
        }
    }

    /// The messages of which it is not known yet whether they arrive.
    pub(super) fn messages_under_way(&self) -> u64 {
        let Totals { messages_sent, messages_delivered, messages_undeliverable, .. } = self.totals;
        messages_sent.saturating_sub(messages_delivered + messages_undeliverable)
    }

    pub(super) fn totals(&self) -> Totals {
        let positions: BTreeMap<_, _> =
            self.bots.iter().enumerate().filter_map(|(at, bot)| Some((bot.id.as_ref()?, at))).collect();
        let is_up = |from: usize, to: &MemberId| self.bots[from].connections.get(to) == Some(&true);
        let (mut connected_pairs, mut other_connections) = (0, 0);
        for (at, bot) in self.bots.iter().enumerate() {
            for member in bot.connections.iter().filter(|(_, is_up)| **is_up).map(|(member, _)| member) {
                match positions.get(member) {
                    // Each pair once, and only if both ends say so.
                    Some(&other) => {
                        let is_mutual = bot.id.as_ref().is_some_and(|id| is_up(other, id));
                        connected_pairs += usize::from(at < other && is_mutual);
                    }
                    None => other_connections += 1,
                }
            }
        }
        let viewers = self.bots.iter().map(|bot| bot.viewers.len()).sum();
        Totals { connected_pairs, other_connections, viewers, ..self.totals.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> MemberId {
        MemberId::new(name).unwrap()
    }

    /// Three bots with the ids `a`, `b` and `c`.
    fn three() -> Tally {
        let mut tally = Tally::new(3);
        for (at, id) in ["a", "b", "c"].into_iter().enumerate() {
            tally.handle(at, &BotEvent::Entered(member(id)));
        }
        tally
    }

    #[test]
    fn a_pair_is_connected_when_both_ends_are() {
        let mut tally = three();
        tally.handle(0, &BotEvent::Connected(member("b")));
        assert_eq!(tally.totals().connected_pairs, 0);
        tally.handle(1, &BotEvent::Connected(member("a")));
        let totals = tally.totals();
        assert_eq!((totals.joined, totals.connected_pairs, totals.pairs), (3, 1, 3));
        tally.handle(1, &BotEvent::Lost(member("a")));
        assert_eq!(tally.totals().connected_pairs, 0);
        tally.handle(1, &BotEvent::Connected(member("a")));
        let totals = tally.totals();
        assert_eq!((totals.connected_pairs, totals.peer_reconnections), (1, 1));
    }

    #[test]
    fn a_member_that_is_no_bot_is_counted_apart() {
        let mut tally = three();
        tally.handle(0, &BotEvent::Connected(member("page")));
        tally.handle(0, &BotEvent::Watching(member("page")));
        tally.handle(1, &BotEvent::Connected(member("page")));
        let totals = tally.totals();
        assert_eq!((totals.connected_pairs, totals.other_connections, totals.viewers), (0, 2, 1));
        tally.handle(0, &BotEvent::Left(member("page")));
        let totals = tally.totals();
        assert_eq!((totals.other_connections, totals.viewers), (1, 0));
        tally.handle(0, &BotEvent::Connected(member("page")));
        assert_eq!(tally.totals().peer_reconnections, 0, "who left and came again was not lost");
    }

    #[test]
    fn a_bot_that_enters_again_is_the_same_bot() {
        let mut tally = three();
        tally.handle(0, &BotEvent::Reconnecting);
        tally.handle(0, &BotEvent::Entered(member("a")));
        let totals = tally.totals();
        assert_eq!((totals.joined, totals.server_reconnections), (3, 1));
    }

    #[test]
    fn a_message_is_under_way_until_its_delivery_is_known() {
        let mut tally = three();
        tally.handle(0, &BotEvent::Sent);
        tally.handle(1, &BotEvent::Sent);
        tally.handle(1, &BotEvent::Heard);
        assert_eq!(tally.messages_under_way(), 2);
        tally.handle(0, &BotEvent::Delivered);
        tally.handle(1, &BotEvent::Undeliverable);
        assert_eq!(tally.messages_under_way(), 0);
        let totals = tally.totals();
        assert_eq!(
            (totals.messages_delivered, totals.messages_undeliverable, totals.messages_received),
            (1, 1, 1)
        );
    }
}
