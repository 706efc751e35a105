//! Navigation between pages without loading the app again.

use leptos::{ev, prelude::*};
use sightline_browser::page::{
    environment,
    location::{self, Location},
    random,
};
use sightline_core::trust::RoomSecret;
use sightline_protocol::RoomName;

use crate::{
    consent::Arrival,
    parameters::{Parameters, for_files, without_acts},
    route::{BasePath, RoomLink, Route},
    source_choice::SourceChoice,
};

/// The handle for the present page, in the Leptos context.
#[derive(Debug, Clone, Copy)]
pub struct Navigator {
    route: RwSignal<Route>,
    base: StoredValue<BasePath>,
    arrival: StoredValue<Arrival>,
}

impl Navigator {
    /// Reads the address, follows the back and forward buttons, and puts the handle into the context.
    pub fn provide() -> Self {
        let here = Location::current();
        let base = base_path(&here.origin);
        let route = base.parse(&here.path, &here.fragment);
        // The address of a room may differ from its normal form, for example by a full stop after a link in a sentence.
        if matches!(route, Route::Room(_)) {
            let (path, fragment) = (base.join(&route), fragment_of(&route));
            if path != here.path || fragment != here.fragment {
                location::replace(&[&*path, &here.query, &fragment].concat());
            }
        }
        let arrival = if environment::is_reloaded() { Arrival::Reload } else { Arrival::Address };
        let navigator = Self {
            route: RwSignal::new(route),
            base: StoredValue::new(base),
            arrival: StoredValue::new(arrival),
        };
        let listener = window_event_listener(ev::popstate, move |_| {
            // Also fired when the person changes the fragment in the address bar.
            let here = Location::current();
            navigator.arrival.set_value(Arrival::Address);
            navigator.show(navigator.base.with_value(|base| base.parse(&here.path, &here.fragment)));
        });
        on_cleanup(move || listener.remove());
        provide_context(navigator);
        navigator
    }

    /// The handle from the context; `None` outside the app.
    #[must_use]
    pub fn from_context() -> Option<Self> {
        use_context()
    }

    /// The present page.
    #[must_use]
    pub fn route(self) -> Route {
        self.route.get()
    }

    /// The address of a page, for a link.
    #[must_use]
    pub fn href(self, route: &Route) -> String {
        self.base.with_value(|base| base.join(route))
    }

    /// Opens a page, as a new entry of the history. The parameters stay when a room is opened and are removed on the way home:
    /// after leaving, `autojoin` must not enter the room again.
    pub fn go(self, route: Route) {
        let query = match route {
            Route::Home => String::new(),
            _ => Location::current().query,
        };
        location::push(&[self.href(&route), query, fragment_of(&route)].concat());
        self.arrival.set_value(Arrival::Click);
        self.show(route);
    }

    /// Opens a new protected room.
    pub fn enter_new_room(self) {
        self.go(new_room());
    }

    /// Opens a new protected room to send files. It is entered at once, and nothing is captured.
    pub fn send_files(self) {
        let route = new_room();
        let query = for_files(&Location::current().query);
        location::push(&[self.href(&route), query, fragment_of(&route)].concat());
        self.arrival.set_value(Arrival::SendFiles);
        self.show(route);
    }

    /// Opens the protected room of the same name with a new secret. Nobody else is there before the new link is shared.
    pub fn protect_room(self) {
        if let Route::Room(room) = self.route.get_untracked() {
            let secret = Some(RoomSecret::from_random(random::bits()));
            self.go(Route::Room(RoomLink { secret, ..room }));
        }
    }

    /// Shows another secret in the address of the present room, which goes on.
    pub fn replace_secret(self, secret: RoomSecret) {
        // No change of the page: a notified route would begin the room anew.
        self.route.try_update_untracked(|route| {
            if let Route::Room(room) = route {
                room.secret = Some(secret);
            }
        });
        let here = Location::current();
        location::replace(&format!("{}{}#{secret}", here.path, here.query));
    }

    /// Opens the page of the room anew, with what was published in it before.
    pub fn enter_again(self, source: SourceChoice, microphone: bool) {
        self.arrival.set_value(Arrival::Rejoin { source, microphone });
        self.route.notify();
    }

    /// Loads the whole page again, without the parameters.
    pub fn reload(self) {
        let address = self.route.with_untracked(|route| [self.href(route), fragment_of(route)].concat());
        location::replace(&address);
        location::reload();
    }

    /// How the person came to the present page.
    #[must_use]
    pub fn arrival(self) -> Arrival {
        self.arrival.get_value()
    }

    /// The parameters of the present address.
    #[must_use]
    pub fn parameters(self) -> Parameters {
        Parameters::parse(&Location::current().query)
    }

    /// The same page again is not a change, and must not restart the page.
    fn show(self, route: Route) {
        if self.route.with_untracked(|shown| *shown != route) {
            self.route.set(route);
        }
    }
}

/// Takes out of the address what would enter the room again when the page is loaded again.
pub fn leave_room() {
    let here = Location::current();
    location::replace(&[&*here.path, &without_acts(&here.query), &here.fragment].concat());
}

/// A room that nobody can guess.
fn new_room() -> Route {
    let name = RoomName::from_random(random::bits());
    Route::Room(RoomLink { name, secret: Some(RoomSecret::from_random(random::bits())) })
}

fn fragment_of(route: &Route) -> String {
    match route {
        Route::Room(room) => room.fragment(),
        _ => String::new(),
    }
}

fn base_path(origin: &str) -> BasePath {
    let uri = document().base_uri().ok().flatten().unwrap_or_default();
    BasePath::new(uri.strip_prefix(origin).unwrap_or("/"))
}
