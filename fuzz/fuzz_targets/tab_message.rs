#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sightline_fuzz::client::tab_message(text));
