//! Two members open bulk links to each other.

use std::{collections::VecDeque, time::Duration};

use proptest::prelude::*;
use sightline_core::{
    Timestamp,
    bulk::{BulkLinks, BulkOutput, buffer_bytes, links_for},
    link::{LinkId, LinkNames},
    negotiation::{Completed, Operation, OperationFailure},
    random::SeededRandom,
    transfer::WINDOW_BYTES,
};
use sightline_protocol::{ConnectionId, signaling::SignalPayload, transfer::MAX_BULK_CONNECTIONS};

struct Side {
    links: BulkLinks,
    names: LinkNames,
    /// The browser's peer connections, and whether each is up.
    there: Vec<(LinkId, bool)>,
    said: VecDeque<(ConnectionId, SignalPayload)>,
}

/// Two sides, and the messages in transit over their main link.
struct World {
    now: Timestamp,
    sides: [Side; 2],
    descriptions: u32,
    random: SeededRandom,
    /// Percentage of messages that are lost with a connection that fails.
    lost: u64,
}

impl World {
    fn new(seed: u128) -> Self {
        let side = |seed| Side {
            links: BulkLinks::default(),
            names: LinkNames::new(0, seed),
            there: Vec::new(),
            said: VecDeque::new(),
        };
        let sides = [side(seed ^ 1), side(seed ^ 2)];
        let random = SeededRandom::new(seed);
        Self { now: Timestamp::from_origin(Duration::from_secs(1)), sides, descriptions: 0, random, lost: 0 }
    }

    fn want(&mut self, at: usize, count: usize) {
        let side = &mut self.sides[at];
        side.links.want(count, &mut side.names, self.now);
        self.settle();
    }

    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for at in 0..2 {
                while let Some(output) = self.sides[at].links.poll_output() {
                    moved = true;
                    self.perform(at, output);
                }
                if let Some((connection, payload)) = self.sides[at].said.pop_front() {
                    moved = true;
                    if self.random.next_u64() % 100 >= self.lost {
                        let other = &mut self.sides[1 - at];
                        other.links.handle_signal(connection, payload, &mut other.names, self.now);
                    }
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn perform(&mut self, at: usize, output: BulkOutput) {
        let side = &mut self.sides[at];
        match output {
            BulkOutput::Open(link) => {
                side.there.push((link, false));
                if let Some(negotiator) = side.links.negotiator_mut(link) {
                    negotiator.handle_negotiation_needed(self.now);
                }
            }
            BulkOutput::Close(link) => side.there.retain(|(there, _)| *there != link),
            BulkOutput::Perform(link, id, operation) => {
                self.descriptions += 1;
                let sdp = format!("v=0\r\na=ice-ufrag:u{}\r\n", self.descriptions);
                let is_last = matches!(operation, Operation::SetLocalAnswer)
                    || matches!(&operation, Operation::SetRemoteDescription(description)
                        if description.kind == sightline_protocol::signaling::DescriptionKind::Answer);
                let completed = match operation {
                    Operation::SetLocalOffer { .. } | Operation::SetLocalAnswer => {
                        Completed::LocalDescription { sdp }
                    }
                    _ => Completed::Done,
                };
                if let Some(negotiator) = side.links.negotiator_mut(link) {
                    negotiator.handle_completed(id, Ok(completed), self.now);
                }
                if is_last {
                    side.links.handle_opened(link);
                    side.there
                        .iter_mut()
                        .filter(|(there, _)| *there == link)
                        .for_each(|there| there.1 = true);
                }
            }
            BulkOutput::Broken(..) => {}
            BulkOutput::Send(connection, payload) => side.said.push_back((connection, payload)),
        }
    }

    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let next = self.sides.iter().filter_map(|side| side.links.poll_timeout()).min();
            self.now = next.unwrap_or(end).clamp(self.now, end);
            for side in &mut self.sides {
                side.links.handle_timeout(self.now);
            }
            self.settle();
            if self.now == end && next.is_none_or(|next| next > end) {
                return;
            }
        }
    }

    fn up(&self, at: usize) -> usize {
        self.sides[at].there.iter().filter(|(_, is_up)| *is_up).count()
    }
}

#[test]
fn the_number_of_connections_grows_with_the_round_trip_time_and_the_file_size() {
    let megabytes = 1_000_000;
    assert_eq!(links_for(500 * megabytes, None, 1), 0, "nothing is known of the path");
    assert!((1..8).contains(&links_for(500 * megabytes, Some(Duration::from_millis(1)), 1)));
    assert_eq!(links_for(10 * megabytes, Some(Duration::from_millis(1)), 1), 0);
    assert_eq!(links_for(megabytes, Some(Duration::from_millis(100)), 1), 0);
    assert!(links_for(500 * megabytes, Some(Duration::from_millis(20)), 1) > 8);
}

#[test]
fn several_receivers_share_the_connections_that_one_could_have() {
    let for_receivers = |receivers| links_for(500_000_000, Some(Duration::from_millis(100)), receivers);
    assert!((1..40).all(|receivers| for_receivers(receivers) * receivers <= MAX_BULK_CONNECTIONS));
    assert!(for_receivers(2) > 1);
}

#[test]
fn the_buffers_of_several_channels_leave_room_in_the_window() {
    assert!(
        (1..=1 + MAX_BULK_CONNECTIONS as u64)
            .all(|channels| { channels * buffer_bytes(channels as usize) <= WINDOW_BYTES / 2 })
    );
}

#[test]
fn requested_links_come_up_on_both_sides_and_close_a_while_after_the_last_request() {
    let mut world = World::new(1);
    world.want(0, 4);
    assert_eq!((world.up(0), world.up(1)), (4, 4));
    world.want(1, 4);
    assert_eq!((world.up(0), world.up(1)), (4, 4), "the links that the other side opened are used too");
    world.want(0, 0);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.up(0), 4, "the next file is often near");
    world.want(0, 4);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.up(0), 4);
    world.want(0, 0);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.sides[0].there, []);
}

#[test]
fn many_links_come_up_a_quarter_at_a_time() {
    let mut world = World::new(4);
    for wave in 1..=4 {
        world.want(0, MAX_BULK_CONNECTIONS);
        assert_eq!(world.up(0), wave * MAX_BULK_CONNECTIONS / 4);
    }
    world.want(0, MAX_BULK_CONNECTIONS);
    assert_eq!(world.up(0), MAX_BULK_CONNECTIONS);
}

#[test]
fn closing_all_links_leaves_none_and_new_ones_can_be_requested() {
    let mut world = World::new(2);
    world.want(0, 3);
    for side in &mut world.sides {
        side.links.close_all();
    }
    world.settle();
    assert_eq!((world.sides[0].there.len(), world.sides[1].there.len()), (0, 0));
    assert_eq!(world.sides[0].links.poll_timeout(), None);
    world.want(0, 2);
    assert_eq!((world.up(0), world.up(1)), (2, 2));
}

#[test]
fn a_link_that_does_not_come_up_is_given_up_and_retried_after_a_pause() {
    let mut world = World::new(3);
    world.lost = 100;
    world.want(0, 2);
    assert_eq!(world.sides[0].there.len(), 2);
    world.pass(Duration::from_secs(21));
    assert_eq!(world.sides[0].there.len(), 0);
    world.want(0, 2);
    assert_eq!(world.sides[0].there.len(), 0);
    world.lost = 0;
    world.pass(Duration::from_secs(31));
    world.want(0, 2);
    assert_eq!(world.up(0), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Both sides request more or fewer links any number of times, with losses. There are never more links than allowed, and in
    /// the end the requested links are up on both sides.
    #[test]
    fn both_sides_reach_the_last_requested_number_of_links_despite_losses(
        seed in any::<u128>(),
        lost in 0_u64..80,
        wishes in prop::collection::vec((0_usize..2, 0_usize..12, 0_u64..20), 0..12),
    ) {
        let mut world = World::new(seed);
        world.lost = lost;
        for (at, count, seconds) in wishes {
            world.want(at, count);
            world.pass(Duration::from_secs(seconds));
            for side in &world.sides {
                prop_assert!(side.there.len() <= 2 * MAX_BULK_CONNECTIONS);
            }
        }
        world.lost = 0;
        // Incomplete links are given up at the deadline, and tried again after the pause.
        for side in &mut world.sides {
            side.links.close_all();
        }
        world.settle();
        world.pass(Duration::from_secs(31));
        world.want(0, 3);
        prop_assert_eq!((world.up(0), world.up(1)), (3, 3));
    }
}

#[test]
fn each_link_whose_negotiation_breaks_is_reported_and_closed() {
    let now = Timestamp::from_origin(Duration::from_secs(1));
    let (mut links, mut names) = (BulkLinks::default(), LinkNames::new(0, 5));
    links.want(2, &mut names, now);
    let opened: Vec<_> = std::iter::from_fn(|| links.poll_output()).collect();
    assert_eq!(opened.len(), 2);
    for output in &opened {
        let BulkOutput::Open(link) = output else { panic!("{output:?}") };
        links.negotiator_mut(*link).unwrap().handle_negotiation_needed(now);
    }
    let begun: Vec<_> = std::iter::from_fn(|| links.poll_output()).collect();
    let cause = OperationFailure { name: "OperationError".to_owned(), message: "no".to_owned() };
    let mut expected = Vec::new();
    for output in begun {
        let BulkOutput::Perform(link, id, _) = output else { panic!("{output:?}") };
        links.negotiator_mut(link).unwrap().handle_completed(id, Err(cause.clone()), now);
        expected.extend([BulkOutput::Broken(link, cause.clone()), BulkOutput::Close(link)]);
    }
    assert_eq!(std::iter::from_fn(|| links.poll_output()).collect::<Vec<_>>(), expected);
    assert_eq!(links.count(), 0);
}
