//! Translates between the transfers of the core's session and the files of this computer.

use std::path::PathBuf;

use sightline_core::transfer::{
    Direction, FileDescription, SinkEvent, SourceEvent, TransferHandle, TransferTask,
};
use sightline_protocol::{MemberId, transfer::TransferEnd};

use super::{Peer, PeerEvent};
use crate::files::FromWorker;

impl Peer {
    /// Offers files to one member or to everyone, who need not be there yet. A transfer of an earlier process continues.
    ///
    /// # Errors
    /// [`TransferEnd::TooMany`]
    pub fn offer(
        &mut self,
        to: Option<&MemberId>,
        files: Vec<(FileDescription, PathBuf)>,
    ) -> Result<(), TransferEnd> {
        let now = self.now();
        let described: Vec<_> = files.iter().map(|(description, _)| description.clone()).collect();
        let batch = self.session.announce_files(to, &described);
        for (description, path) in files {
            let description = FileDescription { batch: batch.clone(), ..description };
            let pick = self.session.offer_file(to, &description, now)?;
            self.files.add(pick, path);
            self.perform_outputs();
        }
        self.pump_files();
        self.perform_outputs();
        Ok(())
    }

    /// Accepts an offered file.
    pub fn accept(&mut self, handle: TransferHandle) {
        let now = self.now();
        self.session.with_transfers(now, |transfers| transfers.accept(handle));
        self.perform_outputs();
    }

    /// Declines an offered file.
    pub fn decline(&mut self, handle: TransferHandle) {
        let now = self.now();
        self.session.with_transfers(now, |transfers| transfers.decline(handle, now));
        self.perform_outputs();
    }

    /// Cancels a transfer in either direction.
    pub fn cancel(&mut self, handle: TransferHandle) {
        let now = self.now();
        self.session.with_transfers(now, |transfers| transfers.cancel(handle, now));
        self.perform_outputs();
    }

    pub(super) fn handle_worker(&mut self, message: FromWorker) {
        let now = self.now();
        match message {
            FromWorker::Source(handle, event, frame) => {
                let to = self.session.with_transfers(now, |all| all.handle_source(handle, &event, now));
                if let (Some(member), Some(frame)) = (to, frame) {
                    // Without an open channel the frame is dropped, and the receiver asks for it again.
                    if let Some(link) = self.links.with_bulk(&member).min_by_key(|link| link.buffered_bytes())
                    {
                        link.send_frame(frame);
                    }
                }
            }
            FromWorker::Sink(handle, event) => {
                self.session.with_transfers(now, |all| all.handle_sink(handle, &event, now));
            }
            FromWorker::DiskFull(handle) => self.events.push_back(PeerEvent::DiskFull(handle)),
            FromWorker::OutputFailed(handle, error) => {
                self.events.push_back(PeerEvent::OutputFailed(error));
                let failed = SinkEvent::Failed(TransferEnd::StorageRefused);
                self.session.with_transfers(now, |all| all.handle_sink(handle, &failed, now));
            }
        }
    }

    pub(super) fn perform_task(&mut self, task: TransferTask) {
        match task {
            TransferTask::Source(handle, command) => self.files.command_source(handle, command),
            TransferTask::Sink(handle, command) => self.files.command_sink(handle, command),
            TransferTask::SinkSilent(_) => self.fail_files(),
            TransferTask::Attach { pick, transfer } => self.files.attach(pick, transfer),
            TransferTask::Changed(handle) | TransferTask::Forgotten(handle) => {
                self.events.push_back(PeerEvent::Transfer(handle));
            }
            TransferTask::RecordsChanged => self.events.push_back(PeerEvent::RecordsChanged),
            TransferTask::BacklogChanged => {}
        }
    }

    pub(super) fn flush_files(&mut self) {
        if self.files.flush().is_err() {
            self.fail_files();
        }
    }

    /// Ends all transfers: the worker is gone, or the disk no longer answers.
    fn fail_files(&mut self) {
        let now = self.now();
        for (handle, direction) in self.session.transfers().unfinished() {
            self.session.with_transfers(now, |all| match direction {
                Direction::Sending => {
                    all.handle_source(handle, &SourceEvent::Failed(TransferEnd::FileUnreadable), now);
                }
                Direction::Receiving => {
                    all.handle_sink(handle, &SinkEvent::Failed(TransferEnd::StorageRefused), now);
                }
            });
        }
    }

    /// Asks for as many bytes of files as the channels accept.
    pub(super) fn pump_files(&mut self) {
        let now = self.now();
        let receivers: Vec<_> = self.session.transfers().receivers().into_iter().cloned().collect();
        for member in &receivers {
            let high_bytes = self.session.bulk_buffer_bytes(member, self.links.with_bulk(member).count());
            let free =
                self.links.with_bulk(member).map(|link| high_bytes.saturating_sub(link.buffered_bytes()));
            let free_bytes: u64 = free.sum();
            if free_bytes > 0 {
                self.session.handle_bulk_capacity(member, free_bytes, now);
            }
        }
    }
}
