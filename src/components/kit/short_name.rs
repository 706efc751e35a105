//! A name that loses its middle where there is too little space.

use leptos::prelude::*;

/// Shorter names are never split.
const MIN_CHARS: usize = 16;
/// Characters of the end that stays visible: those before the extension, or all if there is none.
const END_CHARS: usize = 5;
/// The longest extension that stays visible, with its full stop.
const MAX_EXTENSION_CHARS: usize = 8;

/// The name. Its end, which has the extension of a file and the number of a member's device, stays visible.
#[component]
pub fn ShortName(
    /// The whole name.
    #[prop(into)]
    name: Signal<String>,
) -> AnyView {
    let begin = Signal::derive(move || name.with(|name| split(name).0.to_owned()));
    let end = Signal::derive(move || name.with(|name| split(name).1.to_owned()));
    // The parts are two words for a screen reader and for the clipboard, so the whole name is there once more.
    let is_split = Memo::new(move |_| end.with(|end| !end.is_empty()));
    let whole = move || is_split.get().then(|| name.get());
    let is_hidden = move || is_split.get().then_some("true");
    view! {
        <span class="short-name">
            <span class="sr-only">{whole}</span>
            <span class="short-name-begin" aria-hidden=is_hidden>{begin}</span>
            <span class="short-name-end" aria-hidden=is_hidden>{end}</span>
        </span>
    }
    .into_any()
}

/// The part of a name that may be shortened, and its end. Text from right to left is never split, since its parts would change
/// places.
fn split(name: &str) -> (&str, &str) {
    let chars: Vec<_> = name.char_indices().collect();
    if chars.len() < MIN_CHARS || chars.iter().any(|(_, c)| is_right_to_left(*c)) {
        return (name, "");
    }
    let extension = chars.iter().rposition(|(_, c)| *c == '.').filter(|at| {
        let length = chars.len() - at;
        (2..=MAX_EXTENSION_CHARS).contains(&length)
    });
    let mut at = extension.unwrap_or(chars.len()) - END_CHARS;
    // A letter keeps its marks, an emoji its parts.
    while at > 0 && (joins(chars[at].1) || chars[at - 1].1 == '\u{200d}') {
        at -= 1;
    }
    name.split_at(chars[at].0)
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Whether a character belongs to the one before it.
fn joins(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{e31}' | '\u{e34}'..='\u{e4e}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_name_has_its_extension() {
        assert_eq!(split("holiday-photos-2026-08-14.jpeg"), ("holiday-photos-2026-", "08-14.jpeg"));
        assert_eq!(split("Ada Lovelace, Countess (2)"), ("Ada Lovelace, Countes", "s (2)"));
    }

    #[test]
    fn short_names_and_names_from_right_to_left_stay_whole() {
        for name in ["", "a.txt", "photo.jpg", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}-a-long-name-behind-it.txt"] {
            assert_eq!(split(name), (name, ""));
        }
    }

    #[test]
    fn an_emoji_and_a_letter_with_its_marks_are_not_taken_apart() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}";
        let name = format!("a-name-that-is-long{family}a.txt");
        let (begin, end) = split(&name);
        assert_eq!((begin, end), ("a-name-that-is-long", &*format!("{family}a.txt")));
        let accents = "e\u{301}".repeat(12);
        let (begin, end) = split(&accents);
        assert!(begin.ends_with('\u{301}') && end.starts_with('e'), "{begin} {end}");
    }
}
