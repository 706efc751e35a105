//! A chart as SVG paths, in whole numbers on a canvas of fixed size that the page stretches.

use std::fmt::Write;

use sightline_core::{
    Timestamp,
    measure::connection::{History, TimeAxis, ValueAxis},
};

use super::chart::Chart;

/// Width of the canvas, in its own units.
pub(super) const WIDTH: u32 = 1200;
/// Height of the canvas, in its own units.
pub(super) const HEIGHT: u32 = 200;

/// The paths of a chart, as values of the attribute `d`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plot {
    /// One path for each line of the chart.
    pub(super) lines: Vec<String>,
    pub(super) grid: String,
    /// Bands for the times in which the picture stood still.
    pub(super) stalls: String,
    pub(super) events: String,
    /// The value at the upper edge.
    pub(super) top: f64,
    /// Number of points of the first line.
    pub(super) points: usize,
    /// Number of gaps in the first line.
    pub(super) gaps: usize,
}

impl Plot {
    /// `stalls` come from the ledger, or without a ledger from the browser's freezes.
    pub(super) fn new(
        history: &History,
        stalls: Option<Vec<(Timestamp, Timestamp)>>,
        chart: Chart,
        time: TimeAxis,
    ) -> Self {
        let stalls =
            stalls.unwrap_or_else(|| history.freezes().map(|freeze| (freeze.from, freeze.to)).collect());
        let lines: Vec<_> = chart.lines.iter().map(|(metric, _)| history.line(*metric)).collect();
        let values = lines.iter().flatten().flatten().map(|(_, value)| *value);
        let axis = ValueAxis::reaching(values.fold(0.0, f64::max), chart.smallest_top);
        let first = lines.first().map(Vec::as_slice).unwrap_or_default();
        let gaps = first.iter().filter(|point| point.is_none()).count();
        Self {
            points: first.len() - gaps,
            gaps,
            lines: lines.iter().map(|line| line_path(line, time, axis)).collect(),
            grid: grid_path(axis),
            stalls: stalls_path(&stalls, time),
            events: events_path(history, time),
            top: axis.top,
        }
    }
}

fn line_path(line: &[Option<(Timestamp, f64)>], time: TimeAxis, axis: ValueAxis) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    for (index, point) in line.iter().enumerate() {
        let Some((at, value)) = point else {
            pen = 'M';
            continue;
        };
        let Some(x) = time.position(*at) else { continue };
        let (x, y) = (to_x(x), to_y(axis.position(*value)));
        let _ = write!(path, "{pen}{x} {y}");
        // A point between two gaps would be invisible: a line of length zero with round ends is a dot.
        if pen == 'M' && line.get(index + 1).is_none_or(Option::is_none) {
            path.push_str("h0");
        }
        pen = 'L';
    }
    path
}

fn grid_path(axis: ValueAxis) -> String {
    let mut path = String::new();
    for tick in axis.ticks() {
        let _ = write!(path, "M0 {}H{WIDTH}", to_y(axis.position(tick)));
    }
    path
}

fn stalls_path(stalls: &[(Timestamp, Timestamp)], time: TimeAxis) -> String {
    let mut path = String::new();
    for (from, to) in stalls {
        // A stall in progress may end after an axis that is rounded to whole seconds.
        let Some(to) = time.position((*to).min(time.to)) else { continue };
        let from = to_x(time.position(*from).unwrap_or(0.0));
        // At least one unit wide, so that a short stall is visible.
        let _ = write!(path, "M{from} 0H{}V{HEIGHT}H{from}Z", to_x(to).max(from + 3));
    }
    path
}

fn events_path(history: &History, time: TimeAxis) -> String {
    let mut path = String::new();
    for event in history.events() {
        if let Some(x) = time.position(event.at) {
            let _ = write!(path, "M{} {HEIGHT}v-30", to_x(x));
        }
    }
    path
}

/// The path of the cursor, at a position from 0 (left) to 1 (right).
pub(super) fn cursor_path(position: f64) -> String {
    format!("M{} 0V{HEIGHT}", to_x(position))
}

fn to_x(position: f64) -> u32 {
    whole(position * f64::from(WIDTH))
}

fn to_y(position: f64) -> u32 {
    whole((1.0 - position) * f64::from(HEIGHT))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
fn whole(number: f64) -> u32 {
    number.round() as u32
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn second(seconds: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_secs(seconds))
    }

    const TIME: TimeAxis =
        TimeAxis { to: Timestamp::from_origin(Duration::from_secs(60)), span: Duration::from_secs(60) };
    const VALUES: ValueAxis = ValueAxis { top: 10.0, step: 5.0 };

    #[test]
    fn a_line_is_not_drawn_across_a_gap() {
        let line = [Some((second(0), 0.0)), Some((second(30), 5.0)), None, Some((second(60), 10.0))];
        assert_eq!(line_path(&line, TIME, VALUES), "M0 200L600 100M1200 0h0");
    }

    #[test]
    fn samples_older_than_the_axis_are_not_drawn() {
        let line = [Some((second(0), 1.0)), Some((second(60), 1.0)), Some((second(120), 1.0))];
        let later = TimeAxis { to: second(120), ..TIME };
        assert_eq!(line_path(&line, later, VALUES), "M0 180L1200 180");
    }

    #[test]
    fn a_stall_is_a_band_from_its_start_to_its_end() {
        let stalls = [(second(15), second(30)), (second(40), second(40)), (second(59), second(61))];
        let bands = ["M300 0H600V200H300Z", "M800 0H803V200H800Z", "M1180 0H1200V200H1180Z"].concat();
        assert_eq!(stalls_path(&stalls, TIME), bands);
        let later = TimeAxis { to: second(80), ..TIME };
        assert_eq!(
            stalls_path(&stalls[..1], later),
            "M0 0H200V200H0Z",
            "what began before the axis begins with it"
        );
        assert_eq!(stalls_path(&stalls[..1], TimeAxis { to: second(200), ..TIME }), "");
    }

    #[test]
    fn the_grid_has_a_line_for_each_mark() {
        assert_eq!(grid_path(VALUES), "M0 200H1200M0 100H1200M0 0H1200");
    }
}
