//! The score and its arithmetic.

use leptos::prelude::*;
use sightline_core::measure::playout::{Score, ScoreTerm, ScoreTermKind};

use crate::{
    components::figures::figure_text::tenths, language::Language, sentence, session::model::TileModel,
};

/// The score of a member's picture with its arithmetic.
#[component]
pub fn ScoreLine(
    /// The member's tile.
    tile: TileModel,
) -> AnyView {
    let language = Language::from_context();
    let score = Memo::new(move |_| {
        tile.playout.with(|playout| playout.as_ref().and_then(|playout| playout.summary.score.clone()))
    });
    let value = Signal::derive(move || score.with(|score| score.as_ref().map(|score| tenths(score.tenths))));
    let arithmetic = Signal::derive(move || {
        score.with(|score| match score {
            Some(score) => {
                [sentence!(score.recent)(language.locale()), " ", &score_text(score, language)].concat()
            }
            None => sentence!(figures.measuring)(language.locale()).to_owned(),
        })
    });
    view! {
        <p
            class="score"
            translate="no"
            data-testid="score"
            data-member=tile.member.get_value()
            data-value=Signal::derive(move || value.get().unwrap_or_default())
            title=language.text(sentence!(score.help))
        >
            {arithmetic}
        </p>
    }
    .into_any()
}

/// The arithmetic in one line: `3.4 = 5 − 1.0 stalls 4 % − 0.6 loss 2 %`.
#[must_use]
pub fn score_text(score: &Score, language: Language) -> String {
    let mut text = tenths(score.tenths);
    text.push_str(" = 5");
    let mut left = 50_u32;
    for term in &score.terms {
        left = left.saturating_sub(term.tenths);
        text.push_str(" \u{2212} ");
        text.push_str(&tenths(term.tenths));
        text.push(' ');
        text.push_str(&term_text(*term, language));
    }
    if left < score.tenths {
        text.push_str(", ");
        text.push_str(sentence!(score.at_least)(language.locale()));
    }
    text
}

fn term_text(term: ScoreTerm, language: Language) -> String {
    let (name, unit) = match term.kind {
        ScoreTermKind::StallTime => (sentence!(score.stall_time), " %"),
        ScoreTermKind::StallCount => (sentence!(score.stall_count), "/min"),
        ScoreTermKind::Loss => (sentence!(score.loss), " %"),
        ScoreTermKind::FrameRate => (sentence!(score.frame_rate), " fps"),
        ScoreTermKind::Start => (sentence!(score.start), " s"),
        ScoreTermKind::Sound => (sentence!(score.sound), " %"),
    };
    [name(language.locale()), " ", &tenths(term.figure_tenths), unit].concat()
}
