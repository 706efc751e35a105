#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sightline_fuzz::client::check_link(text));
