//! Whether a stamp was read from the frame that a callback is for: an element may show the next frame by the time it is read.

use std::collections::VecDeque;

use super::{Stamp, StripReading, Unreadable};
use crate::{
    measure::frame::{ShownFrame, rtp_step_us},
    short_list,
};

/// Number of frames that determine the usual distance.
const USUAL: usize = 30;
/// Number of frames from which on there is a usual distance.
const LEAST: usize = 5;
/// Unevenness of painting and capturing, in microseconds: half a refresh of a 60 Hz display.
const UNEVEN_US: i64 = 8_000;
/// Assumed time between two frames while it is unknown.
const UNKNOWN_INTERVAL_US: i64 = 33_333;
/// A greater change of the distance means another stream.
const SAME_STREAM_US: i64 = 1_000_000;

/// Compares the time in each stamp with the RTP timestamp of its frame, which the sender's browser took when it captured the frame.
/// Their distance stays the same but for the unevenness of painting. A stamp that is ahead by most of an interval is that of a
/// later frame; one that is behind belongs to a repeated picture.
#[derive(Debug, Clone, Default)]
pub struct StampCheck {
    last: Option<Placed>,
    distances_us: VecDeque<i64>,
    intervals_us: VecDeque<i64>,
}

/// A stamp and an RTP timestamp, both unwrapped, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Placed {
    stamp: Stamp,
    ticks: u32,
    painted_us: i64,
    rtp_us: i64,
}

impl StampCheck {
    /// Takes the reading of a shown frame. Returns it, as [`Unreadable::OtherFrame`] if the stamp is that of a later frame.
    pub fn check(&mut self, reading: StripReading, shown: &ShownFrame) -> StripReading {
        match reading.stamp {
            Ok(stamp) if !self.is_of(stamp, shown) => {
                StripReading { stamp: Err(Unreadable::OtherFrame), ..reading }
            }
            _ => reading,
        }
    }

    fn is_of(&mut self, stamp: Stamp, shown: &ShownFrame) -> bool {
        let Some(ticks) = shown.rtp_timestamp else { return true };
        let Some(last) = self.last else {
            self.last = Some(Placed { stamp, ticks, painted_us: 0, rtp_us: 0 });
            self.distances_us.push_back(0);
            return true;
        };
        let rtp_us = last.rtp_us + rtp_step_us(last.ticks, ticks);
        let painted_us = last.painted_us + stamp.micros_after(&last.stamp);
        let distance_us = painted_us - rtp_us;
        let usual_us = median(&self.distances_us).unwrap_or(distance_us);
        if (distance_us - usual_us).abs() > SAME_STREAM_US {
            *self = Self::default();
            return self.is_of(stamp, shown);
        }
        let interval_us = median(&self.intervals_us).unwrap_or(UNKNOWN_INTERVAL_US);
        let ahead_us = distance_us - usual_us;
        let is_later = self.distances_us.len() >= LEAST && ahead_us > UNEVEN_US.max(interval_us * 6 / 10);
        let numbers = stamp.number.wrapping_sub(last.stamp.number);
        if (1..100).contains(&numbers) {
            push(&mut self.intervals_us, (painted_us - last.painted_us) / i64::from(numbers));
        }
        push(&mut self.distances_us, distance_us);
        self.last = Some(Placed { stamp, ticks, painted_us, rtp_us });
        !is_later
    }
}

fn median(values: &VecDeque<i64>) -> Option<i64> {
    let mut values: Vec<_> = values.iter().copied().collect();
    short_list::sort(&mut values);
    values.get(values.len() / 2).copied()
}

fn push(values: &mut VecDeque<i64>, value: i64) {
    values.push_back(value);
    if values.len() > USUAL {
        values.pop_front();
    }
}
