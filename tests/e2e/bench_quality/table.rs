//! Compares known stalls with found ones, as lines of a table.

use super::viewer::Said;

/// From this length on, a stall must be found.
const COUNTED_MS: f64 = 200.0;
/// A found stall may end this much before or after the known one: two refreshes of a busy display, and the clocks of two pages.
const APART_MS: f64 = 150.0;
/// Greatest delay until a stop of the source is seen by the viewer.
const ON_ITS_WAY_MS: f64 = 850.0;

/// A time in which the picture stood still for longer than due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stood {
    /// Its end, in milliseconds since 1970.
    pub(super) end: f64,
    /// Its length, in milliseconds.
    pub(super) ms: f64,
    /// For a known stall: whether it must be found. The source of a busy computer also stands still unasked, which only explains
    /// findings.
    pub(super) is_told: bool,
    /// Whether it is known from the source, and visible to the viewer only after the delay of the path.
    pub(super) is_at_source: bool,
}

impl Stood {
    fn is_counted(&self) -> bool {
        self.is_told && self.ms >= COUNTED_MS
    }
}

/// The meaning of the columns.
pub(super) const LEGEND: &str = "known, precision, recall, F1, errors: told stops of 200 ms and more; false: found, and nothing of at least 50 ms explains it.\n\
     An error is how much longer or shorter it was found than it was, beyond one interval.";

/// Prints how ledger and freezes compare with the `known` stalls.
pub(super) fn print(what: &str, known: &[Stood], said: &Said, fps: u32) {
    let (ledger, freezes) =
        (said.judged(said.ledger.iter().copied()), said.judged(said.freezes.iter().copied()));
    println!("{}", head(what));
    println!("{}", line("ledger", known, &ledger, 0.0));
    println!("{}", line("freezes", known, &freezes, 0.0));
    // W3C webrtc-stats counts the whole gap.
    println!("{}", line("freezes - 1/fps", known, &freezes, 1000.0 / f64::from(fps)));
    for difference in differences(known, &ledger) {
        println!("  ledger {difference}");
    }
}

/// The header of a table.
fn head(what: &str) -> String {
    format!(
        "{what:<20}{:>7}{:>7}{:>7}{:>11}{:>8}{:>7}{:>10}{:>11}{:>13}",
        "known", "found", "false", "precision", "recall", "F1", "mean ms", "median ms", "greatest ms"
    )
}

/// Compares `found` with `known`; `less_ms` is the excess of each found length by its definition.
fn line(whose: &str, known: &[Stood], found: &[Stood], less_ms: f64) -> String {
    let matches = matches(known, found, less_ms);
    let mut errors: Vec<f64> = matches
        .iter()
        .filter_map(|(known, found)| Some((found.as_ref()?.ms - less_ms - known.ms).abs()))
        .collect();
    errors.sort_unstable_by(f64::total_cmp);
    let true_positives = errors.len() as f64;
    let false_positives = unexplained(known, found).count();
    let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 1.0 };
    let precision = ratio(true_positives, true_positives + false_positives as f64);
    let recall = ratio(true_positives, matches.len() as f64);
    let f1 = ratio(2.0 * precision * recall, precision + recall);
    let mean = if errors.is_empty() { f64::NAN } else { errors.iter().sum::<f64>() / true_positives };
    let median = errors
        .get(errors.len() / 2)
        .map_or(f64::NAN, |upper| f64::midpoint(errors[(errors.len() - 1) / 2], *upper));
    let greatest = errors.last().copied().unwrap_or(f64::NAN);
    format!(
        "{whose:<20}{:>7}{:>7}{false_positives:>7}{precision:>11.3}{recall:>8.3}{f1:>7.3}{mean:>10.0}{median:>11.0}{greatest:>13.0}",
        matches.len(),
        errors.len(),
    )
}

/// The missed stalls and the false ones, for debugging.
fn differences(known: &[Stood], found: &[Stood]) -> Vec<String> {
    let missed = matches(known, found, 0.0).into_iter().filter(|(_, found)| found.is_none());
    let missed = missed.map(|(known, _)| {
        let away = |found: &&Stood| (found.end - known.end).abs();
        let nearest = found.iter().min_by(|a, b| away(a).total_cmp(&away(b)));
        let nearest = nearest.map(|found| (found.ms.round(), (found.end - known.end).round()));
        format!("missed: {:.0} ms; nearest (length, later by) {nearest:?}", known.ms)
    });
    let false_ones = unexplained(known, found).map(|found| format!("false: {:.0} ms", found.ms));
    missed.chain(false_ones).collect()
}

/// Pairs each known stall that counts with a found one: the most similar one that ended at about the same time. A found stall is
/// used once.
fn matches(known: &[Stood], found: &[Stood], less_ms: f64) -> Vec<(Stood, Option<Stood>)> {
    let mut left = found.to_vec();
    let counted = known.iter().filter(|known| known.is_counted());
    counted
        .map(|known| {
            let unlike =
                |found: &Stood| (found.ms - less_ms - known.ms).abs() + (found.end - known.end).abs();
            let near = (0..left.len()).filter(|at| is_near(&left[*at], known));
            let best = near.min_by(|a, b| unlike(&left[*a]).total_cmp(&unlike(&left[*b])));
            (*known, best.map(|at| left.swap_remove(at)))
        })
        .collect()
}

fn unexplained<'a>(known: &[Stood], found: &'a [Stood]) -> impl Iterator<Item = &'a Stood> {
    found.iter().filter(|found| !known.iter().any(|known| is_near(found, known)))
}

fn is_near(found: &Stood, known: &Stood) -> bool {
    let latest_ms = if known.is_at_source { APART_MS + ON_ITS_WAY_MS } else { APART_MS };
    (-APART_MS..latest_ms).contains(&(found.end - known.end))
}
