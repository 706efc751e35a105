//! Charts of all views with one time axis: what was sent, what arrived, and when the picture stood still.

use std::fmt::Write;

use leptos::prelude::*;
use sightline_core::{
    Timestamp, duration_of_seconds,
    measure::{
        Metric,
        connection::{TimeAxis, ValueAxis},
        report::StallEntry,
    },
};

use super::{Views, opened::View, place};
use crate::{
    components::figures::figure_text,
    language::{Language, Sentence},
    sentence,
};

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 200.0;
/// No line is drawn between samples that are further apart than this.
const LONGEST_STEP_S: f64 = 2.5;

/// Values by time; `None` is a gap.
type Line = Vec<(f64, Option<f64>)>;

struct Chart {
    title: Sentence,
    received: Metric,
    /// The metric of the sender that belongs to the received one.
    sent: Option<Metric>,
    smallest_top: f64,
}

const fn charts() -> [Chart; 7] {
    [
        Chart {
            title: sentence!(charts.bitrate),
            received: Metric::ReceiveBitrate,
            sent: Some(Metric::SendBitrate),
            smallest_top: 100_000.0,
        },
        Chart {
            title: sentence!(charts.frame_rate),
            received: Metric::FramesPerSecond,
            sent: Some(Metric::FramesPerSecondSent),
            smallest_top: 30.0,
        },
        Chart {
            title: sentence!(charts.round_trip),
            received: Metric::RoundTripTime,
            sent: None,
            smallest_top: 0.02,
        },
        Chart { title: sentence!(charts.loss), received: Metric::LossRatio, sent: None, smallest_top: 0.02 },
        Chart { title: sentence!(charts.jitter), received: Metric::Jitter, sent: None, smallest_top: 0.02 },
        Chart {
            title: sentence!(metric.concealed_ratio),
            received: Metric::ConcealedRatio,
            sent: None,
            smallest_top: 0.02,
        },
        Chart {
            title: sentence!(metric.stamped_delay),
            received: Metric::StampedDelay,
            sent: None,
            smallest_top: 0.1,
        },
    ]
}

/// All charts, one above the other.
#[component]
pub(super) fn Charts(views: Views) -> AnyView {
    let language = Language::from_context();
    let drawn = move || {
        let views = views.get();
        if views.is_empty() {
            return ().into_any();
        }
        let length_s = views.iter().map(|view| view.report.duration_s).fold(1.0, f64::max);
        let legend = views.iter().map(|view| {
            view! {
                <li data-place=place(view.at)>
                    <i></i>
                    {view.title()}
                    " "
                </li>
            }
            .into_any()
        });
        let charts = charts().map(|chart| draw(&chart, &views, length_s, language)).collect_view();
        let span = duration_of_seconds(length_s).unwrap_or_default();
        let ticks = TimeAxis { to: Timestamp::ZERO, span }.ticks();
        let ticks = ticks.into_iter().map(|ago| {
            let at_s = length_s - ago.as_secs_f64();
            view! { <span>{figure_text::clock(at_s)}</span> }.into_any()
        });
        view! {
            <section class="report-charts" aria-label=language.text(sentence!(charts.title))>
                <ul class="report-legend">{legend.collect_view()}</ul>
                <p class="report-hint">{language.text(sentence!(report.lines))}</p>
                {charts}
                <p class="time-ticks" aria-hidden="true">
                    {ticks.collect_view()}
                </p>
            </section>
        }
        .into_any()
    };
    drawn.into_any()
}

fn draw(chart: &Chart, views: &[View], length_s: f64, language: Language) -> AnyView {
    let lines: Vec<(usize, bool, Line)> = views
        .iter()
        .flat_map(|view| {
            let received = (view.at, false, view.receiver().column(chart.received.name()).collect());
            let sent = chart
                .sent
                .and_then(|metric| Some((view.at, true, view.sender()?.column(metric.name()).collect())));
            [Some(received), sent].into_iter().flatten()
        })
        .collect();
    let is_known = lines.iter().any(|(_, _, line)| line.iter().any(|(_, value)| value.is_some()));
    // Most sources are not stamped, and some have no sound, so an empty chart would only take space.
    if matches!(chart.received, Metric::StampedDelay | Metric::ConcealedRatio) && !is_known {
        return ().into_any();
    }
    let greatest =
        lines.iter().flat_map(|(_, _, line)| line).filter_map(|(_, value)| *value).fold(0.0, f64::max);
    let axis = ValueAxis::reaching(greatest, chart.smallest_top);
    let paths = lines.iter().map(|(at, is_sent, line)| {
        let path = line_path(line, length_s, axis);
        view! { <path class="report-line" class:is-sent=*is_sent data-place=place(*at) d=path></path> }
            .into_any()
    });
    let bands = views.iter().map(|view| {
        let stalls = view.playout().map(|playout| playout.stalls.as_slice()).unwrap_or_default();
        let path = stalls_path(stalls, length_s, view.at, views.len());
        view! { <path class="report-stalls" data-testid="report-stalls" data-place=place(view.at) d=path></path> }.into_any()
    });
    let unit = chart.received.unit();
    view! {
        <figure class="chart" data-testid="report-chart" data-metric=chart.received.name()>
            <figcaption>
                <span class="chart-title">{language.text(chart.title)}</span>
            </figcaption>
            <div class="chart-plot" role="img" aria-label=language.text(chart.title)>
                <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                    {bands.collect_view()}
                    {paths.collect_view()}
                </svg>
                <span class="chart-top" aria-hidden="true">
                    {figure_text::of_number(unit, axis.top)}
                </span>
            </div>
        </figure>
    }
    .into_any()
}

fn line_path(line: &[(f64, Option<f64>)], length_s: f64, axis: ValueAxis) -> String {
    let mut path = String::new();
    let mut last_s = f64::NEG_INFINITY;
    for (at_s, value) in line {
        // The axis covers only the time from the first frame to the end.
        let Some(value) = value.filter(|_| (0.0..=length_s).contains(at_s)) else {
            last_s = f64::NEG_INFINITY;
            continue;
        };
        let pen = if at_s - last_s > LONGEST_STEP_S { 'M' } else { 'L' };
        let y = (1.0 - axis.position(value)) * HEIGHT;
        let _ = write!(path, "{pen}{:.0} {y:.0}", to_x(*at_s, length_s));
        last_s = *at_s;
    }
    path
}

/// The stalls of one view; each view has a lane, so that stalls of several views are one below the other.
fn stalls_path(stalls: &[StallEntry], length_s: f64, at: usize, lanes: usize) -> String {
    let lane = HEIGHT / lanes as f64;
    let (top, bottom) = (at as f64 * lane, (at + 1) as f64 * lane);
    let mut path = String::new();
    for stall in stalls {
        if stall.start_s > length_s || stall.start_s + stall.duration_s < 0.0 {
            continue;
        }
        let from = to_x(stall.start_s, length_s).min(WIDTH - 2.0);
        let to = to_x(stall.start_s + stall.duration_s, length_s).max(from + 2.0);
        let _ = write!(path, "M{from:.0} {top:.0}H{to:.0}V{bottom:.0}H{from:.0}Z");
    }
    path
}

fn to_x(at_s: f64, length_s: f64) -> f64 {
    (at_s / length_s).clamp(0.0, 1.0) * WIDTH
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: ValueAxis = ValueAxis { top: 10.0, step: 5.0 };

    #[test]
    fn a_line_is_not_drawn_across_time_without_samples() {
        let line = [
            (0.0, Some(0.0)),
            (1.0, Some(5.0)),
            (2.0, None),
            (3.0, Some(10.0)),
            (9.0, Some(0.0)),
            (10.0, Some(10.0)),
        ];
        assert_eq!(line_path(&line, 10.0, VALUES), "M0 200L120 100M360 0M1080 200L1200 0");
    }

    #[test]
    fn time_before_the_first_frame_is_not_drawn() {
        let line =
            [(-3.0, Some(5.0)), (-0.5, Some(5.0)), (0.0, Some(0.0)), (1.0, Some(5.0)), (11.0, Some(5.0))];
        assert_eq!(line_path(&line, 10.0, VALUES), "M0 200L120 100");
    }

    #[test]
    fn a_stall_is_a_band_in_the_lane_of_its_view_at_its_time() {
        let stall =
            |start_s, duration_s| StallEntry { start_s, duration_s, cause: String::new(), confidence: None };
        let stalls =
            [stall(-5.0, 1.0), stall(-1.0, 2.0), stall(5.0, 1.0), stall(10.0, 3.0), stall(11.0, 1.0)];
        assert_eq!(
            stalls_path(&stalls, 10.0, 1, 2),
            "M0 100H120V200H0ZM600 100H720V200H600ZM1198 100H1200V200H1198Z"
        );
    }
}
