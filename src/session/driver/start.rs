//! The step from the lobby into the room, and the order in which the page draws: the first picture of a call, the stage, the rest.

use std::time::Duration;

use leptos::task::spawn_local;
use sightline_browser::{media::first_picture::FirstPicture, page::clock, rtc::peer_connection::MediaSlot};
use sightline_core::{Timestamp, negotiation::Role, notice::NoticeCode, room::LinkId};
use sightline_protocol::{DisplayName, control::PublishedSource};

use super::{Driver, measuring::measurements};
use crate::session::{address::SignalingEndpoint, input::Input};

/// How long the room is not drawn at most, so that the connections to its members are made first. The button says meanwhile that the page
/// is busy.
pub const LOBBY_LINGERS: Duration = Duration::from_millis(600);

/// How long the first picture stays over the room that is being drawn.
const FIRST_PICTURE_REMAINS: Duration = Duration::from_millis(300);

/// The same for a member that comes later: its offer follows, and drawing would delay the candidates.
pub(super) const NEWCOMER_WAITS: Duration = Duration::from_millis(600);

impl Driver {
    /// Enters the room for a person who clicked on join.
    pub(super) fn enter(&mut self, name: DisplayName, now: Timestamp) {
        if std::mem::replace(&mut self.has_entered, true) {
            return;
        }
        self.measurements = measurements(&self.room, name.as_str().to_owned(), &self.media);
        self.session.set_name(name);
        match self.endpoint {
            SignalingEndpoint::Refused(_, code) => self.session.handle_page_refused(code, now),
            SignalingEndpoint::Server(_) | SignalingEndpoint::Tabs(_) => self.session.start(now),
        }
        self.changes.hold_members(now + LOBBY_LINGERS, now);
        // The server's answer takes a while, in which there is time for everything else.
        self.perform_outputs();
        if matches!(self.endpoint, SignalingEndpoint::Tabs(_)) {
            self.view.raise(NoticeCode::TabsOnly);
        }
        self.publish(now);
        self.files.restore(&mut self.session, now);
    }

    /// Shows the first picture before the room is drawn: what is left to do until it arrives is not done on this thread.
    pub(super) fn show_first_picture(&mut self, id: LinkId, slot: MediaSlot) {
        let Some(link) = self.links.get(&id).filter(|link| link.role == Role::Offerer) else { return };
        let published = self.session.peer(&link.member).and_then(|peer| peer.published).unwrap_or_default();
        if published.source == PublishedSource::None || self.view.is_room_shown() {
            self.show_members();
        } else if slot == MediaSlot::Video && self.first_picture.is_none() {
            let shown = self.inputs.map(|()| Input::FirstPicture);
            self.first_picture = FirstPicture::play(&link.stream, "first-picture", shown);
            if self.first_picture.is_none() {
                self.show_members();
            }
        }
    }

    /// Removes a first picture that did not arrive before the room was shown: it would cover the room when it does.
    pub(super) fn drop_late_picture(&mut self) {
        if self.view.is_room_shown() {
            self.first_picture = None;
        }
    }

    /// Notes that the first picture is there.
    pub(super) fn handle_first_picture(&mut self) {
        let shown = self.first_picture.take();
        if let Some(picture) = &shown {
            // The lobby does not show beside it.
            picture.set_class("first-picture has-frame");
        }
        self.show_members();
        // The tile has the picture by then.
        spawn_local(async move {
            clock::sleep(FIRST_PICTURE_REMAINS).await;
            drop(shown);
        });
    }

    /// Shows the members that waited for the connection to one of them.
    pub(super) fn show_members(&mut self) {
        self.changes.release_members();
        self.show_changes();
        self.view.show_room();
    }
}
