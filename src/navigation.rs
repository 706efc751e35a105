//! Navigation between pages without loading the app again.

use leptos::{ev, prelude::*};
use sightline_browser::page::{
    environment,
    location::{self, Location},
};

use crate::{
    consent::Arrival,
    parameters::{Parameters, without_acts},
    route::{BasePath, Route},
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
        let route = base.parse(&here.path);
        // The address of a room may differ from its normal form, for example by a full stop after a link in a sentence.
        if matches!(route, Route::Room(_)) && base.join(&route) != here.path {
            location::replace(&format!("{}{}{}", base.join(&route), here.query, here.fragment));
        }
        let arrival = if environment::is_reloaded() { Arrival::Reload } else { Arrival::Address };
        let navigator = Self {
            route: RwSignal::new(route),
            base: StoredValue::new(base),
            arrival: StoredValue::new(arrival),
        };
        let listener = window_event_listener(ev::popstate, move |_| {
            let path = Location::current().path;
            navigator.arrival.set_value(Arrival::Address);
            navigator.show(navigator.base.with_value(|base| base.parse(&path)));
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
        location::push(&format!("{}{query}", self.href(&route)));
        self.arrival.set_value(Arrival::Click);
        self.show(route);
    }

    /// Opens the page of the room anew, with what was published in it before.
    pub fn enter_again(self, source: SourceChoice, microphone: bool) {
        self.arrival.set_value(Arrival::Rejoin { source, microphone });
        self.route.notify();
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

fn base_path(origin: &str) -> BasePath {
    let uri = document().base_uri().ok().flatten().unwrap_or_default();
    BasePath::new(uri.strip_prefix(origin).unwrap_or("/"))
}
