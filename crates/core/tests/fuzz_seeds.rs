//! Runs the fuzz targets of the client's parsers over their seeds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "the modules are those of another package")]
#![allow(clippy::cast_possible_truncation, reason = "an index into a short list")]
#![allow(clippy::print_stdout, reason = "a test that fails says at which input")]

#[path = "../../../fuzz/src/client.rs"]
mod client;
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;

use sightline_core::random::SeededRandom;

#[test]
fn every_seed_of_a_client_target_has_the_properties_of_the_target() {
    for (target, property) in client::TARGETS {
        seeds::check(target, property);
    }
}

#[test]
fn every_changed_seed_of_a_client_target_has_the_properties_of_the_target() {
    for (target, property) in client::TARGETS {
        seeds::check_changed(target, property);
    }
}

/// Pieces of text that are hard to parse next to each other.
const PIECES: [&str; 64] = [
    "a",
    "é",
    "你",
    "ی",
    "م",
    "ക",
    "\u{d4d}",
    "ន",
    "\u{17b5}",
    "\u{17b7}",
    "\u{200c}",
    "\u{200d}",
    "\u{fe0f}",
    "\u{fe00}",
    "\u{e0100}",
    "葛",
    "🏴",
    "\u{e0067}",
    "\u{e0062}",
    "\u{e007f}",
    "👨",
    "👩",
    "🦊",
    "❤",
    "1",
    "#",
    "*",
    "\u{20e3}",
    "\u{301}",
    "\u{335}",
    "\u{20dd}",
    "\u{202e}",
    "\u{2066}",
    "\u{2069}",
    "\u{2068}",
    "\u{ad}",
    "\u{3164}",
    "\u{2800}",
    "\u{3000}",
    " ",
    "\t",
    "\n",
    "\r",
    "\u{85}",
    "\u{2028}",
    "\0",
    ".",
    "..",
    "/",
    "\\",
    ":",
    "con",
    "NUL",
    "lpt¹",
    ".txt",
    ".tar.gz",
    "_",
    "ᠮ",
    "\u{180e}",
    "\u{180b}",
    "\u{feff}",
    "\u{ffff}",
    "http://",
    "[::1]",
];

#[test]
fn text_of_unusual_pieces_has_the_properties_of_the_text_targets() {
    let targets = client::TARGETS.iter().filter(|(target, _)| {
        ["chat_links", "chat_text", "display_name", "file_name", "room_name", "visible_text"].contains(target)
    });
    let mut random = SeededRandom::new(7);
    let mut below = |limit: usize| random.next_u64() as usize % limit;
    let texts: Vec<String> = (0..2_000)
        .map(|_| {
            let pieces: String = (0..below(12)).map(|_| PIECES[below(PIECES.len())]).collect();
            // At the limits of names and messages.
            let filler = match below(150) {
                0 => 16_370,
                1..10 => 240,
                _ => 0,
            };
            format!("{}{pieces}{}", "x".repeat(filler), ["", ".txt"][below(2)])
        })
        .collect();
    for (target, property) in targets {
        for text in &texts {
            println!("{target}: {text:?}");
            property(text.as_bytes());
        }
    }
}
