//! Transfers of files: connects the core, which decides, the worker, which has the bytes, and the channels.

mod bulk_link;
pub(super) mod kept;
pub mod picked_ahead;
mod view;

use std::{collections::HashMap, time::Duration};

use leptos::task::spawn_local;
use sightline_browser::{
    files::{
        File, FileWorker, FileWorkerEvent, FromWorker, ObjectUrl, PickedFile, ToWorker,
        saving::{ReceivedFile, Saving, save_all},
    },
    js::queue::EventSink,
    page::clock,
    rtc::bulk_channel::BulkChannel,
};
use sightline_core::{
    Timestamp,
    room::RoomSession,
    transfer::{
        Direction, FileDescription, LeftOut, LeftOutReason, Records, ShowQueue, SinkCommand, SinkEvent,
        SourceCommand, SourceEvent, TransferHandle, TransferState, TransferTask, TransferView,
    },
};
use sightline_protocol::{MemberId, transfer::TransferEnd};

pub use self::bulk_link::BulkLink;
use self::view::{SavingShown, TransferList};
use super::{
    address,
    entrance::SharedLink,
    input::{Input, TransferAction},
    model::TransfersModel,
};
use crate::in_chunk;

/// Buffered amount at which a channel is refilled: half of the smallest send buffer (`sightline_core::bulk::buffer_bytes`).
pub const LOW_BYTES: u32 = 64 * 1024;

/// The script that starts the worker.
const WORKER: &str = "file-worker-start.js";

/// Up to this number of transfers are stored soon after each change; more are stored at the longer interval. Another member may
/// cause hundreds of changes a second.
const FEW: usize = 50;
const STORE_FEW_INTERVAL: Duration = Duration::from_millis(250);
const STORE_MANY_INTERVAL: Duration = Duration::from_secs(1);

/// How long the worker may take to remove what the person leaves behind.
const LAST_WORDS: Duration = Duration::from_secs(3);

in_chunk! {
    /// Saves several files, where the browser needs it as one archive.
    fn save_files, load_save_files in room(archive_name: String, files: Vec<ReceivedFile>, saving: SavingShown) -> () {
        spawn_local(async move {
            let outcome = save_all(&archive_name, &files, |at| saving.show_saved(at)).await;
            saving.end(outcome == Saving::Failed);
        });
    }
}

/// The browser objects of all transfers of a room.
pub struct Files {
    room: SharedLink,
    list: TransferList,
    /// Changes that are not in the list yet.
    changed: ShowQueue,
    inputs: EventSink<Input>,
    /// Started with the first transfer.
    worker: Option<FileWorker>,
    /// The files that are sent; the flag says whether the worker has the file already.
    sources: HashMap<TransferHandle, (PickedFile, bool)>,
    /// The received files, with the URLs that save them.
    received: HashMap<TransferHandle, (ObjectUrl, File)>,
    /// Whether the stored transfers are outdated.
    are_records_old: bool,
    stored_at: Timestamp,
}

impl Files {
    pub fn new(room: SharedLink, model: TransfersModel, inputs: EventSink<Input>) -> Self {
        let list = TransferList::new(model);
        Self {
            room,
            list,
            changed: ShowQueue::default(),
            inputs,
            worker: None,
            sources: HashMap::new(),
            received: HashMap::new(),
            are_records_old: false,
            stored_at: Timestamp::ZERO,
        }
    }

    /// Resumes the transfers that this tab had before it was reloaded.
    pub fn restore(&self, session: &mut RoomSession, now: Timestamp) {
        if let Some(records) = kept::load(&self.room.borrow()) {
            let forgotten = session.with_transfers(now, |transfers| transfers.restore(records, now));
            self.list.show_left_out(forgotten);
        }
    }

    /// Performs an action of the person.
    pub fn handle_action(&mut self, action: TransferAction, session: &mut RoomSession, now: Timestamp) {
        match action {
            TransferAction::Offer(to, picked) => {
                let mut left_out: LeftOut = picked.left_out;
                let described: Vec<_> = picked.files.iter().map(PickedFile::description).collect();
                let batch = session.announce_files(to.as_ref(), &described);
                for (file, description) in picked.files.into_iter().zip(described) {
                    let description = FileDescription { batch: batch.clone(), ..description };
                    match session.offer_file(to.as_ref(), &description, now) {
                        Ok(pick) => {
                            self.sources.insert(pick, (file, false));
                        }
                        Err(_) => {
                            left_out.add(LeftOutReason::TooMany, &description.folder, &description.name);
                        }
                    }
                }
                self.list.show_left_out(left_out);
            }
            TransferAction::CancelBacklog => {
                session.with_transfers(now, sightline_core::transfer::Transfers::cancel_backlog);
            }
            TransferAction::AcceptAll(offered) => session.with_transfers(now, |all| all.accept_all(offered)),
            TransferAction::DeclineAll => session.with_transfers(now, |all| all.decline_all(now)),
            TransferAction::Accept(handle) => session.with_transfers(now, |all| all.accept(handle)),
            TransferAction::Decline(handle) => session.with_transfers(now, |all| all.decline(handle, now)),
            TransferAction::Cancel(handle) => session.with_transfers(now, |all| all.cancel(handle, now)),
            TransferAction::Clear(handles) => session.with_transfers(now, |all| all.clear(&handles)),
            TransferAction::SaveAll(handles) => self.save_all(&handles, session),
            TransferAction::Pause(handle, is_paused) => {
                session.with_transfers(now, |all| all.pause(handle, is_paused, now));
            }
        }
    }

    fn save_all(&self, handles: &[TransferHandle], session: &RoomSession) {
        let found = handles.iter().filter_map(|handle| {
            let (_, file) = self.received.get(handle)?;
            let TransferView { folder, name, .. } = session.transfers().view(*handle)?;
            Some((*handle, ReceivedFile { folder, name, file: file.clone() }))
        });
        let (handles, files): (Vec<_>, Vec<_>) = found.unzip();
        let saving = self.list.begin_saving(&handles);
        let archive_name = format!("{}.zip", self.room.borrow().name);
        spawn_local(async move {
            if save_files(archive_name, files, saving.clone()).await.is_err() {
                saving.end(true);
            }
        });
    }

    /// Takes an event of the worker. Frames are sent on the least busy channel of those that `channels_to` returns.
    pub fn handle_worker<'a, I: Iterator<Item = &'a BulkChannel>>(
        &mut self,
        event: FileWorkerEvent,
        session: &mut RoomSession,
        channels_to: impl Fn(&MemberId) -> I,
        now: Timestamp,
    ) {
        match event {
            FileWorkerEvent::Message(FromWorker::Source(handle, event, frame)) => {
                let to = session.with_transfers(now, |all| all.handle_source(handle, &event, now));
                if let (Some(member), Some(frame)) = (to, frame) {
                    let channel = channels_to(&member).min_by_key(|channel| channel.buffered_bytes());
                    // Without an open channel the frame is dropped, and the receiver asks for it again.
                    let _ = channel.map(|channel| channel.send(&frame));
                }
            }
            FileWorkerEvent::Message(FromWorker::Sink(handle, event)) => {
                session.with_transfers(now, |all| all.handle_sink(handle, &event, now));
            }
            FileWorkerEvent::Message(FromWorker::File(handle, file)) => {
                if let Ok(url) = ObjectUrl::for_saving(&file) {
                    self.list.show_url(handle, url.as_str());
                    self.received.insert(handle, (url, file));
                }
            }
            FileWorkerEvent::Message(FromWorker::Ready) => {}
            FileWorkerEvent::Failed => self.handle_worker_lost(session, now),
        }
    }

    /// Takes a frame of a member.
    pub fn handle_frame(&self, member: &MemberId, frame: sightline_browser::files::Frame) {
        // Without a worker no file was accepted.
        if let Some(worker) = &self.worker {
            worker.post(ToWorker::Frame(member.clone(), frame));
        }
    }

    /// Asks for as many bytes as the channels accept.
    pub fn pump<'a, I: Iterator<Item = &'a BulkChannel>>(
        &mut self,
        session: &mut RoomSession,
        channels_to: impl Fn(&MemberId) -> I,
        now: Timestamp,
    ) {
        self.tell(session, now);
        let receivers: Vec<_> = session.transfers().receivers().into_iter().cloned().collect();
        for member in &receivers {
            let high_bytes = session.bulk_buffer_bytes(member, channels_to(member).count());
            let free =
                channels_to(member).map(|channel| high_bytes.saturating_sub(channel.buffered_bytes().into()));
            let free_bytes: u64 = free.sum();
            if free_bytes > 0 {
                session.handle_bulk_capacity(member, free_bytes, now);
            }
        }
    }

    /// Performs a task of the core.
    pub fn perform(&mut self, task: TransferTask) {
        match task {
            TransferTask::Source(handle, command) => self.command_source(handle, command),
            TransferTask::Sink(handle, command) => self.command_sink(handle, command),
            TransferTask::SinkSilent(_) => self.inputs.push(Input::FileWorker(FileWorkerEvent::Failed)),
            TransferTask::Changed(handle) => self.changed.handle_changed(handle),
            TransferTask::Forgotten(handle) => {
                self.received.remove(&handle);
                self.changed.handle_forgotten(handle);
                self.list.forget(handle);
            }
            TransferTask::Attach { pick, transfer } => {
                if let Some((file, _)) = self.sources.get(&pick) {
                    let file = file.clone();
                    self.sources.insert(transfer, (file, false));
                }
            }
            TransferTask::BacklogChanged => self.changed.handle_summary_changed(),
            TransferTask::RecordsChanged => self.are_records_old = true,
        }
    }

    /// Shows and stores the changes since the last call, at intervals.
    fn tell(&mut self, session: &RoomSession, now: Timestamp) {
        if let Some(batch) = self.changed.poll(now) {
            batch.into_iter().for_each(|handle| self.show(handle, session));
            self.list.show_all_offered(session.transfers().offered());
            self.list.show_backlog(session.transfers().backlog());
        }
        if self.store_due().is_some_and(|due| due <= now) {
            self.store(session, now);
        }
    }

    /// Stores the transfers as they are: the page is about to go away.
    pub fn store_now(&mut self, session: &RoomSession, now: Timestamp) {
        if self.are_records_old {
            self.store(session, now);
        }
    }

    fn store(&mut self, session: &RoomSession, now: Timestamp) {
        (self.are_records_old, self.stored_at) = (false, now);
        kept::store(&self.room.borrow(), &session.transfers().records());
    }

    fn store_due(&self) -> Option<Timestamp> {
        let interval = if self.list.len() <= FEW { STORE_FEW_INTERVAL } else { STORE_MANY_INTERVAL };
        self.are_records_old.then_some(self.stored_at + interval)
    }

    /// The time at which [`Self::pump`] is to be called.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        [self.changed.poll_timeout(), self.store_due()].into_iter().flatten().min()
    }

    /// Removes stored files, because the room is left.
    pub fn close(&mut self) {
        self.received.clear();
        kept::store(&self.room.borrow(), &Records::default());
        if let Some(worker) = self.worker.take() {
            spawn_local(async move {
                clock::sleep(LAST_WORDS).await;
                drop(worker);
            });
        }
    }

    fn command_source(&mut self, handle: TransferHandle, command: SourceCommand) {
        let mut file = None;
        match command {
            SourceCommand::Seek { .. } => {
                if let Some((picked, is_open)) = self.sources.get_mut(&handle)
                    && !std::mem::replace(is_open, true)
                {
                    file = Some(picked.file());
                }
            }
            SourceCommand::Pull { .. } => {}
            SourceCommand::Identify { .. } => {
                file = self.sources.get(&handle).map(|(picked, _)| picked.file());
                if file.is_none() {
                    let unknown = FromWorker::Source(handle, SourceEvent::Identified(None), None);
                    self.inputs.push(Input::FileWorker(FileWorkerEvent::Message(unknown)));
                    return;
                }
            }
            SourceCommand::Close => {
                if !self.sources.remove(&handle).is_some_and(|(_, is_open)| is_open) {
                    return;
                }
            }
        }
        self.post(ToWorker::Source(handle, command, file));
    }

    fn command_sink(&mut self, handle: TransferHandle, command: SinkCommand) {
        if matches!(command, SinkCommand::Discard { .. }) {
            self.received.remove(&handle);
        }
        self.post(ToWorker::Sink(handle, command));
    }

    fn show(&mut self, handle: TransferHandle, session: &RoomSession) {
        let Some(view) = session.transfers().view(handle) else { return };
        // The offer was withdrawn before it was shown.
        if !self.list.has(handle) && session.transfers().is_taken_back(handle) {
            return;
        }
        if view.state == TransferState::Offered && view.end.is_none() {
            // The worker is started now, so that it is there when the person accepts.
            self.start_worker();
        }
        let is_file_here = view.direction == Direction::Receiving && view.state == TransferState::Done;
        if is_file_here && !self.received.contains_key(&handle) {
            // The transfer belongs to an earlier page instance.
            self.post(ToWorker::Fetch(handle, view.id.clone()));
        }
        let name = session.peer(&view.member).map(|peer| peer.member.name.as_str().to_owned());
        self.list.show(handle, view, name);
        if let Some((url, _)) = self.received.get(&handle) {
            self.list.show_url(handle, url.as_str());
        }
    }

    fn post(&mut self, message: ToWorker) {
        self.start_worker();
        if let Some(worker) = &self.worker {
            worker.post(message);
        }
    }

    fn start_worker(&mut self) {
        if self.worker.is_none() {
            let sink = self.inputs.map(Input::FileWorker);
            match FileWorker::start(&address::asset(WORKER), &sink) {
                Ok(worker) => self.worker = Some(worker),
                Err(_) => sink.push(FileWorkerEvent::Failed),
            }
        }
    }

    /// Ends all transfers of a worker that is gone; the next transfer starts another worker.
    fn handle_worker_lost(&mut self, session: &mut RoomSession, now: Timestamp) {
        self.worker = None;
        session.with_transfers(now, |all| all.handle_sources_lost(now));
        for (handle, direction) in session.transfers().unfinished() {
            session.with_transfers(now, |all| match direction {
                Direction::Sending => {
                    all.handle_source(handle, &SourceEvent::Failed(TransferEnd::FileUnreadable), now);
                }
                Direction::Receiving => {
                    all.handle_sink(handle, &SinkEvent::Failed(TransferEnd::StorageRefused), now);
                }
            });
        }
    }
}
