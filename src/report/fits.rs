//! Whether so much more memory fits ([`crate::words::fits`]), as text and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::line::{TextStyle, write_line};
use super::shared_objects::bare_unit_word;
use crate::columns::human_size;
use crate::forecast::cascade::{
    CascadeStep, Casualty, FitAnswer, FitOutcome, NextToDie, Obstacle, RoomKind, RoomLevel,
};
use crate::forecast::commitments::NextAllocation;
use crate::forecast::next_death::StallReason;
use crate::model::Scene;
use crate::words::fits::{self, CgroupStyle};

/// Programs read this: cgroups are named in full.
const PATH: CgroupStyle = CgroupStyle::Path;

/// The width of a column of sizes, in cells.
const SIZE: usize = 8;
/// The width of the column of names, in cells.
const WHO: usize = 24;

/// Writes the answer, the kills and what else decides.
///
/// # Errors
/// `out` cannot be written.
pub fn write_fits(
    out: &mut dyn Write,
    answer: &FitAnswer,
    scene: &Scene,
    style: TextStyle,
) -> io::Result<()> {
    write_line(out, &fits::answer(answer, PATH), style)?;
    writeln!(out)?;
    if !answer.steps.is_empty() {
        write_steps(out, answer, scene, style)?;
        writeln!(out)?;
    }
    for (label, text) in fits::notes(answer, scene, PATH) {
        write_line(out, &format!("{label:<9}{text}"), style)?;
    }
    Ok(())
}

fn write_steps(
    out: &mut dyn Write,
    answer: &FitAnswer,
    scene: &Scene,
    style: TextStyle,
) -> io::Result<()> {
    let page = scene.machine().page_size;
    let head = format!(
        "{:>3} {:>SIZE$} {:<WHO$} {:>SIZE$} {:>SIZE$} {:>SIZE$}  AT",
        "#", "HAD", "KILLED", "BADNESS", "FREES", "LEFT"
    );
    write_line(out, &head, style)?;
    for (nth, step) in (1..).zip(&answer.steps) {
        let badness = step.victim.points.map(|it| fits::points(it, step.unit, page));
        let freed = step.freed.map_or_else(|| "?".to_owned(), human_size);
        let line = format!(
            "{nth:>3} {:>SIZE$} {:<WHO$} {:>SIZE$} {freed:>SIZE$} {:>SIZE$}  {}",
            human_size(step.had),
            fits::name(&step.victim),
            badness.unwrap_or_else(|| "-".to_owned()),
            human_size(step.left),
            fits::where_killed(step, PATH),
        );
        write_line(out, &line, style)?;
        for remark in fits::remarks(step, page, PATH) {
            write_line(out, &format!("{:>13}{remark}", ""), style)?;
        }
    }
    Ok(())
}

/// The answer as one JSON object.
#[must_use]
pub fn fits_json(answer: &FitAnswer, scene: &Scene) -> Value {
    let (left, had) = match &answer.outcome {
        FitOutcome::Fits { left } => (Some(left.0), answer.newcomer.size.0),
        FitOutcome::Unforeseen { had, .. } | FitOutcome::Blocked { had, .. } => (None, had.0),
    };
    let obstacle = match &answer.outcome {
        FitOutcome::Blocked { obstacle, .. } => Some(obstacle_json(obstacle)),
        FitOutcome::Unforeseen { domain, .. } => {
            Some(json!({ "why": "bpf_policy", "domain": domain }))
        }
        FitOutcome::Fits { .. } => None,
    };
    json!({
        "schema": "doomtop-fits/1",
        "unix_ms": scene.now().clock.unix_ms,
        "answer": answer.verdict().word(),
        "sentence": fits::answer(answer, PATH),
        "size_bytes": answer.newcomer.size.0,
        "oom_score_adj": answer.newcomer.adj.0,
        "cgroup": answer.newcomer.cgroup,
        "room_bytes": answer.room().0,
        "missing_bytes": answer.missing().0,
        "had_bytes": had,
        "left_bytes": left,
        "limits": answer.levels.iter().map(level_json).collect::<Vec<Value>>(),
        "kills": answer.steps.iter().map(step_json).collect::<Vec<Value>>(),
        "obstacle": obstacle,
        "throttled": answer.throttled.as_ref().map(|it| {
            json!({ "domain": it.domain, "had_bytes": it.had.0 })
        }),
        "malloc": answer.grant.map(|grant| malloc_json(grant, answer)),
        "killers_by_pressure": answer.by_pressure,
        "unread_cgroups": answer.unread,
    })
}

fn level_json(level: &RoomLevel) -> Value {
    let killer = match level.kind {
        RoomKind::Killer(id) => Some(id),
        _ => None,
    };
    json!({
        "kind": level.kind.word(),
        "name": level.name,
        "killer": killer,
        "limit_bytes": level.limit.0,
        "left_bytes": level.left.0,
        "stalled": level.stalled.map(stall_word),
    })
}

/// A stall, in JSON.
const fn stall_word(reason: StallReason) -> &'static str {
    match reason {
        StallReason::Throttled => "memory_high",
        StallReason::OomKillDisabled => "oom_kill_disable",
        StallReason::Frozen => "frozen",
    }
}

fn casualty_json(who: &Casualty) -> Value {
    json!({
        "pid": who.id.pid,
        "start_ticks": who.id.born.0,
        "comm": who.comm,
        "points": who.points.map(|it| it.0),
    })
}

fn step_json(step: &CascadeStep) -> Value {
    let all = |who: &[Casualty]| who.iter().map(casualty_json).collect::<Vec<Value>>();
    json!({
        "by": step.by,
        "domain": step.domain,
        "had_bytes": step.had.0,
        "victim": casualty_json(&step.victim),
        "unit": bare_unit_word(step.unit),
        "rivals": all(&step.rivals),
        "newcomer_points": step.own.map(|it| it.0),
        "newcomer_is_close": step.close_to_own,
        "oom_group": step.group,
        "also_killed": all(&step.also),
        "freed_bytes": step.freed.map(|it| it.0),
        "shared_bytes": step.perhaps.0,
        "left_bytes": step.left.0,
    })
}

fn obstacle_json(obstacle: &Obstacle) -> Value {
    match obstacle {
        Obstacle::Itself { by, domain, own, asks, next, also } => json!({
            "why": if *asks { "oom_kill_allocating_task" } else { "killed_itself" },
            "by": by,
            "domain": domain,
            "newcomer_points": own.map(|(points, _)| points.0),
            "unit": own.map(|(_, unit)| bare_unit_word(unit)),
            "next": next.as_ref().map(next_json),
            "also_killed": also.iter().map(casualty_json).collect::<Vec<Value>>(),
        }),
        Obstacle::With { by, victim, group } => json!({
            "why": "dies_with_victim",
            "by": by,
            "victim": casualty_json(victim),
            "oom_group": group,
        }),
        Obstacle::Nobody { domain } => json!({ "why": "nobody_can_be_chosen", "domain": domain }),
        Obstacle::Stalled { reason, domain } => {
            json!({ "why": stall_word(*reason), "domain": domain })
        }
        Obstacle::Panics { domain } => json!({ "why": "panic_on_oom", "domain": domain }),
        Obstacle::Refused { most } => json!({ "why": "malloc_refused", "granted_bytes": most.0 }),
        Obstacle::TooMany => json!({ "why": "too_many_kills" }),
    }
}

fn next_json(next: &NextToDie) -> Value {
    json!({
        "victim": casualty_json(&next.who),
        "oom_score_adj_below": next.below.map(|adj| adj.0),
        "close": next.close,
    })
}

/// What `malloc` of that size gets; `succeeds` is null where it depends on what is free at the moment.
fn malloc_json(grant: NextAllocation, answer: &FitAnswer) -> Value {
    let size = answer.newcomer.size;
    let (mode, most, succeeds) = match grant {
        NextAllocation::AtOnce(most) => (0, Some(most.bytes()), Some(size <= most.bytes())),
        NextAllocation::Free => (0, None, None),
        NextAllocation::Anything => (1, None, Some(true)),
        NextAllocation::UpTo(most) => (2, Some(most.bytes()), Some(size <= most.bytes())),
    };
    json!({ "mode": mode, "granted_bytes": most.map(|it| it.0), "succeeds": succeeds })
}
