//! Performs the outputs of the core: sockets, links, messages, and what the page shows.

use leptos::task::spawn_local;
use sightline_browser::{
    BrowserError,
    media::still::take_still,
    page::clock,
    rtc::{
        bulk_channel::BulkChannelEvent, data_channel::DataChannelEvent, peer_connection::PeerConnectionConfig,
    },
    signaling::{SignalingTransport, TransportEvent, WebSocketTransport},
};
use sightline_core::{
    bulk::servers_for,
    measure::Observation,
    negotiation::Role,
    room::{LinkId, RoomEvent, RoomOutput},
    signaling::{SignalingStatus, SocketId},
};
use sightline_protocol::{MemberId, control::PublishedSource};

use super::{Driver, start::NEWCOMER_WAITS};
use crate::session::{
    address::SignalingEndpoint,
    files::BulkLink,
    input::Input,
    knock_wish,
    link::{Link, LinkInputs, SpareLink},
    log::Level,
    model::{Remembered, SourceChoice},
    tabs::LoadingTabs,
};

impl Driver {
    pub(super) fn perform_outputs(&mut self) {
        while let Some(output) = self.session.poll_output() {
            self.log_output(&output);
            match output {
                RoomOutput::OpenSocket(socket) => self.open_socket(socket),
                RoomOutput::SendFrame(id, frame) => {
                    if let Some((open, socket)) = &self.socket
                        && *open == id
                    {
                        // If the socket cannot send, a missing pong reveals that.
                        if let Err(error) = socket.send(&frame) {
                            let fields = [("method", "send"), ("error", &error.to_string())];
                            self.log.write(Level::Warn, "call failed", &fields);
                        }
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
                RoomOutput::UseLink(link) => {
                    self.changes.release_members();
                    self.show_changes();
                    self.use_link(link);
                }
                RoomOutput::CloseLink(link) => {
                    if self.bulk_links.remove(&link).is_none() {
                        if let Some(closed) = self.links.remove(&link) {
                            let closed_link = Observation::ConnectionClosed(link);
                            self.measurements.handle(&closed.member, closed_link, clock::now());
                        }
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
                        // A refusal means that the channel is closing; the core then sends the message again on another one.
                        if let Err(error) = link.channel.send_text(&text) {
                            let member = link.member.clone();
                            self.note_failed_call(&member, "control.send", &error.to_string());
                        }
                    }
                }
                RoomOutput::SendTelemetry(link, text) => {
                    if let Some(link) = self.links.get(&link) {
                        // Lost pings are what the core counts.
                        let _ = link.telemetry.send_text(&text);
                    }
                }
                RoomOutput::Transfer(output) => self.files.perform(output),
                RoomOutput::Recognition(task) => {
                    if let Some(device) = &self.device {
                        device.perform(task, &self.inputs);
                    }
                    self.show_remembered();
                }
                RoomOutput::Event(event) => {
                    let now = clock::now();
                    if let RoomEvent::PeerChanged(member) = &event
                        && self.has_entered
                        && self.view.tile(member).is_none()
                    {
                        self.changes.hold_members(now + NEWCOMER_WAITS, now);
                    }
                    if matches!(event, RoomEvent::Entered { .. })
                        && self.session.peers().next().is_none()
                        && self.links.is_empty()
                    {
                        // The next page that comes will offer.
                        self.spare = self.spare_link().ok();
                    }
                    // Only what is drawn waits: a run of a member may begin before its tile is there.
                    self.measure_event(&event, now);
                    self.changes.handle(event, now);
                }
            }
        }
        self.show_changes();
    }

    /// Shows the events whose time has come, and stores the messages among them.
    pub(super) fn show_changes(&mut self) {
        let (mut changed, mut shown) = (Vec::new(), Vec::new());
        while let Some(event) = self.changes.poll_output() {
            match &event {
                RoomEvent::PeerChanged(member) => {
                    shown.push(member.clone());
                    self.play_source_audio(member);
                }
                RoomEvent::Status(SignalingStatus::Waiting) => self.take_knock_picture(),
                RoomEvent::ChatChanged(number) => changed.extend(self.session.conversation().kept(*number)),
                _ => {}
            }
            self.note_reaction(&event);
            self.view.show_event(event, &self.session, &mut self.frames);
        }
        // A track may have come before the tile.
        for (id, link) in &self.links {
            if link.is_received() && shown.contains(&link.member) && self.session.is_in_use(*id) {
                self.view.show_stream(&link.member, &link.stream);
            }
        }
        self.history.keep(&changed);
    }

    /// Takes a picture of the camera for the hosts of the locked room, if the person wants that.
    fn take_knock_picture(&self) {
        self.view.show_knock_picture(None);
        let is_wanted = knock_wish::is_wanted()
            && self.media.wanted_source() == SourceChoice::Camera
            && self.session.takes_picture();
        if let Some(camera) = self.media.main_track().filter(|_| is_wanted) {
            let inputs = self.inputs.clone();
            spawn_local(async move {
                if let Some(picture) = take_still(&camera).await {
                    inputs.push(Input::Picture(picture));
                }
            });
        }
    }

    /// Shows the people that this device remembers.
    pub(super) fn show_remembered(&self) {
        let trust = self.session.peer_trust();
        self.view.show_remembered(match &self.device {
            None => Remembered::Off,
            Some(_) if trust.has_recognition() => Remembered::People(trust.people().to_vec()),
            Some(_) => Remembered::Forgotten,
        });
    }

    fn note_reaction(&mut self, event: &RoomEvent) {
        match event {
            RoomEvent::Reacted(member, reaction) => {
                self.reactions.handle(member, *reaction, clock::now());
                self.show_reactions();
            }
            RoomEvent::PeerGone(member) => self.reactions.handle_gone(member),
            _ => {}
        }
    }

    pub(super) fn show_reactions(&mut self) {
        while let Some((member, shown)) = self.reactions.poll_changed() {
            self.view.show_reaction(member.as_ref(), shown);
        }
    }

    fn open_socket(&mut self, id: SocketId) {
        let sink = self.inputs.map(move |event| Input::Transport(id, event));
        let opened: Result<Box<dyn SignalingTransport>, _> = match &self.endpoint {
            SignalingEndpoint::Server(url) | SignalingEndpoint::Refused(url, _) => {
                WebSocketTransport::open(url, &sink).map(|socket| Box::new(socket) as _)
            }
            SignalingEndpoint::Tabs(room) => {
                let admission = self.session.admission().cloned();
                Ok(Box::new(LoadingTabs::open(room.clone(), admission, sink.clone())) as _)
            }
        };
        match opened {
            Ok(socket) => self.socket = Some((id, socket)),
            Err(error) => sink.push(TransportEvent::Closed { code: 1006, reason: error.message }),
        }
    }

    /// Shows a member's new link in place of the old one. It has its own stream: in Firefox an element continues to show the last
    /// picture of a track that was replaced within its stream.
    fn use_link(&self, id: LinkId) {
        if let Some(link) = self.links.get(&id) {
            self.view.show_stream(&link.member, &link.stream);
            self.play_source_audio(&link.member);
        }
    }

    fn open_link(&mut self, id: LinkId, member: MemberId, role: Role) {
        let spare = self.spare.take().filter(|spare| spare.fits(role));
        let inputs = LinkInputs { first: &self.inputs, messages: &self.lanes.of_member(member.as_str()) };
        let told = member.clone();
        let objects = match spare {
            Some(spare) => spare.configure(&self.connection_config()),
            None => self.spare_link(),
        };
        match objects.and_then(|objects| Link::open(id, member, role, objects, &self.media, inputs)) {
            Ok(link) => {
                self.links.insert(id, link);
            }
            Err(error) => {
                self.note_failed_call(&told, "RTCPeerConnection", &error.to_string());
                self.inputs.push(Input::Channel(id, DataChannelEvent::Closed));
            }
        }
    }

    fn open_bulk_link(&mut self, id: LinkId, member: MemberId) {
        let ice_servers = servers_for(self.measurements.path(&member), self.ice_servers());
        let config = PeerConnectionConfig { ice_servers: &ice_servers, ..self.connection_config() };
        let inputs = LinkInputs { first: &self.inputs, messages: &self.lanes.of_member(member.as_str()) };
        let told = member.clone();
        match BulkLink::open(id, member, &config, inputs) {
            Ok(link) => {
                self.bulk_links.insert(id, link);
            }
            Err(error) => {
                self.note_failed_call(&told, "RTCPeerConnection", &error.to_string());
                self.inputs.push(Input::Bulk(id, BulkChannelEvent::Closed));
            }
        }
    }

    /// Makes the objects of a link ahead of its member.
    pub(super) fn spare_link(&self) -> Result<SpareLink, BrowserError> {
        let spare = SpareLink::new(&self.connection_config(), &self.inputs)?;
        spare.set_tracks(&self.media);
        Ok(spare)
    }

    fn connection_config(&self) -> PeerConnectionConfig<'_> {
        PeerConnectionConfig {
            ice_servers: self.ice_servers(),
            relay_only: self.media.preferences().relay_only(),
            certificate: self.certificate.as_ref(),
        }
    }

    fn play_source_audio(&self, member: &MemberId) {
        let published = self.session.peer(member).and_then(|peer| peer.published).unwrap_or_default();
        let is_wanted = matches!(published.source, PublishedSource::Screen | PublishedSource::File);
        for link in self.links.values().filter(|link| link.member == *member) {
            link.play_source_audio(is_wanted);
        }
    }
}
