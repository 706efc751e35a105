//! The page's side of the worker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsValue;
use web_sys::{Event, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::{FromWorker, ToWorker};
use crate::js::{error::BrowserError, event::Listener, queue::EventSink};

/// Commands that wait for the worker to run. Frames come only after it answered, so they never wait here.
const MAX_WAITING: usize = 4096;

/// Something about the worker.
#[derive(Debug)]
pub enum FileWorkerEvent {
    /// It says something.
    Message(FromWorker),
    /// It could not be loaded, or ended by an error.
    Failed,
}

/// The worker, started when this is made and ended when it is dropped. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FileWorker(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    // Dropped first, so that nothing is heard of a worker that ends.
    listeners: RefCell<Vec<Listener>>,
    worker: Worker,
    is_ready: Cell<bool>,
    waiting: RefCell<Vec<ToWorker>>,
}

impl FileWorker {
    /// Starts the worker at this address.
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

    /// Tells it something, once it runs.
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
        // Fails only for what cannot be cloned, and all of these can.
        let _ = self.worker.post_message_with_transfer(&JsValue::from(message), &transferred);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.listeners.borrow_mut().clear();
        self.worker.terminate();
    }
}
