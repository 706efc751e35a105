//! After leaving: what was kept and what was not, and the ways back.

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
    /// [`YouLeft`]; with the room, which is here.
    pub fn load_you_left, preload_you_left in engine(room: RoomName) {
        Departure::latest().map(|departure| view! { <YouLeft room=room departure=departure /> }).into_any()
    }
}

/// Says that the person left, and what became of what was in the room.
#[component]
pub fn YouLeft(
    /// Which.
    room: RoomName,
    /// How.
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
    // The button that was pressed is gone.
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
