#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sightline_fuzz::server::client_frame(text));
