//! The verdict at the top, and the advice for each person in charge.

use leptos::prelude::*;
use sightline_core::doctor::{Advice, CheckKind, CheckState, Verdict, Who};

use super::{
    CheckModel,
    words::{advice_text, verdict_text, who_text},
};
use crate::{
    components::kit::{
        icon::{Icon, IconName},
        when::When,
    },
    language::Language,
    sentence,
};

const DEVICES: [CheckKind; 5] = [
    CheckKind::SecureContext,
    CheckKind::Permissions,
    CheckKind::Camera,
    CheckKind::Microphone,
    CheckKind::Speakers,
];

/// The verdict on this network, and the advice.
#[component]
pub(super) fn Summary(model: CheckModel) -> AnyView {
    let language = Language::from_context();
    let verdict = Memo::new(move |_| model.verdict());
    let advice = Memo::new(move |_| model.checks.with(|checks| Advice::of(checks, model.servers_of.get())));
    let has_device_trouble = Memo::new(move |_| {
        model.checks.with(|checks| {
            let mut devices = checks.iter().filter(|check| DEVICES.contains(&check.id.kind));
            devices.any(|check| check.state == CheckState::Failed)
        })
    });
    let words = move |part: fn(Verdict) -> crate::language::Sentence| {
        Signal::derive(move || part(verdict.get())(language.locale()))
    };
    // Whoever cannot be heard or seen is not ready, whatever the network allows.
    let tone = Signal::derive(move || match tone(verdict.get()) {
        "good" if has_device_trouble.get() => "fair",
        tone => tone,
    });
    let icon = Signal::derive(move || match tone.get() {
        "good" => IconName::CHECK,
        "running" => IconName::PULSE,
        _ => IconName::ALERT,
    });
    let of = move |who: Who| {
        let mine = move || {
            let advice = advice.get();
            advice.into_iter().filter(move |advice| advice.who() == who).collect::<Vec<_>>()
        };
        let lines = move || {
            mine()
                .into_iter()
                .map(|advice| view! { <li>{language.text(advice_text(advice))}</li> })
                .collect_view()
        };
        view! {
            <div hidden=Signal::derive(move || mine().is_empty())>
                <dt>{language.text(who_text(who))}</dt>
                <dd>
                    <ul>{lines}</ul>
                </dd>
            </div>
        }
    };
    view! {
        <section
            class="check-summary"
            translate="no"
            data-testid="check-summary"
            data-verdict=Signal::derive(move || verdict.get().as_str())
            data-tone=tone
        >
            <span class="check-summary-icon">
                <Icon name=icon />
            </span>
            <div class="check-summary-text">
                <h2>{words(|verdict| verdict_text(verdict).0)}</h2>
                <p>{words(|verdict| verdict_text(verdict).1)}</p>
                <When is=has_device_trouble>
                    <p>{language.text(sentence!(check.device_trouble))}</p>
                </When>
                <When is=Signal::derive(move || verdict.get() != Verdict::Running && advice.with(|advice| !advice.is_empty()))>
                    <h3>{language.text(sentence!(check.problems))}</h3>
                    <dl class="check-advice">{of(Who::You)} {of(Who::Network)} {of(Who::Operator)}</dl>
                </When>
            </div>
        </section>
    }
    .into_any()
}

fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Running => "running",
        Verdict::Direct | Verdict::RelayUdp => "good",
        Verdict::RelayTcp | Verdict::RelayTls | Verdict::Limited | Verdict::Unknown => "fair",
        Verdict::UnsupportedBrowser | Verdict::ServerUnreachable | Verdict::Nothing => "bad",
    }
}
