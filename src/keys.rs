//! Keyboard shortcuts of a call, for any keyboard layout.
//!
//! A shortcut is identified by the Latin letter that its key writes, regardless of Caps Lock. In a layout for another script
//! it is identified by the letter that a US keyboard has in that position. Modifiers count as they are held,
//! never by the case of a letter.

use sightline_browser::page::keyboard::KeyPress;

/// An action that has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortcut {
    /// Switches the microphone on or off.
    Microphone,
    /// Switches the camera on or off.
    Camera,
    /// Starts or stops sharing a screen.
    Screen,
    /// Raises or lowers the hand.
    Hand,
    /// Moves the focus to the chat.
    Chat,
    /// Opens or closes the figures.
    Figures,
    /// Opens or closes the invitation.
    Invitation,
    /// Opens or closes the settings.
    Settings,
    /// Opens the list of shortcuts.
    Help,
    /// Asks whether to leave the room.
    Leave,
}

impl Shortcut {
    /// Every shortcut, in the order of the list of shortcuts.
    pub const ALL: [Self; 10] = [
        Self::Microphone,
        Self::Camera,
        Self::Screen,
        Self::Hand,
        Self::Chat,
        Self::Figures,
        Self::Invitation,
        Self::Settings,
        Self::Help,
        Self::Leave,
    ];

    /// The keys, in words for a person.
    #[must_use]
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Microphone => &["M"],
            Self::Camera => &["V"],
            Self::Screen => &["S"],
            Self::Hand => &["R"],
            Self::Chat => &["C"],
            Self::Figures => &["F"],
            Self::Invitation => &["I"],
            Self::Settings => &["O"],
            Self::Help => &["?"],
            Self::Leave => &["Shift", "L"],
        }
    }

    /// The shortcut of a key press, unless the press is meant for something else.
    #[must_use]
    pub fn of(press: &KeyPress) -> Option<Self> {
        if press.is_modified || press.is_repeated || press.is_composing {
            return None;
        }
        // Every layout has the question mark on another key and with other modifiers.
        if ["?", "\u{ff1f}", "\u{61f}"].contains(&press.key.as_str()) {
            return Some(Self::Help);
        }
        let letter = letter(&press.key, &press.code)?;
        Self::ALL.into_iter().find(|shortcut| match shortcut.keys() {
            ["Shift", key] => press.is_shifted && key.as_bytes() == [letter],
            [key] => !press.is_shifted && key.as_bytes() == [letter],
            _ => false,
        })
    }
}

/// The capital letter of a key; `None` for all other keys, including dead keys and keys of an input method.
fn letter(key: &str, code: &str) -> Option<u8> {
    match key.as_bytes() {
        [written] if written.is_ascii_alphabetic() => Some(written.to_ascii_uppercase()),
        [] => None,
        _ if key.is_ascii() => None,
        _ => match code.strip_prefix("Key")?.as_bytes() {
            [place @ b'A'..=b'Z'] => Some(*place),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(key: &str, code: &str) -> KeyPress {
        KeyPress { key: key.to_owned(), code: code.to_owned(), ..KeyPress::default() }
    }

    fn shifted(key: &str, code: &str) -> KeyPress {
        KeyPress { is_shifted: true, ..plain(key, code) }
    }

    #[test]
    fn no_two_shortcuts_share_a_key() {
        for (at, shortcut) in Shortcut::ALL.into_iter().enumerate() {
            assert!(Shortcut::ALL[..at].iter().all(|other| other.keys() != shortcut.keys()), "{shortcut:?}");
        }
    }

    #[test]
    fn caps_lock_does_not_change_the_shortcuts() {
        for (key, code, shortcut) in [
            ("M", "KeyM", Some(Shortcut::Microphone)),
            ("V", "KeyV", Some(Shortcut::Camera)),
            ("H", "KeyH", None),
            ("E", "KeyE", None),
            ("L", "KeyL", None),
        ] {
            assert_eq!(Shortcut::of(&plain(key, code)), shortcut, "{key}");
        }
        // Caps Lock and Shift together write small letters.
        assert_eq!(Shortcut::of(&shifted("l", "KeyL")), Some(Shortcut::Leave));
        assert_eq!(Shortcut::of(&shifted("L", "KeyL")), Some(Shortcut::Leave));
        assert_eq!(Shortcut::of(&shifted("m", "KeyM")), None);
    }

    #[test]
    fn a_layout_of_another_script_has_the_shortcuts_at_their_us_positions() {
        for (key, code, shortcut) in [
            ("ь", "KeyM", Shortcut::Microphone),
            ("Ь", "KeyM", Shortcut::Microphone),
            ("μ", "KeyM", Shortcut::Microphone),
            ("צ", "KeyM", Shortcut::Microphone),
            ("ة", "KeyM", Shortcut::Microphone),
            ("ㅡ", "KeyM", Shortcut::Microphone),
            ("м", "KeyV", Shortcut::Camera),
            ("ฃ", "KeyS", Shortcut::Screen),
            ("\u{94d}", "KeyF", Shortcut::Figures),
            ("ı", "KeyI", Shortcut::Invitation),
            ("？", "Slash", Shortcut::Help),
            ("؟", "Slash", Shortcut::Help),
        ] {
            assert_eq!(Shortcut::of(&plain(key, code)), Some(shortcut), "{key}");
        }
        assert_eq!(Shortcut::of(&shifted("Д", "KeyL")), Some(Shortcut::Leave));
    }

    #[test]
    fn on_a_latin_layout_the_shortcuts_follow_the_letters() {
        // AZERTY: M is beside L, with a comma in its US position. Dvorak: S is beside the return key, with O in its US position.
        for (key, code, shortcut) in [
            ("m", "Semicolon", Some(Shortcut::Microphone)),
            (",", "KeyM", None),
            ("s", "Semicolon", Some(Shortcut::Screen)),
            ("o", "KeyS", Some(Shortcut::Settings)),
            ("c", "KeyI", Some(Shortcut::Chat)),
            ("?", "Minus", Some(Shortcut::Help)),
        ] {
            assert_eq!(Shortcut::of(&plain(key, code)), shortcut, "{key} at {code}");
        }
        assert_eq!(Shortcut::of(&shifted("?", "Comma")), Some(Shortcut::Help));
        assert_eq!(Shortcut::of(&shifted("L", "KeyP")), Some(Shortcut::Leave));
    }

    #[test]
    fn other_keys_and_modified_repeated_or_composed_ones_do_nothing() {
        for key in ["Dead", "Process", "Unidentified", "Enter", "Escape", "F1", "", " ", "1", ".", "AltGraph"]
        {
            assert_eq!(Shortcut::of(&plain(key, "KeyM")), None, "{key}");
        }
        let press = plain("m", "KeyM");
        for ignored in [
            KeyPress { is_modified: true, ..press.clone() },
            KeyPress { is_repeated: true, ..press.clone() },
            KeyPress { is_composing: true, ..press.clone() },
        ] {
            assert_eq!(Shortcut::of(&ignored), None, "{ignored:?}");
        }
        assert_eq!(Shortcut::of(&KeyPress { is_modified: true, ..shifted("L", "KeyL") }), None);
    }
}
