#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sightline_fuzz::server::request_headers(text));
