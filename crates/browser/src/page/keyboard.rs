//! Key presses that are not text input.

use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// Elements into which letters are typed, or which use letters for selection.
const TYPED_INTO: &str = "input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, \
                          [contenteditable], dialog";

/// Elements that do something themselves when the space bar is pressed on them.
const USES_SPACE: &str =
    "button, summary, a[href], input, label, video, audio, [role=button], [tabindex=\"0\"]";

/// `keyCode` of a key that an input method handles, also in browsers that end the composition before its last key.
const TAKEN_BY_INPUT_METHOD: u32 = 229;

/// A key press, with the values of `KeyboardEvent`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPress {
    /// The character or name of the key.
    pub key: String,
    /// The position of the key, named after a US keyboard.
    pub code: String,
    /// Whether Shift is held.
    pub is_shifted: bool,
    /// Whether Control, Alt, AltGr or Meta is held.
    pub is_modified: bool,
    /// Whether the key is held down and repeats.
    pub is_repeated: bool,
    /// Whether an input method is composing text with the key.
    pub is_composing: bool,
}

/// The key press of an event that is not handled yet and is not typed into an element.
#[must_use]
pub fn key_press(event: &KeyboardEvent) -> Option<KeyPress> {
    if event.default_prevented() {
        return None;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let is_typed = target.is_some_and(|element| element.closest(TYPED_INTO).ok().flatten().is_some());
    (!is_typed).then(|| read(event))
}

/// The key press of an event that is not handled yet, and whose element neither takes text nor uses the space bar.
#[must_use]
pub fn key_press_elsewhere(event: &KeyboardEvent) -> Option<KeyPress> {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let uses_space = target.is_some_and(|element| element.closest(USES_SPACE).ok().flatten().is_some());
    if uses_space { None } else { key_press(event) }
}

/// Whether an event is about the space bar.
#[must_use]
pub fn is_space(event: &KeyboardEvent) -> bool {
    event.code() == "Space" || event.key() == " "
}

/// Whether an event is an unhandled press of Escape, on any element.
#[must_use]
pub fn is_escape(event: &KeyboardEvent) -> bool {
    let press = read(event);
    press.key == "Escape" && !press.is_modified && !press.is_composing && !event.default_prevented()
}

fn read(event: &KeyboardEvent) -> KeyPress {
    KeyPress {
        key: event.key(),
        code: event.code(),
        is_shifted: event.shift_key(),
        is_modified: event.ctrl_key()
            || event.meta_key()
            || event.alt_key()
            || event.get_modifier_state("AltGraph"),
        is_repeated: event.repeat(),
        is_composing: event.is_composing() || event.key_code() == TAKEN_BY_INPUT_METHOD,
    }
}
