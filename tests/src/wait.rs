//! Waiting for a condition, never for a time.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep, timeout_at};

/// How long something may take that takes a second on a quiet machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

const INTERVAL: Duration = Duration::from_millis(100);

/// Asks again and again until the answer is `Ok`.
///
/// # Errors
/// After `patience`, with what was seen last; at once where the probe itself fails.
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
