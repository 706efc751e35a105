//! The page of a visitor that waits at a locked room.

use leptos::prelude::*;
use sightline_core::picture::StillPicture;
use sightline_protocol::RoomName;

use crate::{
    chunk,
    components::{
        call::knock_picture::ShownPicture,
        kit::{
            icon::{Icon, IconName},
            link::Link,
            page_header::PageHeader,
        },
    },
    language::Language,
    route::Route,
    sentence,
};

chunk! {
    /// [`Waiting`], loaded on demand.
    pub fn load_waiting, preload_waiting in engine(room: RoomName, picture: RwSignal<Option<StillPicture>>) {
        view! { <Waiting room=room picture=picture /> }.into_any()
    }
}

/// Says that a host was asked. The first page is the way out.
#[component]
pub fn Waiting(
    /// The name of the room.
    room: RoomName,
    /// The picture that the hosts see of this person.
    picture: RwSignal<Option<StillPicture>>,
) -> AnyView {
    let language = Language::from_context();
    view! {
        <PageHeader />
        <main class="page-middle">
            <section class="notice-card waiting-card" role="status" data-testid="waiting">
                <span class="notice-card-icon">
                    <Icon name=IconName::DOOR />
                </span>
                <h1>{language.text(sentence!(host.waiting_title))}</h1>
                <p class="waiting-room" translate="no">{room.to_string()}</p>
                <p>{language.text(sentence!(host.waiting_text))}</p>
                <ShownPicture picture=picture />
                <div class="notice-card-actions">
                    <Link to=Route::Home class="button">
                        {language.text(sentence!(notice.home))}
                    </Link>
                </div>
            </section>
        </main>
    }
    .into_any()
}
