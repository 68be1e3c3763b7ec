//! What happens if a process dies: the signal, the memory that it frees, and who dies with it.

use ratatui::text::Line;

use crate::app::mode::Mode;
use crate::model::Reading;
use crate::plan::signal::SignalPlan;
use crate::policy::{KillScope, sacrifice};
use crate::rank::also_killed::group_mates;
use crate::rank::freed::FreedMemory;
use crate::ui::paint::text;
use crate::ui::panel::explain::explained_process::Case;
use crate::words::freed;

impl Case<'_> {
    /// The signal that the key for a sacrifice would send.
    pub(crate) fn sacrifice(&self) -> Option<Line<'static>> {
        if self.process.is_kernel_thread() {
            return None;
        }
        let rule = sacrifice(self.process);
        Some(self.text("sacrifice", &format!("X would send {}: {}", rule.signal, rule.why)))
    }

    /// The memory that its death gives back: as measured while the page is open, else as an estimate.
    pub(crate) fn frees(&self) -> Option<Line<'static>> {
        if !self.process.has_mm {
            return None;
        }
        let scene = self.context.scene;
        let size = |bytes| text::bytes(self.context, bytes);
        let is_page = matches!(self.app.mode, Mode::Explain(_));
        let read = self.app.commitments.holding(self.process.id).value().filter(|_| is_page);
        let (freed, text) = match (read, FreedMemory::of(self.process, scene)) {
            (Some(breakdown), _) => {
                let freed = FreedMemory::measured(&breakdown, self.process, scene);
                (Some(freed), freed::measured(self.context, &freed))
            }
            (None, Reading::Value(freed)) if freed.is_compressed() => {
                (Some(freed), format!("about {}", freed::estimate(&freed, &size)))
            }
            (None, Reading::Value(freed)) => {
                let room = size(freed.room());
                let perhaps = freed::perhaps(&freed, &size);
                let text = format!("about {room} (estimate: anonymous memory and swap){perhaps}");
                (Some(freed), text)
            }
            (None, Reading::Denied) => (None, "unknown: its status may not be read".to_owned()),
            _ => (None, "unknown: this kernel does not say what is anonymous".to_owned()),
        };
        let little = freed.and_then(|freed| freed::warning(&freed, &size));
        let little = little.map_or_else(String::new, |warning| format!("; ! {warning}"));
        Some(self.text("frees", &(text + &little)))
    }

    /// The plan of a sacrifice: what the dialog would say before it.
    fn plan(&self) -> Result<SignalPlan, &'static str> {
        SignalPlan::sacrifice(self.process, self.app.start.own, self.context.scene)
    }

    /// What dies with it, in one line.
    pub(crate) fn dies_with_it(&self) -> Option<Line<'static>> {
        let also_killed = self.plan().map(|plan| plan.also_killed).unwrap_or_default();
        (!also_killed.is_empty()).then(|| self.text("with it", &also_killed.join("; ")))
    }

    /// What dies with it, a line each, and whether it is protected.
    pub(crate) fn all_that_dies_with_it(&self) -> Vec<Line<'static>> {
        let mut lines: Vec<Line<'static>> = self.killed_with_it().into_iter().collect();
        match self.plan() {
            Err(why) => lines.push(self.text("protected", why)),
            Ok(plan) if plan.also_killed.is_empty() && lines.is_empty() => {
                lines.push(self.text("with it", "nothing else"));
            }
            Ok(plan) => {
                for other in &plan.also_killed {
                    lines.push(self.text(if lines.is_empty() { "with it" } else { "" }, other));
                }
            }
        }
        lines
    }

    /// Who is killed with it because the policy kills a whole cgroup, or signals a whole process group.
    pub(crate) fn killed_with_it(&self) -> Option<Line<'static>> {
        let scope = self.context.policy.traits(self.context.scene).kill_scope;
        if scope == KillScope::ProcessGroup {
            let others = self.context.policy.also_killed(self.process, self.context.scene);
            let names: Vec<String> = others.iter().take(3).map(|it| text::who(it)).collect();
            let more = others.len() - names.len();
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            let text = format!(
                "{}{rest} of its process group: all of it gets the signal",
                names.join(", ")
            );
            return (!others.is_empty()).then(|| self.text("with it", &text));
        }
        if scope != KillScope::OomGroup {
            return None;
        }
        let (group, mates) = group_mates(self.process, self.context.scene)?;
        let text = format!(
            "{} more of {} (memory.oom.group): an OOM kills it as a whole",
            mates.len(),
            group.path
        );
        (!mates.is_empty()).then(|| self.text("with it", &text))
    }
}
