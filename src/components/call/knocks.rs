//! Who waits at the locked room, for a host: a card with two answers for each.

use leptos::prelude::*;
use sightline_core::room::{HostAction, VisitorView};

use crate::{
    components::kit::icon::{Icon, IconName},
    language::{Language, Locale},
    sentence,
    session::model::HostModel,
};

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
                children=move |visitor| view! { <Knock visitor=visitor host=host act=act /> }
            />
        </div>
    }
    .into_any()
}

#[component]
fn Knock(visitor: VisitorView, host: HostModel, act: Callback<HostAction>) -> AnyView {
    let language = Language::from_context();
    let id = visitor.id.clone();
    let answer = move |admit| {
        let id = id.clone();
        move |_| act.run(HostAction::Answer { visitor: id.clone(), admit })
    };
    let name = visitor.name.as_str().to_owned();
    // The picture comes after the name, and the buttons must stay what they are.
    let id = visitor.id.clone();
    let address = Memo::new(move |_| {
        host.visitors.with(|visitors| {
            let shown = visitors.iter().find(|visitor| visitor.id == id)?.picture.as_ref()?;
            Some(shown.to_data_url())
        })
    });
    let visitor = StoredValue::new(visitor);
    let words = Signal::derive(move || visitor.with_value(|visitor| wants_in(visitor, language.locale())));
    let portrait = move || match address.get() {
        None => view! { <Icon name=IconName::DOOR /> }.into_any(),
        Some(address) => {
            let alt = move || {
                let name = visitor.with_value(|visitor| shown_name(visitor, language.locale()).to_owned());
                sentence!(host.picture_of)(language.locale()).replace("{}", &name)
            };
            view! { <img class="knocker-picture" src=address alt=alt data-testid="knocker-picture" /> }
                .into_any()
        }
    };
    view! {
        <div class="notice knock" data-testid="knock" data-name=name translate="no">
            {portrait}
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
    sentence!(host.wants_in)(locale).replace("{}", shown_name(visitor, locale))
}

fn shown_name(visitor: &VisitorView, locale: Locale) -> &str {
    match visitor.name.as_str() {
        _ if !visitor.has_readable_name => sentence!(tile.unknown)(locale),
        "" => sentence!(tile.guest)(locale),
        name => name,
    }
}
