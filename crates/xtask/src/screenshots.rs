//! `cargo xtask screenshots`: the README's pictures, taken with the harness of the end-to-end tests.

use anyhow::Result;

use crate::{browsers, process, test, workspace};

/// Takes all pictures again.
///
/// # Errors
/// If a build or a step of the test fails.
pub(crate) fn run() -> Result<()> {
    let tools = browsers::test_tools()?;
    let mut tests = test::end_to_end(&tools, Some("screenshots"))?;
    tests.env("SIGHTLINE_SCREENSHOTS", workspace::root().join("docs").join("screenshots"));
    process::run(&mut tests)
}
