//! Medians, and the trace of the median call.

use std::collections::BTreeMap;

use super::systems::System;

/// The marks of one page, as times since the click in milliseconds.
type Marks = Vec<(String, f64)>;

/// One call: times since the click on join, in milliseconds.
pub(super) struct Call {
    /// The first remote frame on the page that joined, and on the page that waited.
    first_frames: [f64; 2],
    /// The marks of both pages.
    marks: [Marks; 2],
}

impl Call {
    /// All times are of the wall clock, which both pages share.
    pub(super) fn new(clicked: f64, first_frames: [f64; 2], marks: [Marks; 2]) -> Self {
        let since_click = |at: f64| at - clicked;
        let marks =
            marks.map(|of_page| of_page.into_iter().map(|(name, at)| (name, since_click(at))).collect());
        Self { first_frames: first_frames.map(since_click), marks }
    }
}

/// The calls of one network and kind of visit.
pub(super) struct Table {
    title: String,
    calls: Vec<(System, Call)>,
    failures: Vec<System>,
}

impl Table {
    pub(super) fn new(title: String) -> Self {
        Self { title, calls: Vec::new(), failures: Vec::new() }
    }

    pub(super) fn add(&mut self, system: System, call: Call) {
        let [joining, waiting] = call.first_frames;
        println!("{:<10} {joining:>6.0} ms, who waited {waiting:>6.0} ms", system.name());
        self.calls.push((system, call));
    }

    pub(super) fn add_failure(&mut self, system: System) {
        self.failures.push(system);
    }

    pub(super) fn print(&self) {
        println!("\n{}: ms from the click on join to the first remote frame", self.title);
        println!(
            "{:<10} {:>6} {:>8} {:>6} {:>10} {:>8} {:>18} {:>6} {:>7}",
            "", "calls", "median", "p90", "of PeerJS", "of raw", "who waited: median", "p90", "failed"
        );
        let median = |system| quantile(&self.frames(system, 0), 0.5);
        let (peerjs, raw) = (median(System::PeerJs), median(System::Raw));
        for system in System::ALL {
            let (joining, waiting) = (self.frames(system, 0), self.frames(system, 1));
            if joining.is_empty() {
                continue;
            }
            println!(
                "{:<10} {:>6} {:>8.0} {:>6.0} {:>10.2} {:>8.2} {:>18.0} {:>6.0} {:>7}",
                system.name(),
                joining.len(),
                quantile(&joining, 0.5),
                quantile(&joining, 0.9),
                quantile(&joining, 0.5) / peerjs,
                quantile(&joining, 0.5) / raw,
                quantile(&waiting, 0.5),
                quantile(&waiting, 0.9),
                self.failures.iter().filter(|failed| **failed == system).count(),
            );
        }
        for system in System::ALL {
            self.print_trace(system);
        }
    }

    fn frames(&self, system: System, page: usize) -> Vec<f64> {
        let of_system = self.calls.iter().filter(|(of, _)| *of == system);
        let mut frames: Vec<f64> = of_system.map(|(_, call)| call.first_frames[page]).collect();
        frames.sort_by(f64::total_cmp);
        frames
    }

    /// The median time of each mark that at least half of the calls have, in order.
    fn print_trace(&self, system: System) {
        let calls: Vec<&Call> =
            self.calls.iter().filter(|(of, _)| *of == system).map(|(_, call)| call).collect();
        let mut times: BTreeMap<(usize, &str), Vec<f64>> = BTreeMap::new();
        for call in &calls {
            for (page, marks) in call.marks.iter().enumerate() {
                let end = call.first_frames[page];
                let mut seen: Vec<&str> = Vec::new();
                for (name, at) in marks.iter().filter(|(_, at)| *at <= end + 1.0) {
                    // What the waiting page did before belongs to its own way into the room. Long tasks differ in their names.
                    let name = if name.starts_with("busy") { "first long task" } else { name.as_str() };
                    if seen.contains(&name) || (page == 1 || name == "first long task") && *at < 0.0 {
                        continue;
                    }
                    seen.push(name);
                    times.entry((page, name)).or_default().push(*at);
                }
            }
        }
        let mut rows: Vec<_> = times
            .into_iter()
            .filter(|(_, at)| at.len() * 2 > calls.len())
            .map(|((page, name), mut at)| {
                at.sort_by(f64::total_cmp);
                (quantile(&at, 0.5), page, name)
            })
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        if rows.is_empty() {
            return;
        }
        println!("\n{}, {}: the first time of each, ms after the click, medians", self.title, system.name());
        println!("{:>8} {:>7}  {:<28} who waits", "at", "after", "who joins");
        let mut before = None;
        for (at, page, name) in rows {
            let after = before.map_or_else(String::new, |before: f64| format!("{:.0}", at - before));
            before = Some(at);
            let indent = if page == 0 { 0 } else { 29 };
            println!("{at:>8.0} {after:>7}  {:indent$}{name}", "");
        }
    }
}

/// The value at this share of a sorted list.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    match sorted.len() {
        0 => f64::NAN,
        length => sorted[(((length - 1) as f64) * share).round() as usize],
    }
}
