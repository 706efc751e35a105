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
    let parameters = StoredValue::new(navigator.map_or_else(Parameters::default, Navigator::parameters));
    let arrival = StoredValue::new(navigator.map_or(Arrival::Address, Navigator::arrival));
    let departure = RwSignal::new(None::<Departure>);
    // The session ends with the view that is replaced.
    let left = Callback::new(move |how| {
        if let Some(navigator) = navigator {
            navigator.leave_room();
        }
        departure.set(Some(how));
    });
    let rejoin = Callback::new(move |()| {
        if let Some(Departure { source, microphone, .. }) = departure.get_untracked() {
            arrival.set_value(Arrival::Rejoin { source, microphone });
            // A measurement belongs to the visit that the address began.
            parameters.update_value(|parameters| parameters.run_s = None);
            departure.set(None);
        }
    });
    // Loaded early, so that the room is there when the person leaves the lobby, and if the server goes away meanwhile. If loading
    // fails, it is repeated on entering.
    spawn_local(async {
        let _ = preload_call().await;
    });
    let room = StoredValue::new(room);
    (move || match departure.get() {
        None => {
            let parameters = parameters.get_value();
            view! { <Visit room=room.get_value() parameters=parameters arrival=arrival.get_value() left=left /> }.into_any()
        }
        Some(departure) => view! { <Later view=load_you_left(room.get_value(), departure, rejoin) /> }.into_any(),
    })
    .into_any()
}

/// One visit, until the person leaves.
#[component]
fn Visit(room: RoomName, parameters: Parameters, arrival: Arrival, left: Callback<Departure>) -> AnyView {
    let session = session::open(room.clone(), &parameters, arrival, left);
    let room = StoredValue::new(room);
    (move || match session.stage.get() {
        Stage::Lobby => {
            view! { <Lobby room=room.get_value() model=session.lobby actions=session.lobby_actions /> }
                .into_any()
        }
        Stage::Room => {
            view! { <Entering room=room.get_value() entry=session.entry.get_value() /> }.into_any()
        }
    })
    .into_any()
}
