//! The messages of the browser's console. A test fails on errors that it does not expect.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use anyhow::{Context, Result};
use futures_util::StreamExt;
use thirtyfour::{
    WebDriver,
    bidi::{events::LogEntryAdded, modules::log::LogLevel},
};

/// The console of one browser.
#[derive(Debug, Clone)]
pub enum Console {
    /// Chromium's driver keeps a log, which includes refused requests and policy violations.
    Kept,
    /// Firefox reports console calls and uncaught exceptions as they happen (WebDriver BiDi `log.entryAdded`).
    Reported(Arc<Mutex<Reported>>),
}

/// Errors that Firefox reported.
#[derive(Debug, Default)]
pub struct Reported {
    errors: Vec<String>,
    /// Reports can arrive late: earlier ones belong to the test that used the browser before.
    since_unix_ms: u64,
}

impl Console {
    /// Listens to the console of Firefox.
    ///
    /// # Errors
    /// Where the browser does not speak WebDriver BiDi.
    pub async fn reported(driver: &WebDriver) -> Result<Self> {
        let reported = Arc::new(Mutex::new(Reported::default()));
        let bidi = driver.bidi().await?;
        let mut entries = bidi.subscribe::<LogEntryAdded>().await.context("log.entryAdded")?;
        let kept = Arc::clone(&reported);
        tokio::spawn(async move {
            while let Some(entry) = entries.next().await {
                if entry.level == LogLevel::Error {
                    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    if entry.timestamp >= kept.since_unix_ms {
                        kept.errors.push(entry.text.unwrap_or_default());
                    }
                }
            }
        });
        Ok(Self::Reported(reported))
    }

    /// Discards all errors up to now.
    ///
    /// # Errors
    /// Where the driver does not answer.
    #[allow(clippy::disallowed_methods, reason = "the reports have this time")]
    pub async fn clear(&self, driver: &WebDriver) -> Result<()> {
        self.take_errors(driver).await?;
        if let Self::Reported(reported) = self {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let mut reported = reported.lock().unwrap_or_else(PoisonError::into_inner);
            reported.since_unix_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            reported.errors.clear();
        }
        Ok(())
    }

    /// The errors since the last call.
    ///
    /// # Errors
    /// Where the driver does not answer.
    pub async fn take_errors(&self, driver: &WebDriver) -> Result<Vec<String>> {
        match self {
            Self::Kept => {
                let entries = driver.browser_log().await?;
                let severe = entries.into_iter().filter(|entry| entry.level == "SEVERE");
                Ok(severe.map(|entry| entry.message).collect())
            }
            Self::Reported(reported) => {
                Ok(std::mem::take(&mut reported.lock().unwrap_or_else(PoisonError::into_inner).errors))
            }
        }
    }
}
