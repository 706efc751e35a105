//! The root of the page: routes, theme and language.

use leptos::{mount::mount_to_body, prelude::*};
use sightline_browser::page::{document, location::Location};
use sightline_core::notice::NoticeCode;

use crate::{
    appearance::Appearance,
    components::{kit::layers::Layers, later::LaterPage},
    language::{Language, Locale},
    navigation::Navigator,
    pages::{
        check::load_check_page,
        home::Home,
        not_found::{AddressInvalid, NotFound},
        report::load_report_page,
        room::RoomPage,
    },
    parameters::Parameters,
    route::Route,
};

/// Mounts the app, with the person's language already loaded.
pub async fn mount() {
    let parameters = Parameters::parse(&Location::current().query);
    let locale = Language::preferred(parameters.language.as_deref()).await;
    mount_to_body(move || view! { <App locale=locale /> });
}

/// The root component.
#[component]
pub fn App(
    /// The language at the start.
    locale: Locale,
) -> AnyView {
    let navigator = Navigator::provide();
    Language::provide(locale);
    Appearance::provide();
    Layers::provide();
    Effect::new(move || document::set_title(&title(&navigator.route())));
    view! {
        {move || match navigator.route() {
            Route::Home => view! { <Home /> }.into_any(),
            Route::Room(room) => view! { <RoomPage room=room /> }.into_any(),
            Route::Report => view! { <LaterPage view=load_report_page() /> }.into_any(),
            Route::RoomNameInvalid => view! { <AddressInvalid code=NoticeCode::RoomNameInvalid /> }.into_any(),
            Route::InvitationInvalid => view! { <AddressInvalid code=NoticeCode::InvitationInvalid /> }.into_any(),
            #[cfg(feature = "gallery")]
            Route::Gallery(scene) => view! { <crate::pages::gallery::Gallery scene=scene /> }.into_any(),
            Route::Check => view! { <LaterPage view=load_check_page() /> }.into_any(),
            Route::NotFound => view! { <NotFound /> }.into_any(),
        }}
    }
    .into_any()
}

fn title(route: &Route) -> String {
    match route {
        Route::Room(room) => format!("{} · Sightline", room.name),
        _ => "Sightline".to_owned(),
    }
}
