//! How many pages tests have open at the same time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// Pages that a machine of two cores can show at the same time. Beyond that, pages of a call miss timeouts of the network and
/// of the server.
const PLACES: u32 = 4;

/// The places for pages that all tests share.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES as usize)))
    }
}

/// The places that one test holds. It gives them back when it is dropped.
#[derive(Debug)]
pub(crate) struct HeldPlaces {
    free: Places,
    held: Mutex<Vec<OwnedSemaphorePermit>>,
    waited: Mutex<Duration>,
}

impl HeldPlaces {
    pub(crate) fn none_of(free: &Places) -> Self {
        Self { free: free.clone(), held: Mutex::default(), waited: Mutex::default() }
    }

    /// Takes places for this number of pages. A test waits for its first places, in the order of asking. It gets later ones at
    /// once, even if none is free: two tests that waited for each other would never end.
    ///
    /// # Errors
    /// Never, as long as the stage is there.
    pub(crate) async fn take(&self, pages: usize) -> Result<()> {
        let count = u32::try_from(pages)?.min(PLACES);
        let semaphore = Arc::clone(&self.free.0);
        let is_first = self.held.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        let taken = if is_first {
            let since = Instant::now();
            let taken = semaphore.acquire_many_owned(count).await?;
            *self.waited.lock().unwrap_or_else(PoisonError::into_inner) += since.elapsed();
            Some(taken)
        } else {
            semaphore.try_acquire_many_owned(count).ok()
        };
        self.held.lock().unwrap_or_else(PoisonError::into_inner).extend(taken);
        Ok(())
    }

    /// How long the test waited for its places.
    pub(crate) fn waited(&self) -> Duration {
        *self.waited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
