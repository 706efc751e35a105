//! `RTCPeerConnection.getStats()` as data.

use js_sys::{Map, Promise};
use sightline_core::stats::StatsEntry;
use wasm_bindgen::JsCast;

use crate::{error::BrowserError, promise::settled};

/// The entries of the report that `report` resolves to. One that is not as the specification says is left out.
pub(super) async fn read(report: Promise) -> Result<Vec<StatsEntry>, BrowserError> {
    let report: Map = settled(report).await?.unchecked_into();
    let entries = report.values().into_iter().filter_map(Result::ok);
    Ok(entries.filter_map(|entry| serde_wasm_bindgen::from_value(entry).ok()).collect())
}
