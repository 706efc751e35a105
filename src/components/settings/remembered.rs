//! The people that this device remembers, and buttons to forget them.

use leptos::{html, prelude::*};
use sightline_core::trust::{Person, PersonId};

use crate::{
    components::kit::date_text::day_text,
    language::Language,
    sentence,
    session::model::{Remembered, RememberedPeople},
};

/// A row for each person, the latest one first.
#[component]
pub fn RememberedList(
    /// The people.
    people: RememberedPeople,
) -> AnyView {
    let language = Language::from_context();
    let RememberedPeople { list, forget } = people;
    let section = NodeRef::<html::Section>::new();
    let remove = Callback::new(move |person| {
        forget.run(person);
        // The pressed button disappears.
        if let Some(section) = section.get_untracked() {
            let _ = section.focus();
        }
    });
    let rows = move || {
        let people = list.with(|list| match list {
            Remembered::People(people) => people.clone(),
            Remembered::Unread | Remembered::Off | Remembered::Forgotten => Vec::new(),
        });
        let is_empty = people.is_empty();
        let rows: Vec<_> = people.into_iter().rev().map(|person| row(person, language, remove)).collect();
        let everybody = view! {
            <button
                type="button"
                class="button"
                data-testid="forget-everybody"
                on:click=move |_| remove.run(None)
            >
                {language.text(sentence!(remembered.forget_everybody))}
            </button>
        };
        (!is_empty).then(|| view! { <ul class="remembered">{rows}</ul> {everybody} }.into_any())
    };
    let text = Signal::derive(move || {
        let sentence = list.with(|list| match list {
            Remembered::Unread => None,
            Remembered::Off => Some(sentence!(remembered.off)),
            Remembered::People(people) if people.is_empty() => Some(sentence!(remembered.nobody)),
            Remembered::People(_) => Some(sentence!(remembered.how)),
            Remembered::Forgotten => Some(sentence!(remembered.forgotten)),
        });
        sentence.map(|sentence| sentence(language.locale()))
    });
    view! {
        <section
            node_ref=section
            tabindex="-1"
            class="settings-group"
            data-testid="remembered"
            data-state=Signal::derive(move || list.with(as_str))
            translate="no"
        >
            <h2>{language.text(sentence!(remembered.title))}</h2>
            {rows}
            <p class="field-hint" role="status">
                {text}
            </p>
        </section>
    }
    .into_any()
}

fn row(person: Person, language: Language, remove: Callback<Option<PersonId>>) -> AnyView {
    let id = PersonId::of(&person.key);
    let name = person.name.as_str().to_owned();
    let shown = move |name: &str| {
        if name.is_empty() { sentence!(tile.guest)(language.locale()) } else { name }.to_owned()
    };
    let (of_row, of_button) = (name.clone(), name.clone());
    let since = Signal::derive(move || {
        let locale = language.locale();
        sentence!(remembered.since)(locale).replace("{}", &day_text(person.verified_at_unix_ms, locale))
    });
    let label = Signal::derive(move || {
        sentence!(remembered.forget_person)(language.locale()).replace("{}", &shown(&of_button))
    });
    view! {
        <li data-testid="remembered-person" data-name=name>
            <span>
                <span class="remembered-name" dir="auto">{move || shown(&of_row)}</span>
                <span class="remembered-since">{since}</span>
            </span>
            <button
                type="button"
                class="button"
                data-testid="forget-person"
                aria-label=label
                on:click=move |_| remove.run(Some(id.clone()))
            >
                {language.text(sentence!(remembered.forget))}
            </button>
        </li>
    }
    .into_any()
}

/// The word in `data-state`.
fn as_str(list: &Remembered) -> &'static str {
    match list {
        Remembered::Unread => "unread",
        Remembered::Off => "off",
        Remembered::People(_) => "on",
        Remembered::Forgotten => "forgotten",
    }
}
