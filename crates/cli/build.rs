//! Finds the texts of the page's doctor, which `sightline-peer check` prints too: beside this package in a clone, and in a published package in
//! its own folder, where `cargo xtask package` puts them.

use std::{env, io, path::PathBuf};

fn main() -> io::Result<()> {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let places = ["../../locales/en.json", "locales/en.json"].map(|place| package.join(place));
    let Some(texts) = places.iter().find(|place| place.is_file()) else {
        return Err(io::Error::other(
            "locales/en.json is missing: this package was made without `cargo xtask package`",
        ));
    };
    println!("cargo::rerun-if-changed={}", texts.display());
    println!("cargo::rustc-env=SIGHTLINE_TEXTS={}", texts.display());
    Ok(())
}
