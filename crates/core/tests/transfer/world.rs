//! Two pages with their workers, and the network between them, in simulated time.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use sightline_core::{
    Timestamp,
    random::SeededRandom,
    transfer::{
        Arrival, Arrivals, CHUNK_BYTES, Direction, FileDescription, MIN_CHUNK_BYTES, OutgoingChunks,
        PrefixHasher, Records, SinkCommand, SinkEvent, SourceCommand, SourceEvent, TransferHandle,
        TransferOutput, TransferView, Transfers,
    },
};
use sightline_protocol::{
    MemberId, TransferId,
    control::ControlMessage,
    transfer::{BulkHeader, TransferEnd},
};

/// What happens to what is sent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Of a hundred control messages, how many are lost, come twice, come out of order.
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    /// Of a hundred frames, how many have a bit flipped, are lost, come out of order.
    pub(crate) flipped: u64,
    pub(crate) frames_lost: u64,
    pub(crate) frames_reordered: u64,
}

/// What a source reads and what was stored, beside the machine that decides.
pub(crate) struct Page {
    pub(crate) transfers: Transfers,
    pub(crate) member: MemberId,
    /// The file that is read, and where it is read.
    pub(crate) file: Vec<u8>,
    chunks: OutgoingChunks,
    source: Option<(TransferHandle, u32, u32)>,
    pub(crate) sink: Option<(TransferHandle, u32, Arrivals)>,
    /// What was written, and what of it survives a reload.
    pub(crate) stored: Vec<u8>,
    flushed: usize,
    pub(crate) discarded: bool,
    /// How much a disk takes.
    pub(crate) room_bytes: usize,
    /// Its storage does not say when a file is complete.
    pub(crate) is_storage_silent: bool,
    pub(crate) kept: String,
    pub(crate) refused: u32,
    control: VecDeque<ControlMessage>,
    frames: VecDeque<Vec<u8>>,
    pub(crate) frame_bytes_sent: u64,
}

impl Page {
    fn new(name: &str) -> Self {
        Self {
            transfers: Transfers::default(),
            member: MemberId::new(name).unwrap(),
            file: Vec::new(),
            chunks: OutgoingChunks::default(),
            source: None,
            sink: None,
            stored: Vec::new(),
            flushed: 0,
            discarded: false,
            room_bytes: usize::MAX,
            is_storage_silent: false,
            kept: String::new(),
            refused: 0,
            control: VecDeque::new(),
            frames: VecDeque::new(),
            frame_bytes_sent: 0,
        }
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

    /// Offers the file, and takes it.
    pub(crate) fn begin(&mut self) -> TransferHandle {
        let id = TransferId::from_random(self.random.next_u128());
        let file = description(&self.pages[0].file);
        let to = self.pages[1].member.clone();
        let handle = self.pages[0].transfers.offer(&to, id, file, self.now).unwrap();
        self.run_until("it is offered", |world| world.received().is_some());
        let here = self.received().unwrap().0;
        self.pages[1].transfers.accept(here);
        handle
    }

    pub(crate) fn sent(&self) -> TransferView {
        self.pages[0].transfers.view(TransferHandle(1)).expect("something was offered")
    }

    pub(crate) fn received(&self) -> Option<(TransferHandle, TransferView)> {
        let view = self.pages[1].transfers.view(TransferHandle(1))?;
        assert_eq!(view.direction, Direction::Receiving);
        Some((TransferHandle(1), view))
    }

    /// The connection ends, and with it everything that is on its way.
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

    /// A page is loaded again: its memory is gone, the connection too, and of the disk what was not flushed.
    pub(crate) fn reload(&mut self, at: usize) {
        self.cut();
        let kept = Records::from_json(&self.pages[at].kept).unwrap_or_default();
        let page = &mut self.pages[at];
        page.transfers = Transfers::default();
        page.source = None;
        page.chunks = OutgoingChunks::default();
        page.sink = None;
        page.stored.truncate(page.flushed);
        page.transfers.restore(kept, self.now);
        self.settle();
        self.connect();
    }

    /// The sender chooses the file again after a reload.
    pub(crate) fn choose_again(&mut self) -> usize {
        let file = description(&self.pages[0].file);
        let members = [self.pages[1].member.clone()];
        let found = self.pages[0].transfers.handle_file_again(&file, &members, self.now);
        self.settle();
        found.len()
    }

    /// Runs until something is so.
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

    /// Runs until nothing is on its way and nothing is to be waited for within a minute.
    pub(crate) fn run_out(&mut self) {
        let end = self.now + Duration::from_secs(60);
        while self.now < end {
            self.settle();
            self.step();
        }
    }

    /// Delivers one thing, or lets time pass.
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

    /// One message or frame of a page arrives; false where there is none.
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
                transfers.handle_done(&from, &transfer, sha256);
            }
            ControlMessage::TransferEnd { transfer, reason } => {
                transfers.handle_end(&from, &transfer, reason);
            }
            other => panic!("{other:?}"),
        }
    }

    fn take_frame(&mut self, at: usize, frame: &[u8]) {
        let page = &mut self.pages[at];
        let Some((header, payload)) = BulkHeader::split(frame) else { return };
        let Some((handle, number, arrivals)) = &mut page.sink else { return };
        if header.number != *number {
            return;
        }
        let (stored, room_bytes) = (&mut page.stored, page.room_bytes);
        let arrival = arrivals.handle_frame(&header, payload, |offset, bytes| {
            if offset as usize + bytes.len() > room_bytes {
                return Err(());
            }
            stored.truncate(offset as usize);
            stored.extend(bytes);
            Ok(())
        });
        let handle = *handle;
        let (verified_bytes, sha256) = (arrivals.verified_bytes(), arrivals.digest());
        let event = match arrival {
            Err(()) => SinkEvent::Failed(TransferEnd::DiskFull),
            Ok(Arrival::Wrong) => {
                page.refused += 1;
                SinkEvent::Wrong { verified_bytes, sha256 }
            }
            Ok(Arrival::Written) if arrivals.is_complete() => {
                page.flushed = page.stored.len();
                page.sink = None;
                page.transfers.handle_sink(handle, &SinkEvent::Progress { verified_bytes }, self.now);
                if page.is_storage_silent {
                    return;
                }
                SinkEvent::Complete { sha256 }
            }
            Ok(Arrival::Written) => {
                if page.stored.len() >= page.flushed + 4 * CHUNK_BYTES {
                    page.flushed = page.stored.len();
                }
                SinkEvent::Progress { verified_bytes }
            }
            Ok(Arrival::Waiting | Arrival::Dropped) => return,
        };
        page.transfers.handle_sink(handle, &event, self.now);
    }

    /// Performs what the machines want.
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
                    TransferOutput::Source(handle, command) => self.perform_source(at, handle, command),
                    TransferOutput::Sink(handle, command) => self.perform_sink(at, handle, command),
                    TransferOutput::SinkSilent(handle) => {
                        let failed = SinkEvent::Failed(TransferEnd::StorageRefused);
                        self.pages[at].transfers.handle_sink(handle, &failed, self.now);
                    }
                    TransferOutput::Changed(_) | TransferOutput::Forgotten(_) => {}
                    TransferOutput::RecordsChanged => {
                        self.pages[at].kept = self.pages[at].transfers.records().to_json();
                    }
                }
            }
        }
    }

    fn perform_source(&mut self, at: usize, handle: TransferHandle, command: SourceCommand) {
        let is_connected = self.is_connected;
        let page = &mut self.pages[at];
        match command {
            SourceCommand::Seek { seek, number, offset, sha256 } => {
                page.chunks.seek(offset);
                let here = page.chunks.hasher().length_bytes() as usize;
                let prefix = page.file.get(here..offset as usize).map(<[u8]>::to_vec);
                let is_same = prefix.is_some_and(|prefix| {
                    if !prefix.is_empty() {
                        page.chunks.update(&prefix);
                    }
                    sha256.is_none_or(|sha256| sha256 == page.chunks.hasher().digest())
                });
                page.source = is_same.then_some((handle, seek, number));
                let event = if is_same {
                    SourceEvent::Reached { seek, sha256: page.chunks.hasher().digest() }
                } else {
                    SourceEvent::Failed(TransferEnd::FileChanged)
                };
                page.transfers.handle_source(handle, &event);
            }
            SourceCommand::Pull { chunks, chunk_bytes } => {
                let (of, seek, number) = page.source.expect("a place in the file");
                assert_eq!(of, handle);
                for _ in 0..chunks {
                    let offset = page.chunks.hasher().length_bytes() as usize;
                    let end = (offset + chunk_bytes as usize).min(page.file.len());
                    let payload = page.file[offset..end].to_vec();
                    page.chunks.update(&payload);
                    let prefix_sha256 = page.chunks.hasher().digest();
                    let header = BulkHeader { number, offset: offset as u64, prefix_sha256 };
                    let event = SourceEvent::Frame {
                        seek,
                        offset: offset as u64,
                        length_bytes: payload.len() as u64,
                        sha256: (end == page.file.len()).then_some(prefix_sha256),
                    };
                    let to = page.transfers.handle_source(handle, &event);
                    if to.is_some() && is_connected {
                        page.frame_bytes_sent += payload.len() as u64;
                        page.frames.push_back([header.encode().as_slice(), &payload].concat());
                    }
                }
            }
            SourceCommand::Close => page.source = None,
        }
    }

    fn perform_sink(&mut self, at: usize, handle: TransferHandle, command: SinkCommand) {
        let page = &mut self.pages[at];
        match command {
            SinkCommand::Open { number, size_bytes, .. } => {
                let mut hasher = PrefixHasher::default();
                hasher.update(&page.stored);
                let opened =
                    SinkEvent::Opened { verified_bytes: hasher.length_bytes(), sha256: hasher.digest() };
                page.sink = Some((handle, number, Arrivals::new(size_bytes, hasher)));
                page.transfers.handle_sink(handle, &opened, self.now);
            }
            SinkCommand::Expect { number, .. } => {
                if let Some((_, expected, _)) = &mut page.sink {
                    *expected = number;
                }
            }
            SinkCommand::Discard { .. } => {
                page.sink = None;
                page.stored.clear();
                page.discarded = true;
            }
        }
    }
}

pub(crate) fn description(file: &[u8]) -> FileDescription {
    FileDescription {
        name: "a.bin".to_owned(),
        size_bytes: file.len() as u64,
        modified_ms: 7,
        ..FileDescription::default()
    }
}

/// Bytes that repeat nowhere.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut random = SeededRandom::new(length as u128);
    let mut bytes: Vec<u8> =
        std::iter::repeat_with(|| random.next_u64().to_le_bytes()).take(length / 8 + 1).flatten().collect();
    bytes.truncate(length);
    bytes
}

/// Puts frames in order without a page.
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
