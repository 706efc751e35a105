//! From the lobby into the room.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{js::queue::EventStream, page::environment, rtc::certificate::Certificate};
use sightline_protocol::{DisplayName, RoomName};

use super::{
    address::{self, FutureWay},
    chat_history,
    departure::Departure,
    identity,
    input::LocalChange,
    media::LocalMedia,
    model::SettingsModel,
};
use crate::parameters::Parameters;

/// What a person enters with.
pub struct Entry {
    pub(super) room: RoomName,
    pub(super) name: DisplayName,
    /// Takes back the place that this tab had before it was reloaded.
    pub(super) resume: Option<String>,
    pub(super) invitation: String,
    pub(super) media: LocalMedia,
    pub(super) settings: SettingsModel,
    /// What changes of the person's own since the page was opened.
    pub(super) changes: EventStream<LocalChange>,
    pub(super) way: FutureWay,
    /// Made while the person is still in the lobby, so that the first offer need not wait for it.
    pub(super) certificate: Rc<RefCell<Option<Certificate>>>,
    /// How long a run is to last that begins with the visit.
    pub(super) run_limit: Option<Duration>,
    pub(super) left: Callback<Departure>,
}

/// An [`Entry`] that is used once, when what runs in the room is there.
#[derive(Clone)]
pub struct PendingEntry(Rc<RefCell<Option<Entry>>>);

impl PendingEntry {
    /// The entry, for the first who asks.
    #[must_use]
    pub fn take(&self) -> Option<Entry> {
        self.0.borrow_mut().take()
    }
}

/// What is needed to enter the room, once.
pub(super) struct Entrance {
    room: RoomName,
    media: LocalMedia,
    /// The name that the address gives, which is not the person's choice for the next time.
    given_name: Option<DisplayName>,
    entry: PendingEntry,
}

impl Entrance {
    pub(super) fn new(
        room: RoomName,
        resume: Option<String>,
        parameters: &Parameters,
        media: LocalMedia,
        settings: SettingsModel,
        changes: EventStream<LocalChange>,
        left: Callback<Departure>,
    ) -> Self {
        let certificate = Rc::new(RefCell::new(None));
        let made = Rc::clone(&certificate);
        spawn_local(async move { *made.borrow_mut() = Certificate::generate().await.ok() });
        let entry = Entry {
            room: room.clone(),
            name: DisplayName::default(),
            resume,
            invitation: address::invitation(&room, parameters.tabs_only),
            media: media.clone(),
            settings,
            changes,
            way: address::find_way(&room, parameters.tabs_only),
            certificate,
            run_limit: parameters.run_s.map(|seconds| Duration::from_secs(seconds.into())),
            left,
        };
        let given_name = parameters.name.clone();
        Self { room, media, given_name, entry: PendingEntry(Rc::new(RefCell::new(Some(entry)))) }
    }

    /// What the room is entered with after [`Self::enter`].
    pub(super) fn entry(&self) -> PendingEntry {
        self.entry.clone()
    }

    /// Whether the room can be entered; false where the browser cannot.
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

    /// The page is left: the room, and camera and microphone too.
    pub(super) fn close(&self) {
        identity::forget_place(&self.room);
        if !self.media.preferences().keeps_chat() {
            chat_history::forget(&self.room);
        }
        self.media.close();
    }
}
