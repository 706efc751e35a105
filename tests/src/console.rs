//! What the browser's console said. Errors that a test does not expect fail it.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use futures_util::StreamExt;
use thirtyfour::{
    WebDriver,
    bidi::{events::LogEntryAdded, modules::log::LogLevel},
};

/// The console of one browser.
#[derive(Debug, Clone)]
pub enum Console {
    /// Chromium's driver keeps a log, refused requests and violated policies included.
    Kept,
    /// Firefox reports console calls and uncaught exceptions as they happen (WebDriver BiDi `log.entryAdded`).
    Reported(Arc<Mutex<Vec<String>>>),
}

impl Console {
    /// Listens to Firefox.
    ///
    /// # Errors
    /// Where the browser does not speak WebDriver BiDi.
    pub async fn reported(driver: &WebDriver) -> Result<Self> {
        let errors = Arc::new(Mutex::new(Vec::new()));
        let bidi = driver.bidi().await?;
        let mut entries = bidi.subscribe::<LogEntryAdded>().await.context("log.entryAdded")?;
        let kept = Arc::clone(&errors);
        tokio::spawn(async move {
            while let Some(entry) = entries.next().await {
                if entry.level == LogLevel::Error {
                    let text = entry.text.unwrap_or_default();
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                }
            }
        });
        Ok(Self::Reported(errors))
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
            Self::Reported(errors) => {
                Ok(std::mem::take(&mut *errors.lock().unwrap_or_else(PoisonError::into_inner)))
            }
        }
    }
}
