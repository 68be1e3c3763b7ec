//! Samples for the commands without a screen.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::headless::names::{CommandLines, NameLookup};
use crate::app::Setup;
use crate::model::{Domain, DomainKind, Names, Needs, ProcId, Scene, Snapshot};
use crate::policy::compare;
use crate::shell::command_error::CommandError;
use crate::shell::stdio::complain;
use crate::shell::worker::lookup_root::LookupRoot;
use crate::source::{Source, SourceError};

/// Time between the two samples that growth is computed from.
const BETWEEN: Duration = Duration::from_millis(300);

/// Takes a sample. Damage in a recording is reported, and the next sample after it is taken.
pub(crate) fn sample(
    source: &mut dyn Source,
    needs: &Needs,
    mut spent: Option<Arc<Snapshot>>,
) -> Result<Arc<Snapshot>, SourceError> {
    loop {
        match source.sample(needs, spent.take()) {
            Err(lost @ SourceError::Damaged { .. }) => complain(&lost.to_string()),
            other => return other,
        }
    }
}

/// What came of a sample that is not the first.
pub(crate) enum Sampled {
    /// A sample.
    New(Arc<Snapshot>),
    /// None this time, and why; the next one may succeed.
    Missed(String),
    /// There will be no more.
    Over,
}

/// Takes the next sample after `samples` others.
///
/// # Errors
/// There was none yet, or sampling failed for good.
pub(crate) fn next(
    source: &mut dyn Source,
    needs: &Needs,
    spent: Option<Arc<Snapshot>>,
    samples: u64,
) -> Result<Sampled, CommandError> {
    match sample(source, needs, spent) {
        Ok(snapshot) => Ok(Sampled::New(snapshot)),
        Err(SourceError::End) if samples > 0 => Ok(Sampled::Over),
        Err(lost @ SourceError::Cut { .. }) if samples > 0 => {
            complain(&lost.to_string());
            Ok(Sampled::Over)
        }
        Err(lost @ SourceError::Unreadable(_)) if samples > 0 => {
            Ok(Sampled::Missed(lost.to_string()))
        }
        Err(lost) => Err(CommandError::failure(lost)),
    }
}

/// The only sample that a command needs.
///
/// # Errors
/// There is none.
pub(crate) fn only(source: &mut dyn Source, needs: &Needs) -> Result<Arc<Snapshot>, CommandError> {
    sample(source, needs, None).map_err(CommandError::failure)
}

/// Two samples for a scene with growth: the newer, and the older where the source has two. On a live
/// machine `between` lies between them.
///
/// # Errors
/// There is not even one.
pub(crate) fn pair(
    source: &mut dyn Source,
    needs: &Needs,
    setup: &Setup,
    between: Option<Duration>,
) -> Result<(Arc<Snapshot>, Option<Arc<Snapshot>>), CommandError> {
    let first = only(source, needs)?;
    if setup.live {
        thread::sleep(between.unwrap_or(BETWEEN));
    }
    let second = sample(source, needs, None).ok();
    Ok(second.map_or((Arc::clone(&first), None), |next| (next, Some(first))))
}

/// The present scene, with growth where the source has two samples. Command lines are read apart from the
/// samples, where `lookup` is: a process may block its reader for ever.
///
/// # Errors
/// There is no sample, or the domain does not exist.
pub(crate) fn scene(
    setup: &Setup,
    source: &mut dyn Source,
    lookup: Option<LookupRoot>,
) -> Result<Scene, CommandError> {
    let needs = Needs { cmdline: false, ..Needs::everything() };
    let (mut now, before) = pair(source, &needs, setup, None)?;
    if let Some(mut lookup) = lookup.and_then(NameLookup::start) {
        lookup.complete(&mut Names::default(), &mut now, CommandLines::Needed);
    }
    let scene = Scene::scoped(now, before, setup.scope.clone());
    require_domain(scene.domain())?;
    Ok(scene)
}

/// A domain that was asked for by name must exist in the first sample.
///
/// # Errors
/// It does not.
pub(crate) fn require_domain(domain: &Domain) -> Result<(), CommandError> {
    match domain.kind {
        DomainKind::Gone if domain.name.as_str().starts_with('/') => {
            Err(CommandError::failure(format!("{domain}: no such memory cgroup here"))
                .hint("--scope takes a path as in /proc/PID/cgroup"))
        }
        DomainKind::Gone => {
            Err(CommandError::failure(format!("{domain}: this machine has no such memory nodes")))
        }
        _ => Ok(()),
    }
}

/// Reads the processes again whose computed score differs from the kernel's: a difference counts only when
/// a second reading confirms it.
pub(crate) fn confirm_scores(
    source: &mut dyn Source,
    mut snapshot: Arc<Snapshot>,
    before: Option<&Arc<Snapshot>>,
) -> Arc<Snapshot> {
    let scene = Scene::new(Arc::clone(&snapshot), before.cloned());
    let doubtful: Vec<ProcId> = scene
        .now()
        .processes
        .iter()
        .filter(|process| compare(process, &scene).is_some_and(|(ours, theirs)| ours != theirs))
        .map(|process| process.id)
        .collect();
    drop(scene);
    if !doubtful.is_empty()
        && let Some(snapshot) = Arc::get_mut(&mut snapshot)
    {
        source.sample_again(&doubtful, snapshot);
    }
    snapshot
}
