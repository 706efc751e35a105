//! The controls below the pictures, with the dialogs that they open, and what is said to screen readers.

use leptos::prelude::*;

use crate::{
    chunk,
    components::{
        call::{
            announcer::ArrivalAnnouncer, controls::Controls, leave_dialog::LeaveDialog, panels::Panels,
            push_to_talk::TalkKey, remove_dialog::RemoveDialog, shortcuts::ShortcutsDialog,
            sign_announcer::SignAnnouncer, trust_announcer::TrustAnnouncer,
        },
        files::RoomDropZone,
    },
    session::model::{RoomActions, RoomModel, Setting},
};

chunk! {
    /// [`Foot`], loaded on demand.
    pub fn load_foot, preload_foot in room(
        model: RoomModel,
        actions: RoomActions,
        panels: Panels,
        unread: Signal<usize>,
        files_to: RwSignal<Option<String>>,
    ) {
        view! { <Foot model=model actions=actions panels=panels unread=unread files_to=files_to /> }.into_any()
    }
}

/// The bar of controls, dialogs and announcements.
#[component]
fn Foot(
    model: RoomModel,
    actions: RoomActions,
    panels: Panels,
    unread: Signal<usize>,
    files_to: RwSignal<Option<String>>,
) -> AnyView {
    let uses_shortcuts = model.settings.preferences.signal(Setting::Shortcuts);
    view! {
        <RoomDropZone actions=actions to=files_to />
        <Controls model=model actions=actions panels=panels unread=unread />
        <ShortcutsDialog is_open=panels.shortcuts is_on=uses_shortcuts />
        <LeaveDialog model=model is_open=panels.leaving leave=actions.leave act=actions.host />
        <RemoveDialog model=model actions=actions />
        <ArrivalAnnouncer model=model />
        <SignAnnouncer model=model />
        <TrustAnnouncer model=model />
        <TalkKey model=model actions=actions panels=panels />
    }
    .into_any()
}
