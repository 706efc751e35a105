//! The examination of the command `check`: performs the operations of the core's doctor on this computer.
//!
//! `sightline_core::doctor` decides which rows there are, judges the findings and gives the verdict, for the page `/check` and for
//! this program.

mod gathering;
mod relay_call;
mod server;
mod turn;

use std::{collections::HashMap, sync::Arc};

use rustls::ClientConfig;
use sightline_core::doctor::{Doctor, DoctorOutput, Finding, Operation, OperationId};
use sightline_protocol::signaling::IceServer;
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

use crate::{
    address::ServerAddress,
    clock::{Clock, until},
};

/// More than all gatherings can report at once.
const MAX_FINDINGS: usize = 256;

/// What the operations need.
struct Context {
    server: ServerAddress,
    tls: Arc<ClientConfig>,
    /// Whether the server is this computer, so that its loopback address counts.
    is_loopback: bool,
    clock: Clock,
}

/// Where an operation reports to.
struct Reports {
    id: OperationId,
    findings: mpsc::Sender<(OperationId, Finding)>,
}

impl Reports {
    async fn send(&self, finding: Finding) {
        let _ = self.findings.send((self.id, finding)).await;
    }
}

/// An examination that is running.
pub struct Examination {
    doctor: Doctor,
    context: Arc<Context>,
    running: HashMap<OperationId, AbortHandle>,
    tasks: JoinSet<()>,
    to_findings: mpsc::Sender<(OperationId, Finding)>,
    findings: mpsc::Receiver<(OperationId, Finding)>,
}

impl Examination {
    /// Begins to examine what calls need, from this computer, with this server. If there are own ICE servers, they are checked
    /// instead of the server's.
    #[must_use]
    pub fn begin(server: ServerAddress, tls: Arc<ClientConfig>, own_servers: Vec<IceServer>) -> Self {
        let clock = Clock::start();
        let doctor = Doctor::of_network(server.is_encrypted(), own_servers, clock.now());
        let (to_findings, findings) = mpsc::channel(MAX_FINDINGS);
        let context = Context { is_loopback: server.is_loopback(), server, tls, clock };
        Self {
            doctor,
            context: Arc::new(context),
            running: HashMap::new(),
            tasks: JoinSet::new(),
            to_findings,
            findings,
        }
    }

    /// The rows and the verdict, as far as they are known.
    #[must_use]
    pub fn doctor(&self) -> &Doctor {
        &self.doctor
    }

    /// Waits for one finding or deadline, and hands it to the doctor. The future may be dropped and the method called again at any
    /// time.
    pub async fn step(&mut self) {
        while let Some(output) = self.doctor.poll_output() {
            match output {
                DoctorOutput::Begin(id, operation) => self.perform(id, operation),
                DoctorOutput::End(id) => {
                    if let Some(task) = self.running.remove(&id) {
                        task.abort();
                    }
                }
            }
        }
        if self.doctor.is_done() {
            return;
        }
        let clock = self.context.clock;
        let due = self.doctor.poll_timeout().map(|deadline| clock.instant(deadline));
        tokio::select! {
            biased;
            Some((id, finding)) = self.findings.recv() => self.doctor.handle_finding(id, finding, clock.now()),
            () = until(due) => self.doctor.handle_timeout(clock.now()),
        }
    }

    fn perform(&mut self, id: OperationId, operation: Operation) {
        let context = Arc::clone(&self.context);
        let reports = Reports { id, findings: self.to_findings.clone() };
        let task = self.tasks.spawn(async move {
            let finding = match operation {
                Operation::ReachServer => server::reach(&context).await,
                Operation::InspectCertificate => server::inspect_certificate(&context).await,
                Operation::OpenSignaling => server::ask_for_ice_servers(&context).await,
                Operation::Gather(servers) => return gathering::gather(&servers, &context, &reports).await,
                Operation::CallThroughRelay(relays) => relay_call::measure(&relays, &context).await,
                // An examination of the network alone has no rows for devices.
                Operation::AskForDevices
                | Operation::WatchCamera
                | Operation::ListenToMicrophone
                | Operation::CountSpeakers => return,
            };
            reports.send(finding).await;
        });
        self.running.insert(id, task);
    }
}
