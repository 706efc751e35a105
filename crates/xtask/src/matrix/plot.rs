//! A plot of one figure: a column for each profile with a dot for each run, a bar at the median and its 95 % interval.

use std::fmt::Write;

use super::statistics::Summary;

const COLUMN: f64 = 90.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 40.0;
const LINES: u32 = 5;

/// The plot as an SVG file without scripts or references.
pub(super) fn svg(name: &str, groups: &[(&str, Vec<f64>)]) -> String {
    let greatest = groups.iter().flat_map(|(_, values)| values).copied().fold(0.0, f64::max);
    let most = if greatest > 0.0 { greatest * 1.1 } else { 1.0 };
    let y = |value: f64| TOP + HEIGHT * (1.0 - value.max(0.0) / most);
    let width = LEFT + COLUMN * groups.len() as f64 + 20.0;
    let height = TOP + HEIGHT + 50.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"22\" font-size=\"14\">{}</text>\n",
        escaped(name)
    );
    // Writing to a string cannot fail.
    for line in 0..=LINES {
        let value = most * f64::from(line) / f64::from(LINES);
        let at = y(value);
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            width - 20.0,
            LEFT - 8.0,
            at + 4.0,
            label(value)
        );
    }
    for (at, (profile, values)) in groups.iter().enumerate() {
        let x = LEFT + COLUMN * (at as f64 + 0.5);
        for (run, value) in values.iter().enumerate() {
            // Equal values lie beside each other.
            let beside = x + 12.0 + (run % 5) as f64 * 5.0;
            let _ = writeln!(
                text,
                "<circle cx=\"{beside:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"#2563a8\" fill-opacity=\".6\"/>",
                y(*value)
            );
        }
        if let Some(Summary { median, interval: (low, high), .. }) = Summary::of(values) {
            let _ = writeln!(
                text,
                "<path d=\"M{x:.1} {:.1}V{:.1}M{:.1} {:.1}h16\" stroke=\"#111\" stroke-width=\"2\"/>",
                y(low),
                y(high),
                x - 8.0,
                y(median)
            );
        }
        let _ = writeln!(
            text,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">n = {}</text>",
            TOP + HEIGHT + 18.0,
            escaped(profile),
            TOP + HEIGHT + 34.0,
            values.len()
        );
    }
    text.push_str("</svg>\n");
    text
}

fn label(value: f64) -> String {
    let digits = if value >= 100.0 {
        0
    } else if value >= 1.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_a_dot_for_each_run_and_an_interval_for_each_profile_with_runs() {
        let plot = svg("score", &[("wire", vec![5.0, 4.9]), ("<script>", vec![]), ("lossy", vec![3.0])]);
        assert_eq!(plot.matches("<circle").count(), 3);
        assert_eq!(plot.matches("stroke-width").count(), 2);
        assert!(plot.contains("&lt;script&gt;") && !plot.contains("<script>"));
        assert!(!plot.contains("NaN"), "{plot}");
    }

    #[test]
    fn a_figure_that_is_always_zero_has_a_plot() {
        assert!(!svg("stalls", &[("wire", vec![0.0])]).contains("NaN"));
    }
}
