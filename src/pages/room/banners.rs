//! What the room's page shows above the pictures: who asks to enter, offered files, runs, a shown screen or file.

use leptos::prelude::*;

use crate::{
    chunk,
    components::{
        call::{
            file_source::FileSource, knocks::Knocks, panels::Panels, screen_banner::ScreenBanner,
            source_resume::SourceResume,
        },
        figures::run_control::{RunResult, RunsOfOthers},
        files::FileOffer,
    },
    session::model::{RoomActions, RoomModel},
};

chunk! {
    /// [`Banners`], loaded on demand.
    pub fn load_banners, preload_banners in room(model: RoomModel, actions: RoomActions, panels: Panels) {
        view! { <Banners model=model actions=actions panels=panels /> }.into_any()
    }
}

/// A row for each thing that there is at the moment.
#[component]
fn Banners(model: RoomModel, actions: RoomActions, panels: Panels) -> AnyView {
    view! {
        <Knocks host=model.host act=actions.host />
        <FileOffer model=model actions=actions panels=panels />
        <RunsOfOthers model=model actions=actions />
        <RunResult model=model actions=actions />
        <ScreenBanner model=model actions=actions />
        <SourceResume
            is_wanted=model.needs_source_gesture
            choose=actions.choose_source
            file=model.file
            play=actions.file
        />
        <FileSource model=model.file act=actions.file receivers=model.others />
    }
    .into_any()
}
