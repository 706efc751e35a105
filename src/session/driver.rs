//! Drives the core: takes inputs from the queue, hands them over, performs what comes out.

mod measuring;

use std::{collections::HashMap, time::Duration};

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use sightline_browser::{
    MediaTrack,
    bulk_channel::{BulkChannel, BulkChannelEvent},
    certificate::Certificate,
    clock,
    data_channel::{DataChannelEvent, DataChannelMessage},
    page,
    peer_connection::{MediaSlot, PeerConnectionConfig, PeerConnectionEvent},
    queue::{EventSink, EventStream},
    signalling::{SignallingTransport, TabsTransport, TransportEvent, WebSocketTransport},
};
use sightline_core::{
    Timestamp,
    chat::TextRefused,
    media::{SendSituation, SpeakingDetector, send_limits},
    negotiation::Role,
    notice::NoticeCode,
    room::{LinkId, PeerConnectionState, RoomEvent, RoomOutput, RoomSession},
    signalling::SocketId,
    stats::Subject,
};
use sightline_protocol::{MemberId, control::PublishedSource, signalling::IceServer};

use super::{
    address::Way,
    chat_history::ChatHistory,
    files::{BulkLink, Files},
    input::{Command, Input},
    link::Link,
    media::LocalMedia,
    playout::PlayoutWatch,
    preferences::Setting,
    room_view::RoomView,
};

/// How often stats are read while the page can be seen.
const STATS_INTERVAL: Duration = Duration::from_secs(1);

/// How often it is looked who speaks, while the page can be seen.
const VOICE_INTERVAL: Duration = Duration::from_millis(250);

/// A timer that comes so late says that the page, or the computer, slept: timers of hidden pages come once a second.
const ASLEEP: Duration = Duration::from_secs(5);

/// What a driver is made from.
pub struct Setup {
    pub session: RoomSession,
    pub media: LocalMedia,
    pub view: RoomView,
    pub history: ChatHistory,
    pub files: Files,
    /// How the others are reached first.
    pub way: Way,
    pub certificate: Option<Certificate>,
    pub inputs: EventSink<Input>,
    /// How long a run is to last that begins as soon as the room is entered.
    pub run_limit: Option<Duration>,
}

/// One running session.
pub struct Driver {
    session: RoomSession,
    media: LocalMedia,
    view: RoomView,
    history: ChatHistory,
    files: Files,
    way: Way,
    certificate: Option<Certificate>,
    /// The person's, in place of the server's where there are any.
    own_ice_servers: Vec<IceServer>,
    inputs: EventSink<Input>,
    socket: Option<(SocketId, Box<dyn SignallingTransport>)>,
    links: HashMap<LinkId, Link>,
    /// For files alone.
    bulk_links: HashMap<LinkId, BulkLink>,
    next_stats: Timestamp,
    next_voices: Timestamp,
    /// One's own.
    voice: SpeakingDetector,
    playout: PlayoutWatch,
    /// The room's name for this page.
    own_id: Option<MemberId>,
    /// How long a run is to last that begins as soon as the room is entered.
    run_limit: Option<Duration>,
    has_left: bool,
}

impl Driver {
    /// A driver that has not entered yet.
    pub fn new(setup: Setup) -> Self {
        let Setup { session, media, view, history, files, way, certificate, inputs, run_limit } = setup;
        let own_ice_servers = media.preferences().ice_servers().servers;
        Self {
            session,
            media,
            view,
            history,
            files,
            way,
            certificate,
            own_ice_servers,
            inputs,
            socket: None,
            links: HashMap::new(),
            bulk_links: HashMap::new(),
            next_stats: Timestamp::ZERO,
            next_voices: Timestamp::ZERO,
            voice: SpeakingDetector::default(),
            playout: PlayoutWatch::default(),
            own_id: None,
            run_limit,
            has_left: false,
        }
    }

    /// Enters the room and runs until it is left.
    pub async fn run(mut self, mut stream: EventStream<Input>) {
        let listeners = (
            page::report_visibility(self.inputs.map(Input::Visible)),
            page::report_online(self.inputs.map(Input::Online)),
            page::report_return(self.inputs.map(|()| Input::Online(true))),
        );
        if matches!(self.way, Way::Tabs(_)) {
            self.view.raise(NoticeCode::TabsOnly);
        }
        self.handle(Input::MediaChanged);
        self.files.restore(&mut self.session, clock::now());
        self.session.start(clock::now());
        self.perform_outputs();
        while !self.has_left {
            match self.next_input(&mut stream).await {
                Some(input) => self.handle(input),
                None => self.handle_timeout(),
            }
            if stream.take_overflow() {
                self.resynchronise();
            }
            self.perform_outputs();
            self.pump_files();
            self.perform_outputs();
        }
        self.files.close();
        drop(listeners);
    }

    /// The next input; `None` where the time for something came first.
    async fn next_input(&self, stream: &mut EventStream<Input>) -> Option<Input> {
        if let Some(input) = stream.try_next() {
            return Some(input);
        }
        let stats = self.looks().then(|| self.next_stats.min(self.next_voices));
        let Some(deadline) = [self.session.poll_timeout(), stats].into_iter().flatten().min() else {
            return stream.next().await;
        };
        let (timer, next) = (clock::sleep_until(deadline), stream.next());
        pin_mut!(timer, next);
        match select(next, timer).await {
            Either::Left((input, _)) => input,
            Either::Right(_) => None,
        }
    }

    /// Whether figures are collected: nobody looks at those of a hidden page, except in a run.
    fn looks(&self) -> bool {
        page::is_visible() || self.is_measuring()
    }

    fn handle_timeout(&mut self) {
        let now = clock::now();
        if self.session.poll_timeout().is_some_and(|due| now.since(due) >= ASLEEP) {
            self.session.handle_wake(now);
        } else {
            self.session.handle_timeout(now);
        }
        if !self.looks() {
            return;
        }
        if self.next_stats <= now {
            self.next_stats = now + STATS_INTERVAL;
            self.links.values().for_each(Link::read_stats);
        }
        if self.next_voices <= now {
            self.next_voices = now + VOICE_INTERVAL;
            self.listen_for_voices(now);
        }
    }

    fn handle(&mut self, input: Input) {
        let now = clock::now();
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
            Input::Completed(link, operation, result) => {
                self.session.handle_completed(link, operation, result, now);
            }
            Input::Stats(link, entries) => self.handle_stats(link, &entries, now),
            Input::Online(true) => self.session.handle_wake(now),
            Input::Online(false) => {}
            Input::Visible(is_visible) => {
                self.view.note_visibility(is_visible, now);
                self.media.handle_visibility(is_visible);
                self.playout.handle_visibility(is_visible, now);
                if is_visible {
                    self.session.handle_wake(now);
                }
            }
            Input::MediaChanged => self.publish(now),
            Input::SettingChanged(setting) => self.apply(setting, now),
            Input::Command(command) => self.handle_command(command, now),
        }
    }

    fn handle_transport(&mut self, socket: SocketId, event: TransportEvent, now: Timestamp) {
        match event {
            TransportEvent::Open => self.session.handle_socket_opened(socket, now),
            TransportEvent::Frame(frame) => self.session.handle_frame(socket, &frame, now),
            // No frame of the protocol: the core refuses it like any other.
            TransportEvent::Unreadable => self.session.handle_frame(socket, "", now),
            TransportEvent::Closed { .. } => self.session.handle_socket_closed(socket, now),
        }
    }

    fn handle_connection(&mut self, link: LinkId, event: PeerConnectionEvent, now: Timestamp) {
        match event {
            PeerConnectionEvent::NegotiationNeeded => self.session.handle_negotiation_needed(link, now),
            PeerConnectionEvent::LocalCandidate(candidate) => {
                self.session.handle_local_candidate(link, candidate, now);
            }
            PeerConnectionEvent::Track { slot: Some(slot), track, .. } => {
                self.receive_track(link, slot, &track);
            }
            PeerConnectionEvent::ConnectionState(state) => {
                self.note(link, Subject::Connection, state.as_str(), now);
                let state = PeerConnectionState::from_word(state.as_str());
                self.note_connected(link, state == PeerConnectionState::Connected, now);
                self.session.handle_connection_state(link, state, now);
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
                self.session.handle_channel_opened(link, now);
                self.equip(link, now);
            }
            DataChannelEvent::Closed => self.session.handle_channel_closed(link, now),
            DataChannelEvent::Message(DataChannelMessage::Text(text)) => {
                self.session.handle_control(link, &text, now);
            }
            DataChannelEvent::Message(DataChannelMessage::Binary(_))
            | DataChannelEvent::Oversized
            | DataChannelEvent::BufferedAmountLow
            | DataChannelEvent::Error(_) => {}
        }
    }

    fn handle_telemetry(&mut self, link: LinkId, event: DataChannelEvent, now: Timestamp) {
        if let DataChannelEvent::Message(DataChannelMessage::Text(text)) = event {
            self.session.handle_telemetry(link, &text, now);
            if let Some(link) = self.links.get_mut(&link) {
                link.handle_telemetry(&text, now);
                self.playout.handle_telemetry(&link.member, &text, now);
            }
        }
    }

    fn handle_bulk(&mut self, id: LinkId, event: BulkChannelEvent, now: Timestamp) {
        match event {
            BulkChannelEvent::Frame(frame) => {
                let of_link = self.links.get(&id).map(|link| &link.member);
                if let Some(member) = of_link.or_else(|| Some(&self.bulk_links.get(&id)?.member)) {
                    self.files.handle_frame(member, frame);
                }
            }
            BulkChannelEvent::Open => self.session.handle_bulk_opened(id, now),
            BulkChannelEvent::Closed => self.session.handle_bulk_closed(id, now),
            BulkChannelEvent::BufferedAmountLow => {}
        }
    }

    /// Gives the channels what they can take.
    fn pump_files(&mut self) {
        let (links, bulk_links) = (&self.links, &self.bulk_links);
        let channels_to = |member: &MemberId| bulk_channels(links, bulk_links, member);
        self.files.pump(&mut self.session, channels_to, clock::now());
    }

    fn note_connected(&mut self, id: LinkId, is_connected: bool, now: Timestamp) {
        if let Some(link) = self.links.get(&id)
            && self.session.is_in_use(id)
        {
            self.playout.handle_connected(&link.member, is_connected, now);
        }
    }

    fn note(&self, link: LinkId, subject: Subject, word: &str, now: Timestamp) {
        if let Some(link) = self.links.get(&link).filter(|_| self.session.is_in_use(link)) {
            self.view.note(&link.member, subject, word, now);
        }
    }

    fn handle_command(&mut self, command: Command, now: Timestamp) {
        match command {
            Command::SendChat(text) => {
                if self.session.send_chat(&text, clock::unix_ms(), now) == Err(TextRefused::TooLong) {
                    self.view.raise(NoticeCode::MessageTooLong);
                } else {
                    self.view.clear(NoticeCode::MessageTooLong);
                }
            }
            Command::Transfer(action) => self.files.handle_action(action, &mut self.session, now),
            Command::Retry => self.session.start(now),
            Command::WatchFigures(wanted) => {
                self.view.watch_figures(wanted);
                self.next_stats = now;
            }
            Command::StartRun => self.start_run(None, now),
            Command::StopRun => self.stop_run(now),
            Command::Export(export) => self.export(export, now),
            Command::Leave => {
                self.session.leave(now);
                self.has_left = true;
            }
        }
    }

    /// What the devices give is sent on every link, and told to everyone.
    fn publish(&mut self, now: Timestamp) {
        for link in self.links.values() {
            link.send_tracks(&self.media);
        }
        let published = self.media.published();
        self.session.set_published(published, now);
        self.playout.handle_own_published(published, now);
        self.perform_run(now);
        self.view.show_local(published);
        self.limit_sending();
    }

    /// What was set while the room is entered.
    fn apply(&mut self, setting: Setting, now: Timestamp) {
        let preferences = self.media.preferences();
        match setting {
            Setting::BitrateLimit => self.limit_sending(),
            Setting::Codec => {
                let codec = preferences.codec();
                for (id, link) in &self.links {
                    link.connection.prefer_codec(codec.as_deref());
                    self.session.handle_negotiation_needed(*id, now);
                }
            }
            Setting::JitterBuffer => self.links.values().for_each(|link| self.hold_back(link)),
            Setting::IceServers => {
                self.own_ice_servers = preferences.ice_servers().servers;
                self.set_ice_servers();
            }
            Setting::RelayOnly => {
                for link in self.links.values() {
                    // A connection that cannot is closing, and the next one is made as it is wanted.
                    let _ = link.connection.set_relay_only(preferences.relay_only());
                }
            }
            _ => {}
        }
    }

    fn ice_servers(&self) -> &[IceServer] {
        if self.own_ice_servers.is_empty() { self.session.ice_servers() } else { &self.own_ice_servers }
    }

    fn set_ice_servers(&self) {
        for link in self.links.values() {
            // A connection that cannot is closing, and the next one is made with them.
            let _ = link.connection.set_ice_servers(self.ice_servers());
        }
    }

    /// Every sender may use what is right for so many of them.
    fn limit_sending(&self) {
        let (scale_down_by, max_frames_per_second) = self.media.file_limits();
        let limits = send_limits(&SendSituation {
            members: self.session.peers().count() + 1,
            source: self.media.published().source,
            captured_lines: self.media.captured_lines(),
            max_bitrate_bps: self.media.preferences().max_bitrate_bps(),
            max_frames_per_second,
            scale_down_by,
        });
        self.links.values().for_each(|link| link.limit_sending(limits));
    }

    fn hold_back(&self, link: &Link) {
        link.set_jitter_buffer_target(self.media.preferences().jitter_buffer_target_ms());
    }

    /// A link came up: what its senders and receivers could not be told before they were negotiated.
    fn equip(&mut self, id: LinkId, now: Timestamp) {
        let Some(link) = self.links.get(&id) else { return };
        self.hold_back(link);
        self.media.repaint();
        // The offer's order of codecs counts for both sides, so who answered and wants one offers once.
        if link.role == Role::Answerer && self.media.preferences().codec().is_some() {
            self.session.handle_negotiation_needed(id, now);
        }
        self.limit_sending();
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

    fn play_source_audio(&self, member: &MemberId) {
        let published = self.session.peer(member).and_then(|peer| peer.published).unwrap_or_default();
        let is_wanted = matches!(published.source, PublishedSource::Screen | PublishedSource::File);
        for link in self.links.values().filter(|link| link.member == *member) {
            link.play_source_audio(is_wanted);
        }
    }

    /// Events were lost because the page did not run for long: the room's state is fetched anew.
    fn resynchronise(&mut self) {
        if let Some((socket, _)) = self.socket.take() {
            self.session.handle_socket_closed(socket, clock::now());
        }
    }

    fn perform_outputs(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                RoomOutput::OpenSocket(socket) => self.open_socket(socket),
                RoomOutput::SendFrame(id, frame) => {
                    if let Some((open, socket)) = &self.socket
                        && *open == id
                    {
                        // A socket that cannot send is noticed by the pong that does not come.
                        let _ = socket.send(&frame);
                    }
                }
                RoomOutput::CloseSocket(id, refusal) => {
                    if let Some((_, mut socket)) = self.socket.take_if(|(open, _)| *open == id)
                        && let Some(code) = refusal
                    {
                        socket.refuse(code.as_str());
                    }
                }
                RoomOutput::OpenLink { link, member, role } => self.open_link(link, member, role),
                RoomOutput::OpenBulkLink { link, member } => self.open_bulk_link(link, member),
                RoomOutput::UseLink(link) => self.use_link(link),
                RoomOutput::CloseLink(link) => {
                    if self.bulk_links.remove(&link).is_none() {
                        self.links.remove(&link);
                        self.limit_sending();
                    }
                }
                RoomOutput::Perform(link, id, operation) => {
                    if let Some(link) = self.links.get(&link) {
                        link.perform(id, operation);
                    } else if let Some(link) = self.bulk_links.get(&link) {
                        link.perform(id, operation);
                    }
                }
                RoomOutput::IceServersChanged => self.set_ice_servers(),
                RoomOutput::SendControl(link, text) => {
                    if let Some(link) = self.links.get(&link) {
                        // Refused only when the channel is closing, after which the core sends it again elsewhere.
                        let _ = link.channel.send_text(&text);
                    }
                }
                RoomOutput::SendTelemetry(link, text) => {
                    if let Some(link) = self.links.get(&link) {
                        // What does not go out is what a ping is there to find out.
                        let _ = link.telemetry.send_text(&text);
                    }
                }
                RoomOutput::Transfer(output) => self.files.perform(output, &self.session),
                RoomOutput::Event(event) => {
                    match &event {
                        RoomEvent::PeerChanged(member) => self.play_source_audio(member),
                        RoomEvent::ChatChanged(id) => {
                            if let Some(kept) = self.session.kept_message(id) {
                                self.history.keep(&kept);
                            }
                        }
                        _ => {}
                    }
                    if let RoomEvent::Entered { you, .. } = &event {
                        self.own_id = Some(you.clone());
                    }
                    self.measure_event(&event, clock::now());
                    self.view.show_event(event, &self.session);
                }
            }
        }
    }

    fn open_socket(&mut self, id: SocketId) {
        let sink = self.inputs.map(move |event| Input::Transport(id, event));
        let opened: Result<Box<dyn SignallingTransport>, _> = match &self.way {
            Way::Server(url) => WebSocketTransport::open(url, &sink).map(|socket| Box::new(socket) as _),
            Way::Tabs(room) => TabsTransport::open(room, &sink).map(|tab| Box::new(tab) as _),
        };
        match opened {
            Ok(socket) => self.socket = Some((id, socket)),
            Err(error) => sink.push(TransportEvent::Closed { code: 1006, reason: error.message }),
        }
    }

    /// A member's new link takes the place of its old one. As a stream of its own: in Firefox an element goes on showing
    /// the last picture of a track that was replaced within its stream.
    fn use_link(&self, id: LinkId) {
        if let Some(link) = self.links.get(&id) {
            self.view.show_stream(&link.member, &link.stream);
            self.play_source_audio(&link.member);
        }
    }

    fn open_link(&mut self, id: LinkId, member: MemberId, role: Role) {
        match Link::open(id, member, role, &self.connection_config(), &self.media, &self.inputs) {
            Ok(link) => {
                self.links.insert(id, link);
            }
            Err(_) => self.inputs.push(Input::Channel(id, DataChannelEvent::Closed)),
        }
    }

    fn open_bulk_link(&mut self, id: LinkId, member: MemberId) {
        match BulkLink::open(id, member, &self.connection_config(), &self.inputs) {
            Ok(link) => {
                self.bulk_links.insert(id, link);
            }
            Err(_) => self.inputs.push(Input::Bulk(id, BulkChannelEvent::Closed)),
        }
    }

    fn connection_config(&self) -> PeerConnectionConfig<'_> {
        PeerConnectionConfig {
            ice_servers: self.ice_servers(),
            relay_only: self.media.preferences().relay_only(),
            certificate: self.certificate.as_ref(),
        }
    }
}

/// The open channels for files to a member.
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
