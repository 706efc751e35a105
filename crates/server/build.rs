//! Says whether the package has a client in it.

use std::path::Path;

fn main() {
    // The folder and not the file: cargo would run this again and again for a file that is missing.
    println!("cargo::rerun-if-changed=client");
    println!("cargo::rustc-check-cfg=cfg(packaged_client)");
    if Path::new("client/embedded.rs").exists() {
        println!("cargo::rustc-cfg=packaged_client");
    }
}
