//! The person's own STUN and TURN servers.

use leptos::prelude::*;
use sightline_core::ice::{LineProblem, MAX_OWN_SERVERS_BYTES};

use crate::{
    components::kit::when::When,
    language::{Language, Sentence},
    sentence,
    session::model::read_ice_servers,
};

/// A text field with a line for each server, and a sentence about the first line that cannot be used.
#[component]
pub fn IceServersField(
    /// The text, as it is stored.
    value: RwSignal<String>,
) -> AnyView {
    let language = Language::from_context();
    // No complaint before a line is complete.
    let is_typing = RwSignal::new(false);
    let problem =
        Memo::new(
            move |_| {
                if is_typing.get() { None } else { value.with(|text| read_ice_servers(text).problem) }
            },
        );
    let text = Signal::derive(move || {
        problem.get().map(|(line, problem)| {
            let locale = language.locale();
            let before = sentence!(settings.ice_servers_line)(locale);
            let after = sentence!(settings.ice_servers_line_end)(locale);
            format!("{before} {line}{after}{}", problem_text(problem)(locale))
        })
    });
    view! {
        <label class="field">
            <span class="field-label">{language.text(sentence!(settings.ice_servers))}</span>
            <textarea
                class="input ice-servers"
                rows="2"
                wrap="off"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                maxlength=MAX_OWN_SERVERS_BYTES.to_string()
                placeholder=language.text(sentence!(settings.ice_servers_example))
                aria-describedby="ice-servers-hint"
                aria-invalid=Signal::derive(move || problem.get().is_some().to_string())
                data-testid="own-ice-servers"
                prop:value=value
                on:input=move |event| {
                    is_typing.set(true);
                    value.set(event_target_value(&event));
                }
                on:change=move |_| is_typing.set(false)
            ></textarea>
        </label>
        <p class="field-hint" id="ice-servers-hint">
            {language.text(sentence!(settings.ice_servers_hint))}
        </p>
        <When is=Signal::derive(move || problem.get().is_some())>
            <p class="field-problem" role="alert" translate="no" data-testid="notice" data-code="ice-servers-invalid">
                {text}
            </p>
        </When>
    }
    .into_any()
}

fn problem_text(problem: LineProblem) -> Sentence {
    match problem {
        LineProblem::NoAddress => sentence!(settings.ice_servers_no_address),
        LineProblem::NoCredentials => sentence!(settings.ice_servers_no_credentials),
        LineProblem::TooMany => sentence!(settings.ice_servers_too_many),
        LineProblem::Refused => sentence!(settings.ice_servers_refused),
    }
}
