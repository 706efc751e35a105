//! `/room/<name>`: the lobby first, then the room, then that one left it.

pub mod call;
mod entering;
pub mod lobby;
pub mod you_left;

use leptos::{prelude::*, task::spawn_local};
use sightline_protocol::RoomName;

use self::{
    entering::{Entering, preload_call},
    lobby::Lobby,
    you_left::load_you_left,
};
use crate::{
    components::later::Later,
    consent::Arrival,
    navigation::Navigator,
    parameters::Parameters,
    session::{self, Stage, departure::Departure},
};

/// The page of a room. Leaving the page ends its session.
#[component]
pub fn RoomPage(
    /// The name of the room.
    room: RoomName,
) -> AnyView {
    let navigator = Navigator::from_context();
    let departure = RwSignal::new(None::<Departure>);
    let rejoin = Callback::new(move |()| departure.set(None));
    // Loaded early, so that the room is there when the person leaves the lobby, and if the server goes away meanwhile. If loading
    // fails, it is repeated on entering.
    spawn_local(async {
        let _ = preload_call().await;
    });
    // What was published before the person left, for the next visit.
    let before = StoredValue::new(None::<Departure>);
    (move || {
        if let Some(now) = departure.get() {
            before.set_value(Some(now));
            return view! { <Later view=load_you_left(room.clone(), now, rejoin) /> }.into_any();
        }
        let arrival = match before.get_value() {
            Some(Departure { source, microphone, .. }) => Arrival::Rejoin { source, microphone },
            None => navigator.map_or(Arrival::Address, Navigator::arrival),
        };
        // The session ends with this view.
        visit(room.clone(), navigator, arrival, departure)
    })
    .into_any()
}

/// One visit, until the person leaves.
fn visit(
    room: RoomName,
    navigator: Option<Navigator>,
    arrival: Arrival,
    departure: RwSignal<Option<Departure>>,
) -> AnyView {
    let parameters = navigator.map_or_else(Parameters::default, Navigator::parameters);
    let left = Callback::new(move |how| departure.set(Some(how)));
    let session = session::open(room.clone(), &parameters, arrival, left);
    (move || match session.stage.get() {
        Stage::Lobby => {
            view! { <Lobby room=room.clone() model=session.lobby actions=session.lobby_actions /> }.into_any()
        }
        Stage::Room => view! { <Entering room=room.clone() entry=session.entry.get_value() /> }.into_any(),
    })
    .into_any()
}
