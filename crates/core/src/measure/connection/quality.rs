//! Bars and a cause: how well a picture arrives, and the reason if it does not arrive well.

use sightline_protocol::telemetry::{Limitation, MAX_BARS, Reception};

use crate::measure::playout::{Score, ScoreTermKind};

pub use sightline_protocol::telemetry::Cause;

/// The quality of the received media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quality {
    /// From 0 (nothing arrives) to 4 (no problem).
    pub bars: u8,
    /// The main reason for the number of bars.
    pub cause: Cause,
}

impl Quality {
    /// Limits the bars by the score of the same seconds: 4 bars need a score of 4.0, 3 bars 3.0, and 2 bars 2.0. If the score
    /// lowers the bars, its largest deduction becomes the cause.
    #[must_use]
    pub fn at_most(self, score: &Score) -> Self {
        let bars = match score.tenths {
            40.. => 4,
            30..40 => 3,
            20..30 => 2,
            _ => 1,
        };
        if self.bars <= bars {
            return self;
        }
        let cause = match score.terms.first().map(|term| term.kind) {
            Some(ScoreTermKind::Loss) => Cause::Loss,
            Some(ScoreTermKind::FrameRate) => Cause::FewFrames,
            Some(ScoreTermKind::Sound) => Cause::SoundGaps,
            Some(ScoreTermKind::StallTime | ScoreTermKind::StallCount | ScoreTermKind::Start) | None => {
                Cause::Freezes
            }
        };
        Self { bars, cause }
    }
}

/// The values that determine the bars. `None` means that the browser does not report the value, which costs no bar.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Signs {
    pub(super) expects_video: bool,
    pub(super) video_arrives: Option<bool>,
    pub(super) loss_ratio: Option<f64>,
    pub(super) round_trip_s: Option<f64>,
    pub(super) jitter_s: Option<f64>,
    pub(super) frozen_ratio: Option<f64>,
    /// The share of received frames that were not shown.
    pub(super) dropped_ratio: Option<f64>,
    /// The sender's own explanation for a reduced bitrate.
    pub(super) limitation: Limitation,
}

/// For each value, the thresholds that cost one, two and three bars. Conversation suffers from 150 ms one way (ITU-T G.114),
/// and video visibly from about 1 % loss.
const LOSS: [f64; 3] = [0.01, 0.03, 0.10];
const ROUND_TRIP_S: [f64; 3] = [0.25, 0.4, 0.8];
const JITTER_S: [f64; 3] = [0.03, 0.06, 0.12];
const FROZEN: [f64; 3] = [0.02, 0.10, 0.30];
const DROPPED: [f64; 3] = [0.10, 0.25, 0.50];

pub(super) fn assess(signs: &Signs) -> Quality {
    if signs.expects_video && signs.video_arrives == Some(false) {
        return Quality { bars: 0, cause: Cause::NothingArrives };
    }
    // If several cost the same, the first is named: loss explains freezes, and a limited sender explains neither.
    let losses = [
        (bars_lost(signs.loss_ratio, LOSS), Cause::Loss),
        (bars_lost(signs.round_trip_s, ROUND_TRIP_S), Cause::Delay),
        (bars_lost(signs.jitter_s, JITTER_S), Cause::Jitter),
        (bars_lost(signs.dropped_ratio, DROPPED), Cause::ReceiverBusy),
        (bars_lost(signs.frozen_ratio, FROZEN), Cause::Freezes),
        limited(signs.limitation),
    ];
    let (mut lost, mut cause) = (0, if signs.expects_video { Cause::Good } else { Cause::NoVideo });
    for (bars, candidate) in losses {
        if bars > lost {
            (lost, cause) = (bars, candidate);
        }
    }
    Quality { bars: MAX_BARS - lost, cause }
}

/// The quality of the sent media: as the other side reports it, unless this side knows of a worse limitation.
pub(super) fn assess_sent(reception: &Reception, limitation: Limitation) -> Quality {
    let bars = u8::try_from(reception.bars.get()).unwrap_or(MAX_BARS).min(MAX_BARS);
    let reported = Quality { bars, cause: reception.cause };
    let (lost, cause) = limited(limitation);
    if MAX_BARS - lost < reported.bars { Quality { bars: MAX_BARS - lost, cause } } else { reported }
}

fn limited(limitation: Limitation) -> (u8, Cause) {
    match limitation {
        Limitation::Bandwidth => (1, Cause::UploadFull),
        Limitation::Cpu => (1, Cause::SenderBusy),
        Limitation::None | Limitation::Other => (0, Cause::Good),
    }
}

fn bars_lost(value: Option<f64>, thresholds: [f64; 3]) -> u8 {
    value.map_or(0, |value| thresholds.into_iter().map(|threshold| u8::from(value >= threshold)).sum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sightline_protocol::bounded::UpTo;

    use super::*;
    use crate::measure::playout::ScoreTerm;

    fn quality(change: impl FnOnce(&mut Signs)) -> (u8, Cause) {
        let mut signs = Signs { expects_video: true, video_arrives: Some(true), ..Signs::default() };
        change(&mut signs);
        let Quality { bars, cause } = assess(&signs);
        (bars, cause)
    }

    #[test]
    fn an_unreported_value_costs_no_bar() {
        assert_eq!(quality(|_| ()), (4, Cause::Good));
    }

    #[test]
    fn an_expected_picture_that_does_not_arrive_gives_zero_bars() {
        assert_eq!(quality(|signs| signs.video_arrives = Some(false)), (0, Cause::NothingArrives));
        assert_eq!(
            quality(|signs| {
                signs.expects_video = false;
                signs.video_arrives = Some(false);
            }),
            (4, Cause::NoVideo)
        );
    }

    #[test]
    fn the_worst_sign_is_the_cause() {
        assert_eq!(quality(|signs| signs.loss_ratio = Some(0.02)), (3, Cause::Loss));
        assert_eq!(
            quality(|signs| {
                signs.loss_ratio = Some(0.02);
                signs.round_trip_s = Some(0.5);
            }),
            (2, Cause::Delay)
        );
        assert_eq!(
            quality(|signs| {
                signs.loss_ratio = Some(0.2);
                signs.frozen_ratio = Some(0.5);
            }),
            (1, Cause::Loss)
        );
    }

    #[test]
    fn a_sender_limited_by_cpu_or_bandwidth_costs_one_bar() {
        assert_eq!(quality(|signs| signs.limitation = Limitation::Cpu), (3, Cause::SenderBusy));
        assert_eq!(quality(|signs| signs.limitation = Limitation::Bandwidth), (3, Cause::UploadFull));
        assert_eq!(quality(|signs| signs.limitation = Limitation::Other), (4, Cause::Good));
    }

    #[test]
    fn packet_loss_is_the_cause_rather_than_a_bandwidth_limitation() {
        assert_eq!(
            quality(|signs| {
                signs.loss_ratio = Some(0.02);
                signs.limitation = Limitation::Bandwidth;
            }),
            (3, Cause::Loss)
        );
    }

    #[test]
    fn the_receiver_is_the_cause_of_frames_that_arrive_and_are_not_shown() {
        assert_eq!(quality(|signs| signs.dropped_ratio = Some(0.3)), (2, Cause::ReceiverBusy));
    }

    #[test]
    fn the_sent_quality_is_the_receivers_report_unless_the_sender_knows_worse() {
        let reception =
            |bars, cause| Reception { bars: UpTo::saturating(bars), cause, ..Reception::default() };
        let sent = |bars, cause, limitation| {
            let Quality { bars, cause } = assess_sent(&reception(bars, cause), limitation);
            (bars, cause)
        };
        assert_eq!(sent(4, Cause::Good, Limitation::None), (4, Cause::Good));
        assert_eq!(sent(2, Cause::Loss, Limitation::Bandwidth), (2, Cause::Loss));
        assert_eq!(sent(4, Cause::Good, Limitation::Bandwidth), (3, Cause::UploadFull));
        assert_eq!(sent(200, Cause::Good, Limitation::None), (4, Cause::Good), "no more bars than there are");
    }

    proptest! {
        #[test]
        fn bars_and_sentence_are_never_better_than_the_score(
            bars in 0..=4_u8,
            taken in proptest::collection::vec((0..ScoreTermKind::ALL.len(), 1..=25_u32), 0..6),
        ) {
            let mut terms: Vec<_> = taken
                .into_iter()
                .map(|(kind, tenths)| ScoreTerm { kind: ScoreTermKind::ALL[kind], tenths, figure_tenths: 1 })
                .collect();
            terms.sort_by_key(|term| std::cmp::Reverse(term.tenths));
            let taken: u32 = terms.iter().map(|term| term.tenths).sum();
            let score = Score { tenths: 50_u32.saturating_sub(taken).max(10), terms };
            let before = Quality { bars, cause: if bars == 4 { Cause::Good } else { Cause::Jitter } };
            let after = before.at_most(&score);
            prop_assert!(after.bars <= before.bars);
            prop_assert!(after.bars < 4 || score.tenths >= 40, "{after:?} {score:?}");
            prop_assert!(after.bars < 3 || score.tenths >= 30, "{after:?} {score:?}");
            prop_assert!(after.bars < 2 || score.tenths >= 20, "{after:?} {score:?}");
            prop_assert_eq!(after.cause == Cause::Good, after.bars == 4);
            // The result is no worse than both the bars and the score allow.
            prop_assert!(after.bars == before.bars || before.bars > after.bars && score.tenths < 40);
        }
    }
}
