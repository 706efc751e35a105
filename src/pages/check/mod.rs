//! `/check`: the connection doctor. [`CheckPage`] is its only public part.

mod examination;
mod report_actions;
mod rows;
mod summary;
mod trickle;
mod words;

use leptos::prelude::*;
use sightline_browser::page::{
    clock, environment,
    location::{self, Location},
};
use sightline_core::doctor::{Check, CheckKind, CheckState, IceServersOf, Report, Verdict};

use self::{
    examination::Task, report_actions::ReportActions, rows::CheckGroup, summary::Summary, trickle::Trickle,
};
use crate::{
    chunk,
    components::kit::{
        icon::{Icon, IconName},
        page_header::PageHeader,
        when::When,
    },
    language::Language,
    running_calls::RunningCalls,
    sentence,
    session::model::kept_ice_servers,
};

const REPORT_FRAGMENT: &str = "#report=";

const DEVICE: &[CheckKind] = &[
    CheckKind::Browser,
    CheckKind::SecureContext,
    CheckKind::Permissions,
    CheckKind::Camera,
    CheckKind::Microphone,
    CheckKind::Speakers,
];
const SERVER: &[CheckKind] = &[CheckKind::Server, CheckKind::Certificate, CheckKind::Signaling];
const NETWORK: &[CheckKind] = &[
    CheckKind::Addresses,
    CheckKind::StunUdp,
    CheckKind::TurnUdp,
    CheckKind::TurnTcp,
    CheckKind::TurnTls,
    CheckKind::Nat,
    CheckKind::RelayCall,
];

/// The signals of the page.
#[derive(Debug, Clone, Copy)]
struct CheckModel {
    /// The rows; empty before the first examination.
    checks: RwSignal<Vec<Check>>,
    /// The running calls, if the page was opened from a room.
    calls: RwSignal<Vec<String>>,
    /// A report from a link, shown instead of an examination.
    shared: RwSignal<Option<Report>>,
    /// The origin of the checked STUN and TURN servers.
    servers_of: RwSignal<IceServersOf>,
    /// Whether the fragment of the address is not a report.
    is_unreadable: RwSignal<bool>,
}

impl CheckModel {
    /// Reads the fragment of the address and removes it, so that it is not passed on with the address by mistake.
    fn from_address() -> Self {
        let location = Location::current();
        let fragment = location.fragment.as_str();
        let shared = fragment.strip_prefix(REPORT_FRAGMENT).map(Report::from_link);
        let calls = RunningCalls::from_fragment(fragment);
        if calls.is_some() {
            location::replace(&format!("{}{}", location.path, location.query));
        }
        let is_unreadable = matches!(shared, Some(Err(_)));
        let shared = shared.and_then(Result::ok);
        let servers_of = shared.as_ref().map(|shared| shared.ice_servers_of);
        Self {
            checks: RwSignal::new(shared.as_ref().map(Report::checks).unwrap_or_default()),
            calls: RwSignal::new(calls.map(|calls| calls.0).unwrap_or_default()),
            servers_of: RwSignal::new(servers_of.unwrap_or_default()),
            is_unreadable: RwSignal::new(is_unreadable),
            shared: RwSignal::new(shared),
        }
    }

    fn verdict(self) -> Verdict {
        self.checks.with(|checks| Verdict::of(checks))
    }

    /// The report of the present rows.
    fn report(self) -> Report {
        self.shared.get_untracked().unwrap_or_else(|| {
            let checks = self.checks.get_untracked();
            Report::new(
                &checks,
                self.servers_of.get_untracked(),
                self.calls.get_untracked(),
                environment::user_agent(),
                clock::unix_ms(),
            )
        })
    }
}

chunk! {
    /// [`CheckPage`], loaded on demand.
    pub fn load_check_page, preload_check_page in pages() {
        view! { <CheckPage /> }.into_any()
    }
}

/// The page of the connection doctor.
#[component]
pub fn CheckPage() -> AnyView {
    let language = Language::from_context();
    let model = CheckModel::from_address();
    let task = StoredValue::new_local(None::<Task>);
    let start = move |_| {
        model.shared.set(None);
        model.is_unreadable.set(false);
        model.checks.set(Vec::new());
        let own_servers = kept_ice_servers().servers;
        task.set_value(Some(examination::start(own_servers, move |doctor| {
            model.servers_of.try_set(doctor.ice_servers_of());
            model.checks.try_set(doctor.checks());
        })));
    };
    let has_rows = Memo::new(move |_| model.checks.with(|checks| !checks.is_empty()));
    let is_running = Memo::new(move |_| has_rows.get() && model.verdict() == Verdict::Running);
    let start_text = Signal::derive(move || {
        let sentence = match (is_running.get(), has_rows.get() && model.shared.with(Option::is_none)) {
            (true, _) => sentence!(check.running),
            (_, true) => sentence!(check.again),
            (_, false) => sentence!(check.start),
        };
        sentence(language.locale())
    });
    view! {
        <PageHeader />
        <main class="check">
            <header class="check-intro">
                <h1>{language.text(sentence!(check.title))}</h1>
                <p>{language.text(sentence!(check.lead))}</p>
                <button
                    type="button"
                    class="button primary large"
                    translate="no"
                    data-testid="check-start"
                    aria-disabled=Signal::derive(move || is_running.get().to_string())
                    on:click=move |event| {
                        if !is_running.get_untracked() {
                            start(event);
                        }
                    }
                >
                    <Icon name=IconName::PULSE />
                    {start_text}
                </button>
                <p class="check-hint" hidden=Signal::derive(move || has_rows.get())>
                    {language.text(sentence!(check.ask_hint))}
                </p>
            </header>
            <When is=model.is_unreadable>
                <p class="check-message" role="alert" data-testid="notice" data-code="report-unreadable">
                    {language.text(sentence!(check.report.unreadable))}
                </p>
            </When>
            <When is=Signal::derive(move || model.shared.with(Option::is_some))>
                <p class="check-message">
                    <strong>{language.text(sentence!(check.report.shared))}</strong>
                    " "
                    {language.text(sentence!(check.report.shared_text))}
                </p>
            </When>
            <p class="sr-only" role="status" translate="no">{progress(model)}</p>
            <When is=has_rows>
                <Summary model=model />
                <When is=Signal::derive(move || model.servers_of.get() == IceServersOf::Person)>
                    <p class="check-message" data-testid="check-own-servers">{language.text(sentence!(check.own_servers))}</p>
                </When>
                <div class="check-groups">
                    <CheckGroup title=sentence!(check.group.device) kinds=DEVICE checks=model.checks />
                    <div>
                        <CheckGroup title=sentence!(check.group.server) kinds=SERVER checks=model.checks />
                        <CheckGroup title=sentence!(check.group.network) kinds=NETWORK checks=model.checks />
                    </div>
                </div>
                <When is=Signal::derive(move || !is_running.get())>
                    <ReportActions model=model />
                </When>
            </When>
            <RunningCallList calls=model.calls />
            <Trickle />
        </main>
    }
    .into_any()
}

/// The progress and the verdict, for screen readers.
fn progress(model: CheckModel) -> Signal<String> {
    let language = Language::from_context();
    Signal::derive(move || {
        let locale = language.locale();
        let (done, all) = model
            .checks
            .with(|checks| (checks.iter().filter(|check| check.state.is_done()).count(), checks.len()));
        match model.verdict() {
            _ if all == 0 => String::new(),
            Verdict::Running => {
                let (done_word, of_word) = (sentence!(check.done)(locale), sentence!(check.of)(locale));
                format!("{done} {of_word} {all} {done_word}")
            }
            verdict => words::verdict_text(verdict).0(locale).to_owned(),
        }
    })
}

#[component]
fn RunningCallList(calls: RwSignal<Vec<String>>) -> AnyView {
    let language = Language::from_context();
    let lines = move || {
        calls.get().into_iter().map(|line| view! { <li data-testid="check-call">{line}</li> }).collect_view()
    };
    view! {
        <When is=Signal::derive(move || calls.with(|calls| !calls.is_empty()))>
            <section class="check-card">
                <h2>{language.text(sentence!(check.call.title))}</h2>
                <ul class="check-calls">{lines}</ul>
            </section>
        </When>
    }
    .into_any()
}

/// The icon for a state.
fn state_icon(state: CheckState) -> IconName {
    match state {
        CheckState::Waiting => IconName::CLOCK,
        CheckState::Running => IconName::PULSE,
        CheckState::Ok => IconName::CHECK,
        CheckState::Warning => IconName::ALERT,
        CheckState::Failed => IconName::CLOSE,
    }
}
