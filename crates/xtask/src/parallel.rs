//! The same work on many items, on as many threads as the machine has processors.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::Result;

/// Calls `work` for each item. The order is the list's where there is one processor.
///
/// # Errors
/// The first one of the list's order. Items that nobody began stay as they are.
pub(crate) fn for_each<T: Send>(items: &mut [T], work: impl Fn(&mut T) -> Result<()> + Sync) -> Result<()> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let queue = Mutex::new(items.iter_mut().enumerate());
    let errors = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((at, item)) = next else { return };
                    if let Err(error) = work(item) {
                        errors.lock().unwrap_or_else(PoisonError::into_inner).push((at, error));
                        return;
                    }
                }
            });
        }
    });
    let errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
    errors.into_iter().min_by_key(|(at, _)| *at).map_or(Ok(()), |(_, error)| Err(error))
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn every_item_is_worked_on_once_and_the_first_error_is_reported() {
        let mut numbers: Vec<u32> = (0..100).collect();
        for_each(&mut numbers, |number| {
            *number += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(numbers, (1..=100).collect::<Vec<_>>());

        let failed = for_each(&mut numbers, |number| match number {
            1 => bail!("the first"),
            _ => Ok(()),
        });
        assert_eq!(failed.unwrap_err().to_string(), "the first");
    }
}
