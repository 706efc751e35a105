//! `sightline-peer`: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sightline_cli::command::main()
}
