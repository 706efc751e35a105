//! The rows: what is checked, its state, and the details.

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::media::tone;
use sightline_core::doctor::{Check, CheckId, CheckKind, CheckState, Detail, DetailLabel};

use super::{
    state_icon,
    words::{error_text, kind_text, label_text, result_text, state_text},
};
use crate::{
    components::kit::{icon::Icon, when::When},
    language::{Language, Sentence},
    sentence,
};

/// The rows of some kinds, under a title.
#[component]
pub(super) fn CheckGroup(
    title: Sentence,
    kinds: &'static [CheckKind],
    checks: RwSignal<Vec<Check>>,
) -> AnyView {
    let language = Language::from_context();
    let ids = Memo::new(move |_| {
        checks.with(|checks| {
            let mine = checks.iter().map(|check| check.id).filter(|id| kinds.contains(&id.kind));
            mine.collect::<Vec<_>>()
        })
    });
    view! {
        <section class="check-group">
            <h2>{language.text(title)}</h2>
            <ul>
                <For
                    each=move || ids.get()
                    key=|id| *id
                    children=move |id| view! { <CheckRow id=id checks=checks /> }
                />
            </ul>
        </section>
    }
    .into_any()
}

#[component]
fn CheckRow(id: CheckId, checks: RwSignal<Vec<Check>>) -> AnyView {
    let language = Language::from_context();
    let check = Memo::new(move |_| {
        let found = checks.with(|checks| checks.iter().find(|check| check.id == id).cloned());
        found.unwrap_or_else(|| Check::waiting(id, None))
    });
    let state = Memo::new(move |_| check.with(|check| check.state));
    let result = Signal::derive(move || {
        let sentence = check.with(result_text);
        sentence.map_or_else(
            || state_text(state.get())(language.locale()),
            |sentence| sentence(language.locale()),
        )
    });
    let details = move || {
        let details = check.with(|check| check.details.clone());
        details.into_iter().map(|detail| detail_line(&detail, language)).collect_view()
    };
    let tone_button = (id.kind == CheckKind::Speakers).then(|| {
        view! {
            <button
                type="button"
                class="button small"
                data-testid="check-tone"
                on:click=move |_| spawn_local(async move { drop(tone::play().await) })
            >
                {language.text(sentence!(check.tone))}
            </button>
        }
    });
    view! {
        <li
            class="check-row"
            translate="no"
            data-testid="check-row"
            data-check=id.name()
            data-state=Signal::derive(move || state.get().as_str())
            data-code=Signal::derive(move || check.with(|check| check.code.map_or("", |code| code.as_str())))
        >
            <span class="check-row-icon" class:is-turning=Signal::derive(move || state.get() == CheckState::Running)>
                <Icon name=Signal::derive(move || state_icon(state.get())) />
            </span>
            <div class="check-row-text">
                <h3>
                    {language.text(kind_text(id.kind))}
                    <span class="sr-only">": " {Signal::derive(move || state_text(state.get())(language.locale()))}</span>
                </h3>
                <p class="check-subject">{Signal::derive(move || check.with(|check| check.subject.clone()))}</p>
                <p>{result}</p>
                <When is=Signal::derive(move || check.with(|check| !check.details.is_empty()))>
                    <details>
                        <summary>{language.text(sentence!(check.details))}</summary>
                        <dl class="check-details">{details}</dl>
                    </details>
                </When>
            </div>
            {tone_button}
        </li>
    }
    .into_any()
}

fn detail_line(detail: &Detail, language: Language) -> AnyView {
    let meaning =
        (detail.label == DetailLabel::Error).then(|| detail.value.split(' ').next()?.parse().ok()).flatten();
    let meaning =
        meaning.map(|code| view! { <span class="check-meaning">{language.text(error_text(code))}</span> });
    view! {
        <div>
            <dt>{language.text(label_text(detail.label))}</dt>
            <dd>{detail.value.clone()} {meaning}</dd>
        </div>
    }
    .into_any()
}
