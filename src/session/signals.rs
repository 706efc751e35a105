//! Writes to signals from tasks: the signal may be gone, and an unchanged value must not wake any effect.

use leptos::prelude::*;

/// Sets a signal, if the value differs.
pub fn set<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_with_untracked(|shown| *shown != value) == Some(true) {
        signal.try_set(value);
    }
}

/// Appends a value to a list, unless the list contains it.
pub fn insert<T: PartialEq + Send + Sync + 'static>(list: RwSignal<Vec<T>>, value: T) {
    if list.try_with_untracked(|shown| !shown.contains(&value)) == Some(true) {
        list.try_update(|shown| shown.push(value));
    }
}

/// Removes a value from a list, if the list contains it.
pub fn remove<T: PartialEq + Send + Sync + 'static>(list: RwSignal<Vec<T>>, value: &T) {
    if list.try_with_untracked(|shown| shown.contains(value)) == Some(true) {
        list.try_update(|shown| shown.retain(|other| other != value));
    }
}
