#![cfg_attr(fuzzing, no_main)]

sightline_fuzz::target!(|content: &[u8]| sightline_fuzz::client::sealed_payload(content));
