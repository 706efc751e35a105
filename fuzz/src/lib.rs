//! Properties that parsers of text and bytes from outside must have for any input.
//!
//! [`client`], [`native`] and [`server`] hold one function for each target of `fuzz_targets`. The ordinary tests of the crates include
//! the same files and run them over `seeds`, so a property that a known input breaks is found without a fuzzer.

pub mod client;
pub mod native;
pub mod server;

#[cfg(fuzzing)]
pub use libfuzzer_sys;

/// Data of a fuzzer or of a file, as the type that a target takes.
pub trait Input {
    /// The bytes as this type, where they are one.
    fn from_bytes(bytes: &[u8]) -> Option<&Self>;
}

impl Input for [u8] {
    fn from_bytes(bytes: &[u8]) -> Option<&Self> {
        Some(bytes)
    }
}

impl Input for str {
    fn from_bytes(bytes: &[u8]) -> Option<&Self> {
        std::str::from_utf8(bytes).ok()
    }
}

/// Runs a property over the files that the command line names.
///
/// # Errors
/// Where a file cannot be read.
pub fn run_over_files<T: Input + ?Sized>(property: fn(&T)) -> std::io::Result<()> {
    for file in std::env::args_os().skip(1) {
        if let Some(input) = T::from_bytes(&std::fs::read(file)?) {
            property(input);
        }
    }
    Ok(())
}

/// Makes a program of a property. `cargo fuzz` compiles it with `--cfg fuzzing`, and then libFuzzer gives the inputs. Without the fuzzer, which
/// needs a C++ compiler, the program runs the property over the files that are its arguments.
#[macro_export]
macro_rules! target {
    (|$input:ident: &$kind:ty| $property:expr) => {
        #[cfg(fuzzing)]
        $crate::libfuzzer_sys::fuzz_target!(|$input: &$kind| $property);

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::run_over_files(|$input: &$kind| $property)
        }
    };
}
