//! Actions on the report: copy it, save it, share it as a link.

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::page::{location, sharing};

use super::{CheckModel, REPORT_FRAGMENT};
use crate::{
    components::kit::icon::{Icon, IconName},
    language::{Language, Sentence},
    sentence,
};

/// The buttons for the report.
#[component]
pub(super) fn ReportActions(model: CheckModel) -> AnyView {
    let language = Language::from_context();
    // Made once, since the rows no longer change.
    let report = StoredValue::new(model.report());
    let link = report.with_value(|report| {
        let page = format!("{}/check", location::base().trim_end_matches('/'));
        report.to_link().map(|link| format!("{page}{REPORT_FRAGMENT}{link}"))
    });
    let json = report.with_value(sightline_core::doctor::Report::to_json);
    let download = format!("data:application/json;charset=utf-8,{}", percent_encode(&json));
    view! {
        <section class="check-card">
            <h2>{language.text(sentence!(check.report.title))}</h2>
            <p>{language.text(sentence!(check.report.text))}</p>
            <div class="check-actions">
                <CopyText text=json words=sentence!(check.report.copy) test_id="report-copy" />
                <a class="button small" href=download download="sightline-check.json" data-testid="report-download">
                    {language.text(sentence!(check.report.download))}
                </a>
                {link.map(|link| view! { <CopyText text=link words=sentence!(check.report.link) test_id="report-link" is_link=true /> })}
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn CopyText(
    text: String,
    words: Sentence,
    test_id: &'static str,
    /// Shows the text to tests, as the invitation does.
    #[prop(optional)]
    is_link: bool,
) -> AnyView {
    let language = Language::from_context();
    let outcome = RwSignal::new(None::<bool>);
    let url = is_link.then(|| text.clone());
    let copy = move |_| {
        let text = text.clone();
        spawn_local(async move {
            let is_copied = sharing::copy_text(&text).await.is_ok();
            outcome.try_set(Some(is_copied));
        });
    };
    let shown = Signal::derive(move || {
        let sentence = match outcome.get() {
            None => words,
            Some(true) => sentence!(check.report.copied),
            Some(false) => sentence!(check.report.copy_failed),
        };
        sentence(language.locale())
    });
    view! {
        <button
            type="button"
            class="button small"
            data-testid=test_id
            data-url=url
            on:click=copy
            on:blur=move |_| outcome.set(None)
        >
            {is_link.then(|| view! { <Icon name=IconName::LINK /> })}
            <span aria-live="polite" translate="no">{shown}</span>
        </button>
    }
    .into_any()
}

fn percent_encode(text: &str) -> String {
    // A plus means a space only in forms, so spaces are encoded as `%20`.
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
