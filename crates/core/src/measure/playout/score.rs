//! One number from 1 to 5. The model is specific to Sightline: no standard applies (ITU-T P.1203 is for streaming over TCP,
//! G.1070 for planning), and the model was not fitted to a panel of viewers. The page shows the whole calculation.

use std::time::Duration;

use crate::short_list;

/// Frames a second that cost nothing, whatever the source has.
const ENOUGH_FRAMES: f64 = 24.0;

/// The score with all its deductions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// Tenths of points, from 10 to 50: 5 points minus the deductions, and at least 1.
    pub tenths: u32,
    /// The deductions of at least a tenth, largest first.
    pub terms: Vec<ScoreTerm>,
}

/// A deduction from the score, and the figure that causes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScoreTerm {
    /// The kind of the deduction.
    pub kind: ScoreTermKind,
    /// Size of the deduction, in tenths of a point.
    pub tenths: u32,
    /// The figure that causes the deduction, in tenths of the unit of its kind.
    pub figure_tenths: u32,
}

/// The kinds of deductions, each with its rate and its maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScoreTermKind {
    /// Stall ratio in percent: 0.25 points per percent, at most 2.5.
    StallTime,
    /// Stalls per minute: 0.1 points for each, at most 1.
    StallCount,
    /// Packet loss in percent: 0.3 points per percent, at most 1.
    Loss,
    /// Frames shown per second, if fewer than the source has, and than 24: 0.1 points for each missing one, at most 1.5.
    FrameRate,
    /// Seconds to the first frame, beyond two: 0.1 points for each, at most 0.5.
    Start,
    /// Audible concealed sound in percent: 0.1 points per percent, at most 1.5.
    Sound,
}

impl ScoreTermKind {
    /// All kinds of deductions.
    pub const ALL: [Self; 6] =
        [Self::StallTime, Self::StallCount, Self::Loss, Self::FrameRate, Self::Start, Self::Sound];

    /// The kind with this word in an export.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The stable word for exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StallTime => "stall_time",
            Self::StallCount => "stall_count",
            Self::Loss => "loss",
            Self::FrameRate => "frame_rate",
            Self::Start => "start",
            Self::Sound => "sound",
        }
    }
}

/// The inputs of the score. `None` means that the value is not known, which costs nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ScoreInputs {
    pub(super) stall_ratio: f64,
    pub(super) stalls_per_minute: f64,
    pub(super) loss_ratio: Option<f64>,
    pub(super) frames_per_second: Option<f64>,
    pub(super) source_frames_per_second: Option<f64>,
    pub(super) time_to_first_frame: Option<Duration>,
    pub(super) concealed_ratio: Option<f64>,
}

impl Score {
    pub(super) fn new(inputs: &ScoreInputs) -> Self {
        let stalls = inputs.stall_ratio.clamp(0.0, 1.0) * 100.0;
        let percent = |ratio: Option<f64>| ratio.map(|ratio| ratio.clamp(0.0, 1.0) * 100.0);
        let (loss, sound) = (percent(inputs.loss_ratio), percent(inputs.concealed_ratio));
        // A source of fewer frames loses nothing as long as they are shown.
        let wanted_rate = inputs.source_frames_per_second.unwrap_or(ENOUGH_FRAMES).min(ENOUGH_FRAMES);
        let start = inputs.time_to_first_frame.map(|time| time.as_secs_f64());
        let candidates = [
            (ScoreTermKind::StallTime, Some(stalls), (0.25 * stalls).min(2.5)),
            (
                ScoreTermKind::StallCount,
                Some(inputs.stalls_per_minute),
                (0.1 * inputs.stalls_per_minute).min(1.0),
            ),
            (ScoreTermKind::Loss, loss, (0.3 * loss.unwrap_or(0.0)).min(1.0)),
            (
                ScoreTermKind::FrameRate,
                inputs.frames_per_second,
                inputs.frames_per_second.map_or(0.0, |rate| (0.1 * (wanted_rate - rate)).clamp(0.0, 1.5)),
            ),
            (
                ScoreTermKind::Start,
                start,
                start.map_or(0.0, |seconds| (0.1 * (seconds - 2.0)).clamp(0.0, 0.5)),
            ),
            (ScoreTermKind::Sound, sound, (0.1 * sound.unwrap_or(0.0)).min(1.5)),
        ];
        let mut terms: Vec<_> = candidates
            .into_iter()
            .filter_map(|(kind, figure, points)| {
                Some(ScoreTerm { kind, tenths: tenths(points), figure_tenths: tenths(figure?) })
            })
            .filter(|term| term.tenths > 0)
            .collect();
        short_list::sort_by(&mut terms, |one, other| other.tenths.cmp(&one.tenths));
        // The sum of the rounded deductions, so that the shown numbers add up.
        let taken: u32 = terms.iter().map(|term| term.tenths).sum();
        Self { tenths: 50_u32.saturating_sub(taken).max(10), terms }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
fn tenths(number: f64) -> u32 {
    (number * 10.0).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flawless_playout_scores_five() {
        assert_eq!(Score::new(&ScoreInputs::default()), Score { tenths: 50, terms: vec![] });
    }

    #[test]
    fn the_shown_terms_add_up_to_the_score() {
        let score = Score::new(&ScoreInputs {
            stall_ratio: 0.04,
            stalls_per_minute: 3.0,
            loss_ratio: Some(0.02),
            frames_per_second: Some(29.7),
            source_frames_per_second: None,
            time_to_first_frame: Some(Duration::from_millis(900)),
            concealed_ratio: Some(0.004),
        });
        let terms: Vec<_> =
            score.terms.iter().map(|term| (term.kind, term.tenths, term.figure_tenths)).collect();
        assert_eq!(
            terms,
            [
                (ScoreTermKind::StallTime, 10, 40),
                (ScoreTermKind::Loss, 6, 20),
                (ScoreTermKind::StallCount, 3, 30)
            ]
        );
        assert_eq!(score.tenths, 31);
    }

    #[test]
    fn the_frame_rate_is_judged_by_what_the_source_delivers() {
        let deducted = |shown, source| {
            let inputs = ScoreInputs {
                frames_per_second: Some(shown),
                source_frames_per_second: source,
                ..ScoreInputs::default()
            };
            50 - Score::new(&inputs).tenths
        };
        for (shown, source, tenths) in [
            (14.8, Some(15.0), 0),
            (10.0, Some(15.0), 5),
            (15.0, Some(30.0), 9),
            (15.0, None, 9),
            (24.0, Some(60.0), 0),
            (5.0, Some(5.0), 0),
        ] {
            assert_eq!(deducted(shown, source), tenths, "{shown} of {source:?}");
        }
    }

    #[test]
    fn the_lowest_score_is_one() {
        let score = Score::new(&ScoreInputs {
            stall_ratio: 0.9,
            stalls_per_minute: 60.0,
            loss_ratio: Some(0.5),
            frames_per_second: Some(1.0),
            source_frames_per_second: Some(30.0),
            time_to_first_frame: Some(Duration::from_secs(60)),
            concealed_ratio: Some(0.9),
        });
        assert_eq!(score.tenths, 10);
        assert_eq!(score.terms.len(), 6);
    }

    #[test]
    fn concealed_sound_costs_a_tenth_for_each_percent_up_to_one_and_a_half() {
        let of = |ratio| Score::new(&ScoreInputs { concealed_ratio: ratio, ..ScoreInputs::default() });
        for (percent, tenths) in [(0, 0), (1, 1), (7, 7), (15, 15), (26, 15), (100, 15)] {
            let score = of(Some(f64::from(percent) / 100.0));
            assert_eq!(score.tenths, 50 - tenths, "{percent} %");
            let named: Vec<_> = score.terms.iter().map(|term| (term.kind, term.tenths)).collect();
            let expected = (tenths > 0).then_some((ScoreTermKind::Sound, tenths));
            assert_eq!(named, expected.into_iter().collect::<Vec<_>>(), "{percent} %");
        }
        assert_eq!(of(None).terms, []);
    }
}
