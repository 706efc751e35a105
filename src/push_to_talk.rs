//! Push to talk: with the microphone off, the person is heard while the space bar is held.
//!
//! Owns whether the space bar is held to talk. It never switches the microphone.
//!
//! Invariant: every [`Talk::Begin`] is followed by one [`Talk::End`], whatever happens to the key or to the window.

use sightline_browser::page::keyboard::KeyPress;

/// What the microphone does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// The person is heard from now on.
    Begin,
    /// The person is no longer heard.
    End,
}

/// The space bar as a key to talk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PushToTalk {
    is_talking: bool,
}

impl PushToTalk {
    /// Whether the person talks with the key.
    #[must_use]
    pub fn is_talking(self) -> bool {
        self.is_talking
    }

    /// Takes a key press that no element uses. `may_begin` is false while the microphone is on anyway, and where push to talk is
    /// switched off.
    pub fn handle_press(&mut self, press: &KeyPress, may_begin: bool) -> Option<Talk> {
        let is_plain = press.key == " " && !press.is_modified && !press.is_shifted && !press.is_composing;
        // A repetition without a beginning belongs to a press that ended with the focus of the window.
        let begins = is_plain && !press.is_repeated && may_begin && !self.is_talking;
        begins.then(|| {
            self.is_talking = true;
            Talk::Begin
        })
    }

    /// Notes that the space bar was released, or that the page would not learn of it: the window lost the focus or was hidden.
    pub fn handle_release(&mut self) -> Option<Talk> {
        std::mem::take(&mut self.is_talking).then_some(Talk::End)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> KeyPress {
        KeyPress { key: " ".to_owned(), code: "Space".to_owned(), ..KeyPress::default() }
    }

    #[test]
    fn the_person_is_heard_from_the_press_to_the_release() {
        let mut key = PushToTalk::default();
        assert_eq!(key.handle_press(&space(), true), Some(Talk::Begin));
        let repeated = KeyPress { is_repeated: true, ..space() };
        assert_eq!(key.handle_press(&repeated, true), None);
        assert!(key.is_talking());
        assert_eq!(key.handle_release(), Some(Talk::End));
        assert_eq!(key.handle_release(), None);
        assert!(!key.is_talking());
    }

    #[test]
    fn a_key_that_is_still_down_after_the_window_lost_the_focus_does_not_begin_again() {
        let mut key = PushToTalk::default();
        key.handle_press(&space(), true);
        assert_eq!(key.handle_release(), Some(Talk::End));
        let repeated = KeyPress { is_repeated: true, ..space() };
        assert_eq!(key.handle_press(&repeated, true), None);
        assert_eq!(key.handle_press(&space(), true), Some(Talk::Begin));
    }

    #[test]
    fn other_keys_and_modified_or_composed_ones_do_not_begin() {
        for press in [
            KeyPress { key: "m".to_owned(), ..space() },
            KeyPress { is_modified: true, ..space() },
            KeyPress { is_shifted: true, ..space() },
            KeyPress { is_composing: true, ..space() },
        ] {
            assert_eq!(PushToTalk::default().handle_press(&press, true), None, "{press:?}");
        }
        assert_eq!(PushToTalk::default().handle_press(&space(), false), None);
    }
}
