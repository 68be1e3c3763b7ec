//! The doomtop binary: parses the command line and runs the library.

use std::process::ExitCode;

use clap::Parser;
use doomtop::shell;

fn main() -> ExitCode {
    shell::complete().unwrap_or_else(|| shell::run(&shell::command::cli::Cli::parse()))
}
