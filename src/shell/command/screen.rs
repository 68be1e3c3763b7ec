//! doomtop without a subcommand, and `doomtop replay`: the full screen.

use super::cli::{Cli, Command};
use super::config::apply::own_file;
use super::config::reader;
use super::invocation::Invocation;
use crate::app::adj_rules::reload::RulesUpdate;
use crate::shell::command_error::CommandError;
use crate::shell::config_file::save::SavedCheck;
use crate::shell::tui::{
    self, LiveTrees, Screen, ScreenBuffer, ScreenEnd, ScreenInput, ScreenOptions, ScreenSettings,
};
use crate::shell::worker::adj_rules::AdjRulesWatch;
use crate::shell::worker::recording_reader::Player;

/// Runs the screen.
///
/// # Errors
/// The terminal or a thread is not available.
pub(crate) fn run(
    cli: &Cli,
    mut invocation: Invocation,
    adj_rules: Option<(RulesUpdate, AdjRulesWatch)>,
) -> Result<ScreenEnd, CommandError> {
    let effects = invocation.effects(cli)?;
    let live = live_trees(&invocation)?;
    let Invocation { setup, site_rules, mut input, .. } = invocation;
    let protection = std::mem::take(&mut input.protection);
    let input = screen_input(cli, input, setup.live)?;
    let options = screen_options(cli);
    let reports = Vec::new();
    let (own_adj, notice) = (protection.own_adj, protection.notice);
    tui::run(Screen {
        options,
        setup,
        input,
        effects,
        live,
        site_rules,
        adj_rules,
        reports,
        own_adj,
        notice,
    })
}

/// The flags of the screen.
pub(crate) fn screen_options(cli: &Cli) -> ScreenOptions {
    ScreenOptions {
        buffer: if cli.no_alt_screen { ScreenBuffer::Normal } else { ScreenBuffer::Alternate },
        ascii: cli.ascii,
        theme: cli.theme,
        mouse: !cli.no_mouse,
        keep_picture: cli.keep_screen,
        ring: cli.ring,
        relax: cli.relax,
        alarms: cli.alarm.clone(),
        bell: cli.bell,
        commands: cli.alarm_commands(),
        redacted: cli.redact.is_some(),
        settings: settings(cli),
    }
}

/// What the settings files say about the screen.
fn settings(cli: &Cli) -> ScreenSettings {
    let config = &cli.config;
    ScreenSettings {
        header: config.header,
        units: config.units,
        header_units: config.header_units,
        colours: config.colours.clone(),
        preset: config.preset,
        rebindings: config.rebindings.clone(),
        keys: config.keys,
        file: own_file(cli).map(|file| file.path),
        check: SavedCheck(reader::check),
        forbids_writing: config.forbids_writing,
        warnings: config.warnings.clone(),
    }
}

/// The live tree for each thread that reads it.
fn live_trees(invocation: &Invocation) -> Result<Option<LiveTrees>, CommandError> {
    let input = &invocation.input;
    let lookups = input.lookup_root()?.zip(input.lookup_root()?);
    let roots = input.root()?.zip(input.root()?);
    let usage = input.usage_root()?;
    let trees = lookups.zip(roots).map(|((command_lines, detail), (breakdowns, pressure))| {
        LiveTrees { command_lines, detail, breakdowns, pressure, usage }
    });
    Ok(trees)
}

/// Live samples, a recording that is played, or one that is shown as it arrives.
fn screen_input(
    cli: &Cli,
    input: super::input::Input,
    live: bool,
) -> Result<ScreenInput, CommandError> {
    if live {
        return Ok(ScreenInput::Live(input.source));
    }
    if cli.demo {
        return Ok(ScreenInput::Demo(input.source));
    }
    let replay = match &cli.command {
        Some(Command::Replay(args)) => Some(args),
        _ => None,
    };
    match (input.progress, replay) {
        (Some(progress), replay) => Ok(ScreenInput::Recording(Player {
            source: input.source,
            progress,
            speed: replay.map(|args| args.speed.0).unwrap_or_default(),
            at: replay.and_then(|args| args.at.clone()),
            part: replay.and_then(|args| args.part),
        })),
        (None, None) => Ok(ScreenInput::Pipe(input.source)),
        (None, Some(_)) => {
            Err(CommandError::failure("replay plays a file, not a pipe").hint("use --from -"))
        }
    }
}
