//! Checks any STUN or TURN server, and lists the candidates that this browser gathers with it ("trickle ICE").

use std::time::Duration;

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use leptos::prelude::*;
use sightline_browser::{js::queue::event_queue, page::clock};
use sightline_core::{
    doctor::{Candidate, Finding, Gathering, GatheringError},
    ice::{IceUrl, MAX_ICE_URL_BYTES},
};
use sightline_protocol::signaling::IceServer;

use super::{
    examination::{Task, gather},
    words::error_text,
};
use crate::{
    components::kit::when::When,
    language::{Language, Sentence},
    sentence,
};

/// Longer than the deadline of a check: Firefox reports a dead server after eleven seconds.
const ALLOWED: Duration = Duration::from_secs(15);
/// More than one gathering reports.
const MAX_FINDINGS: usize = 256;
const MAX_CREDENTIAL_BYTES: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Idle,
    Invalid,
    Refused,
    Gathering,
    Complete,
    TimedOut,
}

#[derive(Debug, Clone, Copy)]
struct Model {
    status: RwSignal<Status>,
    candidates: RwSignal<Vec<Candidate>>,
    errors: RwSignal<Vec<GatheringError>>,
}

/// The form and the list of candidates.
#[component]
pub(super) fn Trickle() -> AnyView {
    let language = Language::from_context();
    let [url, username, credential] = [(); 3].map(|()| RwSignal::new(String::new()));
    let relay_only = RwSignal::new(false);
    let model = Model {
        status: RwSignal::new(Status::Idle),
        candidates: RwSignal::new(Vec::new()),
        errors: RwSignal::new(Vec::new()),
    };
    let task = StoredValue::new_local(None::<Task>);
    let begin = move || {
        let raw = url.get_untracked().trim().to_owned();
        model.candidates.set(Vec::new());
        model.errors.set(Vec::new());
        let servers = match IceUrl::parse(&raw) {
            Ok(_) => vec![IceServer {
                urls: vec![raw],
                username: Some(username.get_untracked()).filter(|text| !text.is_empty()),
                credential: Some(credential.get_untracked()).filter(|text| !text.is_empty()),
            }],
            // Without a server the browser gathers the computer's own addresses.
            Err(_) if raw.is_empty() => Vec::new(),
            Err(_) => {
                task.set_value(None);
                return model.status.set(Status::Invalid);
            }
        };
        model.status.set(Status::Gathering);
        task.set_value(Some(Task::spawn(run(servers, relay_only.get_untracked(), model))));
    };
    let status_text = Signal::derive(move || {
        status_sentence(model.status.get()).map(|sentence| sentence(language.locale()))
    });
    let count = Signal::derive(move || {
        let count = model.candidates.with(Vec::len);
        let is_asked = !matches!(model.status.get(), Status::Idle | Status::Invalid | Status::Refused);
        is_asked
            .then(|| format!(" \u{b7} {count} {}", sentence!(check.trickle.candidates)(language.locale())))
    });
    view! {
        <section class="check-card">
            <h2>{language.text(sentence!(check.trickle.title))}</h2>
            <p>{language.text(sentence!(check.trickle.text))}</p>
            <form
                class="check-form"
                novalidate
                on:submit=move |event| {
                    event.prevent_default();
                    begin();
                }
            >
                <Field label=sentence!(check.trickle.url) value=url test_id="ice-url" max_length=MAX_ICE_URL_BYTES placeholder="turn:example.org:3478" is_wide=true />
                <Field label=sentence!(check.trickle.username) value=username test_id="ice-username" max_length=MAX_CREDENTIAL_BYTES />
                <Field label=sentence!(check.trickle.credential) value=credential test_id="ice-credential" max_length=MAX_CREDENTIAL_BYTES />
                <label class="check-box">
                    <input
                        type="checkbox"
                        data-testid="ice-relay-only"
                        on:change=move |event| relay_only.set(event_target_checked(&event))
                    />
                    <span>{language.text(sentence!(check.trickle.relay_only))}</span>
                </label>
                <button type="submit" class="button" data-testid="ice-gather">
                    {language.text(sentence!(check.trickle.gather))}
                </button>
            </form>
            <p class="check-gathering" role="status" translate="no" data-testid="ice-status" data-state=Signal::derive(move || status_word(model.status.get()))>
                {status_text}
                {count}
            </p>
            <When is=Signal::derive(move || model.errors.with(|errors| !errors.is_empty()))>
                <ul class="check-errors" translate="no">{move || model.errors.get().iter().map(|error| error_line(error, language)).collect_view()}</ul>
            </When>
            <When is=Signal::derive(move || model.candidates.with(|candidates| !candidates.is_empty()))>
                <Candidates candidates=model.candidates />
            </When>
        </section>
    }
    .into_any()
}

#[component]
fn Field(
    label: Sentence,
    value: RwSignal<String>,
    test_id: &'static str,
    max_length: usize,
    #[prop(optional)] placeholder: Option<&'static str>,
    #[prop(optional)] is_wide: bool,
) -> AnyView {
    let language = Language::from_context();
    view! {
        <label class="field" class:is-wide=is_wide>
            <span class="field-label">{language.text(label)}</span>
            <input
                class="input"
                type="text"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                maxlength=max_length.to_string()
                placeholder=placeholder
                data-testid=test_id
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
            />
        </label>
    }
    .into_any()
}

#[component]
fn Candidates(candidates: RwSignal<Vec<Candidate>>) -> AnyView {
    let language = Language::from_context();
    let head = [
        sentence!(check.trickle.time),
        sentence!(check.trickle.kind),
        sentence!(check.trickle.protocol),
        sentence!(check.trickle.address),
        sentence!(check.trickle.related),
        sentence!(check.trickle.priority),
    ];
    let head = head.map(|words| view! { <th scope="col">{language.text(words)}</th> }).collect_view();
    view! {
        <div class="check-table" tabindex="0" translate="no" role="region" aria-label=language.text(sentence!(check.trickle.table))>
            <table>
                <thead>
                    <tr>{head}</tr>
                </thead>
                <tbody>{move || candidates.get().iter().map(candidate_row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn candidate_row(candidate: &Candidate) -> AnyView {
    let Candidate { candidate_type, protocol, priority, address, port, related, after, .. } = candidate;
    view! {
        <tr data-testid="ice-candidate" data-type=candidate_type.as_str() data-protocol=protocol.clone() data-address=address.clone()>
            <td>{format!("{} ms", after.as_millis())}</td>
            <td>{candidate_type.as_str()}</td>
            <td>{protocol.clone()}</td>
            <td>{format!("{address} : {port}")}</td>
            <td>{related.map(|related| related.to_string())}</td>
            <td>{priority.to_string()}</td>
        </tr>
    }
    .into_any()
}

fn error_line(error: &GatheringError, language: Language) -> AnyView {
    let GatheringError { code, text, url, after } = error;
    view! {
        <li data-testid="ice-error" data-code=code.to_string()>
            <strong>{code.to_string()}</strong>
            " "
            {language.text(error_text(*code))}
            <span class="check-meaning">{format!("{text} {url}, {} ms", after.as_millis())}</span>
        </li>
    }
    .into_any()
}

/// Gathers, and shows each candidate when it arrives.
async fn run(servers: Vec<IceServer>, relay_only: bool, model: Model) {
    let (sink, mut findings) = event_queue(MAX_FINDINGS);
    let mut gathering = Gathering::new(None, ALLOWED, clock::now());
    let _task = Task::spawn(async move { gather(&servers, relay_only, &sink).await });
    while let Some(deadline) = gathering.poll_timeout() {
        let finding = {
            let (timer, next) = (clock::sleep_until(deadline), findings.next());
            pin_mut!(timer, next);
            match select(next, timer).await {
                Either::Left((Some(finding), _)) => Some(finding),
                _ => None,
            }
        };
        let now = clock::now();
        match finding {
            Some(Finding::Candidate(line)) => gathering.handle_candidate(&line, now),
            Some(Finding::CandidateError { code, text, url }) => {
                gathering.handle_error(code, &text, &url, now);
            }
            Some(Finding::GatheringComplete) => gathering.handle_complete(),
            Some(Finding::Refused) => {
                model.status.try_set(Status::Refused);
                return;
            }
            _ => gathering.handle_timeout(now),
        }
        model.candidates.try_set(gathering.candidates().to_vec());
        model.errors.try_set(gathering.errors().to_vec());
    }
    model.status.try_set(if gathering.is_complete() { Status::Complete } else { Status::TimedOut });
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Idle => "idle",
        Status::Invalid => "invalid",
        Status::Refused => "refused",
        Status::Gathering => "gathering",
        Status::Complete => "complete",
        Status::TimedOut => "timeout",
    }
}

fn status_sentence(status: Status) -> Option<Sentence> {
    Some(match status {
        Status::Idle => return None,
        Status::Invalid => sentence!(check.trickle.invalid),
        Status::Refused => sentence!(check.trickle.refused),
        Status::Gathering => sentence!(check.trickle.gathering),
        Status::Complete => sentence!(check.trickle.complete),
        Status::TimedOut => sentence!(check.trickle.timeout),
    })
}
