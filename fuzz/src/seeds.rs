//! The seeds of a target as an ordinary test reads them.

use std::{fs, path::Path};

/// Runs each target over its seeds, and says which input was read when one fails.
pub fn check(targets: &[(&str, fn(&[u8]))]) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (target, property) in targets {
        let files: Vec<_> =
            fs::read_dir(seeds.join(target)).expect(target).map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "{target} has no seeds");
        for file in files {
            println!("{}", file.display());
            property(&fs::read(&file).unwrap());
        }
    }
}
