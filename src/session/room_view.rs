//! Writes the events of a room into the signals that components show; `figures_view` does so for the figures.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{MediaStream, media::frame_watch::FrameWatch, page::clock};
use sightline_core::{
    budget::Standing,
    chat::ChatMessage,
    measure::{
        connection::{ConnectionDetails, History},
        run::RunState,
    },
    notice::NoticeCode,
    picture::StillPicture,
    room::{LinkState, PeerTrust, PeerView, RoomEvent, RoomSession, ShownReaction},
    signaling::SignalingStatus,
    trust::{Acquaintance, RoomSecret, Verification},
};
use sightline_protocol::{
    MemberId,
    control::{PublishedSource, PublishedState},
};

use super::{
    chat_history,
    entrance::SharedLink,
    files::kept,
    frame_watches::FrameWatches,
    identity::{self, Place},
    media::{LocalMedia, MediaSignals},
    model::{ChatLine, HostModel, Remembered, RoomModel, RunShown, SettingsModel, TileModel, TransfersModel},
    signals,
};
use crate::{navigation::Navigator, route::RoomLink};

/// How long the first frame of a connection takes at most on a path without trouble.
const FIRST_FRAME: Duration = Duration::from_millis(150);

/// The signals of one room. They may be gone while the session is ending, so nothing here panics then.
pub struct RoomView {
    room: SharedLink,
    navigator: Option<Navigator>,
    pub(super) model: RoomModel,
    media: LocalMedia,
    /// The resume token, once there is one.
    resume: Option<String>,
    /// Owns the signals that are made later, so that they end with the page that shows them.
    owner: Owner,
}

impl RoomView {
    /// Signals for a room that is not entered yet; must be called in the owner that shows them.
    pub fn new_model(
        invitation: String,
        is_protected: bool,
        media: MediaSignals,
        settings: SettingsModel,
    ) -> RoomModel {
        let local = new_tile("local", "", is_protected, &FrameWatch::default());
        local.state.set(LinkState::Connected);
        RoomModel {
            status: RwSignal::new(SignalingStatus::Connecting),
            notices: media.notices,
            local: TileModel { stream: media.preview, ..local },
            others: RwSignal::new(Vec::new()),
            host: HostModel::default(),
            shown_picture: RwSignal::new(None),
            has_entered: RwSignal::new(false),
            is_shown: RwSignal::new(false),
            is_reaching: RwSignal::new(true),
            is_drawn: RwSignal::new(false),
            chat: RwSignal::new(Vec::new()),
            is_chat_cut: RwSignal::new(false),
            transfers: TransfersModel::default(),
            invitation: RwSignal::new(invitation),
            is_protected,
            needs_gesture: RwSignal::new(false),
            source: media.source,
            needs_source_gesture: media.needs_gesture,
            file: media.file,
            run: RwSignal::new(RunShown::default()),
            is_report_saved: RwSignal::new(false),
            measured_by: RwSignal::new(Vec::new()),
            settings,
            remembered: RwSignal::new(Remembered::default()),
        }
    }

    /// Must be called in the owner of the page.
    pub fn new(room: SharedLink, model: RoomModel, media: LocalMedia) -> Self {
        let owner = Owner::current().unwrap_or_default();
        Self { room, navigator: Navigator::from_context(), model, media, resume: None, owner }
    }

    /// Shows an event of the core.
    pub fn show_event(&mut self, event: RoomEvent, session: &RoomSession, frames: &mut FrameWatches) {
        match event {
            RoomEvent::Status(status) => {
                self.model.status.try_set(status);
                if matches!(status, SignalingStatus::Waiting | SignalingStatus::Lost) {
                    self.show_room();
                }
            }
            RoomEvent::Raised(code) => {
                if matches!(code, NoticeCode::Replaced | NoticeCode::Removed | NoticeCode::RoomEnded) {
                    // Another tab has the seat now, or nobody.
                    self.resume = None;
                    identity::forget_place(&self.room.borrow());
                }
                self.raise(code);
            }
            RoomEvent::Cleared(code) => self.clear(code),
            RoomEvent::Entered { resume, .. } => {
                self.resume = Some(resume);
                self.keep_place();
                signals::set(self.model.has_entered, true);
                signals::set(self.model.shown_picture, None);
                if session.peers().next().is_none() {
                    self.show_room();
                    signals::set(self.model.is_reaching, false);
                }
            }
            RoomEvent::TokenChanged(resume) => {
                self.resume = Some(resume);
                self.keep_place();
            }
            RoomEvent::LinkChanged(secret) => self.show_link(secret),
            RoomEvent::HostingChanged => self.show_hosting(session),
            RoomEvent::PeerChanged(id) => {
                if let Some(peer) = session.peer(&id) {
                    self.show_peer(&id, &peer, session.peer_trust(), frames.of(&id));
                }
                self.show_hands(&session.raised_hands());
            }
            RoomEvent::PeerGone(id) => {
                self.show_hands(&session.raised_hands());
                let tile = self.tile(&id);
                self.model.others.try_update(|tiles| tiles.retain(|tile| !is_of(tile, &id)));
                if let Some(tile) = tile {
                    // The signals remain until the room is left, so their large values are removed.
                    tile.stream.try_set(None);
                    tile.history.try_set(History::default());
                    tile.details.try_set(ConnectionDetails::default());
                    tile.figures.try_set(Vec::new());
                }
            }
            RoomEvent::WayOpen(_)
            | RoomEvent::Run(..)
            | RoomEvent::Reacted(..)
            | RoomEvent::NegotiationBroken(..)
            | RoomEvent::SignalRefused(..) => {}
            RoomEvent::ChatChanged(number) => {
                if let Some(message) = session.conversation().message(number) {
                    self.show_message(message);
                }
            }
            RoomEvent::ChatForgotten(number) => {
                self.model.chat.try_update(|lines| lines.retain(|line| line.number != number));
                signals::set(self.model.is_chat_cut, true);
            }
        }
    }

    /// Shows the stream of a member. Setting the same stream again would restart the `<video>`.
    pub fn show_stream(&self, member: &MemberId, stream: &MediaStream) {
        if let Some(tile) = self.tile(member)
            && tile.stream.try_with_untracked(|shown| shown.as_ref() != Some(stream)) == Some(true)
        {
            tile.stream.try_set(Some(stream.clone()));
        }
    }

    /// Lets the page draw what is not the stage once the first frame of a new connection had time to arrive.
    pub fn show_rest_later(&self) {
        let is_reaching = self.model.is_reaching;
        if is_reaching.try_get_untracked() == Some(true) {
            spawn_local(async move {
                clock::sleep(FIRST_FRAME).await;
                signals::set(is_reaching, false);
            });
        }
    }

    pub fn is_room_shown(&self) -> bool {
        self.model.is_shown.try_get_untracked() == Some(true)
    }

    /// Shows the room in place of the lobby.
    pub fn show_room(&self) {
        signals::set(self.model.is_shown, true);
    }

    /// Shows the published state of this person.
    pub fn show_local(&self, published: PublishedState) {
        show_published(self.model.local, published);
        let is_mirrored =
            published.source == PublishedSource::Camera && !self.model.settings.shows_what_the_person_sees();
        signals::set(self.model.local.is_mirrored, is_mirrored);
        self.keep_place();
    }

    /// Shows who is speaking; `None` is this person.
    pub fn show_speaking(&self, member: Option<&MemberId>, is_speaking: bool) {
        let tile = member.map_or(Some(self.model.local), |member| self.tile(member));
        if let Some(tile) = tile {
            signals::set(tile.is_speaking, is_speaking);
        }
    }

    /// Shows the places of the raised hands, which are in the order in which they were raised; `None` is this person.
    pub fn show_hands(&self, hands: &[Option<MemberId>]) {
        let place = |tile: &TileModel| {
            let of_tile = |member: &Option<MemberId>| match member {
                Some(member) => is_of(tile, member),
                None => tile.member.try_with_value(|shown| shown == "local") == Some(true),
            };
            hands.iter().position(of_tile).and_then(|at| u32::try_from(at + 1).ok())
        };
        let others = self.model.others.try_get_untracked().unwrap_or_default();
        for tile in others.into_iter().chain([self.model.local]) {
            signals::set(tile.hand, place(&tile));
        }
    }

    /// Shows the reaction of a member, or of this person (`None`).
    pub fn show_reaction(&self, member: Option<&MemberId>, reaction: Option<ShownReaction>) {
        if let Some(tile) = member.map_or(Some(self.model.local), |member| self.tile(member)) {
            signals::set(tile.reaction, reaction);
        }
    }

    /// Shows the person the picture that the hosts of the locked room see of it.
    pub fn show_knock_picture(&self, picture: Option<StillPicture>) {
        signals::set(self.model.shown_picture, picture);
    }

    /// Shows the people that this device remembers.
    pub fn show_remembered(&self, remembered: Remembered) {
        signals::set(self.model.remembered, remembered);
    }

    /// Shows the state of the run.
    pub fn show_run(&self, run: RunShown) {
        if run.state != RunState::Ended {
            signals::set(self.model.is_report_saved, false);
        }
        signals::set(self.model.run, run);
    }

    /// Shows the members whose runs this page takes part in.
    pub fn show_measured_by<'a>(&self, members: impl Iterator<Item = &'a MemberId>) {
        signals::set(self.model.measured_by, members.map(|member| member.as_str().to_owned()).collect());
    }

    /// Shows a notice.
    pub fn raise(&self, code: NoticeCode) {
        signals::insert(self.model.notices, code);
    }

    /// Removes a notice whose problem is over.
    pub fn clear(&self, code: NoticeCode) {
        signals::remove(self.model.notices, &code);
    }

    /// Shows a notice while its problem lasts.
    pub fn show_notice(&self, code: NoticeCode, is_shown: bool) {
        if is_shown { self.raise(code) } else { self.clear(code) }
    }

    fn show_hosting(&self, session: &RoomSession) {
        let HostModel { is_host, is_locked, hosts, visitors, changes_link, .. } = self.model.host;
        let hosting = session.hosting();
        signals::set(changes_link, session.may_rekey());
        signals::set(is_host, hosting.is_host());
        signals::set(is_locked, hosting.is_locked());
        signals::set(hosts, hosting.hosts().iter().map(|host| host.as_str().to_owned()).collect());
        signals::set(visitors, hosting.visitors().to_vec());
    }

    /// Shows and keeps the link with another secret. A reload and a copied invitation use the new one from now on.
    fn show_link(&self, secret: RoomSecret) {
        let before = self.room.borrow().clone();
        let after = RoomLink { secret: Some(secret), ..before.clone() };
        identity::move_place(&before, &after);
        chat_history::move_to(&before, &after);
        kept::move_to(&before, &after);
        self.model.invitation.try_update(|invitation| {
            let kept = invitation.split('#').next().unwrap_or_default();
            *invitation = format!("{kept}{}", after.fragment());
        });
        if let Some(navigator) = self.navigator {
            navigator.replace_secret(secret);
        }
        *self.room.borrow_mut() = after;
    }

    fn keep_place(&self) {
        let Some(resume) = self.resume.clone() else { return };
        let place =
            Place { resume, source: self.media.wanted_source(), microphone: self.media.wants_microphone() };
        identity::remember_place(&self.room.borrow(), &place);
    }

    fn show_peer(&self, id: &MemberId, peer: &PeerView<'_>, trust: &PeerTrust, frames: &FrameWatch) {
        let tile = self.tile(id).or_else(|| {
            let is_protected = self.model.is_protected;
            let name = peer.member.name.as_str();
            let tile = self.owner.with(|| new_tile(id.as_str(), name, is_protected, frames));
            self.model.others.try_update(|tiles| tiles.push(tile)).map(|()| tile)
        });
        let Some(tile) = tile else { return };
        let published = peer.published.unwrap_or_default();
        signals::set(tile.name, peer.member.name.as_str().to_owned());
        signals::set(tile.has_name, peer.has_readable_name());
        signals::set(tile.verification, trust.verification(id));
        signals::set(tile.acquaintance, trust.acquaintance(id));
        signals::set(tile.state, peer.state);
        signals::set(tile.standing, peer.standing);
        show_published(tile, published);
    }

    fn show_message(&self, message: &ChatMessage) {
        let known = self.model.chat.try_with_untracked(|lines| {
            lines.iter().rev().find(|line| line.number == message.number).map(|line| line.state.clone())
        });
        match known {
            None => {}
            Some(Some(state)) => {
                state.try_set(message.state);
            }
            Some(None) => {
                let author = message.author.as_ref().map(|_| message.author_name.clone());
                let line = ChatLine {
                    number: message.number,
                    id: message.id.as_str().to_owned(),
                    is_private: message.is_private,
                    addressee: (author.is_none() && message.is_private)
                        .then(|| message.addressee_name.clone()),
                    author,
                    text: message.text.clone(),
                    sent_at_ms: message.sent_at_ms,
                    state: ArcRwSignal::new(message.state),
                };
                self.model.chat.try_update(|lines| lines.push(line));
            }
        }
    }

    pub(super) fn tile(&self, member: &MemberId) -> Option<TileModel> {
        self.model
            .others
            .try_with_untracked(|tiles| tiles.iter().copied().find(|tile| is_of(tile, member)))?
    }
}

fn show_published(tile: TileModel, published: PublishedState) {
    signals::set(tile.microphone, published.microphone);
    signals::set(tile.camera, published.source != PublishedSource::None);
    signals::set(tile.source, published.source);
    signals::set(tile.playback, published.playback);
    signals::set(tile.failed_at_s, published.failed_at_s);
    signals::set(tile.reads_private, published.private_chat);
}

fn new_tile(member: &str, name: &str, is_protected: bool, frames: &FrameWatch) -> TileModel {
    TileModel {
        member: StoredValue::new(member.to_owned()),
        name: RwSignal::new(name.to_owned()),
        has_name: RwSignal::new(true),
        is_protected,
        verification: RwSignal::new(Verification::default()),
        acquaintance: RwSignal::new(Acquaintance::default()),
        state: RwSignal::new(LinkState::Connecting),
        standing: RwSignal::new(Standing::Heard),
        path: RwSignal::new(None),
        pair: RwSignal::new(None),
        microphone: RwSignal::new(false),
        camera: RwSignal::new(false),
        source: RwSignal::new(PublishedSource::None),
        playback: RwSignal::new(None),
        failed_at_s: RwSignal::new(None),
        truth: RwSignal::new(None),
        round_trip_s: RwSignal::new(None),
        is_speaking: RwSignal::new(false),
        hand: RwSignal::new(None),
        reaction: RwSignal::new(None),
        reads_private: RwSignal::new(false),
        stream: RwSignal::new_local(None),
        is_mirrored: RwSignal::new(false),
        quality: RwSignal::new(None),
        seen_by: RwSignal::new(None),
        figures: RwSignal::new(Vec::new()),
        frames: StoredValue::new_local(frames.clone()),
        playout: RwSignal::new(None),
        history: RwSignal::new(History::default()),
        details: RwSignal::new(ConnectionDetails::default()),
    }
}

fn is_of(tile: &TileModel, member: &MemberId) -> bool {
    tile.member.try_with_value(|shown| shown == member.as_str()) == Some(true)
}
