//! The configuration: its table, its files, and `doomtop config`.

pub(crate) mod apply;
pub mod documents;
pub(crate) mod named;
pub(crate) mod reader;
pub mod table;
pub mod values;

use std::path::Path;

use self::apply::{denied, exists, own_file};
use self::reader::read_file;
use self::values::ConfigValues;
use super::cli::{Cli, ConfigCommand};
use crate::app::keymap::remap::remapped;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::rule_file::shown;
use crate::shell::{config_file, stdio};

/// Runs `doomtop config`.
///
/// # Errors
/// A file is invalid, or standard output cannot be written.
pub(crate) fn run(cli: &Cli, what: &ConfigCommand) -> Result<ExitStatus, CommandError> {
    let text = match what {
        ConfigCommand::Print => documents::template(),
        ConfigCommand::Schema => documents::schema(),
        ConfigCommand::Path => match own_file(cli) {
            Some(file) => format!("{}\n", file.path.display()),
            None => {
                return Err(CommandError::failure("no home directory is known")
                    .hint("set HOME or XDG_CONFIG_HOME"));
            }
        },
        ConfigCommand::Check { file } => return check(cli, file.as_deref()),
    };
    stdio::print(&text).map(|()| ExitStatus::Success)
}

/// Checks one file, or those that doomtop would read.
fn check(cli: &Cli, file: Option<&Path>) -> Result<ExitStatus, CommandError> {
    let system = Path::new(config_file::SYSTEM);
    let mut files = Vec::new();
    match file {
        Some(file) => files.push((file.to_owned(), true)),
        None => {
            files.push((config_file::SYSTEM.into(), false));
            files.extend(own_file(cli).map(|file| (file.path, file.is_named)));
        }
    }
    let (mut config, mut text, mut errors) = (ConfigValues::default(), String::new(), Vec::new());
    for (path, is_named) in files {
        if path == Path::new(config_file::NO_FILE) {
            continue;
        }
        if !is_named && !exists(&path) {
            text.push_str(&format!("{}: does not exist\n", shown(&path)));
            continue;
        }
        if let Some(warning) = denied(&path).filter(|_| !is_named && path != system) {
            stdio::complain(&warning);
            continue;
        }
        let found = read_file(&path, &mut config);
        for line in &found.unknown {
            stdio::complain(line);
        }
        if found.errors.is_empty() && found.untrusted.is_empty() {
            text.push_str(&format!("{}: valid\n", shown(&path)));
        }
        // What is not taken is not what its author expects.
        errors.extend(found.errors.into_iter().chain(found.untrusted));
    }
    if let Err(conflicts) = remapped(config.preset, &config.rebindings) {
        errors.extend(conflicts);
    }
    errors.extend(named::faults(&config));
    if let Some(warning) = named::absent_scope(&config) {
        stdio::complain(&warning);
    }
    if !errors.is_empty() {
        return Err(CommandError::invalid_file(errors));
    }
    stdio::print(&text).map(|()| ExitStatus::Success)
}
