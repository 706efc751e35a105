//! The command `create-token`: prints a token that allows to open rooms, and the link that gives it to a browser.

use std::{
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, value_parser};

use crate::{key_file, start_error::StartError, time::Clock};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The options of the command.
#[derive(Debug, Clone, Args)]
#[allow(rustdoc::bare_urls, reason = "these texts are the output of --help")]
pub struct Options {
    /// The file with the key of the tokens, as the server has it
    #[arg(long, env = "SIGHTLINE_CREATE_TOKEN_FILE", value_name = "FILE")]
    pub create_token_file: PathBuf,
    /// How many days the token is valid
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = value_parser!(u32).range(1..=3_660))]
    pub days: u32,
    /// The address of the server, such as https://calls.example.org, to print the whole link
    #[arg(long, value_name = "URL", default_value = "")]
    pub url: String,
}

/// Prints a token.
///
/// # Errors
/// [`StartError`] where the key cannot be read or made.
pub fn run(options: &Options) -> Result<(), StartError> {
    let key = key_file::create_key(&options.create_token_file)?;
    let token = key.sign(Clock::start().now() + DAY * options.days);
    let (url, days) = (options.url.trim_end_matches('/'), options.days);
    let mut out = io::stdout();
    writeln!(out, "{token}")?;
    writeln!(out, "A browser that opens {url}/#create-token={token} may open rooms for {days} days.")?;
    Ok(out.flush()?)
}
