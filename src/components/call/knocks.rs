//! Who waits at the locked room, for a host: a card with two answers for each.

use leptos::prelude::*;
use sightline_core::room::{HostAction, VisitorView};

use crate::{
    chunk,
    components::kit::icon::{Icon, IconName},
    language::{Language, Locale},
    sentence,
    session::model::HostModel,
};

chunk! {
    /// [`Knocks`], loaded on demand.
    pub fn load_knocks, preload_knocks in engine(host: HostModel, act: Callback<HostAction>) {
        view! { <Knocks host=host act=act /> }.into_any()
    }
}

/// A card for each visitor that waits.
#[component]
pub fn Knocks(
    /// The visitors.
    host: HostModel,
    /// The action that answers.
    act: Callback<HostAction>,
) -> AnyView {
    let language = Language::from_context();
    let said = Signal::derive(move || {
        let words = |visitor: &VisitorView| wants_in(visitor, language.locale());
        host.visitors.with(|visitors| visitors.last().map(words)).unwrap_or_default()
    });
    view! {
        <p class="sr-only" role="status" data-testid="knock-announcement" translate="no">
            {said}
        </p>
        <div class="knocks" class:is-empty=move || host.visitors.with(Vec::is_empty)>
            <For
                each=move || host.visitors.get()
                key=|visitor| visitor.id.to_string()
                children=move |visitor| view! { <Knock visitor=visitor act=act /> }
            />
        </div>
    }
    .into_any()
}

#[component]
fn Knock(visitor: VisitorView, act: Callback<HostAction>) -> AnyView {
    let language = Language::from_context();
    let id = visitor.id.clone();
    let answer = move |admit| {
        let id = id.clone();
        move |_| act.run(HostAction::Answer { visitor: id.clone(), admit })
    };
    let name = visitor.name.as_str().to_owned();
    let words = Signal::derive(move || wants_in(&visitor, language.locale()));
    view! {
        <div class="notice knock" data-testid="knock" data-name=name translate="no">
            <Icon name=IconName::DOOR />
            <p class="notice-text notice-title" dir="auto">
                {words}
            </p>
            <div class="notice-actions">
                <button type="button" class="button small" data-testid="knock-refuse" on:click=answer(false)>
                    {language.text(sentence!(host.not_now))}
                </button>
                <button type="button" class="button small primary" data-testid="knock-admit" on:click=answer(true)>
                    {language.text(sentence!(host.let_in))}
                </button>
            </div>
        </div>
    }
    .into_any()
}

fn wants_in(visitor: &VisitorView, locale: Locale) -> String {
    let name = match visitor.name.as_str() {
        _ if !visitor.has_readable_name => sentence!(tile.unknown)(locale),
        "" => sentence!(tile.guest)(locale),
        name => name,
    };
    sentence!(host.wants_in)(locale).replace("{}", name)
}
