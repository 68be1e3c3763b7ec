//! `--self-check`: compares every computed score with the kernel's, and prints the result.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::Duration;

use super::cli::Cli;
use super::invocation::Invocation;
use super::sampling::{self, confirm_scores};
use crate::columns::{CommandStyle, RowContext, SizeUnit};
use crate::model::{Names, Needs, Scene, Snapshot};
use crate::policy::comparisons;
use crate::rank::Ranking;
use crate::report::self_check::write_check;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::stdio;
use crate::source::Source;

/// How often processes whose scores differ are read again: a process that grows between two readings differs
/// for a moment, a wrong rule always.
const ROUNDS: u32 = 5;

/// Takes two samples, compares, and prints.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(cli: &Cli, invocation: Invocation) -> Result<ExitStatus, CommandError> {
    let setup = invocation.setup;
    let mut source = invocation.input.source;
    let needs = Needs { cmdline: false, ..Needs::everything() };
    let between = cli.delay.map(|delay| Duration::from_millis(delay.0));
    let (now, before) = sampling::pair(source.as_mut(), &needs, &setup, between)?;
    let now = settle(source.as_mut(), now, before.as_ref());
    let scene = Scene::scoped(now, before, setup.scope.clone());
    sampling::require_domain(scene.domain())?;

    let ranking = Ranking::new(setup.policy, &scene);
    let names = Names::default();
    let context = RowContext {
        scene: &scene,
        policy: setup.policy,
        ranking: &ranking,
        names: &names,
        scale: SizeUnit::Auto,
        command: CommandStyle::Name,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match write_check(&mut out, &context).and_then(|tally| out.flush().map(|()| tally)) {
        Ok(tally) if tally.wrong > 0 => Ok(ExitStatus::Disagrees),
        Ok(tally) if tally.compared == 0 => {
            Err(CommandError::failure("no oom_score could be read"))
        }
        Ok(_) => Ok(ExitStatus::Success),
        Err(error) => stdio::written(Err(error)).map(|()| ExitStatus::Success),
    }
}

/// Reads processes again whose scores differ, until all are equal or [`ROUNDS`] are over.
fn settle(
    source: &mut dyn Source,
    mut now: Arc<Snapshot>,
    before: Option<&Arc<Snapshot>>,
) -> Arc<Snapshot> {
    for _ in 0..ROUNDS {
        let scene = Scene::new(Arc::clone(&now), before.cloned());
        let settled = comparisons(&scene).all(|row| row.computed == row.kernel);
        drop(scene);
        if settled {
            break;
        }
        now = confirm_scores(source, now, before);
    }
    now
}
