//! `doomtop fits`: whether so much more memory would fit, and who would be killed for it.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use super::cli::{Cli, FitsArgs};
use super::input::{self, Input};
use super::invocation::{self, Invocation};
use super::sampling::{self, Sampled};
use crate::app::Setup;
use crate::forecast::cascade::{FitVerdict, Newcomer, what_fits};
use crate::model::{Needs, ProcId, Reading, Scene, Scope, Text};
use crate::report::fits::{fits_json, write_fits};
use crate::report::line::TextStyle;
use crate::report::load_test::{RUN_SCOPE_WITHIN, run_scope};
use crate::rows::time::parse_time;
use crate::shell::command_error::CommandError;
use crate::shell::date;
use crate::shell::exit_status::ExitStatus;
use crate::shell::guarded_source::ProtectionReport;
use crate::shell::stdio;
use crate::source::Source;
use crate::units::Adj;

/// Answers, and ends with the status that says it.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(
    args: &FitsArgs,
    cli: &Cli,
    invocation: Invocation,
) -> Result<ExitStatus, CommandError> {
    let setup = invocation.setup;
    if matches!(setup.scope, Scope::Nodes(_)) {
        return Err(CommandError::usage("fits cannot tell how much room memory nodes have")
            .hint("--scope takes a memory cgroup, or global"));
    }
    if args.at.is_some() && !input::is_recorded(cli) {
        return Err(CommandError::usage("--at is for a recording").hint("--from names one"));
    }
    let own = invocation.input.own_id()?;
    let mut source = invocation.input.source;
    let (scene, scope) = if setup.live {
        (sampling::scene(&setup, source.as_mut(), None)?, setup.scope.clone())
    } else {
        let until = args.at.as_deref().map(|at| unix_ms(at, cli)).transpose()?;
        recorded(&setup, source.as_mut(), until)?
    };
    let newcomer = Newcomer {
        size: args.size,
        adj: Adj(args.adj),
        cgroup: cgroup(&scope, setup.live, &scene, own),
        like: Some(own).filter(|_| setup.live),
        replaces: true,
    };
    let answer = what_fits(setup.policy, &scene, &newcomer);
    let mut out = BufWriter::new(io::stdout().lock());
    let style = TextStyle { cut: None, ascii: cli.ascii || !stdio::utf8() };
    let result = if args.json {
        writeln!(out, "{}", fits_json(&answer, &scene))
    } else {
        write_fits(&mut out, &answer, &scene, style)
    };
    stdio::written(result.and_then(|()| out.flush()))?;
    Ok(match answer.verdict() {
        FitVerdict::Fits => ExitStatus::Success,
        FitVerdict::Throttled => ExitStatus::FitsThrottled,
        FitVerdict::AfterKills => ExitStatus::FitsAfterKill,
        FitVerdict::No => ExitStatus::FitsNot,
    })
}

/// The cgroup in which the memory is taken: that of the scope, or the one that doomtop itself was started in.
fn cgroup(scope: &Scope, live: bool, scene: &Scene, own: ProcId) -> Option<Arc<Text>> {
    match scope {
        Scope::Memcg(_) => Some(Arc::clone(&scene.domain().name)),
        Scope::Auto if live => match &scene.find(own)?.cgroup {
            Reading::Value(path) => Some(Arc::clone(path)),
            _ => None,
        },
        Scope::Auto | Scope::Global | Scope::Nodes(_) => None,
    }
}

/// The last sample of a recording, or the last one until a time, and its scope: of a recording of `doomtop run` the
/// cgroup of its command, where no other is asked for.
///
/// # Errors
/// There is none.
fn recorded(
    setup: &Setup,
    source: &mut dyn Source,
    until: Option<i64>,
) -> Result<(Scene, Scope), CommandError> {
    let needs = Needs { cmdline: false, ..Needs::everything() };
    let mut scene: Option<Scene> = None;
    let mut scope = setup.scope.clone();
    let (mut spent, mut samples) = (None, 0);
    loop {
        let sample = match sampling::next(source, &needs, spent.take(), samples)? {
            Sampled::New(sample) => sample,
            Sampled::Missed(why) => {
                stdio::complain(&why);
                continue;
            }
            Sampled::Over => break,
        };
        if until.is_some_and(|until| sample.clock.unix_ms > until) {
            break;
        }
        samples += 1;
        if scope == Scope::Auto && samples <= RUN_SCOPE_WITHIN {
            scope = run_scope(&sample).unwrap_or_default();
        }
        match &mut scene {
            Some(scene) => spent = scene.advance(sample),
            None => scene = Some(Scene::scoped(sample, None, setup.scope.clone())),
        }
    }
    let mut scene = scene.ok_or_else(|| {
        CommandError::failure("the recording has no sample before that time")
            .hint("--at takes a time in it, or how long before its end")
    })?;
    if scope != setup.scope {
        scene.set_scope(scope.clone());
    }
    sampling::require_domain(scene.domain())?;
    Ok((scene, scope))
}

/// The time of `--at`, in milliseconds since 1970. How long ago counts from the end, which is looked for first.
///
/// # Errors
/// The recording cannot be read twice.
fn unix_ms(at: &str, cli: &Cli) -> Result<i64, CommandError> {
    if let Some(unix_ms) = date::unix_ms(at) {
        // As everywhere, the end of its second is meant.
        return Ok(unix_ms.saturating_add(999));
    }
    if cli.from.as_deref() == Some(Path::new("-")) {
        return Err(CommandError::usage(
            "--at counts from the end, and standard input is read once",
        )
        .hint("give a date, such as '2026-11-20 14:03', or a file"));
    }
    let mut source = Input::open(cli, 0, ProtectionReport::OnStandardError)?.source;
    let (mut end, mut samples, mut spent) = (0, 0, None);
    while let Sampled::New(sample) =
        sampling::next(source.as_mut(), &Needs::default(), spent.take(), samples)?
    {
        (end, samples, spent) = (sample.clock.unix_ms, samples + 1, Some(sample));
    }
    let ago = parse_time(at, end, invocation::utc_offset()).map_err(CommandError::usage)?;
    Ok(end.saturating_sub_unsigned(ago.0))
}
