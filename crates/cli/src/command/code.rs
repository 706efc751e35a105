//! The code that two members compare by voice, and the lines of a person that are commands.

use sightline_core::trust::ShortCode;

/// The English names of the pictures, as pages show them (`locales/en.json`).
const WORDS: &str = "Dog Cat Lion Horse Unicorn Pig Elephant Rabbit Panda Rooster Penguin Turtle Fish Octopus Butterfly Tulip Tree \
    Cactus Mushroom Globe Moon Cloud Fire Banana Apple Strawberry Corn Pizza Cake Heart Smile Robot Hat Glasses Wrench Santa Thumb \
    Umbrella Hourglass Clock Gift Bulb Book Pencil Paperclip Scissors Lemon Key Hammer Telephone Flag Train Bicycle Airplane Rocket \
    Trophy Ball Guitar Trumpet Bell Anchor Headphones Folder Pin";

/// The four words of a code.
pub(super) fn words(code: ShortCode) -> Vec<&'static str> {
    code.symbols().into_iter().filter_map(|symbol| WORDS.split_whitespace().nth(symbol)).collect()
}

/// A code for a person to read out.
pub(super) fn spoken(code: ShortCode) -> String {
    let pictures = code.pictures().into_iter().zip(words(code));
    pictures.map(|(picture, word)| format!("{picture} {word}")).collect::<Vec<_>>().join(", ")
}

/// A line that a person typed, and that is not for the others.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// Print who is here.
    Members,
    /// Print the codes: of the members with this name, or of everybody.
    Code(Option<&'a str>),
    /// The code of the member with this name matches.
    Verified(&'a str),
}

impl<'a> Command<'a> {
    /// Reads `/members`, `/code`, `/code NAME` and `/verified NAME`; anything else is a message.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        let (word, name) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
        match (word, name.trim()) {
            ("/members", "") => Some(Self::Members),
            ("/code", "") => Some(Self::Code(None)),
            ("/code", name) => Some(Self::Code(Some(name))),
            ("/verified", name) => Some(Self::Verified(name)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn the_words_are_those_of_the_pages() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let locale = fs::read_to_string(root.join("locales/en.json")).unwrap();
        let locale: serde_json::Value = serde_json::from_str(&locale).unwrap();
        let of_pages = locale["code"]["words"].as_str().unwrap();
        assert_eq!(WORDS.split_whitespace().collect::<Vec<_>>(), of_pages.split(' ').collect::<Vec<_>>());
    }

    #[test]
    fn only_the_named_lines_are_commands() {
        assert_eq!(Command::read("/members "), Some(Command::Members));
        assert_eq!(Command::read("/code"), Some(Command::Code(None)));
        assert_eq!(Command::read(" /code  Ada Lovelace "), Some(Command::Code(Some("Ada Lovelace"))));
        assert_eq!(Command::read("/verified Ada"), Some(Command::Verified("Ada")));
        for message in ["", "code", "/codes", "/etc/passwd", "a /code", "/verifiedAda", "/members Ada"] {
            assert_eq!(Command::read(message), None, "{message}");
        }
    }
}
