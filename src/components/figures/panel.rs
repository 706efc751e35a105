//! The panel with the figures of every connection: rows, charts, details.

use leptos::prelude::*;
use sightline_browser::page::document;
use sightline_core::measure::{Metric, Origin};

use super::{
    charts::Charts,
    details::Details,
    figure_text,
    metric_help::metric_help,
    metric_text::metric_text,
    playout::{Ledger, ScoreLine},
    summary::{Summary, id_of_section, section_id},
    timeline::{TimeSlider, Timeline},
};
use crate::{
    chunk,
    components::{
        call::{
            member_name::member_name,
            panel_tabs::PanelTabs,
            panels::Panels,
            seen_by_text::seen_by_text,
            signal_bars::{SignalBars, cause_text},
        },
        kit::{
            check_link::CallCheckLink,
            icon::{Icon, IconName},
            icon_button::IconButton,
            when::When,
        },
    },
    language::Language,
    sentence,
    session::model::{RoomModel, TileModel},
};

/// Number of rows at the beginning of [`Metric::ALL`] that are always shown.
const FIRST_ROWS: usize = 8;
/// Number of rows at the end that show the other side's reports.
const REMOTE_ROWS: usize = 7;
/// Number of rows before those that are about a stamped source.
const KNOWN_ROWS: usize = 11;

chunk! {
    /// [`StatsPanel`], loaded on demand.
    pub fn load_stats_panel, preload_stats_panel in room(model: RoomModel, panels: Panels, unread: Signal<usize>) {
        view! { <StatsPanel model=model panels=panels unread=unread /> }.into_any()
    }
}

/// The panel, with a section for every other member.
#[component]
pub fn StatsPanel(
    /// The room, whose members have the figures.
    model: RoomModel,
    /// The panels, for closing this one, and for the member that it opens at.
    panels: Panels,
    /// Number of unseen messages.
    unread: Signal<usize>,
) -> AnyView {
    let language = Language::from_context();
    let is_alone = Memo::new(move |_| model.others.with(Vec::is_empty));
    let close = Callback::new(move |()| panels.close_figures());
    Effect::new(move || {
        let Some(member) = panels.figures_of.get() else { return };
        // In the next frame the sections are in the page.
        request_animation_frame(move || {
            panels.figures_of.try_set(None);
            document::go_to(&id_of_section(&member));
        });
    });
    let is_wide = RwSignal::new(false);
    let timeline = Timeline::new(model.others);
    let resize_text = Signal::derive(move || {
        let sentence = if is_wide.get() { sentence!(figures.reduce) } else { sentence!(figures.expand) };
        sentence(language.locale())
    });
    view! {
        <aside
            class="stats"
            class:is-wide=is_wide
            id="figures"
            data-testid="stats-panel"
            aria-label=language.text(sentence!(figures.title))
        >
            <header class="panel-header">
                <h2>{language.text(sentence!(figures.title))}</h2>
                <PanelTabs panels=panels in_chat=false unread=unread />
                <span class="room-bar-space"></span>
                <span class="stats-check-link">
                    <CallCheckLink others=model.others.into() />
                </span>
                <button
                    type="button"
                    class="icon-button stats-expand"
                    data-testid="stats-expand"
                    title=resize_text
                    aria-label=resize_text
                    aria-pressed=Signal::derive(move || is_wide.get().to_string())
                    on:click=move |_| is_wide.update(|is_wide| *is_wide = !*is_wide)
                >
                    <Icon name=IconName::EXPAND />
                </button>
                <IconButton icon=IconName::CLOSE label=language.text(sentence!(figures.close)) press=close />
            </header>
            <div
                class="stats-list"
                class:has-one=Signal::derive(move || model.others.with(Vec::len) == 1)
                tabindex="0"
                role="region"
                aria-label=language.text(sentence!(figures.title))
            >
                // Shown in place of the link above where the header has the tabs.
                <p class="stats-check-line">
                    <CallCheckLink others=model.others.into() />
                </p>
                <Summary others=model.others />
                <For
                    each=move || model.others.get()
                    key=|tile| tile.member.get_value()
                    children=move |tile| view! { <MemberFigures tile=tile timeline=timeline /> }
                />
                <div class="panel-empty" hidden=Signal::derive(move || !is_alone.get())>
                    <p class="panel-empty-title">{language.text(sentence!(figures.empty_title))}</p>
                    <p>{language.text(sentence!(figures.empty_text))}</p>
                </div>
            </div>
        </aside>
    }
    .into_any()
}

#[component]
fn MemberFigures(tile: TileModel, timeline: Timeline) -> AnyView {
    let language = Language::from_context();
    let name = member_name(tile, language);
    let cause = Signal::derive(move || {
        let sentence = tile
            .quality
            .get()
            .map_or(sentence!(figures.measuring), |quality| cause_text(quality.cause, false));
        sentence(language.locale())
    });
    let seen_by = Signal::derive(move || match tile.seen_by.get() {
        Some(seen) => seen_by_text(&seen, language),
        None => sentence!(figures.seen_missing)(language.locale()).to_owned(),
    });
    let rows = move |metrics: &'static [Metric]| {
        let rows = metrics.iter().map(|&metric| view! { <Row tile=tile metric=metric /> }).collect_view();
        view! { <dl class="stats-rows">{rows}</dl> }.into_any()
    };
    let (first, rest) = Metric::ALL.split_at(FIRST_ROWS);
    let (rest, remote) = rest.split_at(rest.len() - REMOTE_ROWS);
    let (more, known) = rest.split_at(rest.len() - KNOWN_ROWS);
    let is_known = Memo::new(move |_| tile.truth.with(Option::is_some));
    view! {
        <section class="stats-member" id=section_id(tile) tabindex="-1" aria-label=name>
            <header class="stats-member-header" translate="no">
                <h3 dir="auto">{name}</h3>
                <SignalBars quality=tile.quality />
                <p>{cause}</p>
            </header>
            <div class="stats-columns">
                <div>
                    {rows(first)}
                    <When is=is_known>
                        <h4>{language.text(sentence!(known.title))}</h4>
                        {rows(known)}
                    </When>
                    <h4>{language.text(sentence!(stall.title))}</h4>
                    <ScoreLine tile=tile />
                    <Ledger tile=tile />
                    <h4>{language.text(sentence!(charts.title))}</h4>
                    <div class="charts-with-time">
                        <TimeSlider timeline=timeline />
                        <Charts tile=tile timeline=timeline />
                    </div>
                </div>
                <div>
                    <h4>{language.text(sentence!(figures.seen))}</h4>
                    <p class="stats-seen" translate="no" data-testid="seen-by" data-member=tile.member.get_value()>{seen_by}</p>
                    {rows(remote)}
                    <h4>{language.text(sentence!(figures.more))}</h4>
                    {rows(more)}
                    <Details tile=tile timeline=timeline />
                </div>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Row(tile: TileModel, metric: Metric) -> AnyView {
    let language = Language::from_context();
    let value = Memo::new(move |_| tile.figures.with(|figures| figure_text::value_of(figures, metric)));
    let missing = if metric.origin() == Origin::Remote {
        sentence!(figures.not_told)
    } else {
        sentence!(figures.not_reported)
    };
    let shown = Signal::derive(move || {
        value
            .with(|value| figure_text::human(metric, value.as_ref()))
            .unwrap_or_else(|| missing(language.locale()).to_owned())
    });
    view! {
        <div
            class="stat"
            class:is-missing=Signal::derive(move || value.with(Option::is_none))
            data-testid="stat"
            data-metric=metric.name()
            data-member=tile.member.get_value()
            data-value=Signal::derive(move || value.with(|value| figure_text::raw(value.as_ref())))
            title=language.text(metric_help(metric))
        >
            <dt>{language.text(metric_text(metric))}</dt>
            <dd translate="no">{shown}</dd>
        </div>
    }
    .into_any()
}
