//! The results of a matrix of runs: one CSV, one JSON and a plot for each figure, from the reports and the list of runs that the harness
//! writes (`runs.jsonl`).

mod plot;
mod statistics;

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use statistics::Summary;

/// The file in which the harness lists the runs, one JSON object a line.
pub(crate) const RUNS: &str = "runs.jsonl";

/// Reads a figure of a report's first side.
type Read = fn(&Value) -> Option<f64>;

/// Reads one statistic of a summary.
type Statistic = fn(&Summary) -> f64;

/// The figures of a run: the name with its unit, and how it is read.
const FIGURES: [(&str, Read); 12] = [
    ("score", |side| side["playout"]["score"]["value"].as_f64()),
    ("stall_ratio_percent", |side| Some(side["playout"]["stall_ratio"].as_f64()? * 100.0)),
    ("stall_count", |side| side["playout"]["stall_count"].as_f64()),
    ("longest_stall_s", |side| side["playout"]["longest_stall_s"].as_f64()),
    ("freeze_count", |side| side["playout"]["freeze_count"].as_f64()),
    ("receive_bitrate_kbit_s", |side| Some(side["playout"]["mean_receive_bitrate_bps"].as_f64()? / 1e3)),
    ("frames_per_second", |side| side["playout"]["frames_per_second"].as_f64()),
    ("loss_percent", |side| Some(side["playout"]["loss_ratio"].as_f64()? * 100.0)),
    ("time_to_first_frame_s", |side| side["playout"]["time_to_first_frame_s"].as_f64()),
    ("concealed_percent", |side| Some(side["sound"]["concealed_ratio"].as_f64()? * 100.0)),
    // Only for a stamped source.
    ("stamped_frames_lost", |side| side["known_source"]["frames_lost"].as_f64()),
    ("stamped_delay_ms", |side| Some(side["known_source"]["delay_mean_s"].as_f64()? * 1e3)),
];

/// A run, whether it succeeded or not.
#[derive(Debug)]
struct Run {
    profile: String,
    repetition: u64,
    /// Why it failed.
    error: Option<String>,
    figures: Vec<Option<f64>>,
}

/// Writes `matrix.csv`, `matrix.json` and the plots into the folder of the reports. Returns how many runs failed.
///
/// # Errors
/// Where the list of runs cannot be read, or a file not written.
pub(crate) fn write(folder: &Path) -> Result<usize> {
    let runs = read(folder)?;
    let profiles = profiles(&runs);
    fs::write(folder.join("matrix.csv"), csv(&runs, &profiles))?;
    fs::write(folder.join("matrix.json"), serde_json::to_string_pretty(&document(&runs, &profiles))?)?;
    for (at, (name, _)) in FIGURES.iter().enumerate() {
        let groups: Vec<_> =
            profiles.iter().map(|profile| (profile.as_str(), values(&runs, profile, at))).collect();
        if groups.iter().any(|(_, values)| !values.is_empty()) {
            fs::write(folder.join(format!("matrix-{name}.svg")), plot::svg(name, &groups))?;
        }
    }
    Ok(runs.iter().filter(|run| run.error.is_some()).count())
}

/// The last entry of each run, in the order in which the runs were first listed: a run that is repeated replaces the earlier one.
fn read(folder: &Path) -> Result<Vec<Run>> {
    let file = folder.join(RUNS);
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut order = Vec::new();
    let mut runs = BTreeMap::new();
    for line in text.lines() {
        let entry: Value = serde_json::from_str(line)
            .with_context(|| format!("{} has no run in: {line}", file.display()))?;
        let profile = entry["profile"].as_str().context("a run without a profile")?.to_owned();
        let key = (profile.clone(), entry["repetition"].as_u64().unwrap_or_default());
        let side = entry["report"].as_str().map(|name| side(&folder.join(name)));
        let (side, error) = match side {
            Some(Ok(side)) => (side, None),
            Some(Err(error)) => (Value::Null, Some(format!("{error:#}"))),
            None => (Value::Null, Some(entry["error"].as_str().unwrap_or("unknown").to_owned())),
        };
        let figures = FIGURES.iter().map(|(_, read)| read(&side)).collect();
        if !order.contains(&key) {
            order.push(key.clone());
        }
        runs.insert(key.clone(), Run { profile, repetition: key.1, error, figures });
    }
    Ok(order.iter().filter_map(|key| runs.remove(key)).collect())
}

fn side(file: &Path) -> Result<Value> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let report: Value = serde_json::from_str(&text)?;
    Ok(report["sides"][0].clone())
}

fn profiles(runs: &[Run]) -> Vec<String> {
    let mut profiles = Vec::new();
    for run in runs {
        if !profiles.contains(&run.profile) {
            profiles.push(run.profile.clone());
        }
    }
    profiles
}

fn values(runs: &[Run], profile: &str, figure: usize) -> Vec<f64> {
    runs.iter().filter(|run| run.profile == profile).filter_map(|run| run.figures[figure]).collect()
}

/// One row for each run, and four for each profile: median, standard deviation, and the bounds of the median's 95 % interval.
fn csv(runs: &[Run], profiles: &[String]) -> String {
    let mut text = "profile,row,state,error".to_owned();
    for (name, _) in FIGURES {
        text.push(',');
        text.push_str(name);
    }
    text.push_str("\r\n");
    for run in runs {
        let state = if run.error.is_some() { "failed" } else { "done" };
        let head = [
            quoted(&run.profile),
            run.repetition.to_string(),
            state.to_owned(),
            quoted(run.error.as_deref().unwrap_or_default()),
        ];
        line(&mut text, &head, run.figures.iter().copied());
    }
    for profile in profiles {
        let summaries: Vec<_> =
            (0..FIGURES.len()).map(|at| Summary::of(&values(runs, profile, at))).collect();
        let rows: [(&str, Statistic); 4] = [
            ("median", |summary| summary.median),
            ("deviation", |summary| summary.deviation),
            ("low_95", |summary| summary.interval.0),
            ("high_95", |summary| summary.interval.1),
        ];
        for (name, of) in rows {
            let head = [quoted(profile), name.to_owned(), "summary".to_owned(), String::new()];
            line(&mut text, &head, summaries.iter().map(|summary| summary.as_ref().map(of)));
        }
    }
    text
}

fn line(text: &mut String, head: &[String], figures: impl Iterator<Item = Option<f64>>) {
    text.push_str(&head.join(","));
    for figure in figures {
        text.push(',');
        if let Some(figure) = figure {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}", (figure * 1e6).round() / 1e6);
        }
    }
    text.push_str("\r\n");
}

fn document(runs: &[Run], profiles: &[String]) -> Value {
    let run = |run: &Run| {
        let figures: serde_json::Map<String, Value> = FIGURES
            .iter()
            .zip(&run.figures)
            .map(|((name, _), figure)| ((*name).to_owned(), json!(figure)))
            .collect();
        json!({ "profile": run.profile, "repetition": run.repetition, "error": run.error, "figures": figures })
    };
    let profile = |profile: &String| {
        let figures: serde_json::Map<String, Value> = FIGURES
            .iter()
            .enumerate()
            .filter_map(|(at, (name, _))| {
                let values = values(runs, profile, at);
                let Summary { median, deviation, interval: (low, high) } = Summary::of(&values)?;
                let summary = json!({ "runs": values.len(), "median": median, "deviation": deviation, "low_95": low, "high_95": high });
                Some(((*name).to_owned(), summary))
            })
            .collect();
        let failed = runs.iter().filter(|run| run.profile == *profile && run.error.is_some()).count();
        json!({ "profile": profile, "failed": failed, "figures": figures })
    };
    json!({
        "format": "sightline-matrix",
        "version": 1,
        "profiles": profiles.iter().map(profile).collect::<Vec<_>>(),
        "runs": runs.iter().map(run).collect::<Vec<_>>(),
    })
}

/// A field for RFC 4180. A leading sign that a spreadsheet takes for a formula is prefixed.
fn quoted(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn run(profile: &str, repetition: u64, score: Option<f64>, error: Option<&str>) -> Run {
        let mut figures = vec![None; FIGURES.len()];
        figures[0] = score;
        Run { profile: profile.to_owned(), repetition, error: error.map(ToOwned::to_owned), figures }
    }

    #[test]
    fn a_failed_run_is_one_row_and_takes_no_part_in_the_summary() {
        let runs = [
            run("wire", 1, Some(5.0), None),
            run("wire", 2, None, Some("no \"frame\", ever")),
            run("wire", 3, Some(4.0), None),
        ];
        let text = csv(&runs, &profiles(&runs));
        let rows: Vec<_> = text.split_terminator("\r\n").collect();
        assert!(rows[0].starts_with("profile,row,state,error,score,"));
        assert!(rows[2].starts_with("wire,2,failed,\"no \"\"frame\"\", ever\",,"), "{}", rows[2]);
        assert!(rows[4].starts_with("wire,median,summary,,4.5,"), "{}", rows[4]);
        assert_eq!(rows.len(), 1 + 3 + 4);
        let columns = FIGURES.len() + 4;
        assert!(rows.iter().filter(|row| !row.contains('"')).all(|row| row.split(',').count() == columns));
        let document = document(&runs, &profiles(&runs));
        assert_eq!(document["profiles"][0]["failed"], 1);
        assert_eq!(document["profiles"][0]["figures"]["score"]["runs"], 2);
        assert_eq!(document["runs"][1]["error"], "no \"frame\", ever");
    }

    #[test]
    fn a_run_that_was_repeated_counts_once() {
        let folder = std::env::temp_dir().join(format!("sightline-matrix-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("wire-1.json"), r#"{"sides":[{"playout":{"score":{"value":4.5}}}]}"#).unwrap();
        let lines = [
            r#"{"profile":"wire","repetition":1,"error":"no browser"}"#,
            r#"{"profile":"home","repetition":1,"error":"no browser"}"#,
            r#"{"profile":"wire","repetition":1,"report":"wire-1.json"}"#,
        ];
        fs::write(folder.join(RUNS), lines.join("\n")).unwrap();
        assert_eq!(write(&folder).unwrap(), 1);
        let runs = read(&folder).unwrap();
        assert_eq!(runs.len(), 2);
        assert_eq!((runs[0].figures[0], runs[0].error.as_deref()), (Some(4.5), None));
        assert!(fs::read_to_string(folder.join("matrix-score.svg")).unwrap().contains("</svg>"));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_field_cannot_be_a_formula() {
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("a,b"), "\"a,b\"");
    }
}
