//! The step from the lobby into the room.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{js::queue::EventStream, page::environment, rtc::certificate::Certificate};
use sightline_protocol::DisplayName;

use super::{
    address::{self, FutureEndpoint},
    chat_history, identity,
    input::LocalChange,
    media::LocalMedia,
    model::SettingsModel,
};
use crate::{parameters::Parameters, route::RoomLink};

/// The link of the room, whose secret may be replaced while the person is in the room.
pub(super) type SharedLink = Rc<RefCell<RoomLink>>;

/// Everything that is needed to enter a room.
pub struct Entry {
    pub(super) room: SharedLink,
    pub(super) name: DisplayName,
    /// The token for the seat that this tab had before it was reloaded.
    pub(super) resume: Option<String>,
    pub(super) invitation: String,
    pub(super) media: LocalMedia,
    pub(super) settings: SettingsModel,
    /// Local changes since the page was opened.
    pub(super) changes: EventStream<LocalChange>,
    pub(super) endpoint: FutureEndpoint,
    /// Made while the person is in the lobby, so that the first offer need not wait for it.
    pub(super) certificate: Rc<RefCell<Option<Certificate>>>,
    /// The length of a run that begins with the visit.
    pub(super) run_limit: Option<Duration>,
    pub(super) left: Callback<()>,
}

/// An [`Entry`] that is used once, when the split module of the room is loaded.
#[derive(Clone)]
pub struct PendingEntry(Rc<RefCell<Option<Entry>>>);

impl PendingEntry {
    /// The entry; `None` from the second call on.
    #[must_use]
    pub fn take(&self) -> Option<Entry> {
        self.0.borrow_mut().take()
    }
}

/// Makes the [`Entry`] when the person leaves the lobby.
pub(super) struct Entrance {
    room: SharedLink,
    media: LocalMedia,
    /// The name in the address, which is not stored for the next visit.
    given_name: Option<DisplayName>,
    entry: PendingEntry,
}

impl Entrance {
    pub(super) fn new(
        room: RoomLink,
        resume: Option<String>,
        parameters: &Parameters,
        media: LocalMedia,
        settings: SettingsModel,
        changes: EventStream<LocalChange>,
        left: Callback<()>,
    ) -> Self {
        let certificate = Rc::new(RefCell::new(None));
        let made = Rc::clone(&certificate);
        spawn_local(async move { *made.borrow_mut() = Certificate::generate().await.ok() });
        let invitation = address::invitation(&room, parameters);
        let endpoint = address::find_endpoint(&room.name, parameters.tabs_only);
        let room = Rc::new(RefCell::new(room));
        let entry = Entry {
            room: Rc::clone(&room),
            name: DisplayName::default(),
            resume,
            invitation,
            media: media.clone(),
            settings,
            changes,
            endpoint,
            certificate,
            run_limit: parameters.run_s.map(|seconds| Duration::from_secs(seconds.into())),
            left,
        };
        let given_name = parameters.name.clone();
        Self { room, media, given_name, entry: PendingEntry(Rc::new(RefCell::new(Some(entry)))) }
    }

    /// The entry that is ready after [`Self::enter`].
    pub(super) fn entry(&self) -> PendingEntry {
        self.entry.clone()
    }

    /// Makes the entry. Returns false if the browser cannot enter a room.
    pub(super) fn enter(&self, name: DisplayName) -> bool {
        if !environment::has_web_rtc() {
            return false;
        }
        if self.given_name.as_ref() != Some(&name) {
            identity::remember_name(&name);
        }
        self.media.hide_level();
        if let Some(entry) = self.entry.0.borrow_mut().as_mut() {
            entry.name = name;
        }
        true
    }

    /// Leaves the room, and releases camera and microphone.
    pub(super) fn close(&self) {
        let room = self.room.borrow();
        identity::forget_place(&room);
        if !self.media.preferences().keeps_chat() {
            chat_history::forget(&room);
        }
        self.media.close();
    }
}
