//! `/report`: opens saved measurements, and compares two or more.

mod chart;
mod differences;
mod opened;
mod overview;
mod rows;

use leptos::{ev, prelude::*, task::spawn_local};
use sightline_browser::files::text_file;
use sightline_core::measure::report::{MAX_REPORT_BYTES, plain};

use self::{
    chart::Charts,
    differences::Differences,
    opened::{MAX_FILES, Opened, Problem, View},
    overview::Overview,
};
use crate::{chunk, components::kit::page_header::PageHeader, language::Language, sentence};

chunk! {
    /// [`ReportPage`], loaded on demand.
    pub fn load_report_page, preload_report_page in pages() {
        view! { <ReportPage /> }.into_any()
    }
}

/// The page for saved measurements.
#[component]
pub fn ReportPage() -> AnyView {
    let language = Language::from_context();
    let opened = RwSignal::new(Opened::default());
    let is_over = RwSignal::new(false);
    let take = move |files: Vec<text_file::File>| {
        opened.update(|opened| opened.problems.clear());
        // Files are read one after the other, because each takes memory while it is read.
        spawn_local(async move {
            for file in files.iter().take(MAX_FILES) {
                let bytes = text_file::read(file, MAX_REPORT_BYTES).await;
                opened.try_update(|opened| opened.take(plain(&file.name()), bytes));
            }
            if let Some(file) = files.get(MAX_FILES) {
                opened.try_update(|opened| opened.leave_out(plain(&file.name())));
            }
        });
    };
    let views = Memo::new(move |_| opened.with(Opened::views));
    let problems = move || {
        let problems = opened.with(|opened| opened.problems.clone());
        problems.into_iter().map(|problem| problem_row(problem, language)).collect_view().into_any()
    };
    let overviews = move || {
        let views = views.get();
        views.into_iter().map(|view| view! { <Overview view=view opened=opened /> }).collect_view().into_any()
    };
    view! {
        <PageHeader />
        <main
            class="report"
            data-testid="report"
            on:dragover=move |event: ev::DragEvent| {
                event.prevent_default();
                is_over.set(true);
            }
            on:dragleave=move |_| is_over.set(false)
            on:drop=move |event: ev::DragEvent| {
                event.prevent_default();
                is_over.set(false);
                take(text_file::dropped(&event));
            }
        >
            <h1>{language.text(sentence!(report.title))}</h1>
            <p class="report-lead">{language.text(sentence!(report.lead))}</p>
            <label class="report-drop" class:is-over=is_over>
                <input
                    type="file"
                    class="sr-only"
                    multiple
                    accept=".json,application/json"
                    data-testid="report-file-input"
                    on:change=move |event| take(text_file::chosen(&event_target(&event)))
                />
                <b>{language.text(sentence!(report.open))}</b>
                <span>{language.text(sentence!(report.drop))}</span>
            </label>
            <ul class="notices" aria-live="assertive">
                {problems}
            </ul>
            <Differences views=views />
            <Charts views=views />
            {overviews}
        </main>
    }
    .into_any()
}

fn problem_row(problem: Problem, language: Language) -> AnyView {
    let Problem { name, code, sentence } = problem;
    view! {
        <li class="notice" data-testid="notice" data-code=code>
            <span class="notice-text">
                <strong class="notice-title" dir="auto">{name}</strong>
                " "
                <span class="notice-hint">{language.text(sentence)}</span>
            </span>
        </li>
    }
    .into_any()
}

/// The class that distinguishes lines and bands of the nth view; there are six.
fn place(at: usize) -> String {
    (at % opened::MAX_VIEWS).to_string()
}

type Views = Memo<Vec<View>>;
