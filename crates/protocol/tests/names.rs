//! A member's name keeps its visible part and loses hidden characters.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use sightline_protocol::{
    DisplayName,
    limits::{MAX_DISPLAY_NAME_CHARS, MAX_DISPLAY_NAME_MARKS},
    member::DisplayNameInvalid,
    text,
};

/// Invisible characters of every kind.
const INVISIBLE: [char; 41] = [
    '\0',
    '\u{1b}',
    '\u{7f}',
    '\u{9f}',
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{1160}',
    '\u{17b4}',
    '\u{180b}',
    '\u{180e}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{200e}',
    '\u{200f}',
    '\u{202a}',
    '\u{202d}',
    '\u{202e}',
    '\u{202c}',
    '\u{2060}',
    '\u{2063}',
    '\u{2066}',
    '\u{2067}',
    '\u{2069}',
    '\u{206a}',
    '\u{3164}',
    '\u{fe00}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{fff9}',
    '\u{ffff}',
    '\u{1d173}',
    '\u{e0001}',
    '\u{e0041}',
    '\u{e007f}',
    '\u{e0100}',
    '\u{e01ef}',
    '\u{10ffff}',
];

const BLANK: [char; 8] = [' ', '\t', '\n', '\u{85}', '\u{a0}', '\u{2028}', '\u{2800}', '\u{3000}'];

fn name(raw: &str) -> String {
    DisplayName::cut(raw).as_str().to_owned()
}

#[test]
fn markup_stays_text_and_white_space_becomes_single_spaces() {
    assert_eq!(name(" <b>A\nda</b>\u{202e} "), "<b>A da</b>");
    for blank in BLANK {
        assert_eq!(name(&format!("{blank}Ada{blank}{blank}Lovelace{blank}")), "Ada Lovelace", "{blank:?}");
    }
}

#[test]
fn names_that_look_equal_are_equal() {
    for c in INVISIBLE {
        for raw in [format!("{c}Ada"), format!("A{c}da"), format!("Ada{c}"), format!("{c}A{c}{c}d{c}a{c}")] {
            assert_eq!(name(&raw), "Ada", "{c:?} in {raw:?}");
        }
    }
}

#[test]
fn an_invisible_name_is_empty() {
    for c in INVISIBLE.into_iter().chain(BLANK).chain(['\u{301}', '\u{20dd}', '\u{e47}']) {
        for raw in [format!("{c}"), format!("{c}{c}{c}"), format!(" {c}\u{200b}{c}\u{a0}")] {
            assert!(DisplayName::new(&raw).unwrap().is_empty(), "{raw:?}");
        }
    }
}

#[test]
fn joiners_selectors_and_tags_stay_if_they_have_a_visible_effect() {
    for raw in [
        "family 👨‍👩‍👧‍👦",
        "🏳️‍🌈 Bo",
        "👩🏽‍⚖️",
        "🧔‍♂️",
        "❤️‍🔥",
        "👁️‍🗨️",
        "#️⃣ 1️⃣",
        "©️",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿 England",
        "🏴󠁵󠁳󠁣󠁡󠁿",
        "می‌خواهم",
        "نامه‌ای",
        "ه‍.ش",
        "क्‍ष क्‌ष",
        "ശ്രീ മോഹന്‍",
        "ශ්‍රී",
        "葛\u{e0100}城",
        "辻\u{fe00}",
        "ᠮᠣᠩᠭᠣᠯ\u{180e}ᠠ",
        "Zoë d’Été-Łuk·a",
        "שרה",
        "สุดา",
        "Nguyễn Thị",
    ] {
        assert_eq!(name(raw), raw);
        assert_eq!(DisplayName::new(raw).unwrap().as_str(), raw);
    }
}

#[test]
fn hidden_tags_are_removed_except_in_flags() {
    for raw in
        ["Ada\u{e0001}\u{e0065}\u{e006e}\u{e007f}", "Ada\u{e0067}\u{e0062}\u{e007f}", "A\u{e0020}d\u{e007e}a"]
    {
        assert_eq!(name(raw), "Ada", "{raw:?}");
    }
    // A flag without an end, one that is too long, and one without a region.
    for tags in
        ["\u{e0067}\u{e0062}", &("\u{e0067}".repeat(7) + "\u{e007f}"), "\u{e0020}\u{e007f}", "\u{e007f}"]
    {
        assert_eq!(name(&format!("🏴{tags}x")), "🏴x", "{tags:?}");
    }
}

#[test]
fn the_number_of_combining_marks_is_bounded() {
    for mark in
        ['\u{301}', '\u{335}', '\u{489}', '\u{e47}', '\u{651}', '\u{5b7}', '\u{20dd}', '\u{1dcf}', '\u{fe20}']
    {
        let raw = format!("Z{0}algo{0}", mark.to_string().repeat(50));
        let expected = format!("Z{0}algo{0}", mark.to_string().repeat(MAX_DISPLAY_NAME_MARKS));
        assert_eq!(name(&raw), expected, "{mark:?}");
        // Nor with invisible characters between them.
        let raw = format!("Z{}", format!("{mark}\u{200d}\u{ad}\u{fe0f}").repeat(20));
        assert_eq!(name(&raw).chars().filter(|c| *c == mark).count(), MAX_DISPLAY_NAME_MARKS, "{mark:?}");
    }
    assert_eq!(name("\u{301}Ada \u{301}"), "Ada");
}

#[test]
fn a_name_too_long_is_refused_from_the_wire_and_cut_from_the_keyboard() {
    let long = "名".repeat(MAX_DISPLAY_NAME_CHARS + 1);
    assert_eq!(DisplayName::new(&long), Err(DisplayNameInvalid));
    assert_eq!(DisplayName::cut(&long).as_str().chars().count(), MAX_DISPLAY_NAME_CHARS);
    let hidden = format!("{}Ada", "\u{200b}\u{e0041}".repeat(1_000));
    assert_eq!(DisplayName::new(&hidden).unwrap().as_str(), "Ada", "hidden characters do not count");
}

#[test]
fn a_cut_name_does_not_end_with_a_partial_emoji() {
    for at in 58..=64 {
        let cut = name(&format!("{}👨‍👩‍👧🏴󠁧󠁢󠁥󠁮󠁧󠁿", "x".repeat(at)));
        assert!(!cut.ends_with('\u{200d}'), "{cut:?}");
        assert!(cut.ends_with('\u{e007f}') || !cut.contains('\u{e0067}'), "{cut:?}");
    }
}

#[test]
fn a_name_from_the_wire_is_cleaned_as_it_is_read() {
    let member =
        r#"{"id":"m","name":"B\u00ado\u202e\u3164","instance":"i","arrival":1,"presence":"present"}"#;
    let member: sightline_protocol::Member = serde_json::from_str(member).unwrap();
    assert_eq!(member.name.as_str(), "Bo");
}

#[test]
fn a_joiner_before_a_removed_character_is_removed_too() {
    // Some Khmer vowels are invisible and stand between letters that join.
    for invisible in ['\u{17b4}', '\u{17b5}'] {
        let raw = format!("ក\u{200c}{invisible}");
        assert_eq!(text::without_invisible(&raw), "ក");
        assert_eq!(name(&raw), "ក");
    }
}

#[test]
fn a_joiner_between_a_letter_and_an_emoji_is_removed() {
    assert_eq!(name("Ada\u{200d}👨"), "Ada👨");
    assert_eq!(name("👨\u{200d}Ada"), "👨Ada");
}

#[test]
fn a_separator_of_mongolian_vowels_stays_only_between_mongolian_letters() {
    assert_eq!(name("ᠯ\u{180e}a"), "ᠯa");
    assert_eq!(name("a\u{180e}ᠠ"), "aᠠ");
}

/// Strings with many special characters.
fn strange() -> impl Strategy<Value = String> {
    let special = prop::sample::select(INVISIBLE.to_vec());
    let blank = prop::sample::select(BLANK.to_vec());
    let other = prop::sample::select(
        "aé名ی خക്मᠮ👨❤#1🏴🌈\u{20e3}\u{301}\u{e47}\u{e0067}\u{e007f}\u{1f3fd}".chars().collect::<Vec<_>>(),
    );
    let c = prop_oneof![3 => special, 1 => blank, 4 => other, 1 => any::<char>()];
    prop::collection::vec(c, 0..100).prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn a_clean_name_stays_as_it_is(raw in strange()) {
        let once = name(&raw);
        prop_assert_eq!(&name(&once), &once);
        prop_assert_eq!(DisplayName::new(&once), Ok(DisplayName::cut(&raw)));
    }

    #[test]
    fn a_name_is_empty_exactly_if_it_is_invisible(raw in strange()) {
        prop_assert_eq!(name(&raw).is_empty(), !text::is_visible(&raw));
    }

    #[test]
    fn a_name_never_changes_the_direction_of_the_text_around_it(raw in strange()) {
        prop_assert!(!name(&raw).chars().any(text::is_bidi_control));
    }
}
