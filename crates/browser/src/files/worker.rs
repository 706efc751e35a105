//! The page's side of the file worker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsValue;
use web_sys::{Event, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::{FromWorker, ToWorker};
use crate::js::{error::BrowserError, event::Listener, queue::EventSink};

/// Most commands that wait for the worker to start. Frames come only after its first answer, so they never wait here.
const MAX_WAITING: usize = 4096;

/// An event of the worker.
#[derive(Debug)]
pub enum FileWorkerEvent {
    /// A message of the worker.
    Message(FromWorker),
    /// The worker could not be loaded, or ended with an error.
    Failed,
}

/// A running worker; it is terminated when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct FileWorker(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    // Dropped first, so that a terminated worker reports nothing.
    listeners: RefCell<Vec<Listener>>,
    worker: Worker,
    is_ready: Cell<bool>,
    waiting: RefCell<Vec<ToWorker>>,
}

impl FileWorker {
    /// Starts the worker with the script at this address.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser has no workers, or a policy forbids this one.
    pub fn start(url: &str, sink: &EventSink<FileWorkerEvent>) -> Result<Self, BrowserError> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(url, &options)?;
        let inner = Rc::new(Inner {
            listeners: RefCell::default(),
            worker,
            is_ready: Cell::new(false),
            waiting: RefCell::default(),
        });
        let on_message = {
            let (inner, sink) = (Rc::downgrade(&inner), sink.clone());
            move |event: MessageEvent| match FromWorker::from_js(&event.data()) {
                Some(FromWorker::Ready) => {
                    if let Some(inner) = inner.upgrade() {
                        inner.begin();
                    }
                }
                Some(message) => sink.push(FileWorkerEvent::Message(message)),
                None => {}
            }
        };
        let failing = sink.clone();
        *inner.listeners.borrow_mut() = vec![
            Listener::new(&inner.worker, "message", on_message),
            Listener::new(&inner.worker, "error", move |_: Event| failing.push(FileWorkerEvent::Failed)),
        ];
        Ok(Self(inner))
    }

    /// Posts a message, once the worker runs.
    pub fn post(&self, message: ToWorker) {
        if self.0.is_ready.get() {
            self.0.post(message);
        } else if self.0.waiting.borrow().len() < MAX_WAITING {
            self.0.waiting.borrow_mut().push(message);
        }
    }
}

impl Inner {
    fn begin(&self) {
        self.is_ready.set(true);
        for message in self.waiting.take() {
            self.post(message);
        }
    }

    fn post(&self, message: ToWorker) {
        let (message, transferred) = message.into_js();
        // Fails only for values that cannot be cloned, and all messages can.
        let _ = self.worker.post_message_with_transfer(&JsValue::from(message), &transferred);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.listeners.borrow_mut().clear();
        self.worker.terminate();
    }
}
