//! Drives the core: takes inputs from the queue, hands them to the core, and performs its outputs.

mod logging;
mod measuring;
mod outputs;
mod sending;
mod start;

use std::{collections::HashMap, time::Duration};

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use sightline_browser::{
    MediaTrack,
    js::{
        fair_queue::{FairStream, Lanes},
        queue::EventSink,
    },
    media::first_picture::FirstPicture,
    page::{clock, lifecycle, wake_lock::WakeLock},
    rtc::{
        bulk_channel::{BulkChannel, BulkChannelEvent},
        certificate::Certificate,
        data_channel::{DataChannelEvent, DataChannelMessage},
        peer_connection::{MediaSlot, PeerConnectionEvent},
    },
    signaling::{SignalingTransport, TransportEvent},
};
use sightline_core::{
    Timestamp,
    chat::TextRefused,
    measure::{Measurements, Observation, connection::Subject},
    media::{DeviceAbsence, SpeakingDetector},
    negotiation::Role,
    notice::NoticeCode,
    room::{Changes, LinkEvent, LinkId, PeerConnectionState, PeerTrust, Reactions, RoomSession},
    signaling::SocketId,
};
use sightline_protocol::{MemberId, RoomName, signaling::IceServer};

pub use self::start::LOBBY_LINGERS;

use self::measuring::measurements;
use super::{
    address::SignalingEndpoint,
    chat_history::ChatHistory,
    device::Device,
    files::{BulkLink, Files},
    frame_watches::FrameWatches,
    input::{Command, Input, LocalChange},
    link::{Link, SpareLink},
    log::{Level, Log},
    media::LocalMedia,
    model::CodeJudgment,
    room_view::RoomView,
};

/// How often the levels of voices are read while the page is visible.
const VOICE_INTERVAL: Duration = Duration::from_millis(250);

/// A timer that is this late means that the page or the computer slept: timers of hidden pages come once a second.
const ASLEEP: Duration = Duration::from_secs(5);

/// How long inputs are handled without a break before the browser may paint.
const SLICE: Duration = Duration::from_millis(12);

/// The longest break: the work goes on, though slowly, where the browser paints late.
const LONGEST_BREAK: Duration = Duration::from_millis(25);

/// Everything that a driver is made from.
pub struct Setup {
    pub session: RoomSession,
    pub room: RoomName,
    pub media: LocalMedia,
    pub view: RoomView,
    pub history: ChatHistory,
    pub files: Files,
    /// Where signaling goes.
    pub endpoint: SignalingEndpoint,
    pub certificate: Option<Certificate>,
    pub lanes: Lanes<Input>,
    /// The length of a run that begins as soon as the room is entered.
    pub run_limit: Option<Duration>,
    pub log: Log,
}

/// A session in a room, while it runs.
pub struct Driver {
    session: RoomSession,
    room: RoomName,
    /// Whether the person left the lobby.
    has_entered: bool,
    /// Events of the session that the page is about to show.
    changes: Changes,
    reactions: Reactions,
    media: LocalMedia,
    /// Whether the system or another app has the camera, and the microphone.
    absences: [DeviceAbsence; 2],
    view: RoomView,
    history: ChatHistory,
    /// `None` until the browser gave the key, and where it stores none.
    device: Option<Device>,
    files: Files,
    endpoint: SignalingEndpoint,
    certificate: Option<Certificate>,
    /// The person's own ICE servers; if there are any, they replace the server's.
    own_ice_servers: Vec<IceServer>,
    /// Contains a lane for each member's messages.
    lanes: Lanes<Input>,
    inputs: EventSink<Input>,
    socket: Option<(SocketId, Box<dyn SignalingTransport>)>,
    first_picture: Option<FirstPicture>,
    /// The objects of the first link, made ahead.
    spare: Option<SpareLink>,
    links: HashMap<LinkId, Link>,
    /// Peer connections that carry files only.
    bulk_links: HashMap<LinkId, BulkLink>,
    measurements: Measurements,
    frames: FrameWatches,
    next_voices: Timestamp,
    /// Whether this person speaks.
    voice: SpeakingDetector,
    /// The length of a run that begins as soon as the room is entered.
    run_limit: Option<Duration>,
    /// Since when inputs have been handled without a break.
    slice_began: Timestamp,
    has_left: bool,
    log: Log,
    /// Keeps the screen on while somebody else is here.
    wake_lock: Option<WakeLock>,
}

impl Driver {
    /// A driver of a person who is in the lobby.
    pub fn new(setup: Setup) -> Self {
        let Setup {
            session,
            room,
            media,
            view,
            history,
            files,
            endpoint,
            certificate,
            lanes,
            run_limit,
            log,
        } = setup;
        let measurements = measurements(&room, String::new(), &media);
        let inputs = lanes.first();
        let own_ice_servers = media.preferences().ice_servers().servers;
        Self {
            session,
            room,
            has_entered: false,
            changes: Changes::default(),
            reactions: Reactions::default(),
            media,
            view,
            history,
            device: None,
            files,
            endpoint,
            certificate,
            own_ice_servers,
            lanes,
            absences: Default::default(),
            inputs,
            socket: None,
            first_picture: None,
            spare: None,
            links: HashMap::new(),
            bulk_links: HashMap::new(),
            measurements,
            frames: FrameWatches::default(),
            next_voices: Timestamp::ZERO,
            voice: SpeakingDetector::default(),
            run_limit,
            slice_began: Timestamp::ZERO,
            has_left: false,
            log,
            wake_lock: None,
        }
    }

    /// Prepares the room, enters it on [`Command::Enter`], and runs until the person leaves it.
    pub async fn run(mut self, mut stream: FairStream<Input>) {
        let listeners = (
            lifecycle::report_visibility(self.inputs.map(Input::Visible)),
            lifecycle::report_online(self.inputs.map(Input::Online)),
            lifecycle::report_return(self.inputs.map(|()| Input::Online(true))),
        );
        self.handle(Input::Local(LocalChange::Media));
        if matches!(self.endpoint, SignalingEndpoint::Server(_)) {
            self.session.prepare(clock::now());
        }
        self.perform_outputs();
        // Whoever is in the room now will be in it before this page.
        self.spare = self.spare_link().and_then(SpareLink::offering).ok();
        while !self.has_left {
            match self.next_input(&mut stream).await {
                Some(input) => self.handle(input),
                None => self.handle_timeout(),
            }
            // In a flood of inputs the browser runs no timer.
            if self.next_deadline().is_some_and(|due| due <= clock::now()) {
                self.handle_timeout();
            }
            while let Some((member, count)) = stream.take_lost() {
                if let Ok(member) = MemberId::new(member) {
                    self.session.handle_lost_messages(&member, count, clock::now());
                }
            }
            if stream.take_overflow() {
                self.resynchronise();
            }
            self.perform_outputs();
            self.pump_files();
            self.perform_outputs();
            self.keep_awake();
        }
        if self.has_entered {
            self.files.close();
        }
        drop(listeners);
    }

    /// The next input; `None` if a deadline came first.
    async fn next_input(&mut self, stream: &mut FairStream<Input>) -> Option<Input> {
        if let Some(input) = stream.try_next() {
            if clock::now().since(self.slice_began) >= SLICE {
                // A hidden page has slow timers and paints nothing, so a break would only cost time.
                if lifecycle::is_visible() {
                    breathe(stream).await;
                }
                self.slice_began = clock::now();
            }
            return Some(input);
        }
        let input = self.wait_for_input(stream).await;
        self.slice_began = clock::now();
        input
    }

    async fn wait_for_input(&mut self, stream: &mut FairStream<Input>) -> Option<Input> {
        let Some(deadline) = self.next_deadline() else { return Some(stream.next().await) };
        // What was due before the wait is not late because of a busy page.
        let due = deadline.max(clock::now());
        let (timer, next) = (clock::sleep_until(deadline), stream.next());
        pin_mut!(timer, next);
        let input = match select(next, timer).await {
            Either::Left((input, _)) => Some(input),
            Either::Right(_) => None,
        };
        let now = clock::now();
        if due < now {
            self.measurements.handle_late(due, now);
        }
        input
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        let voices = self.measurements.should_poll_stats().then_some(self.next_voices);
        let measurements = self.measurements.poll_timeout();
        let shown = [self.changes.poll_timeout(), self.reactions.poll_timeout()];
        let absences = self.absences.iter().filter_map(DeviceAbsence::poll_timeout);
        [self.session.poll_timeout(), self.files.poll_timeout(), measurements, voices]
            .into_iter()
            .chain(shown)
            .flatten()
            .chain(absences)
            .min()
    }

    fn handle_timeout(&mut self) {
        let now = clock::now();
        if self.session.poll_timeout().is_some_and(|due| now.since(due) >= ASLEEP) {
            self.session.handle_wake(now);
        } else {
            self.session.handle_timeout(now);
        }
        self.changes.handle_timeout(now);
        self.reactions.handle_timeout(now);
        self.drop_late_picture();
        self.show_reactions();
        self.show_taken(now);
        self.measurements.handle_timeout(now);
        self.perform_measurements();
        if self.measurements.should_poll_stats() && self.next_voices <= now {
            self.next_voices = now + VOICE_INTERVAL;
            self.listen_for_voices(now);
        }
    }

    fn handle(&mut self, input: Input) {
        let now = clock::now();
        self.log_input(&input);
        match input {
            Input::Transport(socket, event) => self.handle_transport(socket, event, now),
            Input::Connection(link, event) => self.handle_connection(link, event, now),
            Input::Channel(link, event) => self.handle_channel(link, event, now),
            Input::Telemetry(link, event) => self.handle_telemetry(link, event, now),
            Input::Bulk(link, event) => self.handle_bulk(link, event, now),
            Input::FileWorker(event) => {
                let (links, bulk_links) = (&self.links, &self.bulk_links);
                let channels_to = |member: &MemberId| bulk_channels(links, bulk_links, member);
                self.files.handle_worker(event, &mut self.session, channels_to, now);
            }
            Input::Completed(link, operation, method, result) => {
                if let Err(failure) = &result {
                    self.note_failed_call_on(link, method, &format!("{}: {}", failure.name, failure.message));
                }
                self.session.handle_link(link, LinkEvent::Completed(operation, result), now);
            }
            Input::CallFailed(link, method, error) => {
                self.note_failed_call_on(link, method, &error.to_string());
            }
            Input::Device(opened) => {
                if let Some((device, people)) = opened {
                    let (key, unix_ms) = (device.key().clone(), clock::unix_ms());
                    self.session.with_peer_trust(|trust| trust.handle_device(key, people, unix_ms, now));
                    self.device = Some(device);
                }
                self.show_remembered();
            }
            Input::Recognition(id, tags) => {
                self.session.with_peer_trust(|trust| trust.handle_computed(id, tags, now));
            }
            Input::Picture(picture) => {
                if self.session.show_picture(&picture, now) {
                    self.view.show_knock_picture(Some(picture));
                }
            }
            Input::Stats(link, entries) => self.handle_stats(link, entries, now),
            Input::FirstPicture => self.handle_first_picture(),
            Input::Online(true) => self.session.handle_wake(now),
            Input::Online(false) => {}
            Input::Visible(is_visible) => {
                self.media.handle_visibility(is_visible);
                self.measurements.handle_visibility(is_visible, now);
                self.perform_measurements();
                if is_visible {
                    if let Some(lock) = &self.wake_lock {
                        lock.renew();
                    }
                    self.session.handle_wake(now);
                } else {
                    // A page that is closed or reloaded is hidden first.
                    self.changes.release();
                    self.files.store_now(&self.session, now);
                }
            }
            Input::WakeLockRefused(error) => {
                self.log.write(Level::Info, "screen may turn off", &[("error", &error.to_string())]);
            }
            Input::Local(LocalChange::Media) => self.publish(now),
            Input::Local(LocalChange::Setting(setting)) => self.apply(setting, now),
            Input::Command(command) => self.handle_command(command, now),
        }
    }

    fn handle_transport(&mut self, socket: SocketId, event: TransportEvent, now: Timestamp) {
        match event {
            TransportEvent::Open => self.session.handle_socket_opened(socket, now),
            TransportEvent::Frame(frame) => self.session.handle_frame(socket, &frame, now),
            // An empty frame is not a message of the protocol, so the core refuses it.
            TransportEvent::Unreadable => self.session.handle_frame(socket, "", now),
            TransportEvent::Closed { .. } => self.session.handle_socket_closed(socket, now),
        }
    }

    fn handle_connection(&mut self, link: LinkId, event: PeerConnectionEvent, now: Timestamp) {
        match event {
            PeerConnectionEvent::NegotiationNeeded => {
                self.session.handle_link(link, LinkEvent::NegotiationNeeded, now);
            }
            PeerConnectionEvent::LocalCandidate(candidate) => {
                self.session.handle_link(link, LinkEvent::LocalCandidate(candidate), now);
            }
            PeerConnectionEvent::Track { slot: Some(slot), track, .. } => {
                self.receive_track(link, slot, &track);
                self.show_first_picture(link, slot);
            }
            PeerConnectionEvent::ConnectionState(state) => {
                self.note(link, Subject::Connection, state.as_str(), now);
                let state = PeerConnectionState::from_word(state.as_str());
                let is_connected = state == PeerConnectionState::Connected;
                if is_connected {
                    self.view.show_rest_later();
                    // On the side that offers, the first picture comes before.
                    if self.links.get(&link).is_some_and(|link| link.role == Role::Answerer) {
                        self.show_members();
                    }
                }
                self.observe_link(link, Observation::Connected(is_connected), now);
                self.session.handle_link(link, LinkEvent::State(state), now);
            }
            PeerConnectionEvent::IceConnectionState(state) => {
                self.note(link, Subject::Ice, state.as_str(), now);
            }
            PeerConnectionEvent::IceGatheringState(state) => {
                self.note(link, Subject::Gathering, state.as_str(), now);
            }
            PeerConnectionEvent::SignalingState(state) => {
                self.note(link, Subject::Signaling, state.as_str(), now);
            }
            PeerConnectionEvent::CandidateError { url, code, text } => {
                self.note(link, Subject::CandidateError, &format!("{url}: {code} {text}"), now);
            }
            PeerConnectionEvent::Track { slot: None, .. } => {}
        }
    }

    fn handle_channel(&mut self, link: LinkId, event: DataChannelEvent, now: Timestamp) {
        match event {
            DataChannelEvent::Open => {
                self.session.handle_link(link, LinkEvent::ChannelOpened, now);
                self.equip(link, now);
            }
            DataChannelEvent::Closed => self.session.handle_link(link, LinkEvent::ChannelClosed, now),
            DataChannelEvent::Message(DataChannelMessage::Text(text)) => {
                self.session.handle_control(link, &text, now);
            }
            DataChannelEvent::Message(DataChannelMessage::Binary(_)) | DataChannelEvent::Oversized => {
                self.session.handle_unreadable(link, now);
            }
            DataChannelEvent::BufferedAmountLow | DataChannelEvent::Error(_) => {}
        }
    }

    fn handle_telemetry(&mut self, link: LinkId, event: DataChannelEvent, now: Timestamp) {
        match event {
            DataChannelEvent::Message(DataChannelMessage::Text(text)) => {
                let message = self.session.handle_telemetry(link, &text, now);
                let member = self.links.get(&link).map(|link| link.member.clone());
                if let Some((message, member)) = message.zip(member) {
                    self.observe(&member, Observation::Telemetry(link, message), now);
                }
            }
            DataChannelEvent::Message(DataChannelMessage::Binary(_)) | DataChannelEvent::Oversized => {
                self.session.handle_unreadable(link, now);
            }
            _ => {}
        }
    }

    fn handle_bulk(&mut self, id: LinkId, event: BulkChannelEvent, now: Timestamp) {
        match event {
            BulkChannelEvent::Frame(frame) => {
                let of_link = self.links.get(&id).map(|link| &link.member);
                if let Some(member) = of_link.or_else(|| Some(&self.bulk_links.get(&id)?.member))
                    && self.session.handle_bulk_frame(member, now)
                {
                    self.files.handle_frame(member, frame);
                }
            }
            BulkChannelEvent::Unreadable => self.session.handle_unreadable(id, now),
            BulkChannelEvent::Open => self.session.handle_link(id, LinkEvent::BulkOpened, now),
            BulkChannelEvent::Closed => self.session.handle_link(id, LinkEvent::BulkClosed, now),
            BulkChannelEvent::BufferedAmountLow => {}
        }
    }

    /// Hands as many bytes of files to the channels as they accept.
    fn pump_files(&mut self) {
        let (links, bulk_links) = (&self.links, &self.bulk_links);
        let channels_to = |member: &MemberId| bulk_channels(links, bulk_links, member);
        self.files.pump(&mut self.session, channels_to, clock::now());
    }

    fn handle_command(&mut self, command: Command, now: Timestamp) {
        match command {
            Command::Enter(name) => self.enter(name, now),
            Command::SendChat(to, text) => {
                let unix_ms = clock::unix_ms();
                let sent = match to {
                    Some(member) => self.session.send_private_chat(&member, &text, unix_ms, now),
                    None => self.session.send_chat(&text, unix_ms, now),
                };
                if sent == Err(TextRefused::TooLong) {
                    self.view.raise(NoticeCode::MessageTooLong);
                } else {
                    self.view.clear(NoticeCode::MessageTooLong);
                }
            }
            Command::RaiseHand(is_raised) => {
                self.session.raise_hand(is_raised, now);
                self.view.show_hands(&self.session.raised_hands());
            }
            Command::React(reaction) => {
                if self.reactions.react(reaction, now) {
                    self.session.send_reaction(reaction);
                    self.show_reactions();
                }
            }
            Command::Transfer(action) => self.files.handle_action(action, &mut self.session, now),
            Command::Retry => self.session.start(now),
            Command::WatchFigures(wanted) => {
                self.measurements.watch(wanted, now);
                self.perform_measurements();
            }
            Command::StartRun => self.start_run(now),
            Command::StopRun => {
                self.measurements.stop_run(now);
                self.perform_measurements();
            }
            Command::RefuseRun(member) => {
                if let Ok(member) = MemberId::new(&member) {
                    self.measurements.refuse_run(&member, now);
                    self.perform_measurements();
                }
            }
            Command::Export(export) => self.export(export, now),
            Command::JudgeCode(CodeJudgment { member, code, is_matching }) => {
                if let Ok(member) = MemberId::new(&member) {
                    self.session.set_code_matching(&member, code, is_matching, now);
                }
            }
            Command::Forget(Some(person)) => self.session.with_peer_trust(|trust| trust.forget(&person)),
            Command::Forget(None) => self.session.with_peer_trust(PeerTrust::forget_everybody),
            Command::Host(action) => self.session.act_as_host(action, now),
            Command::Leave => {
                self.session.leave(now);
                self.has_left = true;
            }
        }
    }

    /// The screen stays on during a call and during a transfer, both of which need another member.
    fn keep_awake(&mut self) {
        let is_wanted = self.session.peers().next().is_some();
        if is_wanted && self.wake_lock.is_none() {
            self.wake_lock = Some(WakeLock::hold(self.inputs.map(Input::WakeLockRefused)));
        } else if !is_wanted {
            self.wake_lock = None;
        }
    }

    fn listen_for_voices(&mut self, now: Timestamp) {
        for (_, link) in self.links.iter_mut().filter(|(id, _)| self.session.is_in_use(**id)) {
            let is_speaking = link.is_speaking(now);
            self.view.show_speaking(Some(&link.member), is_speaking);
        }
        let level = self.media.published().microphone.then(|| self.media.level());
        self.view.show_speaking(None, self.voice.handle_level(level, now));
    }

    fn receive_track(&mut self, id: LinkId, slot: MediaSlot, track: &MediaTrack) {
        if let Some(link) = self.links.get(&id) {
            link.receive_track(slot, track);
            if self.session.is_in_use(id) {
                self.view.show_stream(&link.member, &link.stream);
            }
        }
    }

    /// Fetches the state of the room again: events were lost because the page did not run for long.
    fn resynchronise(&mut self) {
        if let Some((socket, _)) = self.socket.take() {
            self.session.handle_socket_closed(socket, clock::now());
        }
    }
}

/// Lets the browser paint a frame and run other tasks. Chromium paints ten times a second while tasks follow each other without a
/// gap, so the break lasts until a frame was painted. A flood of messages delays timers as long as it lasts, so a message also ends
/// a break that was long enough.
async fn breathe(stream: &mut FairStream<Input>) {
    let until = clock::now() + LONGEST_BREAK;
    let (painted, timer) = (clock::painted(), clock::sleep_until(until));
    pin_mut!(painted, timer);
    let mut end = select(painted, timer);
    loop {
        let pushed = stream.pushed();
        pin_mut!(pushed);
        match select(&mut end, pushed).await {
            Either::Right(_) if clock::now() < until => {}
            _ => return,
        }
    }
}

/// The open file channels to a member.
fn bulk_channels<'a>(
    links: &'a HashMap<LinkId, Link>,
    bulk_links: &'a HashMap<LinkId, BulkLink>,
    member: &MemberId,
) -> impl Iterator<Item = &'a BulkChannel> + use<'a> {
    let (member, same) = (member.clone(), member.clone());
    let of_links = links.values().filter(move |link| link.member == member).map(|link| &link.bulk);
    let beside = bulk_links.values().filter(move |link| link.member == same).map(|link| &link.channel);
    of_links.chain(beside).filter(|bulk| bulk.is_open())
}
