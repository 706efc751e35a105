//! When picture, sound and messages of a member came back, as its page saw it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use serde::Deserialize;
use serde_json::json;

use crate::page::Page;

/// How long after a moment each was back; `None` where it is not yet.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Back {
    /// Frames, one after the other.
    #[serde(rename = "picture")]
    pub picture_ms: Option<f64>,
    /// Packets of sound.
    #[serde(rename = "sound")]
    pub sound_ms: Option<f64>,
    /// A message.
    #[serde(rename = "chat")]
    pub chat_ms: Option<f64>,
    /// How often, since the watch began, the picture's element was seen without any picture (looks every 20 ms).
    pub blanks: u32,
}

impl Back {
    /// Whether all three are.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.picture_ms.is_some() && self.sound_ms.is_some() && self.chat_ms.is_some()
    }

    /// The longest of the three, in milliseconds.
    #[must_use]
    pub fn slowest_ms(&self) -> f64 {
        [self.picture_ms, self.sound_ms, self.chat_ms]
            .into_iter()
            .map(|ms| ms.unwrap_or(f64::INFINITY))
            .fold(0.0, f64::max)
    }
}

impl Page {
    /// Watches the member with this name from now on.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn watch(&self, name: &str) -> Result<()> {
        self.execute(include_str!("monitor.js"), vec![json!(name)]).await
    }

    /// Writes a numbered message again and again.
    ///
    /// # Errors
    /// Where the page was reloaded since [`Self::watch`].
    pub async fn keep_saying(&self, interval: Duration) -> Result<()> {
        let script = "sightlineMonitor.sayEvery(arguments[0]); return null";
        self.execute(script, vec![json!(interval.as_millis())]).await
    }

    /// How many there were until now.
    ///
    /// # Errors
    /// Where the page was reloaded since [`Self::watch`].
    pub async fn said(&self) -> Result<usize> {
        self.execute("return sightlineMonitor.said()", vec![]).await
    }

    /// Stops that, and says how many there were.
    ///
    /// # Errors
    /// Where the page was reloaded since [`Self::watch`].
    pub async fn stop_saying(&self) -> Result<usize> {
        self.execute("return sightlineMonitor.stopSaying()", vec![]).await
    }

    /// How long after a moment everything was back.
    ///
    /// # Errors
    /// Where the page was reloaded since [`Self::watch`].
    pub async fn back_after(&self, unix_ms: f64) -> Result<Back> {
        self.execute("return sightlineMonitor.after(arguments[0])", vec![json!(unix_ms)]).await
    }
}

/// Now, in milliseconds since 1970, as pages on this machine know it.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "a harness measures real time")]
pub fn unix_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}
