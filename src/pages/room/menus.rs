//! The menus in the bar above the room: a run, the invitation, the settings.

use leptos::prelude::*;

use crate::{
    chunk,
    components::{
        call::panels::Panels, figures::run_control::RunControl, invitation::menu::InvitationMenu,
        settings::menu::SettingsMenu,
    },
    session::model::{RememberedPeople, RoomActions, RoomModel},
};

chunk! {
    /// [`Menus`], loaded on demand.
    pub fn load_menus, preload_menus in room(model: RoomModel, actions: RoomActions, panels: Panels) {
        view! { <Menus model=model actions=actions panels=panels /> }.into_any()
    }
}

/// The buttons of the menus, and the menus below them.
#[component]
fn Menus(model: RoomModel, actions: RoomActions, panels: Panels) -> AnyView {
    let show_shortcuts = Callback::new(move |()| panels.shortcuts.set(true));
    let ask_to_end = Callback::new(move |()| {
        panels.invitation.set(false);
        panels.leaving.set(true);
    });
    let people = RememberedPeople { list: model.remembered, forget: actions.forget };
    view! {
        <RunControl model=model actions=actions />
        <InvitationMenu
            invitation=model.invitation
            is_open=panels.invitation
            is_protected=model.is_protected
            host=model.host
            act=actions.host
            ask_to_end=ask_to_end
        />
        <SettingsMenu settings=model.settings is_open=panels.settings people=people show_shortcuts=show_shortcuts />
    }
    .into_any()
}
