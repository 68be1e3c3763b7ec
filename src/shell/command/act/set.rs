//! `doomtop set`: writes oom_score_adj of processes.

use super::{Run, perform, plans, preview, scene};
use crate::app::Setup;
use crate::effects::Effects;
use crate::intent::Intent;
use crate::model::{Process, Scene};
use crate::plan::adj_rights::{AffectedKin, WriteRights};
use crate::plan::preview::Previews;
use crate::rank::Ranking;
use crate::shell::command::cli::SetArgs;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::source::Source;
use crate::units::Adj;

/// Writes the values, or shows what would be written.
///
/// # Errors
/// The machine could not be read, or the lines not be written.
pub(crate) fn run(
    args: &SetArgs,
    setup: &Setup,
    source: &mut dyn Source,
    effects: Box<dyn Effects>,
    run: Run,
) -> Result<ExitStatus, CommandError> {
    let scene = scene(setup, source)?;
    let ranking = Ranking::new(setup.policy, &scene);
    let plans = plans(&args.common.pids, &scene, |process| {
        plan(process, args.value(), setup, &scene, &ranking)
    });
    let format = args.common.form();
    match run {
        Run::Dry => preview(plans, format, effects, setup.acting),
        Run::Real => perform(plans, format, effects, None),
    }
}

/// The intent with its notes, as on the screen.
fn plan(
    process: &Process,
    to: Adj,
    setup: &Setup,
    scene: &Scene,
    ranking: &Ranking,
) -> Result<(Intent, Vec<String>), String> {
    if process.is_kernel_thread() {
        return Err("a kernel thread: it can never be chosen".to_owned());
    }
    let Some(from) = process.adj.value() else {
        return Err("its oom_score_adj cannot be read".to_owned());
    };
    let affected = AffectedKin::changed_with(process, scene);
    let changed = (process.id, &affected[..]);
    let spare = &mut Ranking::default();
    let previews = Previews::of(setup.policy, changed, to, scene, ranking, spare);
    let mut notes = Vec::new();
    if let Some(preview) = &previews.own {
        let place = |rank: Option<usize>| rank.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let victim = preview.victim.as_ref();
        let victim =
            victim.map_or_else(|| "no process".to_owned(), |(id, name)| format!("{id} {name}"));
        notes.push(format!(
            "rank {} -> {} by {}, next victim then: {victim}",
            place(preview.rank_before),
            place(preview.rank_after),
            preview.policy
        ));
    }
    let rights = WriteRights::of(process, from, None, scene);
    notes.extend(rights.warning(from, to).map(str::to_owned));
    let (who, name) = (process.id, process.comm.to_string());
    Ok((Intent::SetAdj { who, name, from, to, revert: false }, notes))
}
