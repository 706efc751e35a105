//! Compares the rows with the reports of the page's own peer connection, computed a second time here.

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Map, Value};
use sightline_e2e::{
    page::Page,
    snapshot::Snapshot,
    wait::{PATIENCE, until},
};

/// Metrics that every browser reports while a picture arrives.
const ALWAYS_THERE: [&str; 10] = [
    "receive_bitrate",
    "send_bitrate",
    "frames_per_second",
    "frame_width",
    "frame_height",
    "codec",
    "round_trip_time",
    "jitter",
    "packets_lost",
    "path",
];

/// One `RTCStatsReport`, recorded by the page.
#[derive(Deserialize)]
struct Report(Vec<Map<String, Value>>);

/// Waits until every row of the member equals the value in one of the last reports; bitrates are computed from two of them.
pub(crate) async fn until_rows_equal_a_report(page: &Page, name: &str) -> Result<()> {
    until("rows that equal a report", PATIENCE, async || {
        let reports: Vec<Report> =
            page.execute("return sightlineProbe.reports.map((report) => report.entries)", vec![]).await?;
        let seen = page.look().await?;
        let Some(member) = seen.tile(name).map(|tile| tile.member.clone()) else {
            return Ok(Err(format!("no tile of {name}")));
        };
        let missing: Vec<_> = ALWAYS_THERE
            .into_iter()
            .filter(|metric| seen.figure(&member, metric).is_none_or(str::is_empty))
            .collect();
        if !missing.is_empty() {
            return Ok(Err(format!("no value for {missing:?} in {:#?}", seen.figures)));
        }
        let differences: Vec<_> =
            reports.windows(2).map(|pair| differences(&seen, &member, &pair[0], &pair[1])).collect();
        let fewest = differences.into_iter().min_by_key(Vec::len);
        Ok(match fewest {
            Some(none) if none.is_empty() => Ok(()),
            Some(some) => Err(some.join("\n")),
            None => Err("not two reports yet".to_owned()),
        })
    })
    .await
}

/// The rows that differ from the later of two reports.
fn differences(seen: &Snapshot, member: &str, before: &Report, now: &Report) -> Vec<String> {
    let video = now.rtp("inbound-rtp", "video");
    let audio = now.rtp("inbound-rtp", "audio");
    let video_out = now.rtp("outbound-rtp", "video");
    let pair = now.selected_pair();
    let lost = [video, audio].map(|entry| number(entry, "packetsLost")).into_iter().flatten().sum();
    let round_trip = number(pair, "currentRoundTripTime");
    let numbers = [
        ("receive_bitrate", bitrate(before, now, "inbound-rtp", "bytesReceived")),
        ("send_bitrate", bitrate(before, now, "outbound-rtp", "bytesSent")),
        ("frames_per_second", number(video, "framesPerSecond")),
        ("frame_width", number(video, "frameWidth")),
        ("frame_height", number(video, "frameHeight")),
        ("frame_width_sent", number(video_out, "frameWidth")),
        ("jitter", number(video, "jitter")),
        ("packets_lost", Some(lost)),
        ("freeze_count", number(video, "freezeCount")),
        ("total_freezes_duration", number(video, "totalFreezesDuration")),
        ("frames_dropped", number(video, "framesDropped")),
        ("available_outgoing_bitrate", number(pair, "availableOutgoingBitrate")),
        // Without the candidate pair's own value, that of the other side's receiver reports counts.
        ("round_trip_time", round_trip),
    ];
    let mut differences: Vec<String> = numbers
        .into_iter()
        .filter(|(metric, reported)| !(*metric == "round_trip_time" && reported.is_none()))
        .filter_map(|(metric, reported)| {
            let row = seen.figure(member, metric)?;
            let equal = match (row.parse::<f64>().ok(), reported) {
                (Some(shown), Some(reported)) => (shown - reported).abs() <= 1e-6 * reported.abs().max(1.0),
                (None, None) => row.is_empty(),
                _ => false,
            };
            (!equal).then(|| format!("{metric}: the row {row:?}, the report {reported:?}"))
        })
        .collect();
    let codec = video.and_then(|video| now.by_id(video.get("codecId")?.as_str()?)?.get("mimeType")?.as_str());
    let codec = codec.and_then(|mime| mime.split('/').nth(1));
    if seen.figure(member, "codec") != codec {
        differences.push(format!("codec: {:?}, {codec:?}", seen.figure(member, "codec")));
    }
    if seen.figure(member, "path") != Some("direct") {
        differences.push(format!("path: {:?} without a relay", seen.figure(member, "path")));
    }
    differences
}

impl Report {
    fn of_type(&self, entry_type: &'static str) -> impl Iterator<Item = &Map<String, Value>> {
        self.0.iter().filter(move |entry| entry.get("type").and_then(Value::as_str) == Some(entry_type))
    }

    /// The busiest entry of its kind: there are two slots for sound, and only the microphone's is used here.
    fn rtp(&self, entry_type: &'static str, kind: &str) -> Option<&Map<String, Value>> {
        let bytes = |entry: &Map<String, Value>| {
            ["bytesReceived", "bytesSent"]
                .into_iter()
                .find_map(|name| entry.get(name)?.as_f64())
                .unwrap_or(0.0)
        };
        self.of_type(entry_type)
            .filter(|entry| entry.get("kind").and_then(Value::as_str) == Some(kind))
            .max_by(|a, b| bytes(a).total_cmp(&bytes(b)))
    }

    fn by_id(&self, id: &str) -> Option<&Map<String, Value>> {
        self.0.iter().find(|entry| entry.get("id").and_then(Value::as_str) == Some(id))
    }

    /// Referenced by the transport in Chromium, marked in Firefox.
    fn selected_pair(&self) -> Option<&Map<String, Value>> {
        let named = self
            .of_type("transport")
            .find_map(|transport| self.by_id(transport.get("selectedCandidatePairId")?.as_str()?));
        let is_selected =
            |pair: &&Map<String, Value>| pair.get("selected").and_then(Value::as_bool) == Some(true);
        named.or_else(|| self.of_type("candidate-pair").find(is_selected))
    }

    fn at_ms(&self) -> f64 {
        self.0.iter().filter_map(|entry| entry.get("timestamp")?.as_f64()).fold(0.0, f64::max)
    }
}

fn number(entry: Option<&Map<String, Value>>, name: &str) -> Option<f64> {
    entry?.get(name)?.as_f64()
}

/// The bitrate of audio and video together.
fn bitrate(before: &Report, now: &Report, entry_type: &'static str, bytes: &str) -> Option<f64> {
    let total = |report: &Report| -> Option<f64> {
        let both = ["video", "audio"].map(|kind| number(report.rtp(entry_type, kind), bytes));
        both.into_iter().flatten().reduce(|video, audio| video + audio)
    };
    let seconds = (now.at_ms() - before.at_ms()) / 1000.0;
    (seconds > 0.0).then_some((total(now)? - total(before)?) * 8.0 / seconds)
}
