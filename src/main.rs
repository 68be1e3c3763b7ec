//! doomtop: parse the flags, hand over.

use std::process::ExitCode;

use clap::Parser;
use doomtop::shell;

fn main() -> ExitCode {
    shell::run(&shell::command::cli::Cli::parse())
}
