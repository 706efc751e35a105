//! The page after leaving a room: what was kept and what was lost, and the ways to return.

use leptos::{html, prelude::*};
use sightline_protocol::RoomName;

use crate::{
    chunk,
    components::{
        call::unfinished::unfinished_text,
        kit::{link::Link, logo::Mark, page_header::PageHeader},
    },
    language::Language,
    navigation::Navigator,
    route::Route,
    sentence,
    session::departure::{Departure, Kept},
};

chunk! {
    /// [`YouLeft`] for this room, as a part that loads later.
    pub fn load_you_left, preload_you_left in room(room: RoomName) {
        Departure::latest().map(|departure| view! { <YouLeft room=room departure=departure /> }).into_any()
    }
}

/// Tells the person that they left the room, and what was kept and lost.
#[component]
pub fn YouLeft(
    /// The room that the person left.
    room: RoomName,
    /// The circumstances of leaving.
    departure: Departure,
) -> AnyView {
    let language = Language::from_context();
    let navigator = Navigator::from_context();
    let rejoin = move |_| {
        if let Some(navigator) = navigator {
            navigator.enter_again(departure.source, departure.microphone);
        }
    };
    let kept = departure.conversation.map(|kept| {
        language.text(match kept {
            Kept::Here => sentence!(leaving.conversation_kept),
            Kept::Not => sentence!(leaving.conversation_gone),
        })
    });
    let lost = move || {
        let lines = unfinished_text(departure.unfinished, language.locale());
        lines.into_iter().map(|line| view! { <li>{line}</li> }.into_any()).collect_view().into_any()
    };
    // The button that had the focus no longer exists.
    let button = NodeRef::<html::Button>::new();
    Effect::new(move || {
        if let Some(button) = button.get() {
            let _ = button.focus();
        }
    });
    view! {
        <PageHeader />
        <main class="page-middle">
            <section class="notice-card" data-testid="you-left">
                <Mark />
                <h1>{language.text(sentence!(leaving.left))}</h1>
                <p class="left-room" translate="no">{room.to_string()}</p>
                {departure.unfinished.is_something().then(|| view! { <ul class="left-lost" data-testid="left-lost">{lost}</ul> })}
                {kept.map(|kept| view! { <p data-testid="left-conversation">{kept}</p> })}
                <div class="notice-card-actions">
                    <button node_ref=button type="button" class="button primary" data-testid="rejoin" on:click=rejoin>
                        {language.text(sentence!(leaving.rejoin))}
                    </button>
                    <Link to=Route::Home class="button">
                        {language.text(sentence!(notice.home))}
                    </Link>
                </div>
            </section>
        </main>
    }
    .into_any()
}
