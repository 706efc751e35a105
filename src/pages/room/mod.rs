//! `/room/<name>`: the lobby first, then the room.

pub mod call;
pub mod lobby;

use leptos::prelude::*;
use sightline_protocol::RoomName;

use self::{call::Call, lobby::Lobby};
use crate::{
    navigation::Navigator,
    parameters::Parameters,
    route::Route,
    session::{self, Stage},
};

/// The page of a room. Leaving the page ends its session.
#[component]
pub fn RoomPage(
    /// Which.
    room: RoomName,
) -> AnyView {
    let navigator = Navigator::from_context();
    let parameters = navigator.map_or_else(Parameters::default, Navigator::parameters);
    let left = Callback::new(move |()| {
        if let Some(navigator) = navigator {
            navigator.go(Route::Home);
        }
    });
    let session = session::open(room.clone(), &parameters, left);
    let room = StoredValue::new(room);
    view! {
        {move || match session.stage.get() {
            Stage::Lobby => {
                view! { <Lobby room=room.get_value() model=session.lobby actions=session.lobby_actions /> }.into_any()
            }
            Stage::Room => {
                view! { <Call room=room.get_value() model=session.room actions=session.room_actions /> }.into_any()
            }
        }}
    }
    .into_any()
}
