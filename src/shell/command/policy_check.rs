//! `doomtop policy check`: which process a site policy would kill now.

use std::fmt::Write as _;
use std::path::Path;

use super::headless::ranker::policy_failure;
use super::invocation::Invocation;
use super::sampling;
use crate::model::{Process, Reading, Scene};
use crate::policy::site::SiteRule;
use crate::policy::{Policy, SparedReason};
use crate::rank::{Placement, Ranked, Ranking};
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::rule_file::shown;
use crate::shell::stdio;

/// Maximum number of processes listed that die with the victim.
const MAX_ALSO_KILLED: usize = 10;

/// Prints what a valid policy does.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(
    file: &Path,
    rule: SiteRule,
    invocation: Invocation,
) -> Result<ExitStatus, CommandError> {
    let lookup = invocation.input.lookup_root()?;
    let mut source = invocation.input.source;
    let scene = sampling::scene(&invocation.setup, source.as_mut(), lookup)?;
    let (name, steps) = (rule.name().to_owned(), rule.steps());
    let policy: &dyn Policy = rule.leak(&file.display().to_string());
    let ranking = Ranking::new(policy, &scene);
    let mut text = String::new();
    let (file, title) = (shown(file), policy.title());
    let _ = writeln!(text, "{file}: valid; {name}: {title}; at most {steps} steps a process");
    describe_victims(policy, &scene, &ranking, &mut text);
    describe_counts(&ranking, &mut text);
    if let Some(failure) = policy_failure(policy, &scene, &ranking) {
        let _ = writeln!(text, "{failure}");
    }
    stdio::print(&text).map(|()| ExitStatus::Success)
}

fn describe_victims(policy: &dyn Policy, scene: &Scene, ranking: &Ranking, text: &mut String) {
    let find = |row: &Ranked| scene.find(row.id);
    match ranking.victim().and_then(|row| Some((row, find(row)?))) {
        Some((row, victim)) => {
            let signal = policy.action(victim).signal;
            let _ = writeln!(text, "dies now: {}, by {signal}", with_points(row, victim));
            let others = policy.also_killed(victim, scene);
            let names: Vec<String> =
                others.iter().take(MAX_ALSO_KILLED).map(|other| named(other)).collect();
            if !names.is_empty() {
                let _ = writeln!(text, "with it: {} ({} in all)", names.join(", "), others.len());
            }
        }
        None => {
            let _ = writeln!(text, "dies now: no process can be chosen");
        }
    }
    if let Some((row, next)) = ranking.runner_up().and_then(|row| Some((row, find(row)?))) {
        let _ = writeln!(text, "then: {}", with_points(row, next));
    }
}

fn describe_counts(ranking: &Ranking, text: &mut String) {
    let spared = |reason| {
        let rows = ranking.rows().iter();
        rows.filter(|row| row.placement == Placement::Spared(reason)).count()
    };
    let _ = writeln!(
        text,
        "{} can be chosen, {} are spared by the rule, {} failed",
        ranking.eligible(),
        spared(SparedReason::Ignored) + spared(SparedReason::Never),
        spared(SparedReason::Failed)
    );
}

fn named(process: &Process) -> String {
    format!("{} {}", process.id, process.comm)
}

fn with_points(row: &Ranked, process: &Process) -> String {
    let points = row.placement.points().map_or(0, |points| points.0);
    let class = match row.class {
        2 => " (blamed)",
        1 => " (preferred)",
        _ => "",
    };
    let adj = match process.adj {
        Reading::Value(adj) => adj.0.to_string(),
        absent => absent.dash().to_owned(),
    };
    format!("{} with {points} points{class}, adj {adj}", named(process))
}
