#![cfg_attr(fuzzing, no_main)]

sightline_fuzz::target!(|text: &str| sightline_fuzz::client::display_name(text));
