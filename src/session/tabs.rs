//! Signaling between tabs. Only a page without a server loads it.

use std::{cell::RefCell, rc::Rc};

use leptos::task::spawn_local;
use sightline_browser::{
    BrowserError,
    js::queue::EventSink,
    signaling::{SignalingTransport, TabsTransport, TransportEvent},
};
use sightline_protocol::{AdmissionTag, RoomName};

use crate::in_chunk;

in_chunk! {
    fn open_tabs, load_tabs in room(
        room: RoomName,
        admission: Option<AdmissionTag>,
        sink: EventSink<TransportEvent>,
    ) -> Result<Box<dyn SignalingTransport>, BrowserError> {
        TabsTransport::open(&room, admission.as_ref(), &sink).map(|tab| Box::new(tab) as _)
    }
}

/// A [`TabsTransport`] that is loaded first.
#[derive(Debug)]
pub struct LoadingTabs(Rc<RefCell<State>>);

#[derive(Debug)]
enum State {
    Loading,
    Open(Box<dyn SignalingTransport>),
    Closed,
}

impl LoadingTabs {
    /// Loads and opens the transport, which reports to `sink`.
    pub fn open(room: RoomName, admission: Option<AdmissionTag>, sink: EventSink<TransportEvent>) -> Self {
        let state = Rc::new(RefCell::new(State::Loading));
        let opened = Rc::clone(&state);
        spawn_local(async move {
            let failed = match open_tabs(room, admission, sink.clone()).await {
                Ok(Ok(mut tab)) => {
                    let mut state = opened.borrow_mut();
                    if matches!(*state, State::Loading) {
                        *state = State::Open(tab);
                    } else {
                        tab.close();
                    }
                    return;
                }
                Ok(Err(error)) => error.message,
                Err(lost) => lost.to_string(),
            };
            if matches!(*opened.borrow(), State::Loading) {
                sink.push(TransportEvent::Closed { code: 1006, reason: failed });
            }
        });
        Self(state)
    }
}

impl SignalingTransport for LoadingTabs {
    fn send(&self, frame: &str) -> Result<(), BrowserError> {
        match &*self.0.borrow() {
            State::Open(tab) => tab.send(frame),
            State::Loading | State::Closed => {
                Err(BrowserError::of("InvalidStateError", "the channel is not open"))
            }
        }
    }

    fn close(&mut self) {
        let before = self.0.replace(State::Closed);
        if let State::Open(mut tab) = before {
            tab.close();
        }
    }

    fn refuse(&mut self, _reason: &str) {
        self.close();
    }
}

impl Drop for LoadingTabs {
    fn drop(&mut self) {
        self.close();
    }
}
