//! Waits for conditions, never for a fixed time.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep, timeout_at};

/// Time limit for an event that takes a second on a quiet machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

const INTERVAL: Duration = Duration::from_millis(100);

/// Calls the probe repeatedly until it returns `Ok`.
///
/// # Errors
/// After `patience`, with the last answer; at once if the probe itself fails.
pub async fn until<T>(
    what: &str,
    patience: Duration,
    mut probe: impl AsyncFnMut() -> Result<Result<T, String>>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    let mut seen = "nothing yet".to_owned();
    loop {
        match timeout_at(deadline, probe()).await {
            Ok(Ok(Ok(found))) => return Ok(found),
            Ok(Ok(Err(other))) => seen = other,
            Ok(Err(error)) => return Err(error.context(format!("while waiting for {what}"))),
            Err(_) => {}
        }
        if Instant::now() >= deadline {
            bail!("waited {} s for {what}; last seen: {seen}", patience.as_secs());
        }
        sleep(INTERVAL).await;
    }
}
