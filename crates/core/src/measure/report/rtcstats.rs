//! Raw stats reports as an rtcstats dump (file format 3 of the rtcstats project), which its importer and other tools read: a
//! magic line, a JSON object, then one JSON array per event, `[method, connection, value, milliseconds since the event
//! before]`. Only the changed values of a stats report are written.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::measure::entry::StatsEntry;

const FILE_FORMAT: u32 = 3;
/// Maximum size in bytes, which is about a day of a call between two members.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Fields that are left out: they would reveal where a person is, or, as `id`, are redundant.
const LEFT_OUT: [&str; 4] = ["id", "address", "port", "networkType"];

/// The header of the file.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RtcStatsHeader {
    /// The browser's `navigator.userAgent`.
    pub user_agent: String,
    /// The address of the page, without its query.
    pub url: String,
}

/// A growing dump.
#[derive(Debug, Clone, Default)]
pub struct RtcStatsDump {
    lines: String,
    last: HashMap<String, Map<String, Value>>,
    last_ms: u64,
}

impl RtcStatsDump {
    /// Adds a report of a connection. A full dump ignores further reports.
    pub fn handle_report(&mut self, connection: &str, entries: &[StatsEntry], unix_ms: u64) {
        let report: Map<String, Value> = entries.iter().filter_map(entry).collect();
        let last = self.last.get(connection);
        let mut changed = Map::new();
        for (id, entry) in &report {
            let before = last.and_then(|last| last.get(id));
            let new = entry.as_object().into_iter().flatten();
            let new = new
                .filter(|(name, value)| before.and_then(|before| before.get(name.as_str())) != Some(value));
            let new: Map<String, Value> = new.map(|(name, value)| (name.clone(), value.clone())).collect();
            if !new.is_empty() {
                changed.insert(id.clone(), new.into());
            }
        }
        for gone in last.into_iter().flat_map(Map::keys).filter(|id| !report.contains_key(*id)) {
            changed.insert(gone.clone(), Value::Null);
        }
        self.add(connection, &changed, unix_ms);
        self.last.insert(connection.to_owned(), report);
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self, header: &RtcStatsHeader) -> String {
        let mut head = json!(header);
        head["fileFormat"] = FILE_FORMAT.into();
        format!("RTCStatsDump\n{head}\n{}", self.lines)
    }

    fn add(&mut self, connection: &str, changed: &Map<String, Value>, unix_ms: u64) {
        let passed_ms = unix_ms.saturating_sub(self.last_ms);
        let line = json!(["getStats", connection, changed, passed_ms]).to_string();
        if self.lines.len() + line.len() < MAX_BYTES {
            self.last_ms = unix_ms.max(self.last_ms);
            self.lines.push_str(&line);
            self.lines.push('\n');
        }
    }
}

/// An entry as a pair of its id and its reported values.
fn entry(entry: &StatsEntry) -> Option<(String, Value)> {
    let mut value = serde_json::to_value(entry).ok()?;
    let members = value.as_object_mut()?;
    members.retain(|name, value| !value.is_null() && !LEFT_OUT.contains(&name.as_str()));
    Some((entry.id.clone(), value))
}
