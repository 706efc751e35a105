#![no_main]

libfuzzer_sys::fuzz_target!(|frame: &[u8]| sightline_fuzz::client::bulk_frame(frame));
