//! The bounded queue from browser callbacks to the application.
//!
//! A callback pushes into an [`EventSink`] and returns; the application takes events from the only [`EventStream`] in a separate
//! task. So a callback never runs application code in the middle of other application code.

use std::{
    cell::RefCell,
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use futures_util::Stream;

/// A queue that holds at most `capacity` events. An event that is pushed into a full queue is lost, and the stream reports that
/// ([`EventStream::take_overflow`]).
#[must_use]
pub fn event_queue<T: 'static>(capacity: usize) -> (EventSink<T>, EventStream<T>) {
    let queue = Rc::new(RefCell::new(Queue {
        events: VecDeque::new(),
        capacity,
        overflowed: false,
        ended: false,
        waker: None,
    }));
    let end = SinkEnd(Rc::clone(&queue));
    (EventSink::of(end), EventStream { queue })
}

/// The callbacks' end of the queue. Clones, and the results of [`EventSink::map`], push into the same queue.
pub struct EventSink<T> {
    intake: Rc<dyn Intake<T>>,
}

/// The part of a queue that a sink pushes into.
pub(crate) trait Intake<T> {
    fn push(&self, event: T);

    /// Whether the queue would take a message now; otherwise the message need not be copied.
    fn has_room(&self) -> bool {
        true
    }

    /// Records that a message was not pushed, because the queue was full.
    fn note_lost(&self) {}
}

impl<T: 'static> EventSink<T> {
    /// Appends an event.
    pub fn push(&self, event: T) {
        self.intake.push(event);
    }

    /// Whether the queue would take a message now. If not, call [`Self::note_lost`] instead of [`Self::push`], without copying
    /// the message.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.intake.has_room()
    }

    /// Records a message that was not pushed, because the queue was full.
    pub fn note_lost(&self) {
        self.intake.note_lost();
    }

    pub(crate) fn of(intake: impl Intake<T> + 'static) -> Self {
        Self { intake: Rc::new(intake) }
    }

    /// A sink for events that `convert` turns into a `T`, for example by adding the id of a connection.
    #[must_use]
    pub fn map<U: 'static>(&self, convert: impl Fn(U) -> T + 'static) -> EventSink<U> {
        EventSink::of(Mapped { sink: self.clone(), convert })
    }
}

/// A sink for callbacks that are installed before it is known which queue is theirs. What they push before that is lost.
#[must_use]
pub fn sink_for_later<T: 'static>() -> (EventSink<T>, FutureSink<T>) {
    let queue = FutureSink(Rc::default());
    (EventSink::of(queue.clone()), queue)
}

/// Names the queue of a sink that was made by [`sink_for_later`].
pub struct FutureSink<T>(Rc<RefCell<Option<EventSink<T>>>>);

impl<T> FutureSink<T> {
    /// From now on, events go to `sink`.
    pub fn set(&self, sink: EventSink<T>) {
        *self.0.borrow_mut() = Some(sink);
    }

    fn sink(&self) -> Option<EventSink<T>> {
        self.0.borrow().clone()
    }
}

impl<T> Clone for FutureSink<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: 'static> Intake<T> for FutureSink<T> {
    fn push(&self, event: T) {
        if let Some(sink) = self.sink() {
            sink.push(event);
        }
    }

    fn has_room(&self) -> bool {
        self.sink().is_some_and(|sink| sink.has_room())
    }

    fn note_lost(&self) {
        if let Some(sink) = self.sink() {
            sink.note_lost();
        }
    }
}

struct Mapped<T, F> {
    sink: EventSink<T>,
    convert: F,
}

impl<T: 'static, U, F: Fn(U) -> T> Intake<U> for Mapped<T, F> {
    fn push(&self, event: U) {
        self.sink.push((self.convert)(event));
    }

    fn has_room(&self) -> bool {
        self.sink.has_room()
    }

    fn note_lost(&self) {
        self.sink.note_lost();
    }
}

impl<T> Clone for EventSink<T> {
    fn clone(&self) -> Self {
        Self { intake: Rc::clone(&self.intake) }
    }
}

impl<T> fmt::Debug for EventSink<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EventSink")
    }
}

/// The application's end of the queue, in the order of pushing. After it is dropped, pushing does nothing.
pub struct EventStream<T> {
    queue: Rc<RefCell<Queue<T>>>,
}

impl<T> EventStream<T> {
    /// Waits for the next event; `None` once every sink is gone and the queue is empty.
    pub async fn next(&mut self) -> Option<T> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The next event, if there is one now.
    pub fn try_next(&mut self) -> Option<T> {
        self.queue.borrow_mut().events.pop_front()
    }

    /// Whether events were lost since the last call.
    #[must_use]
    pub fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.queue.borrow_mut().overflowed)
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<Option<T>> {
        let mut queue = self.queue.borrow_mut();
        match queue.events.pop_front() {
            Some(event) => Poll::Ready(Some(event)),
            None if queue.ended => Poll::Ready(None),
            None => {
                queue.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> Stream for EventStream<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll(context)
    }
}

impl<T> Drop for EventStream<T> {
    fn drop(&mut self) {
        let events = {
            let mut queue = self.queue.borrow_mut();
            queue.ended = true;
            std::mem::take(&mut queue.events)
        };
        // Dropped outside the borrow: an event may own a browser object whose drop runs code.
        drop(events);
    }
}

impl<T> fmt::Debug for EventStream<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EventStream")
    }
}

struct Queue<T> {
    events: VecDeque<T>,
    capacity: usize,
    overflowed: bool,
    /// Whether one of the two ends is gone.
    ended: bool,
    waker: Option<Waker>,
}

/// The sinks' shared reference to the queue.
struct SinkEnd<T>(Rc<RefCell<Queue<T>>>);

impl<T> Intake<T> for SinkEnd<T> {
    fn push(&self, event: T) {
        let waker = {
            let mut queue = self.0.borrow_mut();
            if queue.ended {
                return;
            }
            if queue.events.len() < queue.capacity {
                queue.events.push_back(event);
            } else {
                queue.overflowed = true;
            }
            queue.waker.take()
        };
        wake(waker);
    }
}

impl<T> Drop for SinkEnd<T> {
    fn drop(&mut self) {
        let waker = {
            let mut queue = self.0.borrow_mut();
            queue.ended = true;
            queue.waker.take()
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
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
    };

    use super::*;

    /// A waker that counts its wake-ups.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_sink_for_later_pushes_into_the_queue_that_is_named() {
        let (early, queue) = sink_for_later();
        let (sink, mut stream) = event_queue(2);
        early.push(1);
        assert!(!early.has_room());
        queue.set(sink);
        assert!(early.has_room());
        early.push(2);
        assert_eq!((stream.try_next(), stream.try_next()), (Some(2), None));
    }

    fn poll<T>(stream: &mut EventStream<T>) -> (Poll<Option<T>>, Arc<Woken>) {
        let woken = Arc::new(Woken::default());
        let polled = stream.poll(&Context::from_waker(&Waker::from(Arc::clone(&woken))));
        (polled, woken)
    }

    #[test]
    fn events_of_all_sinks_come_in_the_order_they_were_pushed() {
        let (sink, mut stream) = event_queue::<String>(10);
        let numbers = sink.map(|number: u32| number.to_string());
        sink.push("a".to_owned());
        numbers.push(1);
        sink.clone().push("b".to_owned());
        let events: Vec<_> = std::iter::from_fn(|| stream.try_next()).collect();
        assert_eq!(events, ["a", "1", "b"]);
    }

    #[test]
    fn a_waiting_reader_is_woken_by_a_push_and_by_the_end() {
        let (sink, mut stream) = event_queue(10);
        let (polled, woken) = poll(&mut stream);
        assert_eq!((polled, woken.0.load(Ordering::Relaxed)), (Poll::Pending, 0));
        sink.push(1);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert_eq!(poll(&mut stream).0, Poll::Ready(Some(1)));

        let (_, woken) = poll(&mut stream);
        let mapped = sink.map(|event| event);
        drop(sink);
        assert_eq!(woken.0.load(Ordering::Relaxed), 0, "a mapped sink is one too");
        drop(mapped);
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert_eq!(poll(&mut stream).0, Poll::Ready(None));
    }

    #[test]
    fn events_pushed_before_the_end_still_arrive() {
        let (sink, mut stream) = event_queue(10);
        sink.push(1);
        drop(sink);
        assert_eq!(poll(&mut stream).0, Poll::Ready(Some(1)));
        assert_eq!(poll(&mut stream).0, Poll::Ready(None));
    }

    #[test]
    fn a_full_queue_drops_the_newest_event_and_reports_it_once() {
        let (sink, mut stream) = event_queue(2);
        for event in 0..5 {
            sink.push(event);
        }
        assert!(stream.take_overflow());
        assert!(!stream.take_overflow());
        assert_eq!([stream.try_next(), stream.try_next(), stream.try_next()], [Some(0), Some(1), None]);
        sink.push(9);
        assert!(!stream.take_overflow());
        assert_eq!(stream.try_next(), Some(9));
    }

    #[test]
    fn a_dropped_stream_drops_its_events_and_accepts_no_more() {
        let (sink, stream) = event_queue(10);
        let event = Rc::new(());
        sink.push(Rc::clone(&event));
        drop(stream);
        sink.push(Rc::clone(&event));
        assert_eq!(Rc::strong_count(&event), 1);
    }
}
