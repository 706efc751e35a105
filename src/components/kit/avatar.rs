//! Represents a person without a picture: initials on a color that is derived from the name, or a symbol for a person without a name.

use leptos::prelude::*;

use super::icon::{Icon, IconName};

/// The round picture of a name.
#[component]
pub fn Avatar(
    /// The name; may be empty.
    name: RwSignal<String>,
) -> AnyView {
    view! {
        <span
            class="avatar"
            aria-hidden="true"
            style=("--hue", Signal::derive(move || name.with(|name| hue(name).to_string())))
        >
            {move || match name.with(|name| initials(name)) {
                Some(initials) => initials.into_any(),
                None => view! { <Icon name=IconName::PEOPLE /> }.into_any(),
            }}
        </span>
    }
    .into_any()
}

/// The first letters of the first and the last word; the first character of a Chinese, Japanese or Korean name. CSS makes them
/// upper case, since the browser already has the tables for that. `None` without a name.
fn initials(name: &str) -> Option<String> {
    let mut words = name.split_whitespace();
    let first = words.next()?.chars().next()?;
    let last = words.next_back().and_then(|word| word.chars().next());
    Some(match last {
        Some(last) if !is_wide(first) => [first, last].iter().collect(),
        _ => first.to_string(),
    })
}

/// Whether `c` is of a script without words of letters, or a picture.
fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{1f000}'..='\u{3ffff}' | '\u{2190}'..='\u{2bff}')
}

/// An angle on the color wheel, the same for the same name everywhere (FNV-1a).
fn hue(name: &str) -> u32 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash % 360
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_suit_the_script_of_the_name() {
        for (name, expected) in [
            ("Ada Lovelace", "AL"),
            ("ada", "a"),
            ("Ada M. King Lovelace", "AL"),
            ("王小明", "王"),
            ("山田 太郎", "山"),
            ("éa", "é"),
            ("🦊 fox", "🦊"),
        ] {
            assert_eq!(initials(name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!([initials(""), initials("  ")], [None, None]);
    }

    #[test]
    fn different_names_mostly_have_different_colours() {
        let hues = ["Ada", "Grace", "Linus", "王小明", ""].map(hue);
        assert!(hues.iter().all(|hue| *hue < 360));
        assert_ne!(hues[0], hues[1]);
        assert_eq!(hue("Ada"), hues[0]);
    }
}
