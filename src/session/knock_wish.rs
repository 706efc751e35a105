//! Whether the person wants to show the hosts of a locked room a picture of the camera.
//!
//! Owns the answer of the lobby until the room asks for it. A page shows one lobby at a time. It is no signal of the lobby, because the
//! first visit loads those, and only split modules use this answer.

use std::cell::Cell;

thread_local! {
    static IS_WANTED: Cell<bool> = const { Cell::new(false) };
}

/// Takes the answer. Every lobby begins with `false`, and every room ends with it.
pub fn set(is_wanted: bool) {
    IS_WANTED.set(is_wanted);
}

/// The answer of the latest lobby.
pub fn is_wanted() -> bool {
    IS_WANTED.get()
}
