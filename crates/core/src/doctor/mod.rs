//! The connection doctor: finds what prevents a call, and says who can do something about it.
//!
//! [`Doctor`] is the examination: it tells the browser what to do ([`Operation`]), takes the results ([`Finding`]), gives every
//! check its own deadline, and ends with a [`Verdict`] and [`Advice`]. Separate types judge the findings: [`Gathering`] for one
//! ICE server, [`NatMapping`] for several, [`devices`] for camera and microphone, [`RelayProbe`] for a call through the relay.

mod candidate;
mod check;
pub mod devices;
mod examination;
mod flood_window;
mod gathering;
mod ice_plan;
mod nat;
mod operation;
mod relay_probe;
mod report;
mod rows;
mod signaling_probe;
mod verdict;

pub use candidate::{Candidate, CandidateType, Family, redact};
pub use check::{Check, CheckCode, CheckId, CheckKind, CheckState, Detail, DetailLabel, Outcome};
pub use examination::{BrowserFacts, CHECK_DEADLINE, Doctor};
pub use flood_window::FloodWindow;
pub use gathering::{Gathering, GatheringError, MAX_CANDIDATES};
pub use ice_plan::MAX_ICE_URLS;
pub use nat::NatMapping;
pub use operation::{CertificateFinding, DoctorOutput, Finding, Operation, OperationId, SignalingFinding};
pub use relay_probe::{FLOOD_AHEAD_BYTES, FLOOD_MESSAGE_BYTES, ProbeOutput, RelayFigures, RelayProbe};
pub use report::{MAX_REPORT_LINK_BYTES, Report, ReportUnreadable};
pub use signaling_probe::SignalingProbe;
pub use verdict::{Advice, IceServersOf, Verdict, Who};
