//! The figures of every connection.

use leptos::prelude::*;
use sightline_core::stats::{Figure, FigureValue, Metric};

use super::{
    figure_text,
    icon::{Icon, IconName},
    metric_text::metric_text,
    signal_bars::{SignalBars, cause_text},
    when::When,
};
use crate::{
    language::Language,
    sentence,
    session::model::{RoomModel, TileModel},
};

/// How many of [`Metric::ALL`] come first: what a person asks for before anything else.
const FIRST_ROWS: usize = 10;

/// Every figure of every other member.
#[component]
pub fn StatsPanel(
    /// Who is there.
    model: RoomModel,
    /// Closes the panel.
    close: Callback<()>,
) -> AnyView {
    let language = Language::from_context();
    let is_alone = Memo::new(move |_| model.others.with(Vec::is_empty));
    view! {
        <aside
            class="stats"
            id="figures"
            data-testid="stats-panel"
            aria-label=language.text(sentence!(figures.title))
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    close.run(());
                }
            }
        >
            <header class="panel-header">
                <h2>{language.text(sentence!(figures.title))}</h2>
                <button
                    type="button"
                    class="icon-button"
                    aria-label=language.text(sentence!(figures.close))
                    on:click=move |_| close.run(())
                >
                    <Icon name=IconName::Close />
                </button>
            </header>
            <div class="stats-list" tabindex="0" role="region" aria-label=language.text(sentence!(figures.title))>
                <For
                    each=move || model.others.get()
                    key=|tile| tile.member.get_value()
                    children=|tile| view! { <MemberFigures tile=tile /> }
                />
                <When is=is_alone>
                    <div class="panel-empty">
                        <p class="panel-empty-title">{language.text(sentence!(figures.empty_title))}</p>
                        <p>{language.text(sentence!(figures.empty_text))}</p>
                    </div>
                </When>
            </div>
        </aside>
    }
    .into_any()
}

#[component]
fn MemberFigures(tile: TileModel) -> AnyView {
    let language = Language::from_context();
    let name = Signal::derive(move || {
        let name = tile.name.get();
        if name.is_empty() { sentence!(tile.guest)(language.locale()).to_owned() } else { name }
    });
    let cause = Signal::derive(move || {
        let sentence =
            tile.quality.get().map_or(sentence!(figures.measuring), |quality| cause_text(quality.cause));
        sentence(language.locale())
    });
    let rows = |metrics: &'static [Metric]| {
        let rows = metrics.iter().map(|&metric| view! { <Row tile=tile metric=metric /> }).collect_view();
        view! { <dl class="stats-rows">{rows}</dl> }
    };
    let (first, rest) = Metric::ALL.split_at(FIRST_ROWS);
    view! {
        <section class="stats-member">
            <header class="stats-member-header">
                <h3 dir="auto">{name}</h3>
                <SignalBars quality=tile.quality />
                <p>{cause}</p>
            </header>
            {rows(first)}
            <h4>{language.text(sentence!(figures.more))}</h4>
            {rows(rest)}
        </section>
    }
    .into_any()
}

#[component]
fn Row(tile: TileModel, metric: Metric) -> AnyView {
    let language = Language::from_context();
    let value = Memo::new(move |_| tile.figures.with(|figures| value_of(figures, metric)));
    let shown = Signal::derive(move || {
        value
            .with(|value| figure_text::human(metric, value.as_ref()))
            .unwrap_or_else(|| sentence!(figures.not_reported)(language.locale()).to_owned())
    });
    view! {
        <div
            class="stat"
            class:is-missing=Signal::derive(move || value.with(Option::is_none))
            data-testid="stat"
            data-metric=metric.name()
            data-member=tile.member.get_value()
            data-value=Signal::derive(move || value.with(|value| figure_text::raw(value.as_ref())))
        >
            <dt>{language.text(metric_text(metric))}</dt>
            <dd>{shown}</dd>
        </div>
    }
    .into_any()
}

fn value_of(figures: &[Figure], metric: Metric) -> Option<FigureValue> {
    figures.iter().find(|figure| figure.metric == metric).and_then(|figure| figure.value.clone())
}
