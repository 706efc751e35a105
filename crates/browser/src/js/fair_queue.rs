//! A bounded queue with a lane for each member, which serves the members in turn.
//!
//! Owns a first lane (the person, the browser, signaling) and one lane for each member. A member that sends faster than its lane
//! is read loses only its own messages. Invariant: events that must not be lost (a channel opens or closes) are always taken, in
//! their order.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    fmt,
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use super::queue::{EventSink, Intake};

/// Capacity of the lane of one member.
#[derive(Debug, Clone, Copy)]
pub struct LaneCapacity {
    /// Most messages that wait in the lane.
    pub messages: usize,
    /// Most bytes of these messages.
    pub bytes: usize,
}

/// A queue whose first lane holds at most `capacity` events. `message_bytes` returns the length of a member's message, or `None`
/// for an event that must not be lost.
#[must_use]
pub fn fair_queue<T: 'static>(
    capacity: usize,
    lane_capacity: LaneCapacity,
    message_bytes: fn(&T) -> Option<usize>,
) -> (Lanes<T>, FairStream<T>) {
    let queue = Rc::new(RefCell::new(Queue {
        first: VecDeque::new(),
        capacity,
        overflowed: false,
        lanes: BTreeMap::new(),
        turns: VecDeque::new(),
        lane_capacity,
        message_bytes,
        ended: false,
        waker: None,
    }));
    (Lanes { queue: Rc::clone(&queue) }, FairStream { queue })
}

/// Creates sinks that push into the queue.
pub struct Lanes<T> {
    queue: Rc<RefCell<Queue<T>>>,
}

impl<T: 'static> Lanes<T> {
    /// The sink for events that are served first.
    #[must_use]
    pub fn first(&self) -> EventSink<T> {
        EventSink::of(First(Rc::clone(&self.queue)))
    }

    /// The sink for events of one member.
    #[must_use]
    pub fn of_member(&self, member: &str) -> EventSink<T> {
        EventSink::of(OfMember { queue: Rc::clone(&self.queue), member: member.into() })
    }
}

impl<T> fmt::Debug for Lanes<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lanes")
    }
}

/// The application's end of the queue. After it is dropped, pushing does nothing.
pub struct FairStream<T> {
    queue: Rc<RefCell<Queue<T>>>,
}

impl<T> FairStream<T> {
    /// Waits for the next event.
    pub async fn next(&mut self) -> T {
        poll_fn(|context| self.poll(context)).await
    }

    /// The next event, if there is one now.
    pub fn try_next(&mut self) -> Option<T> {
        self.queue.borrow_mut().take()
    }

    /// Waits until an event is pushed or lost, even if other events are waiting.
    pub async fn pushed(&mut self) {
        let mut is_first = true;
        poll_fn(|context| {
            if std::mem::take(&mut is_first) {
                self.queue.borrow_mut().waker = Some(context.waker().clone());
                return Poll::Pending;
            }
            if self.queue.borrow().waker.is_none() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Whether events of the first lane were lost since the last call.
    #[must_use]
    pub fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.queue.borrow_mut().overflowed)
    }

    /// A member that lost messages since the last call, with their number.
    pub fn take_lost(&mut self) -> Option<(String, u64)> {
        let mut queue = self.queue.borrow_mut();
        let (member, lane) = queue.lanes.iter_mut().find(|(_, lane)| lane.lost > 0)?;
        let lost = (member.to_string(), std::mem::take(&mut lane.lost));
        queue.lanes.retain(|_, lane| lane.is_used());
        Some(lost)
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<T> {
        let mut queue = self.queue.borrow_mut();
        if let Some(event) = queue.take() {
            return Poll::Ready(event);
        }
        queue.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for FairStream<T> {
    fn drop(&mut self) {
        let events = {
            let mut queue = self.queue.borrow_mut();
            queue.ended = true;
            (std::mem::take(&mut queue.first), std::mem::take(&mut queue.lanes))
        };
        // Dropped outside the borrow: an event may own a browser object whose drop runs code.
        drop(events);
    }
}

impl<T> fmt::Debug for FairStream<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FairStream")
    }
}

struct Queue<T> {
    first: VecDeque<T>,
    capacity: usize,
    overflowed: bool,
    lanes: BTreeMap<Rc<str>, Lane<T>>,
    /// The members whose lanes are not empty, in the order of service.
    turns: VecDeque<Rc<str>>,
    lane_capacity: LaneCapacity,
    message_bytes: fn(&T) -> Option<usize>,
    ended: bool,
    waker: Option<Waker>,
}

struct Lane<T> {
    events: VecDeque<T>,
    bytes: usize,
    lost: u64,
}

impl<T> Lane<T> {
    fn is_used(&self) -> bool {
        !self.events.is_empty() || self.lost > 0
    }
}

impl<T> Queue<T> {
    fn take(&mut self) -> Option<T> {
        if let Some(event) = self.first.pop_front() {
            return Some(event);
        }
        let member = self.turns.pop_front()?;
        let lane = self.lanes.get_mut(&member)?;
        let event = lane.events.pop_front()?;
        lane.bytes = lane.bytes.saturating_sub((self.message_bytes)(&event).unwrap_or_default());
        if !lane.events.is_empty() {
            self.turns.push_back(member);
        } else if lane.lost == 0 {
            self.lanes.remove(&member);
        }
        Some(event)
    }

    fn has_room(&self, member: &str, bytes: usize) -> bool {
        self.lanes.get(member).is_none_or(|lane| {
            lane.events.len() < self.lane_capacity.messages && lane.bytes + bytes <= self.lane_capacity.bytes
        })
    }

    fn lane(&mut self, member: &Rc<str>) -> &mut Lane<T> {
        let empty = || Lane { events: VecDeque::new(), bytes: 0, lost: 0 };
        self.lanes.entry(Rc::clone(member)).or_insert_with(empty)
    }

    fn push(&mut self, member: &Rc<str>, event: T) -> Option<Waker> {
        let bytes = (self.message_bytes)(&event);
        if bytes.is_some_and(|bytes| !self.has_room(member, bytes)) {
            return self.lose(member);
        }
        let lane = self.lane(member);
        lane.bytes += bytes.unwrap_or_default();
        lane.events.push_back(event);
        if lane.events.len() == 1 {
            self.turns.push_back(Rc::clone(member));
        }
        self.waker.take()
    }

    fn lose(&mut self, member: &Rc<str>) -> Option<Waker> {
        self.lane(member).lost += 1;
        self.waker.take()
    }
}

struct First<T>(Rc<RefCell<Queue<T>>>);

impl<T> Intake<T> for First<T> {
    fn push(&self, event: T) {
        let waker = {
            let mut queue = self.0.borrow_mut();
            if queue.ended {
                return;
            }
            if queue.first.len() < queue.capacity {
                queue.first.push_back(event);
            } else {
                queue.overflowed = true;
            }
            queue.waker.take()
        };
        wake(waker);
    }
}

struct OfMember<T> {
    queue: Rc<RefCell<Queue<T>>>,
    member: Rc<str>,
}

impl<T> Intake<T> for OfMember<T> {
    fn push(&self, event: T) {
        let waker = {
            let mut queue = self.queue.borrow_mut();
            if queue.ended {
                return;
            }
            queue.push(&self.member, event)
        };
        wake(waker);
    }

    fn has_room(&self) -> bool {
        self.queue.borrow().has_room(&self.member, 0)
    }

    fn note_lost(&self) {
        let waker = {
            let mut queue = self.queue.borrow_mut();
            if queue.ended { None } else { queue.lose(&self.member) }
        };
        wake(waker);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPACITY: LaneCapacity = LaneCapacity { messages: 4, bytes: 100 };

    /// A message of this length, or an event that must not be lost.
    #[derive(Debug, Clone, PartialEq)]
    enum Event {
        Message(&'static str, usize),
        Closed(&'static str),
    }

    fn queue() -> (Lanes<Event>, FairStream<Event>) {
        fair_queue(2, CAPACITY, |event| match event {
            Event::Message(_, bytes) => Some(*bytes),
            Event::Closed(_) => None,
        })
    }

    fn served(stream: &mut FairStream<Event>) -> Vec<&'static str> {
        let events = std::iter::from_fn(|| stream.try_next());
        events
            .map(|event| match event {
                Event::Message(who, _) | Event::Closed(who) => who,
            })
            .collect()
    }

    #[test]
    fn the_first_lane_is_served_before_the_members_in_turn() {
        let (lanes, mut stream) = queue();
        let (eve, ada) = (lanes.of_member("eve"), lanes.of_member("ada"));
        for _ in 0..4 {
            eve.push(Event::Message("eve", 1));
        }
        ada.push(Event::Message("ada", 1));
        lanes.first().push(Event::Message("person", 1));
        assert_eq!(served(&mut stream), ["person", "eve", "ada", "eve", "eve", "eve"]);
    }

    #[test]
    fn a_flood_of_one_member_loses_only_its_own_messages() {
        let (lanes, mut stream) = queue();
        let (eve, ada) = (lanes.of_member("eve"), lanes.of_member("ada"));
        for _ in 0..1_000 {
            eve.push(Event::Message("eve", 1));
        }
        assert!(!eve.has_room());
        eve.note_lost();
        assert!(ada.has_room());
        ada.push(Event::Message("ada", 1));
        assert_eq!(served(&mut stream), ["eve", "ada", "eve", "eve", "eve"]);
        assert_eq!(stream.take_lost(), Some(("eve".to_owned(), 997)));
        assert_eq!(stream.take_lost(), None);
        assert!(!stream.take_overflow());
        assert!(eve.has_room());
    }

    #[test]
    fn bytes_are_limited_and_events_that_must_not_be_lost_keep_their_place() {
        let (lanes, mut stream) = queue();
        let eve = lanes.of_member("eve");
        for _ in 0..3 {
            eve.push(Event::Message("large", 60));
        }
        eve.push(Event::Closed("closed"));
        eve.push(Event::Message("small", 1));
        assert_eq!(served(&mut stream), ["large", "closed", "small"]);
        assert_eq!(stream.take_lost(), Some(("eve".to_owned(), 2)));
    }

    #[test]
    fn a_paused_reader_wakes_at_the_next_push_while_events_wait() {
        let (lanes, mut stream) = queue();
        let eve = lanes.of_member("eve");
        eve.push(Event::Message("eve", 1));
        let mut context = Context::from_waker(Waker::noop());
        {
            let mut pause = std::pin::pin!(stream.pushed());
            assert!(pause.as_mut().poll(&mut context).is_pending());
            assert!(pause.as_mut().poll(&mut context).is_pending());
            eve.push(Event::Message("eve", 1));
            assert!(pause.as_mut().poll(&mut context).is_ready());
        }
        (0..4).for_each(|_| eve.push(Event::Message("eve", 1)));
        let mut pause = std::pin::pin!(stream.pushed());
        assert!(pause.as_mut().poll(&mut context).is_pending());
        eve.push(Event::Message("lost", 1));
        assert!(pause.as_mut().poll(&mut context).is_ready());
    }

    #[test]
    fn an_empty_lane_is_removed() {
        let (lanes, mut stream) = queue();
        for number in 0..1_000 {
            lanes.of_member(&number.to_string()).push(Event::Message("x", 1));
            assert_eq!(served(&mut stream), ["x"]);
        }
        assert_eq!(stream.queue.borrow().lanes.len(), 0);
    }

    #[test]
    fn a_full_first_lane_is_reported_once() {
        let (lanes, mut stream) = queue();
        for _ in 0..5 {
            lanes.first().push(Event::Closed("person"));
        }
        assert!(stream.take_overflow());
        assert!(!stream.take_overflow());
        assert_eq!(served(&mut stream).len(), 2);
    }
}
