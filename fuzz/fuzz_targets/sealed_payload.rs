#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| sightline_fuzz::client::sealed_payload(content));
