//! The rows of an examination: which of them run, their deadlines, and the operations that the browser performs for them.

use std::collections::VecDeque;

use sightline_protocol::signaling::IceServer;

use super::{
    candidate::CandidateType,
    check::{Check, CheckCode, CheckId, CheckKind, CheckState, Outcome},
    examination::CHECK_DEADLINE,
    gathering::Gathering,
    operation::{DoctorOutput, Operation, OperationId},
};
use crate::Timestamp;

/// Number of gatherings that may run at the same time.
const MAX_GATHERINGS: usize = 4;

/// The rows in display order.
#[derive(Debug)]
pub(super) struct Rows {
    rows: Vec<Row>,
    outputs: VecDeque<DoctorOutput>,
    next_operation: u32,
}

/// A row with its state.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) check: Check,
    pub(super) operation: Option<OperationId>,
    pub(super) deadline: Option<Timestamp>,
    pub(super) gathering: Option<Gathering>,
    /// The ICE servers of a row that waits for its gathering.
    pub(super) servers: Vec<IceServer>,
}

impl Rows {
    pub(super) fn new(kinds: impl IntoIterator<Item = CheckKind>) -> Self {
        Self {
            rows: kinds.into_iter().map(|kind| Row::new(CheckId::only(kind), None)).collect(),
            outputs: VecDeque::new(),
            next_operation: 0,
        }
    }

    pub(super) fn all(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn at(&mut self, at: usize) -> &mut Row {
        &mut self.rows[at]
    }

    /// Index of the first row of a kind.
    pub(super) fn of(&self, kind: CheckKind) -> Option<usize> {
        self.rows.iter().position(|row| row.check.id.kind == kind)
    }

    /// Index of the row that an operation belongs to.
    pub(super) fn of_operation(&self, operation: OperationId) -> Option<usize> {
        self.rows.iter().position(|row| row.operation == Some(operation))
    }

    pub(super) fn insert_before(&mut self, kind: CheckKind, rows: impl IntoIterator<Item = Row>) {
        let place = self.of(kind).unwrap_or(self.rows.len());
        self.rows.splice(place..place, rows);
    }

    pub(super) fn poll_output(&mut self) -> Option<DoctorOutput> {
        self.outputs.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        let running = self.rows.iter().filter(|row| row.check.state == CheckState::Running);
        running
            .filter_map(|row| match &row.gathering {
                Some(gathering) => gathering.poll_timeout(),
                None => row.deadline,
            })
            .min()
    }

    pub(super) fn begin(&mut self, kind: CheckKind, operation: Operation, now: Timestamp) {
        let Some(at) = self.of(kind) else { return };
        let id = self.next_id();
        let row = &mut self.rows[at];
        row.check.state = CheckState::Running;
        row.check.code = None;
        row.operation = Some(id);
        row.deadline = Some(now + CHECK_DEADLINE);
        self.outputs.push_back(DoctorOutput::Begin(id, operation));
    }

    pub(super) fn begin_gathering(&mut self, at: usize, now: Timestamp) {
        let id = self.next_id();
        let row = &mut self.rows[at];
        let hoped_for = match row.check.id.kind {
            CheckKind::StunUdp => Some(CandidateType::ServerReflexive),
            CheckKind::TurnUdp | CheckKind::TurnTcp | CheckKind::TurnTls => Some(CandidateType::Relay),
            _ => None,
        };
        row.gathering = Some(Gathering::new(hoped_for, CHECK_DEADLINE, now));
        row.check.state = CheckState::Running;
        row.operation = Some(id);
        self.outputs.push_back(DoctorOutput::Begin(id, Operation::Gather(row.servers.clone())));
    }

    /// Begins waiting gatherings, up to `MAX_GATHERINGS`.
    pub(super) fn begin_waiting(&mut self, now: Timestamp) {
        let is_gathering = |row: &&Row| row.check.state == CheckState::Running && row.gathering.is_some();
        let mut free = MAX_GATHERINGS.saturating_sub(self.rows.iter().filter(is_gathering).count());
        for at in 0..self.rows.len() {
            let row = &self.rows[at];
            if free > 0 && row.check.state == CheckState::Waiting && !row.servers.is_empty() {
                self.begin_gathering(at, now);
                free -= 1;
            }
        }
    }

    pub(super) fn conclude(&mut self, at: usize, outcome: Outcome) {
        let row = &mut self.rows[at];
        row.conclude(outcome);
        row.gathering = None;
        if let Some(operation) = row.operation.take() {
            self.outputs.push_back(DoctorOutput::End(operation));
        }
    }

    pub(super) fn conclude_only(&mut self, kind: CheckKind, outcome: Outcome) {
        if let Some(at) = self.of(kind) {
            self.conclude(at, outcome);
        }
    }

    pub(super) fn skip(&mut self, kind: CheckKind) {
        self.conclude_only(kind, Outcome::warning(CheckCode::NotTested, Vec::new()));
    }

    fn next_id(&mut self) -> OperationId {
        let id = OperationId(self.next_operation);
        self.next_operation += 1;
        id
    }
}

impl Row {
    pub(super) fn new(id: CheckId, subject: Option<String>) -> Self {
        Self {
            check: Check::waiting(id, subject),
            operation: None,
            deadline: None,
            gathering: None,
            servers: Vec::new(),
        }
    }

    /// Sets the result of the row; its operation continues.
    pub(super) fn conclude(&mut self, outcome: Outcome) {
        let Outcome { state, code, details } = outcome;
        self.check.state = state;
        self.check.code = Some(code);
        self.check.details = details;
        self.deadline = None;
    }
}
