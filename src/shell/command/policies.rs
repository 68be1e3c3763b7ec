//! `doomtop policies`, `doomtop policy check`, `doomtop policy facts`: what there is to choose from,
//! from one look.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::app::Setup;
use crate::model::{Needs, Process, Reading, Scene};
use crate::policy::site::{SiteRule, troubles};
use crate::policy::{POLICIES, Policy, SparedReason};
use crate::rank::{Placement, Ranked, Ranking};
use crate::source::Source;

/// Between two looks that growth is told from.
const BETWEEN: Duration = Duration::from_millis(300);

/// The moment, with a look before it where there is one.
pub(crate) fn moment(setup: &Setup, source: &mut dyn Source) -> Result<Scene, String> {
    let needs = Needs::everything();
    let first = crate::shell::sample(source, &needs, None).map_err(|lost| lost.to_string())?;
    if setup.live {
        thread::sleep(BETWEEN);
    }
    let second = crate::shell::sample(source, &needs, None).ok();
    let (now, before) = second.map_or((Arc::clone(&first), None), |next| (next, Some(first)));
    let scene = Scene::scoped(now, before, setup.scope.clone());
    crate::shell::command::batch::found(scene.domain())?;
    Ok(scene)
}

/// Writes it to standard output.
pub(crate) fn print(text: &str) -> Result<u8, String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(0),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(format!("standard output: {error}")),
    }
}

/// Every policy: its name, what it is, where it can be read, whether it is about to act and why.
pub(crate) fn list(setup: &Setup, mut source: Box<dyn Source>) -> Result<u8, String> {
    let scene = moment(setup, source.as_mut())?;
    let chosen = Some(setup.policy);
    let known = |id: &str| POLICIES.iter().any(|policy| policy.id() == id);
    let own = chosen.filter(|policy| !known(policy.id()));
    let mut text = String::new();
    for policy in POLICIES.iter().copied().chain(own) {
        let armed = policy.trigger_state(&scene);
        let word = if armed.ready { "armed" } else { "not armed" };
        let _ = writeln!(text, "{:<16} {}", policy.id(), policy.title());
        for cite in policy.info().cites {
            let _ = writeln!(text, "{:<16} read it: {} ({})", "", cite.place, cite.at);
        }
        let _ = writeln!(text, "{:<16} {word}: {}", "", armed.why);
        for trigger in &armed.triggers {
            let met = match trigger.met {
                Some(true) => "met",
                Some(false) => "not met",
                None => "not to be seen",
            };
            let _ = writeln!(
                text,
                "{:<16}   {} is {}, wanted {}: {met}",
                "", trigger.what, trigger.now, trigger.wants
            );
        }
    }
    print(&text)
}

/// The table of facts.
pub(crate) fn facts() -> Result<u8, String> {
    print(&crate::policy::site::table())
}

/// A good rule: who would die by it now.
pub(crate) fn check(
    setup: &Setup,
    mut source: Box<dyn Source>,
    path: &Path,
    rule: SiteRule,
) -> Result<u8, String> {
    let scene = moment(setup, source.as_mut())?;
    let (name, steps) = (rule.name().to_owned(), rule.steps());
    let policy = rule.leak(&path.display().to_string());
    let ranking = Ranking::new(policy, &scene);
    let mut text = String::new();
    let shown = crate::model::neutral(path.display().to_string().as_bytes());
    let _ = writeln!(
        text,
        "{shown}: good; {name}: {}; at most {steps} steps a process",
        policy.title()
    );
    let find = |row: &Ranked| scene.find(row.id);
    match ranking.victim().and_then(|row| Some((row, find(row)?))) {
        Some((row, victim)) => {
            let act = policy.action(victim);
            let _ = writeln!(text, "dies now: {}, by {}", said(row, victim), act.signal);
            let company = policy.also_killed(victim, &scene);
            let names: Vec<String> = company.iter().take(10).map(|other| named(other)).collect();
            if !names.is_empty() {
                let _ = writeln!(text, "with it: {} ({} in all)", names.join(", "), company.len());
            }
        }
        None => {
            let _ = writeln!(text, "dies now: nobody can be chosen");
        }
    }
    if let Some((row, next)) = ranking.runner_up().and_then(|row| Some((row, find(row)?))) {
        let _ = writeln!(text, "then: {}", said(row, next));
    }
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
    if let Some(trouble) = trouble(policy, &scene, &ranking) {
        let _ = writeln!(text, "{trouble}");
    }
    print(&text)
}

/// What went wrong with a rule while it judged, in one line.
pub(crate) fn trouble(policy: &dyn Policy, scene: &Scene, ranking: &Ranking) -> Option<String> {
    let failed = |row: &&Ranked| row.placement == Placement::Spared(SparedReason::Failed);
    let rows = ranking.rows().iter().filter(failed);
    troubles(policy, scene, rows.filter_map(|row| scene.find(row.id))).map(|(_, line)| line)
}

fn named(process: &Process) -> String {
    format!("{} {}", process.id, process.comm)
}

fn said(row: &Ranked, process: &Process) -> String {
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
