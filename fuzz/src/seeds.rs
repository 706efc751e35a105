//! Reads the seeds of a target for an ordinary test.

use std::{fs, path::Path};

/// Runs a target over its seeds, and names the seed when it fails.
pub fn check(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let seeds: Vec<_> = fs::read_dir(folder).expect(target).map(|seed| seed.unwrap().path()).collect();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    for seed in seeds {
        println!("{}", seed.display());
        property(&fs::read(&seed).unwrap());
    }
}
