//! Keys pressed for their own sake.

use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

/// Where letters are typed, or choose something.
const TYPED_INTO: &str = "input:not([type=range], [type=checkbox], [type=radio], [type=button]), textarea, select, \
                          [contenteditable], dialog";

/// The key (`KeyboardEvent.key`), where it was pressed once, without a modifier but shift, and not typed into something.
#[must_use]
pub fn plain_key(event: &KeyboardEvent) -> Option<String> {
    let is_modified = event.ctrl_key() || event.meta_key() || event.alt_key();
    if is_modified || event.repeat() || event.is_composing() || event.default_prevented() {
        return None;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let is_typed = target.is_some_and(|element| element.closest(TYPED_INTO).ok().flatten().is_some());
    (!is_typed).then(|| event.key())
}
