//! Signaling between the tabs of one browser over a `BroadcastChannel` (HTML, 9.5), where there is no server.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use gloo_timers::callback::Timeout;
use sightline_core::signaling::{TabOutput, TabPlace};
use sightline_protocol::{AdmissionTag, RoomName, limits::MAX_FRAME_BYTES, tabs::channel_name};
use wasm_bindgen::JsValue;
use web_sys::{BroadcastChannel, MessageEvent};

use super::{SignalingTransport, TransportEvent};
use crate::{
    js::{
        bounded_text::{BoundedText, bounded_text},
        error::BrowserError,
        event::Listener,
        queue::EventSink,
    },
    page::{clock, lifecycle, random},
};

/// The place of a tab in a room of tabs, from opening to its end.
#[derive(Debug)]
pub struct TabsTransport {
    tab: Rc<RefCell<Tab>>,
    _listeners: [Listener; 2],
}

#[derive(Debug)]
struct Tab {
    place: TabPlace,
    channel: BroadcastChannel,
    /// `None` once nothing more is to be reported.
    sink: Option<EventSink<TransportEvent>>,
    timer: Option<Timeout>,
    this: Weak<RefCell<Tab>>,
}

impl TabsTransport {
    /// Opens the channel of a room, with the tag of a protected one, and reports to `sink`.
    ///
    /// # Errors
    /// [`BrowserError`] where the page may not use one.
    pub fn open(
        room: &RoomName,
        admission: Option<&AdmissionTag>,
        sink: &EventSink<TransportEvent>,
    ) -> Result<Self, BrowserError> {
        let channel = BroadcastChannel::new(&channel_name(room, admission))?;
        let tab = Rc::new_cyclic(|this| {
            RefCell::new(Tab {
                place: TabPlace::new(random::bits(), clock::unix_ms()),
                channel: channel.clone(),
                sink: Some(sink.clone()),
                timer: None,
                this: this.clone(),
            })
        });
        let (heard, hidden) = (Rc::clone(&tab), Rc::clone(&tab));
        let on_message = Listener::new(&channel, "message", move |event: MessageEvent| {
            if let BoundedText::Text(text) = bounded_text(&event.data()) {
                let mut tab = heard.borrow_mut();
                tab.place.handle_post(&text, clock::now());
                tab.perform();
            }
        });
        let on_page_hide = lifecycle::on_page_hide(move || {
            let mut tab = hidden.borrow_mut();
            tab.place.handle_closed();
            tab.perform();
        });
        sink.push(TransportEvent::Open);
        Ok(Self { tab, _listeners: [on_message, on_page_hide] })
    }
}

impl SignalingTransport for TabsTransport {
    fn send(&self, frame: &str) -> Result<(), BrowserError> {
        if frame.len() > MAX_FRAME_BYTES {
            return Err(BrowserError::of("TypeError", "the frame is too long"));
        }
        let mut tab = self.tab.borrow_mut();
        tab.place.handle_frame(frame, clock::now());
        tab.perform();
        Ok(())
    }

    fn close(&mut self) {
        let mut tab = self.tab.borrow_mut();
        tab.sink = None;
        tab.place.handle_closed();
        tab.perform();
        tab.timer = None;
        tab.channel.close();
    }

    fn refuse(&mut self, _reason: &str) {
        self.close();
    }
}

impl Drop for TabsTransport {
    fn drop(&mut self) {
        self.close();
    }
}

impl Tab {
    /// Performs the outputs of the last input.
    fn perform(&mut self) {
        while let Some(output) = self.place.poll_output() {
            match output {
                // Throws only if the channel is closed, and then nobody listens.
                TabOutput::Post(post) => drop(self.channel.post_message(&JsValue::from_str(&post))),
                TabOutput::Deliver(frame) => self.report(TransportEvent::Frame(frame)),
                TabOutput::Close => {
                    self.report(TransportEvent::Closed { code: 1000, reason: String::new() });
                    self.sink = None;
                }
            }
        }
        self.timer = self.place.poll_timeout().map(|deadline| {
            let this = self.this.clone();
            let wait_ms = deadline.since(clock::now()).as_millis() as u32 + 1;
            Timeout::new(wait_ms, move || {
                if let Some(tab) = this.upgrade() {
                    let mut tab = tab.borrow_mut();
                    tab.place.handle_timeout(clock::now());
                    tab.perform();
                }
            })
        });
    }

    fn report(&self, event: TransportEvent) {
        if let Some(sink) = &self.sink {
            sink.push(event);
        }
    }
}
