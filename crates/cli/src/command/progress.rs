//! The transfers of a command as they are printed: a progress bar for each that runs, a line for each that ended.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use indicatif::ProgressBar;
use sightline_core::transfer::{Direction, TransferHandle, TransferState, TransferView};
use sightline_protocol::transfer::TransferEnd;

use super::output::{Event, FileEvent, Output, pace};
use crate::failure::{Exit, Failure};

/// Most progress bars at the same time.
const MAX_BARS: usize = 8;

/// What was printed about the transfers.
#[derive(Default)]
pub(super) struct Progress {
    bars: HashMap<TransferHandle, ProgressBar>,
    /// The transfers whose end was printed, without those that the session forgot.
    over: HashSet<TransferHandle>,
    ended: usize,
    /// The first transfer that failed.
    failure: Option<Failure>,
    failures: usize,
}

impl Progress {
    /// Number of transfers that ended, whatever the end.
    pub(super) fn ended(&self) -> usize {
        self.ended
    }

    /// Whether the end of this transfer was printed.
    pub(super) fn is_over(&self, handle: TransferHandle) -> bool {
        self.over.contains(&handle)
    }

    /// Prints nothing more about a transfer that this side ends.
    pub(super) fn forget(&mut self, handle: TransferHandle) {
        if let Some(bar) = self.bars.remove(&handle) {
            bar.finish_and_clear();
        }
        self.ended += usize::from(self.over.insert(handle));
    }

    /// Prints nothing more about a file that is not taken, and does not count it.
    pub(super) fn pass_over(&mut self, handle: TransferHandle) {
        self.over.insert(handle);
    }

    /// Keeps nothing about a transfer that the session forgot, of which no more events come.
    pub(super) fn handle_forgotten(&mut self, handle: TransferHandle) {
        if let Some(bar) = self.bars.remove(&handle) {
            bar.finish_and_clear();
        }
        self.over.remove(&handle);
    }

    /// Prints the present state of a transfer. `path` is where a received file was stored.
    pub(super) fn show(
        &mut self,
        output: &Output,
        handle: TransferHandle,
        view: &TransferView,
        member_name: &str,
        path: Option<&Path>,
    ) -> Result<(), Failure> {
        if self.is_over(handle) {
            return Ok(());
        }
        let shown =
            if view.folder.is_empty() { view.name.clone() } else { format!("{}/{}", view.folder, view.name) };
        let mut line = None;
        if view.state.is_over() {
            self.forget(handle);
            if view.state == TransferState::Done {
                line = Some(done_line(view, &shown, member_name, path));
            } else {
                self.fail(failure_of(view, &shown, member_name), output);
            }
        } else if view.state == TransferState::Running {
            self.draw(output, handle, view, &shown);
        }
        let event = Event::File(FileEvent {
            direction: view.direction.as_str(),
            state: view.state.as_str(),
            member: view.member.as_str(),
            member_name,
            name: &view.name,
            folder: &view.folder,
            size_bytes: view.size_bytes,
            bytes: view.bytes,
            reason: view.end.map(TransferEnd::as_str),
            sha256: view.sha256.map(|sha256| sha256.to_string()),
            path: path.map(|path| path.display().to_string()),
        });
        output.event(&event, line.as_deref())
    }

    /// Notes a failure. The first one becomes the error of the command; the others are printed as warnings.
    pub(super) fn fail(&mut self, failure: Failure, output: &Output) {
        self.failures += 1;
        if self.failure.is_none() {
            self.failure = Some(failure);
        } else {
            output.failed_file(&failure);
        }
    }

    /// Prints the kept failure as a warning: the command goes on, or ends with another error.
    pub(super) fn report(&mut self, output: &Output) {
        if let Some(failure) = self.failure.take() {
            output.failed_file(&failure);
        }
    }

    /// The result of the command, once all transfers ended.
    pub(super) fn result(&mut self) -> Result<(), Failure> {
        self.bars.drain().for_each(|(_, bar)| bar.finish_and_clear());
        let Some(mut failure) = self.failure.take() else { return Ok(()) };
        if self.failures > 1 {
            failure.sentence = format!("{} {} more failed.", failure.sentence, self.failures - 1);
        }
        Err(failure)
    }

    fn draw(&mut self, output: &Output, handle: TransferHandle, view: &TransferView, shown: &str) {
        if self.bars.len() >= MAX_BARS && !self.bars.contains_key(&handle) {
            return;
        }
        let bar = self.bars.entry(handle).or_insert_with(|| output.bar(shown, view.size_bytes));
        bar.set_position(view.bytes);
        bar.set_prefix(pace(view.bytes_per_second, view.time_left));
    }
}

fn done_line(view: &TransferView, shown: &str, member_name: &str, path: Option<&Path>) -> String {
    let sha256 = view.sha256.map(|sha256| sha256.to_string()).unwrap_or_default();
    match path {
        Some(path) => format!("{sha256}  {}", path.display()),
        None => format!("{sha256}  {shown} -> {member_name}"),
    }
}

fn failure_of(view: &TransferView, shown: &str, member_name: &str) -> Failure {
    let end = view.end.unwrap_or(TransferEnd::Other);
    let why = match end {
        TransferEnd::Declined => "it was declined",
        TransferEnd::Cancelled => "it was canceled",
        TransferEnd::DiskFull => "the receiver's disk is full",
        TransferEnd::TooLarge => "it is too large for the receiver",
        TransferEnd::StorageRefused => "the receiver cannot store it",
        TransferEnd::FileChanged => "it changed while it was sent",
        TransferEnd::FileUnreadable => "the sender cannot read it",
        TransferEnd::Corrupted => "the received bytes were wrong several times",
        TransferEnd::TooMany => "too many files are under way",
        TransferEnd::Unknown => "the other side does not know it any more",
        TransferEnd::Other => "of an unknown reason",
    };
    let exit = match end {
        TransferEnd::FileChanged | TransferEnd::Corrupted => Exit::VerificationFailed,
        _ => Exit::TransferFailed,
    };
    let sentence = match view.direction {
        Direction::Sending => format!("{shown} did not reach {member_name}: {why}."),
        Direction::Receiving => format!("{shown} of {member_name} did not arrive: {why}."),
    };
    Failure::new(exit, end.as_str(), sentence)
}
