//! Writing to signals from tasks: a signal may be gone by then, and what did not change must not wake anybody.

use leptos::prelude::*;

/// Sets a signal to a value that it does not have yet.
pub fn set<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_with_untracked(|shown| *shown != value) == Some(true) {
        signal.try_set(value);
    }
}

/// Appends a value to a list that does not have it yet.
pub fn insert<T: PartialEq + Send + Sync + 'static>(list: RwSignal<Vec<T>>, value: T) {
    if list.try_with_untracked(|shown| !shown.contains(&value)) == Some(true) {
        list.try_update(|shown| shown.push(value));
    }
}

/// Takes a value out of a list that has it.
pub fn remove<T: PartialEq + Send + Sync + 'static>(list: RwSignal<Vec<T>>, value: &T) {
    if list.try_with_untracked(|shown| shown.contains(value)) == Some(true) {
        list.try_update(|shown| shown.retain(|other| other != value));
    }
}
