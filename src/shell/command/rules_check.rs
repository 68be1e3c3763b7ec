//! `doomtop rules check`: which values adj rules would write now.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::invocation::Invocation;
use super::sampling;
use crate::app::adj_rules::rules::{RuleCaseState, preview_rules};
use crate::policy::site::AdjRules;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::rule_file::{compile_adj_rules, shown};
use crate::shell::stdio;

/// Checks a file, and prints what each of its rules would do.
///
/// # Errors
/// The file is invalid, or what could not be read or written.
pub(crate) fn run(file: &Path, invocation: Invocation) -> Result<ExitStatus, CommandError> {
    let (rules, _) = compile_adj_rules(file).map_err(CommandError::invalid_file)?;
    let own = invocation.input.own_id()?;
    let lookup = invocation.input.lookup_root()?;
    let mut source = invocation.input.source;
    let scene = sampling::scene(&invocation.setup, source.as_mut(), lookup)?;
    let cases = preview_rules(&rules, &scene, own);
    let mut text = String::new();
    let count = rules.rules.len();
    let word = if count == 1 { "rule" } else { "rules" };
    let _ = writeln!(text, "{}: valid; {count} {word}", shown(file));
    for number in 0..count {
        let cases = cases.iter().filter(|case| case.rule == number);
        describe(
            &rules,
            number,
            cases.map(|case| {
                let from = case.from.map_or_else(|| "?".to_owned(), |from| from.to_string());
                (format!("{} {}  {from} -> {}", case.who, case.name, case.to), &case.state)
            }),
            &mut text,
        );
    }
    let written =
        |state: &RuleCaseState| matches!(state, RuleCaseState::Would | RuleCaseState::New);
    let count = cases.iter().filter(|case| written(&case.state)).count();
    let _ = writeln!(text, "{count} would be written now");
    stdio::print(&text).map(|()| ExitStatus::Success)
}

/// A rule, and what it would do: each of its cases as text, with its state.
fn describe<'a>(
    rules: &Arc<AdjRules>,
    number: usize,
    cases: impl Iterator<Item = (String, &'a RuleCaseState)>,
    text: &mut String,
) {
    let Some(rule) = rules.rules.get(number) else { return };
    let whom: Vec<String> = rule.subjects.iter().map(ToString::to_string).collect();
    let (about, line, adj) = (&rule.about, rule.location.line, rule.adj);
    let _ = writeln!(text, "{about} (line {line}): adj {adj} for {}", whom.join(" or "));
    let (mut count, mut unchanged) = (0, 0);
    for (case, state) in cases {
        count += 1;
        let what = match state {
            RuleCaseState::Has => {
                unchanged += 1;
                continue;
            }
            RuleCaseState::Never(why) => format!("skipped: {why}"),
            _ => "would be written".to_owned(),
        };
        let _ = writeln!(text, "    {case}  {what}");
    }
    match (count, unchanged) {
        (0, _) => text.push_str("    matches no process now\n"),
        (_, 0) => {}
        (_, count) => {
            let _ = writeln!(text, "    {count} with that value already");
        }
    }
}
