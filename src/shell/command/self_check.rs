//! `--self-check`: judges the machine, compares with the kernel, says so, ends.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::app::Setup;
use crate::columns::{CommandStyle, RowContext, SizeUnit};
use crate::model::{Names, Needs, Scene, Snapshot};
use crate::policy::comparisons;
use crate::rank::Ranking;
use crate::report::self_check::write_check;
use crate::shell::command::batch::look_twice;
use crate::shell::command::cli::Cli;
use crate::source::Source;
use crate::units::Millis;

/// A score differed from the computed one by more than the slack.
pub(crate) const DISAGREES: u8 = 3;

/// Between the two looks that growth is told from, unless the user says otherwise.
const BETWEEN: Millis = Millis(300);

/// So often those that differ are read again: a process that grows between two files differs for a
/// moment, a wrong rule for good.
const ROUNDS: u32 = 5;

/// Looks twice, compares, prints.
///
/// # Errors
/// What could not be read or written, in one line.
pub(crate) fn run(cli: &Cli, setup: &Setup, mut source: Box<dyn Source>) -> Result<u8, String> {
    let needs = Needs { cmdline: false, ..Needs::everything() };
    let mut sample = || crate::shell::sample(source.as_mut(), &needs, None);
    let first = sample().map_err(|lost| lost.to_string())?;
    if setup.live {
        thread::sleep(Duration::from_millis(cli.delay.unwrap_or(BETWEEN).0));
    }
    // A recording may be over after one look.
    let second = sample().ok();
    let (now, before) = second.map_or((Arc::clone(&first), None), |next| (next, Some(first)));
    let now = settle(source.as_mut(), now, before.as_ref());
    let scene = Scene::scoped(now, before, setup.scope.clone());
    crate::shell::command::batch::found(scene.domain())?;

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
    let tally = write_check(&mut out, &context).and_then(|tally| out.flush().map(|()| tally));
    match tally {
        Ok(tally) if tally.wrong > 0 => Ok(DISAGREES),
        Ok(tally) if tally.compared == 0 => Err("no oom_score could be read".to_owned()),
        Ok(_) => Ok(0),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(format!("cannot write: {error}")),
    }
}

/// Reads those that differ again, until they agree or have had their chances.
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
        now = look_twice(source, now, before);
    }
    now
}
