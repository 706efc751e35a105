#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| sightline_fuzz::native::ogg_file(file));
