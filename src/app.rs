//! Routes, theme and language.

use leptos::prelude::*;
use sightline_browser::page;

use crate::{
    appearance::Appearance,
    language::Language,
    navigation::Navigator,
    pages::{
        check::CheckPage,
        home::Home,
        not_found::{NotFound, RoomNameInvalid},
        report::ReportPage,
        room::RoomPage,
    },
    route::Route,
};

/// The whole app.
#[component]
pub fn App() -> AnyView {
    let navigator = Navigator::provide();
    Language::provide(navigator.parameters().language.as_deref());
    Appearance::provide();
    Effect::new(move || page::set_title(&title(&navigator.route())));
    view! {
        {move || match navigator.route() {
            Route::Home => view! { <Home /> }.into_any(),
            Route::Room(name) => view! { <RoomPage room=name /> }.into_any(),
            Route::Report => view! { <ReportPage /> }.into_any(),
            Route::RoomNameInvalid => view! { <RoomNameInvalid /> }.into_any(),
            #[cfg(feature = "gallery")]
            Route::Gallery(scene) => view! { <crate::pages::gallery::Gallery scene=scene /> }.into_any(),
            Route::Check => view! { <CheckPage /> }.into_any(),
            Route::NotFound => view! { <NotFound /> }.into_any(),
        }}
    }
    .into_any()
}

fn title(route: &Route) -> String {
    match route {
        Route::Room(name) => format!("{name} · Sightline"),
        _ => "Sightline".to_owned(),
    }
}
