#![cfg_attr(fuzzing, no_main)]

sightline_fuzz::target!(|text: &str| sightline_fuzz::client::file_name(text));
