//! Ends the futures of a closed peer connection, whose promises the browser never settles.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::pin,
    rc::{Rc, Weak},
    task::{Poll, Waker},
};

use crate::js::error::BrowserError;

/// Whether a peer connection is closed, and the futures that wait.
#[derive(Debug, Default)]
pub(super) struct Closed {
    closed: Cell<bool>,
    waiting: RefCell<Vec<Weak<Cell<Option<Waker>>>>>,
}

impl Closed {
    /// Marks the connection as closed and ends all waiting futures.
    pub(super) fn set(&self) {
        self.closed.set(true);
        let waiting = self.waiting.take();
        for waker in waiting.iter().filter_map(Weak::upgrade).filter_map(|waker| waker.take()) {
            waker.wake();
        }
    }

    /// The result of `future`, or an `InvalidStateError` as soon as the connection is closed.
    pub(super) async fn or<T>(
        &self,
        future: impl Future<Output = Result<T, BrowserError>>,
    ) -> Result<T, BrowserError> {
        let waker = self.wait();
        let mut future = pin!(future);
        poll_fn(|context| {
            if self.closed.get() {
                return Poll::Ready(Err(closed()));
            }
            waker.set(Some(context.waker().clone()));
            future.as_mut().poll(context)
        })
        .await
    }

    fn wait(&self) -> Rc<Cell<Option<Waker>>> {
        let waker = Rc::default();
        let mut waiting = self.waiting.borrow_mut();
        waiting.retain(|other| other.strong_count() > 0);
        waiting.push(Rc::downgrade(&waker));
        waker
    }
}

fn closed() -> BrowserError {
    BrowserError::of("InvalidStateError", "the peer connection is closed")
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        task::Context,
    };

    use super::*;

    fn poll<T>(future: &mut std::pin::Pin<Box<impl Future<Output = T>>>) -> Poll<T> {
        future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn waiting_operations_end_when_the_connection_is_closed() {
        let closed = Closed::default();
        let mut waiting = [(); 2].map(|()| Box::pin(closed.or::<()>(pending())));
        assert!(waiting.iter_mut().all(|future| poll(future).is_pending()));
        closed.set();
        for future in &mut waiting {
            assert_eq!(poll(future), Poll::Ready(Err(super::closed())));
        }
    }

    #[test]
    fn nothing_begins_on_a_closed_connection() {
        let closed = Closed::default();
        closed.set();
        assert_eq!(poll(&mut Box::pin(closed.or(ready(Ok(1))))), Poll::Ready(Err(super::closed())));
    }

    #[test]
    fn ended_operations_are_not_kept() {
        let closed = Closed::default();
        for _ in 0..100 {
            assert_eq!(poll(&mut Box::pin(closed.or(ready(Ok(1))))), Poll::Ready(Ok(1)));
        }
        assert!(closed.waiting.borrow().len() <= 1);
    }
}
