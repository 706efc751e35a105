//! One view: the score with its arithmetic, the conditions, the ledger.

use leptos::prelude::*;
use sightline_core::measure::{
    Unit,
    playout::{SourceKnownBy, StallCause},
    report::{BurstEntry, PlayoutEntry, ScoreEntry, Side, SoundEntry, SourceKnowledge, StallEntry},
    sound::SoundCause,
};

use super::{
    opened::{Opened, View},
    place,
};
use crate::{
    components::figures::{
        figure_text,
        playout::{limit_text, score_text, stall_cause_text},
    },
    language::Language,
    sentence,
};

/// The parts of one view that are not in the table.
#[component]
pub(super) fn Overview(view: View, opened: RwSignal<Opened>) -> AnyView {
    let language = Language::from_context();
    let playout = view.playout().cloned().unwrap_or_default();
    let score = playout.score.as_ref().and_then(ScoreEntry::score);
    let score = move || score.as_ref().map(|score| score_text(score, language));
    let value = playout.score.as_ref().map(|score| score.value.to_string());
    let receiver = view.receiver();
    let sound = receiver.sound.as_ref().map(|sound| sound_ledger(sound, language));
    let clock = view.sender().and_then(|sender| sender.clock).map(|clock| {
        let error = figure_text::of_number(Unit::Seconds, clock.error_s);
        [language.text(sentence!(report.clock)).get_untracked(), " \u{b1}", &error].concat()
    });
    let close = {
        let report = view.report.clone();
        move |_| opened.update(|opened| opened.close(&report))
    };
    view! {
        <section class="report-view" data-testid="report-view" data-place=place(view.at)>
            <header>
                <h2>{view.title()}</h2>
                " "
                <button type="button" class="button small" on:click=close>
                    {language.text(sentence!(report.close))}
                </button>
            </header>
            <p class="report-hint"><bdi>{view.file.clone()}</bdi> " · " {view.report.room.clone()} " · " {receiver.observer.browser.clone()}</p>
            <p class="report-hint">{clock}</p>
            <p class="score" data-testid="score" data-value=value title=language.text(sentence!(score.help))>{score}</p>
            <h3>{language.text(sentence!(stall.title))}</h3>
            {measured_file(view.sender(), language)}
            {absences(receiver, language)}
            {limit(&playout, language)}
            {ledger(&playout, language)}
            {sound}
        </section>
    }
    .into_any()
}

/// The file that was measured.
fn measured_file(sender: Option<&Side>, language: Language) -> AnyView {
    let Some(file) = sender.and_then(|sender| sender.file.clone()) else { return ().into_any() };
    let number = |unit, value: Option<f64>| value.map(|value| figure_text::of_number(unit, value));
    let facts = [
        Some(file.name),
        number(Unit::Bytes, Some(file.size_bytes)),
        number(Unit::FramesPerSecond, file.frames_per_second),
        number(Unit::Seconds, file.duration_s),
        file.stamped.then(|| language.text(sentence!(file.stamp)).get_untracked().to_owned()),
        file.sha256.map(|digest| format!("SHA-256 {digest}")),
    ];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    view! { <p class="report-hint" data-testid="report-file">{facts.join(" \u{b7} ")}</p> }.into_any()
}

/// The times without measurements.
fn absences(side: &Side, language: Language) -> AnyView {
    if side.absences.is_empty() {
        return ().into_any();
    }
    let rows = side.absences.iter().map(|absence| {
        let length_s = absence.to_s - absence.from_s;
        view! {
            <span data-testid="report-absence" data-start=absence.from_s data-duration=length_s>
                " "
                {figure_text::clock(absence.from_s.max(0.0))}
                " "
                {figure_text::of_number(Unit::Seconds, length_s)}
            </span>
        }
    });
    view! { <p class="report-hint">{language.text(sentence!(stall.absent))} {rows.collect_view()}</p> }
        .into_any()
}

/// What the ledger cannot know. Reports of before November 2026 do not say by what the source was known.
fn limit(playout: &PlayoutEntry, language: Language) -> AnyView {
    let known_by = match playout.source_known_by {
        Some(SourceKnowledge::Stamps) => Some(SourceKnownBy::Stamps),
        Some(SourceKnowledge::Frames) => Some(SourceKnownBy::Frames),
        Some(SourceKnowledge::Counts) => Some(SourceKnownBy::Counts),
        _ if playout.source_frames_per_second.is_some() => return ().into_any(),
        _ => None,
    };
    let limit = limit_text(known_by).map(|limit| language.text(limit));
    let word = known_by.map_or("nothing", SourceKnownBy::as_str);
    view! { <p class="report-hint" data-testid="source-limit" data-known-by=word>{limit}</p> }.into_any()
}

fn ledger(playout: &PlayoutEntry, language: Language) -> AnyView {
    if playout.stalls.is_empty() {
        return view! { <p class="ledger-empty">{language.text(sentence!(stall.none))}</p> }.into_any();
    }
    let rows = playout.stalls.iter().map(|stall| row(stall, language)).collect_view();
    view! { <ol class="ledger">{rows}</ol> }.into_any()
}

fn row(stall: &StallEntry, language: Language) -> AnyView {
    let StallEntry { start_s, duration_s, cause } = stall.clone();
    let words = stall_cause_text(StallCause::from_word(&cause));
    view! {
        <li data-testid="stall" data-start=start_s data-duration=duration_s data-cause=cause>
            <span class="ledger-start">{figure_text::clock(start_s)}</span>
            " "
            <b>{figure_text::of_number(Unit::Seconds, duration_s)}</b>
            " "
            <span>{language.text(words)}</span>
        </li>
    }
    .into_any()
}

fn sound_ledger(sound: &SoundEntry, language: Language) -> AnyView {
    let rows = sound.bursts.iter().map(|burst| burst_row(burst, language)).collect_view();
    let ledger = if sound.burst_count.is_none() {
        view! { <p class="ledger-empty">{language.text(sentence!(sound.not_reported))}</p> }.into_any()
    } else if sound.bursts.is_empty() {
        view! { <p class="ledger-empty">{language.text(sentence!(sound.none))}</p> }.into_any()
    } else {
        view! { <ol class="ledger">{rows}</ol> }.into_any()
    };
    view! {
        <h3>{language.text(sentence!(sound.title))}</h3>
        {ledger}
    }
    .into_any()
}

fn burst_row(burst: &BurstEntry, language: Language) -> AnyView {
    let BurstEntry { start_s, duration_s, concealed_s, cause } = burst.clone();
    let words = match SoundCause::from_word(&cause) {
        SoundCause::Loss => sentence!(sound.loss),
        SoundCause::Late => sentence!(sound.late),
        SoundCause::Source => sentence!(sound.source),
        SoundCause::Unknown => sentence!(sound.unknown),
    };
    view! {
        <li
            data-testid="sound-burst"
            data-start=start_s
            data-duration=duration_s
            data-concealed=concealed_s
            data-cause=cause
        >
            <span class="ledger-start">{figure_text::clock(start_s)}</span>
            " "
            <b>{figure_text::of_number(Unit::Seconds, duration_s)}</b>
            " "
            <span>
                {figure_text::of_number(Unit::Seconds, concealed_s)}
                " "
                {language.text(sentence!(sound.made_up))}
                ", "
                {language.text(words)}
            </span>
        </li>
    }
    .into_any()
}
