//! Measures when picture, sound and messages of a member returned, as seen by a page.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde::Deserialize;
use serde_json::json;

use crate::page::Page;

/// Times from a moment until each returned; `None` if it has not returned.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Back {
    /// The first of several consecutive frames, in milliseconds.
    #[serde(rename = "picture")]
    pub picture_ms: Option<f64>,
    /// The first packet of sound, in milliseconds.
    #[serde(rename = "sound")]
    pub sound_ms: Option<f64>,
    /// The first message, in milliseconds.
    #[serde(rename = "chat")]
    pub chat_ms: Option<f64>,
    /// How often the video element had no picture since the watch began (checked every 20 ms).
    pub blanks: u32,
}

impl Back {
    /// Whether all three have returned.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.picture_ms.is_some() && self.sound_ms.is_some() && self.chat_ms.is_some()
    }

    /// The longest of the three times, in milliseconds.
    #[must_use]
    pub fn slowest_ms(&self) -> f64 {
        [self.picture_ms, self.sound_ms, self.chat_ms]
            .into_iter()
            .map(|ms| ms.unwrap_or(f64::INFINITY))
            .fold(0.0, f64::max)
    }
}

impl Page {
    /// Starts to watch the member with this name.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn watch(&self, name: &str) -> Result<()> {
        self.execute(include_str!("monitor.js"), vec![json!(name)]).await
    }

    /// Writes numbered messages at this interval.
    ///
    /// # Errors
    /// Where the page was reloaded since [`Self::watch`].
    pub async fn keep_saying(&self, interval: Duration) -> Result<()> {
        let script = "sightlineMonitor.sayEvery(arguments[0]); return null";
        self.execute(script, vec![json!(interval.as_millis())]).await
    }

    /// Number of messages written so far.
    ///
    /// # Errors
    /// Where the page was reloaded since [`Self::watch`].
    pub async fn said(&self) -> Result<usize> {
        self.execute("return sightlineMonitor.said()", vec![]).await
    }

    /// Stops writing, and returns the number of messages.
    ///
    /// # Errors
    /// Where the page was reloaded since [`Self::watch`].
    pub async fn stop_saying(&self) -> Result<usize> {
        self.execute("return sightlineMonitor.stopSaying()", vec![]).await
    }

    /// The times from this moment until each returned.
    ///
    /// # Errors
    /// Where the page was reloaded since [`Self::watch`].
    pub async fn back_after(&self, unix_ms: f64) -> Result<Back> {
        self.execute("return sightlineMonitor.after(arguments[0])", vec![json!(unix_ms)]).await
    }
}

/// The present time in milliseconds since 1970, on the clock of pages on this machine.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "a harness measures real time")]
pub fn unix_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}
