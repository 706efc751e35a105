//! Two pages with their workers, and the network between them, in simulated time.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    time::Duration,
};

use sightline_core::{
    Timestamp,
    random::SeededRandom,
    transfer::{
        Arrival, Arrivals, CHUNK_BYTES, Direction, FileDescription, FileIdentity, IdentityReading,
        MIN_CHUNK_BYTES, OutgoingChunks, PrefixHasher, Records, SinkCommand, SinkEvent, SourceCommand,
        SourceEvent, TransferHandle, TransferOutput, TransferState, TransferTask, TransferView, Transfers,
    },
};
use sightline_protocol::{
    MemberId, TransferId,
    control::ControlMessage,
    transfer::{BulkHeader, TransferEnd},
};

/// The faults of the network.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// How many of a hundred control messages are lost, doubled or reordered.
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    /// How many of a hundred frames have a flipped bit, are lost or are reordered.
    pub(crate) flipped: u64,
    pub(crate) frames_lost: u64,
    pub(crate) frames_reordered: u64,
}

/// A stored file: the written bytes, and how many of them survive a reload.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) bytes: Vec<u8>,
    flushed: usize,
}

/// Reads a file for one transfer.
struct Reader {
    file: Vec<u8>,
    chunks: OutgoingChunks,
    seek: u32,
    number: u32,
}

/// A page: the browser and the worker around the machine under test.
pub(crate) struct Page {
    pub(crate) transfers: Transfers,
    pub(crate) member: MemberId,
    /// The file that [`World::begin`] and [`World::choose_again`] choose.
    pub(crate) file: Vec<u8>,
    /// The chosen files, by handle.
    chosen: HashMap<TransferHandle, Vec<u8>>,
    readers: HashMap<TransferHandle, Reader>,
    sinks: HashMap<TransferHandle, (TransferId, u32, Arrivals)>,
    pub(crate) disk: HashMap<TransferId, Stored>,
    pub(crate) discarded: bool,
    /// Number of bytes of a file that the disk can hold.
    pub(crate) room_bytes: usize,
    /// Whether the storage never reports that a file is complete.
    pub(crate) is_storage_silent: bool,
    /// Whether the worker cannot identify files.
    pub(crate) is_blind: bool,
    pub(crate) kept: String,
    pub(crate) refused: u32,
    control: VecDeque<ControlMessage>,
    frames: VecDeque<Vec<u8>>,
    pub(crate) frame_bytes_sent: u64,
}

impl Page {
    fn new(name: &str) -> Self {
        Self {
            transfers: Transfers::new(SeededRandom::new(name.len() as u128)),
            member: MemberId::new(name).unwrap(),
            file: Vec::new(),
            chosen: HashMap::new(),
            readers: HashMap::new(),
            sinks: HashMap::new(),
            disk: HashMap::new(),
            discarded: false,
            room_bytes: usize::MAX,
            is_storage_silent: false,
            is_blind: false,
            kept: String::new(),
            refused: 0,
            control: VecDeque::new(),
            frames: VecDeque::new(),
            frame_bytes_sent: 0,
        }
    }

    /// Number of files that the page has open for others.
    pub(crate) fn open_files(&self) -> usize {
        self.chosen.len()
    }

    /// All transfers, oldest first.
    pub(crate) fn views(&self) -> Vec<(TransferHandle, TransferView)> {
        let handles = (1..=self.transfers.last_handle()).map(TransferHandle);
        handles.filter_map(|handle| Some((handle, self.transfers.view(handle)?))).collect()
    }

    /// The only stored file.
    pub(crate) fn stored(&self) -> &[u8] {
        assert!(self.disk.len() <= 1);
        self.disk.values().next().map_or(&[], |stored| &stored.bytes)
    }
}

/// A sender, `pages[0]`, and a receiver, `pages[1]`.
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) pages: [Page; 2],
    pub(crate) faults: Faults,
    pub(crate) is_connected: bool,
    pub(crate) random: SeededRandom,
}

impl World {
    pub(crate) fn new(file: Vec<u8>, seed: u128) -> Self {
        let mut pages = [Page::new("sender"), Page::new("receiver")];
        pages[0].file = file;
        let mut world = Self {
            now: Timestamp::ZERO,
            pages,
            faults: Faults::default(),
            is_connected: false,
            random: SeededRandom::new(seed),
        };
        world.connect();
        world
    }

    /// Offers the file, and accepts it.
    pub(crate) fn begin(&mut self) {
        let file = self.pages[0].file.clone();
        self.choose(description(&file), file);
        self.run_until("it is offered", |world| world.received().is_some());
        self.accept_all();
    }

    /// Makes the sender choose a file.
    pub(crate) fn choose(&mut self, description: FileDescription, file: Vec<u8>) {
        let members = [self.pages[1].member.clone()];
        let page = &mut self.pages[0];
        let handle = page.transfers.choose(description, &members, None, self.now).unwrap();
        page.chosen.insert(handle, file);
        self.settle();
    }

    /// Makes the receiver accept everything that is offered.
    pub(crate) fn accept_all(&mut self) {
        for (handle, view) in self.pages[1].views() {
            if view.state == TransferState::Offered {
                self.pages[1].transfers.accept(handle);
            }
        }
        self.settle();
    }

    /// The sender's oldest transfer.
    pub(crate) fn sent(&self) -> TransferView {
        self.pages[0].views().first().expect("something was offered").1.clone()
    }

    /// The receiver's oldest transfer.
    pub(crate) fn received(&self) -> Option<(TransferHandle, TransferView)> {
        let first = self.pages[1].views().first().cloned()?;
        assert_eq!(first.1.direction, Direction::Receiving);
        Some(first)
    }

    /// Ends the connection, which loses everything in flight.
    pub(crate) fn cut(&mut self) {
        self.is_connected = false;
        for at in 0..2 {
            let other = self.pages[1 - at].member.clone();
            let page = &mut self.pages[at];
            page.transfers.handle_channel_closed(&other);
            page.control.clear();
            page.frames.clear();
        }
        self.settle();
    }

    pub(crate) fn connect(&mut self) {
        self.is_connected = true;
        for at in 0..2 {
            let other = self.pages[1 - at].member.clone();
            self.pages[at].transfers.handle_channel_open(&other, self.now);
        }
        self.settle();
    }

    /// Loses the messages of a page that are under way.
    pub(crate) fn lose_control(&mut self, at: usize) {
        self.pages[at].control.clear();
    }

    /// Reloads a page, which loses its memory, its connection, and all bytes on the disk that were not flushed.
    pub(crate) fn reload(&mut self, at: usize) {
        self.cut();
        let kept = Records::from_json(&self.pages[at].kept).unwrap_or_default();
        let random = SeededRandom::new(self.random.next_u128());
        let page = &mut self.pages[at];
        page.transfers = Transfers::new(random);
        page.chosen.clear();
        page.readers.clear();
        page.sinks.clear();
        for stored in page.disk.values_mut() {
            stored.bytes.truncate(stored.flushed);
        }
        page.transfers.restore(kept, self.now);
        self.settle();
        self.connect();
    }

    /// Makes the sender choose the file again after a reload. Returns the number of transfers.
    pub(crate) fn choose_again(&mut self) -> usize {
        let file = self.pages[0].file.clone();
        self.choose(description(&file), file);
        self.pages[0].views().len()
    }

    /// Runs until the condition holds.
    pub(crate) fn run_until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let end = self.now + Duration::from_secs(3600);
        loop {
            self.settle();
            if is_so(self) {
                return;
            }
            assert!(
                self.now < end,
                "an hour passed and not: {what}; {:?} {:?}",
                self.sent(),
                self.received()
            );
            self.step();
        }
    }

    /// Runs until nothing is in flight, and no deadline is within a minute.
    pub(crate) fn run_out(&mut self) {
        let end = self.now + Duration::from_secs(60);
        while self.now < end {
            self.settle();
            self.step();
        }
    }

    /// Delivers one message or frame, or lets time pass.
    pub(crate) fn step(&mut self) {
        self.now = self.now + Duration::from_millis(1);
        self.pump();
        self.settle();
        let from = self.pick(2) as usize;
        if !self.is_connected || !(self.deliver(from) || self.deliver(1 - from)) {
            let next = self.pages.iter().filter_map(|page| page.transfers.poll_timeout()).min();
            if let Some(next) = next.filter(|_| self.is_connected) {
                self.now = self.now.max(next);
            } else {
                self.now = self.now + Duration::from_secs(1);
            }
            for page in &mut self.pages {
                page.transfers.handle_timeout(self.now);
            }
        }
        self.settle();
    }

    fn pump(&mut self) {
        if !self.is_connected {
            return;
        }
        let queued: usize = self.pages[0].frames.iter().map(Vec::len).sum();
        let free = (1024 * 1024_usize).saturating_sub(queued) as u64;
        let to = self.pages[1].member.clone();
        let chunk =
            if self.now.since_origin().as_millis().is_multiple_of(2) { CHUNK_BYTES } else { MIN_CHUNK_BYTES };
        self.pages[0].transfers.handle_capacity(&to, free, free, chunk);
    }

    fn chance(&mut self, percent: u64) -> bool {
        percent > 0 && self.random.next_u64() % 100 < percent
    }

    fn pick(&mut self, below: usize) -> u64 {
        self.random.next_u64() % below as u64
    }

    /// Delivers one message or frame of a page. Returns false if there is none.
    fn deliver(&mut self, from: usize) -> bool {
        let is_frame = !self.pages[from].frames.is_empty()
            && (self.pages[from].control.is_empty() || self.random.next_u64().is_multiple_of(2));
        if is_frame {
            let reordered = self.chance(self.faults.frames_reordered);
            let at = if reordered { self.pick(self.pages[from].frames.len()) as usize } else { 0 };
            let mut frame = self.pages[from].frames.remove(at).unwrap();
            if self.chance(self.faults.frames_lost) {
                return true;
            }
            if self.chance(self.faults.flipped) {
                let bit = self.pick(frame.len() * 8) as usize;
                frame[bit / 8] ^= 1 << (bit % 8);
            }
            self.take_frame(1 - from, &frame);
            return true;
        }
        if self.pages[from].control.is_empty() {
            return false;
        }
        let reordered = self.chance(self.faults.reordered);
        let at = if reordered { self.pick(self.pages[from].control.len()) as usize } else { 0 };
        let message = self.pages[from].control[at].clone();
        if !self.chance(self.faults.doubled) {
            self.pages[from].control.remove(at);
        }
        if !self.chance(self.faults.lost) {
            self.take_control(1 - from, message);
        }
        true
    }

    fn take_control(&mut self, at: usize, message: ControlMessage) {
        let from = self.pages[1 - at].member.clone();
        let transfers = &mut self.pages[at].transfers;
        match message {
            ControlMessage::TransferOffer(offer) => transfers.handle_offer(&from, offer, self.now),
            ControlMessage::TransferProgress(progress) => {
                transfers.handle_progress(&from, &progress, self.now);
            }
            ControlMessage::TransferDone { transfer, sha256 } => {
                transfers.handle_done(&from, &transfer, sha256, self.now);
            }
            ControlMessage::TransferEnd { transfer, reason } => {
                transfers.handle_end(&from, &transfer, reason, self.now);
            }
            other => panic!("{other:?}"),
        }
    }

    fn take_frame(&mut self, at: usize, frame: &[u8]) {
        let page = &mut self.pages[at];
        let Some((header, payload)) = BulkHeader::split(frame) else { return };
        let Some((handle, (transfer, _, arrivals))) =
            page.sinks.iter_mut().find(|(_, (_, number, _))| *number == header.number)
        else {
            return;
        };
        let (handle, room_bytes) = (*handle, page.room_bytes);
        let stored = page.disk.entry(transfer.clone()).or_default();
        let arrival = arrivals.handle_frame(&header, payload, |offset, bytes| {
            if offset as usize + bytes.len() > room_bytes {
                return Err(());
            }
            stored.bytes.truncate(offset as usize);
            stored.bytes.extend(bytes);
            Ok(())
        });
        let (verified_bytes, sha256) = (arrivals.verified_bytes(), arrivals.digest());
        let event = match arrival {
            Err(()) => SinkEvent::Failed(TransferEnd::DiskFull),
            Ok(Arrival::Wrong) => {
                page.refused += 1;
                SinkEvent::Wrong { verified_bytes, sha256 }
            }
            Ok(Arrival::Written) if arrivals.is_complete() => {
                stored.flushed = stored.bytes.len();
                page.sinks.remove(&handle);
                page.transfers.handle_sink(handle, &SinkEvent::Progress { verified_bytes, sha256 }, self.now);
                if page.is_storage_silent {
                    return;
                }
                SinkEvent::Complete { sha256 }
            }
            Ok(Arrival::Written) => {
                if stored.bytes.len() >= stored.flushed + 4 * CHUNK_BYTES {
                    stored.flushed = stored.bytes.len();
                }
                SinkEvent::Progress { verified_bytes, sha256 }
            }
            Ok(Arrival::Waiting | Arrival::Dropped) => return,
        };
        page.transfers.handle_sink(handle, &event, self.now);
    }

    /// Performs the actions that the machines request.
    fn settle(&mut self) {
        for at in 0..2 {
            while let Some(output) = self.pages[at].transfers.poll_output() {
                match output {
                    TransferOutput::Send(to, message) => {
                        assert_eq!(to, self.pages[1 - at].member);
                        if self.is_connected {
                            self.pages[at].control.push_back(message);
                        }
                    }
                    TransferOutput::Perform(TransferTask::Source(handle, command)) => {
                        self.perform_source(at, handle, command);
                    }
                    TransferOutput::Perform(TransferTask::Sink(handle, command)) => {
                        self.perform_sink(at, handle, command);
                    }
                    TransferOutput::Perform(TransferTask::SinkSilent(handle)) => {
                        let failed = SinkEvent::Failed(TransferEnd::StorageRefused);
                        self.pages[at].transfers.handle_sink(handle, &failed, self.now);
                    }
                    TransferOutput::Perform(TransferTask::Attach { pick, transfer }) => {
                        let file = self.pages[at].chosen[&pick].clone();
                        self.pages[at].chosen.insert(transfer, file);
                    }
                    TransferOutput::Perform(
                        TransferTask::Changed(_) | TransferTask::Forgotten(_) | TransferTask::BacklogChanged,
                    ) => {}
                    TransferOutput::Perform(TransferTask::RecordsChanged) => {
                        self.pages[at].kept = self.pages[at].transfers.records().to_json();
                    }
                }
            }
        }
    }

    fn perform_source(&mut self, at: usize, handle: TransferHandle, command: SourceCommand) {
        let (is_connected, now) = (self.is_connected, self.now);
        let page = &mut self.pages[at];
        match command {
            SourceCommand::Identify { is_whole } => {
                let file = &page.chosen[&handle];
                let identity = identity(file, is_whole);
                let event = SourceEvent::Identified((!page.is_blind).then_some(identity));
                page.transfers.handle_source(handle, &event, now);
            }
            SourceCommand::Seek { seek, number, offset, sha256 } => {
                let chosen = &page.chosen;
                let reader = page.readers.entry(handle).or_insert_with(|| Reader {
                    file: chosen[&handle].clone(),
                    chunks: OutgoingChunks::default(),
                    seek,
                    number,
                });
                (reader.seek, reader.number) = (seek, number);
                reader.chunks.seek(offset);
                let here = reader.chunks.hasher().length_bytes() as usize;
                let prefix = reader.file.get(here..offset as usize).map(<[u8]>::to_vec);
                let is_same = prefix.is_some_and(|prefix| {
                    if !prefix.is_empty() {
                        reader.chunks.update(&prefix);
                    }
                    sha256.is_none_or(|sha256| sha256 == reader.chunks.hasher().digest())
                });
                let event = if is_same {
                    SourceEvent::Reached { seek, sha256: reader.chunks.hasher().digest() }
                } else {
                    SourceEvent::Failed(TransferEnd::FileChanged)
                };
                page.transfers.handle_source(handle, &event, now);
            }
            SourceCommand::Pull { chunks, chunk_bytes } => {
                for _ in 0..chunks {
                    let reader = page.readers.get_mut(&handle).expect("a place in the file");
                    let offset = reader.chunks.hasher().length_bytes() as usize;
                    let end = (offset + chunk_bytes as usize).min(reader.file.len());
                    let payload = reader.file[offset..end].to_vec();
                    reader.chunks.update(&payload);
                    let prefix_sha256 = reader.chunks.hasher().digest();
                    let header = BulkHeader { number: reader.number, offset: offset as u64, prefix_sha256 };
                    let event = SourceEvent::Frame {
                        seek: reader.seek,
                        offset: offset as u64,
                        length_bytes: payload.len() as u64,
                        sha256: (end == reader.file.len()).then_some(prefix_sha256),
                    };
                    let to = page.transfers.handle_source(handle, &event, now);
                    if to.is_some() && is_connected {
                        page.frame_bytes_sent += payload.len() as u64;
                        page.frames.push_back([header.encode().as_slice(), &payload].concat());
                    }
                }
            }
            SourceCommand::Close => {
                page.readers.remove(&handle);
                page.chosen.remove(&handle);
            }
        }
    }

    fn perform_sink(&mut self, at: usize, handle: TransferHandle, command: SinkCommand) {
        let page = &mut self.pages[at];
        match command {
            SinkCommand::Open { transfer, number, size_bytes, .. } => {
                let mut hasher = PrefixHasher::default();
                hasher.update(&page.disk.entry(transfer.clone()).or_default().bytes);
                let opened =
                    SinkEvent::Opened { verified_bytes: hasher.length_bytes(), sha256: hasher.digest() };
                page.sinks.insert(handle, (transfer, number, Arrivals::new(size_bytes, hasher)));
                page.transfers.handle_sink(handle, &opened, self.now);
            }
            SinkCommand::Expect { number, .. } => {
                if let Some((_, expected, _)) = page.sinks.get_mut(&handle) {
                    *expected = number;
                }
            }
            SinkCommand::Discard { transfer } => {
                page.sinks.remove(&handle);
                page.disk.remove(&transfer);
                page.discarded = true;
            }
        }
    }
}

fn identity(file: &[u8], is_whole: bool) -> FileIdentity {
    let mut reading = IdentityReading::new(file.len() as u64, is_whole);
    while let Some(range) = reading.next_range() {
        reading.update(&file[range.start as usize..range.end as usize]);
    }
    reading.identity()
}

pub(crate) fn description(file: &[u8]) -> FileDescription {
    FileDescription {
        name: "a.bin".to_owned(),
        size_bytes: file.len() as u64,
        modified_ms: 7,
        ..FileDescription::default()
    }
}

/// Bytes without repetition.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut random = SeededRandom::new(length as u128);
    let mut bytes: Vec<u8> =
        std::iter::repeat_with(|| random.next_u64().to_le_bytes()).take(length / 8 + 1).flatten().collect();
    bytes.truncate(length);
    bytes
}

/// Assembles frames to a file without a page.
pub(crate) fn assemble(size_bytes: u64, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut arrivals = Arrivals::new(size_bytes, PrefixHasher::default());
    let mut stored = Vec::new();
    for frame in frames {
        if let Some((header, payload)) = BulkHeader::split(frame) {
            let written: Result<Arrival, Infallible> = arrivals.handle_frame(&header, payload, |_, bytes| {
                stored.extend(bytes);
                Ok(())
            });
            written.unwrap();
        }
    }
    stored
}
