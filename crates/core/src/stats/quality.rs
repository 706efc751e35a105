//! Bars and one sentence: how the connection to one member is, and why.

/// How good what arrives is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    /// From 0 (nothing arrives) to 4 (nothing to complain of).
    pub bars: u8,
    /// The one thing to say.
    pub cause: Cause,
}

/// Why the quality is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Nothing to complain of.
    Good,
    /// No picture is expected: the other side publishes none.
    NoVideo,
    /// A picture is expected and none arrives.
    NothingArrives,
    /// Packets are lost on the way here.
    Loss,
    /// The round trip is long.
    Delay,
    /// Packets come unevenly.
    Jitter,
    /// This side's upload is full.
    UploadFull,
    /// This side's computer cannot encode faster.
    SenderBusy,
    /// The picture arrives but is shown with gaps.
    Freezes,
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
    /// `qualityLimitationReason` of what is sent, once it is not that of the first seconds.
    pub(super) limitation: Option<String>,
}

/// From where on a sign costs one, two and three bars. Conversation suffers from 150 ms one way (ITU-T G.114), video
/// visibly from about 1 % loss.
const LOSS: [f64; 3] = [0.01, 0.03, 0.10];
const ROUND_TRIP_S: [f64; 3] = [0.25, 0.4, 0.8];
const JITTER_S: [f64; 3] = [0.03, 0.06, 0.12];
const FROZEN: [f64; 3] = [0.02, 0.10, 0.30];

pub(super) fn assess(signs: &Signs) -> Quality {
    if signs.expects_video && signs.video_arrives == Some(false) {
        return Quality { bars: 0, cause: Cause::NothingArrives };
    }
    let limited = |reason: &str| u8::from(signs.limitation.as_deref() == Some(reason));
    // The first of equals is named: what is lost explains what freezes.
    let losses = [
        (bars_lost(signs.loss_ratio, LOSS), Cause::Loss),
        (bars_lost(signs.round_trip_s, ROUND_TRIP_S), Cause::Delay),
        (bars_lost(signs.jitter_s, JITTER_S), Cause::Jitter),
        (bars_lost(signs.frozen_ratio, FROZEN), Cause::Freezes),
        (limited("bandwidth"), Cause::UploadFull),
        (limited("cpu"), Cause::SenderBusy),
    ];
    let (mut lost, mut cause) = (0, if signs.expects_video { Cause::Good } else { Cause::NoVideo });
    for (bars, candidate) in losses {
        if bars > lost {
            (lost, cause) = (bars, candidate);
        }
    }
    Quality { bars: 4 - lost, cause }
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
    fn a_limitation_of_what_is_sent_costs_one_bar() {
        assert_eq!(quality(|signs| signs.limitation = Some("cpu".into())), (3, Cause::SenderBusy));
        assert_eq!(quality(|signs| signs.limitation = Some("bandwidth".into())), (3, Cause::UploadFull));
        assert_eq!(quality(|signs| signs.limitation = Some("none".into())), (4, Cause::Good));
    }
}
