#![cfg_attr(fuzzing, no_main)]

sightline_fuzz::target!(|bytes: &[u8]| sightline_fuzz::native::rtp_payloads(bytes));
