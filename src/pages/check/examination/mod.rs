//! Runs an examination: performs the operations of the core's doctor in the browser, and returns the findings.

mod devices;
mod gathering;
mod relay_call;
mod server;

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use futures_util::{
    future::{AbortHandle, Abortable, Either, select},
    pin_mut,
};
use leptos::task::spawn_local;
use sightline_browser::{
    js::queue::{EventSink, EventStream, event_queue},
    page::{clock, environment},
};
use sightline_core::doctor::{BrowserFacts, Doctor, DoctorOutput, Finding, Operation, OperationId, Outcome};
use sightline_protocol::signaling::IceServer;

use self::devices::Devices;
pub(super) use self::gathering::gather;

/// More than all gatherings can report at once.
const MAX_FINDINGS: usize = 1024;

type Input = (OperationId, Finding);

/// A task that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Task(AbortHandle);

impl Task {
    pub(super) fn spawn(future: impl Future<Output = ()> + 'static) -> Self {
        let (handle, registration) = AbortHandle::new_pair();
        spawn_local(async move {
            let _ = Abortable::new(future, registration).await;
        });
        Self(handle)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs the examination and shows its state after each step, until the future is dropped. The person's own ICE servers, if there
/// are any, are checked instead of the server's.
pub(super) fn start(own_servers: Vec<IceServer>, show: impl Fn(&Doctor) + 'static) -> Task {
    Task::spawn(async move { Run::new(own_servers).run(show).await })
}

struct Run {
    doctor: Doctor,
    running: HashMap<OperationId, Task>,
    devices: Rc<RefCell<Devices>>,
    inputs: EventSink<Input>,
    stream: EventStream<Input>,
}

impl Run {
    fn new(own_servers: Vec<IceServer>) -> Self {
        let facts = BrowserFacts {
            has_web_rtc: environment::has_web_rtc(),
            is_secure: environment::is_secure_context() && environment::has_media_devices(),
        };
        let (inputs, stream) = event_queue(MAX_FINDINGS);
        Self {
            doctor: Doctor::new(facts, own_servers, clock::now()),
            running: HashMap::new(),
            devices: Rc::default(),
            inputs,
            stream,
        }
    }

    async fn run(mut self, show: impl Fn(&Doctor)) {
        loop {
            while let Some(output) = self.doctor.poll_output() {
                match output {
                    DoctorOutput::Begin(id, operation) => self.begin(id, operation),
                    DoctorOutput::End(id) => drop(self.running.remove(&id)),
                }
            }
            show(&self.doctor);
            // The person's answer may be missing when everything else is done.
            if self.doctor.is_done() && self.running.is_empty() {
                return;
            }
            match self.next().await {
                Some((id, finding)) => self.doctor.handle_finding(id, finding, clock::now()),
                None => self.doctor.handle_timeout(clock::now()),
            }
        }
    }

    /// The next finding; `None` if a deadline came first.
    async fn next(&mut self) -> Option<Input> {
        let Some(deadline) = self.doctor.poll_timeout() else { return self.stream.next().await };
        let (timer, next) = (clock::sleep_until(deadline), self.stream.next());
        pin_mut!(timer, next);
        match select(next, timer).await {
            Either::Left((finding, _)) => finding,
            Either::Right(_) => None,
        }
    }

    fn begin(&mut self, id: OperationId, operation: Operation) {
        let sink = self.inputs.map(move |finding| (id, finding));
        let devices = Rc::clone(&self.devices);
        let task = match operation {
            Operation::AskForDevices => Task::spawn(async move { sink.push(devices::ask(&devices).await) }),
            Operation::WatchCamera => find(sink, async move { devices::watch_camera(&devices).await }),
            Operation::ListenToMicrophone => {
                find(sink, async move { devices::listen_to_microphone(&devices).await })
            }
            Operation::CountSpeakers => find(sink, devices::count_speakers()),
            Operation::ReachServer => {
                Task::spawn(async move { sink.push(Finding::Server(server::reach().await)) })
            }
            // A page does not see the certificate, so its examination has no row for it.
            Operation::InspectCertificate => return,
            Operation::OpenSignaling => Task::spawn(async move {
                sink.push(Finding::Signaling(server::ask_for_ice_servers().await));
            }),
            Operation::Gather(servers) => Task::spawn(async move { gather(&servers, false, &sink).await }),
            Operation::CallThroughRelay(relays) => Task::spawn(async move {
                sink.push(relay_call::measure(&relays).await);
            }),
        };
        self.running.insert(id, task);
    }
}

fn find(sink: EventSink<Finding>, outcome: impl Future<Output = Outcome> + 'static) -> Task {
    Task::spawn(async move { sink.push(Finding::Judged(outcome.await)) })
}
