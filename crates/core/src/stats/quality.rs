//! Bars and one sentence: how a picture arrives, and why not better.

use sightline_protocol::telemetry::{Limitation, MAX_BARS, Reception};

pub use sightline_protocol::telemetry::Cause;

/// How good what arrives is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quality {
    /// From 0 (nothing arrives) to 4 (nothing to complain of).
    pub bars: u8,
    /// The one thing to say.
    pub cause: Cause,
}

/// What the bars are made from. `None` is "not reported" and costs no bar.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Signs {
    pub(super) expects_video: bool,
    pub(super) video_arrives: Option<bool>,
    pub(super) loss_ratio: Option<f64>,
    pub(super) round_trip_s: Option<f64>,
    pub(super) jitter_s: Option<f64>,
    pub(super) frozen_ratio: Option<f64>,
    /// Frames that arrived and were not shown, of all that arrived.
    pub(super) dropped_ratio: Option<f64>,
    /// What the sender says keeps it from sending more.
    pub(super) limitation: Limitation,
}

/// From where on a sign costs one, two and three bars. Conversation suffers from 150 ms one way (ITU-T G.114), video
/// visibly from about 1 % loss.
const LOSS: [f64; 3] = [0.01, 0.03, 0.10];
const ROUND_TRIP_S: [f64; 3] = [0.25, 0.4, 0.8];
const JITTER_S: [f64; 3] = [0.03, 0.06, 0.12];
const FROZEN: [f64; 3] = [0.02, 0.10, 0.30];
const DROPPED: [f64; 3] = [0.10, 0.25, 0.50];

pub(super) fn assess(signs: &Signs) -> Quality {
    if signs.expects_video && signs.video_arrives == Some(false) {
        return Quality { bars: 0, cause: Cause::NothingArrives };
    }
    // The first of equals is named: what is lost explains what freezes, and what the sender cannot send explains neither.
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

/// How the other side receives what is sent from here: as it says, unless this side knows of something worse.
pub(super) fn assess_sent(reception: &Reception, limitation: Limitation) -> Quality {
    let told = Quality { bars: reception.bars.min(MAX_BARS), cause: reception.cause };
    let (lost, cause) = limited(limitation);
    if MAX_BARS - lost < told.bars { Quality { bars: MAX_BARS - lost, cause } } else { told }
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
    use super::*;

    fn quality(change: impl FnOnce(&mut Signs)) -> (u8, Cause) {
        let mut signs = Signs { expects_video: true, video_arrives: Some(true), ..Signs::default() };
        change(&mut signs);
        let Quality { bars, cause } = assess(&signs);
        (bars, cause)
    }

    #[test]
    fn what_is_not_reported_costs_no_bar() {
        assert_eq!(quality(|_| ()), (4, Cause::Good));
    }

    #[test]
    fn a_picture_that_is_expected_and_does_not_come_is_no_bar() {
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
    fn what_keeps_the_sender_from_sending_more_costs_one_bar() {
        assert_eq!(quality(|signs| signs.limitation = Limitation::Cpu), (3, Cause::SenderBusy));
        assert_eq!(quality(|signs| signs.limitation = Limitation::Bandwidth), (3, Cause::UploadFull));
        assert_eq!(quality(|signs| signs.limitation = Limitation::Other), (4, Cause::Good));
    }

    #[test]
    fn what_the_network_does_explains_what_the_sender_cannot_send() {
        assert_eq!(
            quality(|signs| {
                signs.loss_ratio = Some(0.02);
                signs.limitation = Limitation::Bandwidth;
            }),
            (3, Cause::Loss)
        );
    }

    #[test]
    fn frames_that_arrive_and_are_not_shown_are_the_receivers_doing() {
        assert_eq!(quality(|signs| signs.dropped_ratio = Some(0.3)), (2, Cause::ReceiverBusy));
    }

    #[test]
    fn the_other_side_tells_how_one_looks_unless_one_knows_worse() {
        let told = |bars, cause| Reception { bars, cause, ..Reception::default() };
        let sent = |bars, cause, limitation| {
            let Quality { bars, cause } = assess_sent(&told(bars, cause), limitation);
            (bars, cause)
        };
        assert_eq!(sent(4, Cause::Good, Limitation::None), (4, Cause::Good));
        assert_eq!(sent(2, Cause::Loss, Limitation::Bandwidth), (2, Cause::Loss));
        assert_eq!(sent(4, Cause::Good, Limitation::Bandwidth), (3, Cause::UploadFull));
        assert_eq!(sent(200, Cause::Good, Limitation::None), (4, Cause::Good), "no more bars than there are");
    }
}
