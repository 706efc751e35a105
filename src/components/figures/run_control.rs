//! Starts and ends a run, and saves its result.

use leptos::prelude::*;
use sightline_core::measure::run::RunState;

use crate::{
    components::kit::{
        icon::{Icon, IconName},
        icon_button::IconButton,
        link::Link,
        when::When,
    },
    language::{Language, Sentence},
    route::Route,
    sentence,
    session::model::{Export, RoomActions, RoomModel},
};

/// One button that starts a run, shows its duration, and ends it.
#[component]
pub fn RunControl(
    /// The state of the run.
    model: RoomModel,
    /// The actions of the button.
    actions: RoomActions,
) -> AnyView {
    let language = Language::from_context();
    let state = Memo::new(move |_| model.run.get().state);
    let is_on = Memo::new(move |_| matches!(state.get(), RunState::Waiting | RunState::Running));
    let word = Signal::derive(move || match state.get() {
        RunState::Idle | RunState::Waiting => "idle",
        RunState::Running => "running",
        RunState::Ended => "ended",
    });
    let stop_text = Signal::derive(move || {
        if state.get() == RunState::Waiting {
            return sentence!(run.waiting)(language.locale()).to_owned();
        }
        clock(model.run.get().seconds)
    });
    view! {
        <span class="run" data-testid="run" data-state=word translate="no">
            <button
                type="button"
                class="button small"
                data-testid="run-start"
                hidden=is_on
                title=language.text(sentence!(run.help))
                on:click=move |_| actions.start_run.run(())
            >
                <Icon name=IconName::CHART />
                <span class="run-word">{language.text(sentence!(run.start))}</span>
            </button>
            <button
                type="button"
                class="button small run-stop"
                data-testid="run-stop"
                hidden=Signal::derive(move || !is_on.get())
                title=language.text(sentence!(run.stop))
                aria-label=language.text(sentence!(run.stop))
                on:click=move |_| actions.stop_run.run(())
            >
                <i class="run-dot" aria-hidden="true"></i>
                {stop_text}
            </button>
        </span>
    }
    .into_any()
}

/// Lists the members whose runs this page takes part in; each can be refused.
#[component]
pub fn RunsOfOthers(
    /// The members that measure.
    model: RoomModel,
    /// The action for refusing a run.
    actions: RoomActions,
) -> AnyView {
    let language = Language::from_context();
    let row = move |member: String| {
        let of = StoredValue::new(member.clone());
        let name = Signal::derive(move || {
            let tiles = model.others.get();
            let tile = tiles.iter().find(|tile| tile.member.get_value() == of.get_value());
            tile.map(|tile| tile.name.get()).unwrap_or_default()
        });
        let shown = Signal::derive(move || {
            let name = name.get();
            if name.is_empty() { sentence!(tile.guest)(language.locale()).to_owned() } else { name }
        });
        view! {
            <p class="run-of-other" data-testid="run-of-other" data-member=member data-name=name>
                <i class="run-dot" aria-hidden="true"></i>
                <span><bdi>{shown}</bdi>" "{language.text(sentence!(run.by_other))}</span>
                " "
                <button
                    type="button"
                    class="button small"
                    data-testid="run-of-other-refuse"
                    title=language.text(sentence!(run.refuse_help))
                    on:click=move |_| actions.refuse_run.run(of.get_value())
                >
                    {language.text(sentence!(run.refuse))}
                </button>
            </p>
        }
        .into_any()
    };
    view! {
        <div class="runs-of-others" aria-live="polite">
            <For each=move || model.measured_by.get() key=Clone::clone children=row />
        </div>
    }
    .into_any()
}

/// The result of a run, above the tiles, until it is dismissed or another run starts.
#[component]
pub fn RunResult(
    /// The state of the run.
    model: RoomModel,
    /// The actions for saving.
    actions: RoomActions,
) -> AnyView {
    let is_put_away = RwSignal::new(false);
    let is_ended = Memo::new(move |_| model.run.get().state == RunState::Ended);
    Effect::new(move || {
        if !is_ended.get() {
            is_put_away.set(false);
        }
    });
    let is_shown = Signal::derive(move || is_ended.get() && !is_put_away.get());
    view! {
        <section class="run-result" aria-live="polite" hidden=Signal::derive(move || !is_shown.get())>
            <When is=is_shown>
                <RunEnd model=model actions=actions is_put_away=is_put_away />
            </When>
        </section>
    }
    .into_any()
}

/// The length of the run, and buttons to save it.
#[component]
fn RunEnd(model: RoomModel, actions: RoomActions, is_put_away: RwSignal<bool>) -> AnyView {
    let language = Language::from_context();
    let save = move |words: Sentence, test_id: &'static str, export: Export| {
        view! {
            <button
                type="button"
                class="button small"
                data-testid=test_id
                on:click=move |_| actions.export.run(export)
            >
                {language.text(words)}
            </button>
        }
        .into_any()
    };
    view! {
            <p>
                {language.text(sentence!(run.ended))} " "
                <b>{Signal::derive(move || clock(model.run.get().seconds))}</b>
            </p>
            <div class="run-result-actions">
                {save(sentence!(run.json), "export-json", Export::Json)}
                {save(sentence!(run.csv), "export-csv", Export::Csv)}
                {save(sentence!(run.rtcstats), "export-rtcstats", Export::RtcStats)}
                <Link to=Route::Report class="button small" new_tab=true>
                    {language.text(sentence!(run.compare))}
                </Link>
            </div>
            <IconButton
                icon=IconName::CLOSE
                label=language.text(sentence!(notice.dismiss))
                press=Callback::new(move |()| is_put_away.set(true))
            />
    }
    .into_any()
}

fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
