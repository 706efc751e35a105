#![cfg_attr(fuzzing, no_main)]

sightline_fuzz::target!(|frame: &[u8]| sightline_fuzz::client::bulk_frame(frame));
