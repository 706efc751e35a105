//! `cargo xtask screenshots`: the README's pictures, taken by the end-to-end tests' own harness.

use anyhow::Result;

use crate::{browsers, process, test, workspace};

/// Takes them anew.
///
/// # Errors
/// Where a build or a step of the test fails.
pub(crate) fn run() -> Result<()> {
    let tools = browsers::test_tools()?;
    let mut tests = test::end_to_end(&tools, Some("screenshots"))?;
    tests.env("SIGHTLINE_SCREENSHOTS", workspace::root().join("docs").join("screenshots"));
    process::run(&mut tests)
}
