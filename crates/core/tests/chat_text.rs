//! Cleaning of written texts, and the links in them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use sightline_core::chat::{
    Conversation, KeptMessage, Segment, TextRefused, excess_characters, prepare, split_links,
};
use sightline_protocol::{
    MemberId, MessageId,
    control::ControlMessage,
    limits::{MAX_CHAT_MARKS, MAX_CHAT_TEXT_BYTES},
};

fn links(text: &str) -> Vec<&str> {
    split_links(text)
        .into_iter()
        .filter_map(|segment| match segment {
            Segment::Link(link) => Some(link),
            Segment::Text(_) => None,
        })
        .collect()
}

#[test]
fn an_address_in_a_sentence_is_a_link_without_the_full_stop() {
    assert_eq!(
        split_links("see https://example.org/a?b=c#d. Thanks"),
        [Segment::Text("see "), Segment::Link("https://example.org/a?b=c#d"), Segment::Text(". Thanks")]
    );
}

#[test]
fn a_link_may_end_with_letters_marks_and_pictures_of_any_script_but_not_with_their_punctuation() {
    for end in ["é", "e\u{301}", "路", "🦊", "❤\u{fe0f}", "👩\u{200d}🚀", "हिन्दी"] {
        let link = format!("https://example.org/{end}");
        assert_eq!(links(&format!("see {link} now")), [&link]);
        assert_eq!(links(&link), [&link]);
    }
    for end in ["…", "»", "。", "‼", "⁉"] {
        assert_eq!(links(&format!("https://example.org/a{end}")), ["https://example.org/a"], "{end}");
    }
}

#[test]
fn a_link_may_follow_letters_of_any_other_script() {
    for before in [
        "你好",
        "こんにちは",
        "링크",
        "ссылка",
        "リンク：",
        "رابط",
        "ดูที่",
        "é",
        "(",
        "«",
        "…",
        "，",
        "_",
        "🦊",
        "e\u{301}",
    ] {
        assert_eq!(links(&format!("{before}https://example.org")), ["https://example.org"], "{before}");
    }
    for before in ["x", "X", "7"] {
        assert_eq!(links(&format!("{before}https://example.org")), Vec::<&str>::new(), "{before}");
    }
}

#[test]
fn the_scheme_has_any_capitals() {
    for link in ["Https://example.org", "HTTP://example.org", "hTTpS://EXAMPLE.org/A", "https://Example.ORG"]
    {
        assert_eq!(links(&format!("{link} ")), [link]);
    }
}

#[test]
fn a_host_is_a_name_in_any_script_or_an_address() {
    for link in [
        "http://[::1]:8080/x",
        "http://[2001:db8::1]/",
        "https://[::ffff:192.0.2.1]",
        "http://192.0.2.1:80/",
        "http://localhost:8080/",
        "https://münchen.example/straße",
        "https://例え.テスト/パス",
        "https://пример.испытание",
        "https://उदाहरण.परीक्षा/हिन्दी",
        "https://مثال.إختبار/صفحة",
        "https://i❤.ws",
        "https://example.org./x",
        "https://xn--fsq.example",
        "https://a_b.example",
        "https://example.org:65535?q",
    ] {
        assert_eq!(links(link), [link]);
        assert_eq!(links(&format!("({link})")), [link]);
    }
    for text in [
        "http://[::1",
        "http://[]",
        "http://[::g]/",
        "http://[fe80::1%25eth0]/",
        "http://[12345]/",
        "http://-",
        "http://-a.example",
        "https://.",
        "https://:80",
        "https:///x",
        "http://exa%6dple.org",
        &format!("http://{}", "a".repeat(300)),
    ] {
        assert_eq!(links(text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn an_address_with_a_user_name_is_not_a_link() {
    for text in [
        "https://google.com@evil.example",
        "https://google.com:443@evil.example/",
        "https://user:password@evil.example/",
        "https://google.com,x@evil.example",
        "https://google.com你好@evil.example",
        "https://google.com&x=(1)@evil.example",
    ] {
        assert_eq!(links(text), Vec::<&str>::new(), "{text}");
    }
    assert_eq!(
        links("https://example.org/@ada https://example.org/?m=a@b.example"),
        ["https://example.org/@ada", "https://example.org/?m=a@b.example"]
    );
    assert_eq!(links("https://example.org, a@b.example"), ["https://example.org"]);
}

#[test]
fn punctuation_of_the_sentence_is_not_part_of_the_link() {
    for after in [
        ".", ",", ";", ":", "!", "?", "?!", "...", "…", "'", "\"", "*", "_", "~", ")", "]", "}", ">", "»",
        "›", "«", "”", "“", "’", "‘", "„", "。", "，", "、", "！", "？", "：", "；", "）", "】", "」", "』",
        "》", "｣", "｡", "؟", "،", "؛", "۔", "।", "॥", "։", "។", "၊", "။", "።", "།", "᠃", "‽", "‼", "⁉", "—",
        "–", "‐", "·", "•", "\u{a0}", "\u{3000}", "\u{200b}", "\u{2800}", "(", "[", "),", ").", "”。",
        "\u{202e}", "\u{2069}", "\u{ad}",
    ] {
        for link in [
            "https://example.org",
            "https://example.org/a",
            "https://example.org/a?b=c",
            "http://[::1]:8080/x",
        ] {
            assert_eq!(links(&format!("{link}{after}")), [link], "{after:?}");
            assert_eq!(links(&format!("{link}{after} and so on")), [link], "{after:?}");
        }
    }
    assert_eq!(
        links("see https://example.org… and «https://example.org/a»"),
        ["https://example.org", "https://example.org/a"]
    );
    assert_eq!(links("看这里：http://example.org/页。谢谢"), ["http://example.org/页"]);
    assert_eq!(
        links("在https://example.org看，“https://example.org/a”也行"),
        ["https://example.org", "https://example.org/a"]
    );
}

#[test]
fn a_link_includes_no_unbalanced_bracket_and_no_trailing_question_mark() {
    for (text, link) in [
        ("(https://example.org)", "https://example.org"),
        ("https://example.org/a_(b)", "https://example.org/a_(b)"),
        ("(see https://example.org/a_(b))", "https://example.org/a_(b)"),
        ("(https://example.org/a_(b)_(c).)", "https://example.org/a_(b)_(c)"),
        ("[x](https://example.org/a)b", "https://example.org/a"),
        ("https://example.org.?", "https://example.org"),
        ("https://example.org./?", "https://example.org./"),
        ("https://example.org/?a[0]=1&b[]=2]", "https://example.org/?a[0]=1&b[]=2"),
    ] {
        assert_eq!(links(text), [link], "{text}");
    }
}

#[test]
fn characters_that_addresses_may_contain_stay_in_the_link() {
    for link in [
        "https://example.org/%E4%BD%A0?q=%20&r=+#x-y",
        "https://en.wikipedia.org/wiki/Michelson–Morley_experiment",
        "https://fa.wikipedia.org/wiki/می‌خواهم",
        "https://ja.wikipedia.org/wiki/佐々木",
        "https://example.org/🏳️‍🌈/x",
        "https://web.archive.org/web/2020/https://example.org/a",
        "https://example.org/?u=http://[::1]/&v=https://a.example",
        "https://example.org/a-",
        "https://example.org/~ada/x;y,z'!*",
        "https://example.org/a/",
    ] {
        let expected = link.trim_end_matches(['\'', '!', '*']);
        assert_eq!(links(link), [expected]);
    }
}

#[test]
fn links_next_to_each_other_are_two() {
    for between in [",", ";", "|", ", ", ")", ".", "…", "'", "),(", "\n", "，", "\u{202c}"] {
        for (first, second) in [
            ("https://a.example", "http://b.example/x"),
            ("https://a.example/x?y#z", "Https://b.example"),
            ("http://[::1]/", "https://[::2]:80/x"),
        ] {
            assert_eq!(links(&format!("{first}{between}{second}")), [first, second], "{first} {between:?}");
        }
    }
    assert_eq!(links("https://a.examplehttps://b.example"), ["https://a.example", "https://b.example"]);
    assert_eq!(links("https://a.example/xhttp://b.example/x"), ["https://a.example/x", "http://b.example/x"]);
    assert_eq!(links("https://a.example和http://b.example"), ["https://a.example", "http://b.example"]);
}

#[test]
fn other_schemes_and_words_are_text() {
    for text in [
        "",
        "javascript:alert(1)",
        "data:text/html,<b>x</b>",
        "http:/example.org",
        "http://",
        "https://.",
        "xhttp://example.org",
        "http",
        "h",
        "file:///etc/passwd",
        "JAVASCRIPT:x HTTP",
        "www.example.org example.org",
    ] {
        assert_eq!(links(text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn markup_and_directional_controls_end_a_link_and_stay_text() {
    assert_eq!(links("<a href=\"https://example.org\">x</a>"), ["https://example.org"]);
    for control in ['\u{202e}', '\u{202a}', '\u{2067}', '\u{200f}', '\u{61c}', '\u{200b}', '\u{e0041}'] {
        assert_eq!(
            links(&format!("https://example.org/{control}fdp.exe")),
            ["https://example.org/"],
            "{control:?}"
        );
        assert_eq!(links(&format!("https://exam{control}ple.org/")), ["https://exam"], "{control:?}");
    }
}

#[test]
fn a_message_of_incomplete_links_is_text() {
    let text = "http://-".repeat(50) + &")".repeat(4_000);
    assert_eq!(split_links(&text), [Segment::Text(text.as_str())]);
}

fn near_links() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "http://",
        "https://",
        "HTTP://",
        "http",
        "h",
        "://",
        "/",
        ":",
        "[",
        "]",
        "[::1]",
        "(",
        ")",
        ".",
        ",",
        "-",
        "@",
        "?",
        "#",
        "%",
        "example.org",
        "a",
        "é",
        "你",
        "。",
        "…",
        "«",
        "»",
        "\u{301}",
        "\u{200d}",
        "\u{200c}",
        "\u{202e}",
        "\u{fe0f}",
        "🦊",
        "ی",
        " ",
        "\n",
        "<",
        "\"",
    ]);
    let piece = prop_oneof![9 => pieces.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_segments_concatenate_to_the_text(text in near_links()) {
        let segments = split_links(&text);
        let together: String = segments.iter().map(|segment| segment.as_str()).collect();
        prop_assert_eq!(&together, &text);
        prop_assert!(segments.iter().all(|segment| !segment.as_str().is_empty()));
        let is_text = |segment: &Segment<'_>| matches!(segment, Segment::Text(_));
        prop_assert!(!segments.windows(2).any(|pair| is_text(&pair[0]) && is_text(&pair[1])), "two texts in a row");
    }

    #[test]
    fn a_link_alone_is_that_link(text in near_links()) {
        for link in links(&text) {
            prop_assert_eq!(links(link), [link]);
            prop_assert!(!link.contains(|c: char| c.is_whitespace() || "<>\"\\…»\u{202e}".contains(c)), "{:?}", link);
        }
    }

    #[test]
    fn preparing_a_prepared_text_changes_nothing(text in strange()) {
        if let Ok(prepared) = prepare(&text) {
            prop_assert_eq!(prepare(&prepared), Ok(prepared.clone()));
            prop_assert!(!prepared.contains(|c| matches!(c, '\u{202a}'..='\u{202e}')), "{:?}", prepared);
            for line in prepared.split('\n') {
                let depth = line.chars().try_fold(0_usize, |depth, c| match c {
                    '\u{2066}'..='\u{2068}' => Some(depth + 1),
                    '\u{2069}' => depth.checked_sub(1),
                    _ => Some(depth),
                });
                prop_assert_eq!(depth, Some(0), "{:?}", line);
            }
        }
    }

    #[test]
    fn the_conversation_sends_and_shows_exactly_the_prepared_text(text in strange()) {
        let mut chat = Conversation::default();
        let sent = chat.send(message(1), &text, 5, [member("a")], |_| true);
        prop_assert_eq!(sent, prepare(&text).map(drop));
        let mut other = Conversation::default();
        other.handle_chat(&member("a"), "Ada", message(1), &text, 5);
        prop_assert_eq!(other.find(Some(&member("a")), &message(1)).map(|message| message.text.clone()), prepare(&text).ok());
    }
}

fn strange() -> impl Strategy<Value = String> {
    let c = prop::sample::select(
        "a \n\r\t\0\u{1b}שی你👨🏴\u{301}\u{e47}\u{ad}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\
         \u{2028}\u{2029}\u{85}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{206a}\u{2800}\u{3164}\u{fe0f}\u{feff}\u{e0067}\u{e007f}"
            .chars()
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(c, 0..60).prop_map(|chars| chars.into_iter().collect())
}

fn member(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

fn message(number: u32) -> MessageId {
    MessageId::new(format!("x{number}")).unwrap()
}

#[test]
fn an_invisible_text_is_neither_sent_nor_shown() {
    for c in "\0\t\n\r \u{85}\u{a0}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\
              \u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{2800}\u{3000}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{e0001}\u{e0041}\u{e0100}\u{301}"
        .chars()
    {
        for text in [c.to_string(), format!("{c}{c}\n{c} {c}")] {
            assert_eq!(prepare(&text), Err(TextRefused::Empty), "{text:?}");
            let mut chat = Conversation::default();
            assert_eq!(chat.send(message(1), &text, 5, [], |_| true), Err(TextRefused::Empty), "{text:?}");
            chat.handle_chat(&member("a"), "Ada", message(2), &text, 5);
            assert!(chat.find(Some(&member("a")), &message(2)).is_none(), "{text:?}");
        }
    }
}

#[test]
fn hidden_characters_and_outer_blank_lines_are_not_sent() {
    for (raw, sent) in [
        ("\n\n  indented\r\n\tas code  \n", "  indented\n\tas code"),
        ("\u{200b}\n \u{feff}\nhello\n\u{2060}\n\u{ad}\n", "hello"),
        ("a\0b\u{1b}[31mc\u{7f}", "ab[31mc"),
        ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
        ("\u{202d}x\u{202c} \u{202b}y\u{202c} \u{202a}z", "x y z"),
        ("one\u{2067}two\nthree\u{2069}", "onetwo\nthree"),
        ("hi\u{e0001}\u{e0068}\u{e0069}\u{e007f}", "hi"),
        ("\u{301}e\u{301}", "e\u{301}"),
    ] {
        assert_eq!(prepare(raw).as_deref(), Ok(sent), "{raw:?}");
    }
    let heap = format!("Z{0}a{0}", "\u{335}".repeat(500));
    assert_eq!(prepare(&heap), Ok(format!("Z{0}a{0}", "\u{335}".repeat(MAX_CHAT_MARKS))));
}

#[test]
fn ordinary_text_of_any_language_is_unchanged() {
    for text in [
        "می‌خواهم نامه‌ای بنویسم",
        "שלום (עולם) 123",
        "سعر \u{2066}USD 5 (net)\u{2069} فقط",
        "\u{200f}مرحبا! \u{200e}C++\u{200e}",
        "family 👨‍👩‍👧 🏳️‍🌈 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ❤️‍🔥 1️⃣",
        "Donau\u{ad}dampf\u{ad}schiff",
        "สวัสดี\u{200b}ชาว\u{200b}โลก",
        "ཧྐྵྨླྺྼྻྂ",
        "בְּרֵאשִׁ֖ית בָּרָ֣א",
        "ക്‍ ശ്രീ",
        "two\n\nparagraphs\tand a tab",
    ] {
        assert_eq!(prepare(text).as_deref(), Ok(text));
    }
}

#[test]
fn a_joiner_is_removed_with_the_mark_beside_it() {
    let full = format!("ក{}", "\u{17b7}".repeat(MAX_CHAT_MARKS));
    for (raw, sent) in [
        (format!("{full}\u{200c}\u{17b7}"), full.as_str()),
        (" \u{17b7}\u{200d}x".to_owned(), " x"),
        ("x\u{3164}\n\u{17b7}\u{200d}y".to_owned(), "x\ny"),
        ("ក\u{200c}\u{17b5}".to_owned(), "ក"),
    ] {
        assert_eq!(prepare(&raw).as_deref(), Ok(sent), "{raw:?}");
        assert_eq!(prepare(sent).as_deref(), Ok(sent));
    }
}

#[test]
fn a_text_that_fits_after_cleaning_is_sent_and_the_excess_of_a_longer_one_is_counted() {
    let longest = "x".repeat(MAX_CHAT_TEXT_BYTES);
    for fits in [
        longest.clone(),
        format!("{longest}\n"),
        format!("\n\n{longest}\r\n \n"),
        format!("{longest}\0\u{202e}"),
    ] {
        assert_eq!(prepare(&fits).as_deref(), Ok(longest.as_str()));
        assert_eq!(excess_characters(&fits), 0);
    }
    for (more, excess) in [("y", 1), ("yy\n", 2), ("é", 1), ("\n你好", 2)] {
        let text = format!("{longest}{more}");
        assert_eq!(prepare(&text), Err(TextRefused::TooLong));
        assert_eq!(excess_characters(&text), excess, "{more:?}");
        let shorter: String =
            text.trim_end().chars().take(text.trim_end().chars().count() - excess).collect();
        assert_eq!(prepare(&shorter).map(|sent| sent.len()), Ok(MAX_CHAT_TEXT_BYTES));
    }
}

#[test]
fn the_excess_includes_unsent_characters_that_have_to_be_deleted_first() {
    let longest = "x".repeat(MAX_CHAT_TEXT_BYTES);
    let heap = "\u{335}".repeat(500);
    for (more, excess) in [
        (format!("y{heap}"), 501),
        (heap.clone(), 500),
        ("\0y\u{202e}\0".to_owned(), 3),
        ("\r\n\r\ny".to_owned(), 1),
        (format!("{}y z", " ".repeat(100)), 3),
    ] {
        let text = format!("{longest}{more}");
        assert_eq!(excess_characters(&text), excess, "{more:?}");
        for deleted in [1, excess / 2, excess - 1, excess] {
            let typed: String = text.chars().take(text.chars().count() - deleted).collect();
            assert!(excess_characters(&typed) <= excess - deleted, "{more:?} without {deleted}");
            let is_too_long = prepare(&typed) == Err(TextRefused::TooLong);
            assert_eq!(is_too_long, excess_characters(&typed) > 0, "{more:?} without {deleted}");
        }
    }
}

#[test]
fn the_excess_of_a_huge_paste_costs_little_more_than_that_of_a_text_that_fits() {
    let huge = "x\u{335}".repeat(4 << 20);
    assert_eq!(excess_characters(&huge), (8 << 20) - (MAX_CHAT_TEXT_BYTES / 3 * 2 + 1));
}

#[test]
fn messages_kept_by_an_earlier_version_are_cleaned_on_restore() {
    let kept = |id: &str, number: u32, text: &str| {
        let message = serde_json::json!({"id": id, "number": number, "author": "a", "author_name": "A\u{ad}da\u{202e}", "text": text,
            "sent_at_ms": 5, "state": "received"});
        KeptMessage::from_text(&serde_json::json!({"message": message, "missing": []}).to_string()).unwrap()
    };
    let mut chat = Conversation::default();
    chat.restore([kept("x1", 0, "\u{202e}hello"), kept("x2", 1, "\u{200b}")]);
    let restored = chat.find(Some(&member("a")), &message(1)).unwrap();
    assert_eq!((restored.text.as_str(), restored.author_name.as_str()), ("hello", "Ada"));
    assert!(chat.find(Some(&member("a")), &message(2)).is_none());
    let said =
        std::iter::from_fn(|| chat.poll_outgoing()).map(|out| out.message).collect::<Vec<ControlMessage>>();
    assert_eq!(said, []);
}
