//! `doomtop policies`: every policy, where its code can be read, and whether it is about to act.

use std::fmt::Write as _;

use super::invocation::Invocation;
use super::sampling;
use crate::model::Scene;
use crate::policy::{POLICIES, Policy};
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::stdio;

/// Prints the list.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(invocation: Invocation) -> Result<ExitStatus, CommandError> {
    let setup = invocation.setup;
    let lookup = invocation.input.lookup_root()?;
    let mut source = invocation.input.source;
    let scene = sampling::scene(&setup, source.as_mut(), lookup)?;
    let is_known = |id: &str| POLICIES.iter().any(|policy| policy.id() == id);
    let own = Some(setup.policy).filter(|policy| !is_known(policy.id()));
    let mut text = String::new();
    for policy in POLICIES.iter().copied().chain(own) {
        describe(policy, &scene, &mut text);
    }
    stdio::print(&text).map(|()| ExitStatus::Success)
}

fn describe(policy: &dyn Policy, scene: &Scene, text: &mut String) {
    let state = policy.trigger_state(scene);
    let word = if state.ready { "armed" } else { "not armed" };
    let _ = writeln!(text, "{:<16} {}", policy.id(), policy.title());
    for cite in policy.info().cites {
        let _ = writeln!(text, "{:<16} read it: {} ({})", "", cite.place, cite.at);
    }
    let _ = writeln!(text, "{:<16} {word}: {}", "", state.why);
    for trigger in &state.triggers {
        let met = match trigger.met {
            Some(true) => "met",
            Some(false) => "not met",
            None => "unknown",
        };
        let (what, now, wanted) = (trigger.what, &trigger.now, &trigger.wants);
        let _ = writeln!(text, "{:<16}   {what} is {now}, wanted {wanted}: {met}", "");
    }
}
