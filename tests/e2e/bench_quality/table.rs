//! What is known against what was found, as a line of a table.

/// From this length on, a stall that is not found counts.
const COUNTED_MS: f64 = 200.0;
/// A stall is shown so much later than its source stopped, at most.
const LATEST_MS: f64 = 1000.0;
/// What is found may end so much before what is known: the clocks of two pages, and the display.
const EARLIEST_MS: f64 = 100.0;

/// A time in which the picture stood still longer than due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stood {
    /// When it was over, in milliseconds since 1970.
    pub(super) end: f64,
    /// How long.
    pub(super) ms: f64,
    /// Of what is known: whether it counts where it is not found. The source of a busy computer stands still untold, too, which
    /// only explains what was found.
    pub(super) is_told: bool,
}

impl Stood {
    fn is_counted(&self) -> bool {
        self.is_told && self.ms >= COUNTED_MS
    }
}

/// What the words of the columns mean.
pub(super) const LEGEND: &str = "known, precision, recall, F1, errors: told stops of 200 ms and more; false: found, and nothing of at least 50 ms explains it.\n\
     An error is how much longer or shorter it was found than it was, beyond one interval.";

/// The names of the columns.
pub(super) fn head(what: &str) -> String {
    format!(
        "\n{what}\n{:<18}{:>7}{:>7}{:>7}{:>11}{:>8}{:>7}{:>10}{:>11}{:>13}",
        "whose",
        "known",
        "found",
        "false",
        "precision",
        "recall",
        "F1",
        "mean ms",
        "median ms",
        "greatest ms"
    )
}

/// How `found` judges what is `known`; `less_ms` is what each of them has more by its definition.
pub(super) fn line(whose: &str, known: &[Stood], found: &[Stood], less_ms: f64) -> String {
    let owners: Vec<_> = found.iter().map(|found| owner(found, less_ms, known)).collect();
    let counted: Vec<_> = (0..known.len()).filter(|at| known[*at].is_counted()).collect();
    let mut errors: Vec<f64> = counted
        .iter()
        .filter_map(|at| {
            let mine = found.iter().zip(&owners).filter(|(_, owner)| **owner == Some(*at));
            let errors = mine.map(|(found, _)| (found.ms - less_ms - known[*at].ms).abs());
            errors.min_by(f64::total_cmp)
        })
        .collect();
    errors.sort_unstable_by(f64::total_cmp);
    let true_positives = errors.len() as f64;
    let false_positives = owners.iter().filter(|owner| owner.is_none()).count();
    let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 1.0 };
    let precision = ratio(true_positives, true_positives + false_positives as f64);
    let recall = ratio(true_positives, counted.len() as f64);
    let f1 = ratio(2.0 * precision * recall, precision + recall);
    let mean = if errors.is_empty() { f64::NAN } else { errors.iter().sum::<f64>() / true_positives };
    let median = errors.get(errors.len() / 2).copied().unwrap_or(f64::NAN);
    let greatest = errors.last().copied().unwrap_or(f64::NAN);
    format!(
        "{whose:<18}{:>7}{:>7}{false_positives:>7}{precision:>11.3}{recall:>8.3}{f1:>7.3}{mean:>10.0}{median:>11.0}{greatest:>13.0}",
        counted.len(),
        errors.len(),
    )
}

/// What was not found and what was found for nothing, for who looks why.
pub(super) fn differences(known: &[Stood], found: &[Stood]) -> Vec<String> {
    let owners: Vec<_> = found.iter().map(|found| owner(found, 0.0, known)).collect();
    let missed =
        (0..known.len()).filter(|at| known[*at].is_counted() && !owners.contains(&Some(*at))).map(|at| {
            let away = |found: &&Stood| (found.end - known[at].end).abs();
            let nearest = found.iter().min_by(|a, b| away(a).total_cmp(&away(b)));
            let nearest = nearest.map(|found| (found.ms.round(), (found.end - known[at].end).round()));
            format!("missed: {:.0} ms; nearest (length, later by) {nearest:?}", known[at].ms)
        });
    let false_ones = found
        .iter()
        .zip(&owners)
        .filter(|(_, owner)| owner.is_none())
        .map(|(found, _)| format!("false: {:.0} ms", found.ms));
    missed.chain(false_ones).collect()
}

/// What it belongs to: of what ended about then, the most alike.
fn owner(found: &Stood, less_ms: f64, known: &[Stood]) -> Option<usize> {
    let is_near = |known: &Stood| (-EARLIEST_MS..LATEST_MS).contains(&(found.end - known.end));
    let unlike = |at: usize| (found.ms - less_ms - known[at].ms).abs() + (found.end - known[at].end).abs();
    (0..known.len()).filter(|at| is_near(&known[*at])).min_by(|a, b| unlike(*a).total_cmp(&unlike(*b)))
}
