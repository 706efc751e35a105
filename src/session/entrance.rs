//! The step from the lobby into the room.

use std::{any::Any, cell::RefCell, rc::Rc, time::Duration};

use leptos::prelude::*;
use sightline_browser::{js::queue::EventStream, page::environment};
use sightline_protocol::DisplayName;

use super::{address, chat_history, identity, input::LocalChange, media::LocalMedia, model::SettingsModel};
use crate::{parameters::Parameters, route::RoomLink};

/// The link of the room, whose secret may be replaced while the person is in the room.
pub(super) type SharedLink = Rc<RefCell<RoomLink>>;

/// Everything that is needed to prepare a room and to enter it.
pub struct Entry {
    pub(super) room: SharedLink,
    /// The owner of the page, with which the room ends.
    pub(super) owner: Owner,
    /// The token for the seat that this tab had before it was reloaded.
    pub(super) resume: Option<String>,
    pub(super) invitation: String,
    pub(super) media: LocalMedia,
    pub(super) settings: SettingsModel,
    /// Local changes since the page was opened.
    pub(super) changes: EventStream<LocalChange>,
    /// Whether the address asks for signaling between tabs.
    pub(super) wants_tabs: bool,
    /// The length of a run that begins with the visit.
    pub(super) run_limit: Option<Duration>,
    pub(super) left: Callback<()>,
}

/// Shows the room in place of the lobby.
pub(super) type Show = Box<dyn FnOnce()>;

/// Enters a room that is prepared.
pub(super) type Begin = Box<dyn FnOnce(DisplayName, Show)>;

/// The way from the lobby into the room. The room is prepared when its split module is loaded, and entered when the person clicks,
/// whichever is first.
#[derive(Clone)]
pub struct PendingEntry(Rc<RefCell<Pending>>);

#[derive(Default)]
struct Pending {
    entry: Option<Entry>,
    /// The prepared room, of a type that only its split module knows.
    room: Option<Box<dyn Any>>,
    begin: Option<Begin>,
    /// The name of a person who clicked before the room was prepared.
    name: Option<DisplayName>,
    has_begun: bool,
}

impl PendingEntry {
    fn new(entry: Entry) -> Self {
        Self(Rc::new(RefCell::new(Pending { entry: Some(entry), ..Pending::default() })))
    }

    /// The entry; `None` from the second call on.
    pub(super) fn take(&self) -> Option<Entry> {
        self.0.borrow_mut().entry.take()
    }

    /// Notes that the room is prepared.
    pub(super) fn handle_prepared(&self, room: Box<dyn Any>, begin: Begin) {
        let name = {
            let mut pending = self.0.borrow_mut();
            pending.room = Some(room);
            pending.name.take()
        };
        match name {
            // The page shows a frame of the room already.
            Some(name) => begin(name, Box::new(|| ())),
            None => self.0.borrow_mut().begin = Some(begin),
        }
    }

    /// The prepared room, once.
    #[must_use]
    pub fn take_room(&self) -> Option<Box<dyn Any>> {
        self.0.borrow_mut().room.take()
    }

    fn has_begun(&self) -> bool {
        self.0.borrow().has_begun
    }

    fn begin(&self, name: DisplayName, show: Show) {
        let begin = {
            let mut pending = self.0.borrow_mut();
            pending.has_begun = true;
            pending.begin.take()
        };
        match begin {
            Some(begin) => begin(name, show),
            None => {
                self.0.borrow_mut().name = Some(name);
                show();
            }
        }
    }
}

/// Makes the [`Entry`], and uses it when the person leaves the lobby.
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
        let invitation = address::invitation(&room, parameters);
        let room = Rc::new(RefCell::new(room));
        let entry = Entry {
            room: Rc::clone(&room),
            owner: Owner::current().unwrap_or_default(),
            resume,
            invitation,
            media: media.clone(),
            settings,
            changes,
            wants_tabs: parameters.tabs_only,
            run_limit: parameters.run_s.map(|seconds| Duration::from_secs(seconds.into())),
            left,
        };
        let given_name = parameters.name.clone();
        Self { room, media, given_name, entry: PendingEntry::new(entry) }
    }

    /// The way into the room, which [`Self::enter`] takes.
    pub(super) fn entry(&self) -> PendingEntry {
        self.entry.clone()
    }

    /// Enters the room, and calls `show` when it is to be shown. Returns false if the browser cannot, or if that was done.
    pub(super) fn enter(&self, name: DisplayName, show: Show) -> bool {
        if self.entry.has_begun() || !environment::has_web_rtc() {
            return false;
        }
        if self.given_name.as_ref() != Some(&name) {
            identity::remember_name(&name);
        }
        self.media.hide_level();
        self.entry.begin(name, show);
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
