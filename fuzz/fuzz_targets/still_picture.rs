#![cfg_attr(fuzzing, no_main)]

sightline_fuzz::target!(|file: &[u8]| sightline_fuzz::client::still_picture(file));
