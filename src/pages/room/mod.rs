//! `/room/<name>#<secret>`: the lobby first, then the room, then that one left it.

mod banners;
pub mod call;
mod entering;
mod foot;
pub mod lobby;
mod menus;
mod waiting;
pub mod you_left;

use leptos::{prelude::*, task::spawn_local};

use self::{
    entering::{Entering, prepare_room},
    lobby::Lobby,
    menus::preload_menus,
    you_left::load_you_left,
};
use crate::{
    components::{later::Later, room_part::RoomParts},
    consent::Arrival,
    navigation::Navigator,
    parameters::Parameters,
    route::RoomLink,
    session::{self, Stage},
};

/// The page of a room. Leaving the page ends its session.
#[component]
pub fn RoomPage(
    /// The room.
    room: RoomLink,
) -> AnyView {
    let navigator = Navigator::from_context();
    let parameters = navigator.map_or_else(Parameters::default, Navigator::parameters);
    let arrival = navigator.map_or(Arrival::Address, Navigator::arrival);
    let session = session::open(room.clone(), &parameters, arrival);
    // Prepared early, so that the room is there when the person leaves the lobby, and if the server goes away meanwhile. If loading
    // fails, it is repeated on entering.
    let entry = session.entry.get_value();
    let parts = RoomParts::provide(preload_menus, session.lobby.notices);
    spawn_local(async move {
        let _ = prepare_room(entry).await;
        parts.load();
    });
    let room = StoredValue::new(room);
    view! {
        {move || match session.stage.get() {
            Stage::Lobby => {
                view! { <Lobby room=room.get_value() model=session.lobby actions=session.lobby_actions /> }.into_any()
            }
            Stage::Room => {
                view! { <Entering room=room.get_value().name entry=session.entry.get_value() /> }.into_any()
            }
            Stage::Left => {
                session.close();
                view! { <Later view=load_you_left(room.get_value().name) /> }.into_any()
            }
        }}
    }
    .into_any()
}
