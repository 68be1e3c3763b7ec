//! The judge's own logic, checked before it judges: it must be able to say yes and no.

use std::sync::Arc;

use doomtop::forecast::next_death::{
    Candidate, DeathCertainty, Deaths, KERNEL, NextDeath, TimeSpan,
};
use doomtop::model::{Comm, ProcId, Text};
use doomtop::units::{Bytes, Millis, Ticks};

use crate::judge::{LEADS, Method, Table};
use crate::report::{Run, missed, unsteady};
use crate::world::{Said, World};

/// Who dies in each of these trials.
const VICTIM: i32 = 7;
/// When, in microseconds. The growth began a minute before.
const KILL: i64 = 100_000_000;

/// What is said of a death in so many seconds, of these processes.
fn deaths(pids: &[i32], domain: &str, seconds: f64, left: u64) -> Deaths {
    let time = Millis((seconds * 1000.0) as u64);
    let candidate = |pid: &i32| Candidate {
        id: ProcId { pid: *pid, born: Ticks(1) },
        comm: Comm::new(b"leak"),
        from: time,
        to: time,
    };
    let certainty = if pids.len() == 1 { DeathCertainty::Named } else { DeathCertainty::TooClose };
    let next = NextDeath {
        by: KERNEL,
        domain: Arc::new(Text::new(domain.as_bytes())),
        when: Some(TimeSpan { low: time, middle: time, high: time }),
        certainty,
        candidates: pids.iter().map(candidate).collect(),
        saved: None,
        gains: Vec::new(),
        left: Bytes(left),
        limit: Bytes(100),
        rate: 1.0,
        trigger: None,
        stalled: None,
    };
    Deaths { next: Some(next), list: Vec::new() }
}

/// Whoever watches says this at each second of the last minute.
fn world(says: impl Fn(i64) -> Deaths) -> World {
    let said = (40..100).map(|at| Said {
        at: at * 1_000_000,
        deaths: says(100 - at),
        frozen: Deaths::default(),
        simple: Arc::default(),
    });
    let mut world = World::default();
    world.said = said.collect();
    world.begun = Some(40_000_000);
    world.kills = vec![(KILL, VICTIM, "leak".to_owned(), None)];
    world
}

/// What is missed in a long run of trials like this.
fn misses(says: impl Fn(i64) -> Deaths) -> Vec<String> {
    let mut table = Table::new();
    for _ in 0..20 {
        table.judge("check", &world(&says));
    }
    assert_eq!(table.tallies[0].each_ref().map(|it| it.all()), [20; LEADS.len()]);
    let mut missed = missed(&table, Method::Model, Run::Long);
    missed.extend(unsteady(&table, Run::Long));
    missed
}

/// All of them. Panics at the first that fails.
pub fn all() {
    let right = |left: i64| deaths(&[VICTIM], "/a", left as f64, 10);
    assert_eq!(misses(right), [""; 0], "who is always right misses nothing");
    let among = |left: i64| deaths(&[1, VICTIM, 2], "/a", left as f64, 10);
    assert_eq!(misses(among).len(), 3, "three candidates each time are too many on average");
    let wide = |left: i64| deaths(&[1, 2, 3, VICTIM], "/a", left as f64, 10);
    assert_eq!(misses(wide).len(), 6, "four candidates are no prediction at any lead");
    assert_eq!(misses(|left| deaths(&[1], "/a", left as f64, 10)).len(), 3, "another process");
    assert_eq!(misses(|_| Deaths::default()).len(), 3, "silence is not right");
    let timeless = |left: i64| {
        let mut deaths = right(left);
        deaths.next.iter_mut().for_each(|it| it.when = None);
        deaths
    };
    assert_eq!(misses(timeless).len(), 3, "the right process without a time is half an answer");
    let late = |left: i64| deaths(&[VICTIM], "/a", left as f64 * 1.5, 10);
    assert_eq!(misses(late).len(), 3, "the time is wrong by half of it");
    let restless = |left: i64| {
        let domain = if left % 2 == 0 { "/a" } else { "/b" };
        deaths(&[VICTIM], domain, left as f64, 10)
    };
    assert_eq!(misses(restless).len(), 1, "the domain changes all the time");
    false_alarms();
}

/// Alarms that follow each other are one; one with more than half free is one too many.
fn false_alarms() {
    let watch = |says: &dyn Fn(i64) -> Deaths| {
        let mut table = Table::new();
        table.watch("check", &world(says), 0, KILL);
        table
    };
    let alarm = |left: i64| match left {
        20..25 | 50..55 => deaths(&[1], "/a", 30.0, 10),
        _ => deaths(&[1], "/a", 90.0, 10),
    };
    let table = watch(&alarm);
    assert_eq!(table.ordinary[0].alarms.len(), 2);
    assert_eq!(unsteady(&table, Run::Long).len(), 1, "two in an hour are too many");
    let table =
        watch(&|left| if left == 30 { deaths(&[1], "/a", 30.0, 60) } else { Deaths::default() });
    assert_eq!(unsteady(&table, Run::Long).len(), 1, "one with 60 % free");
}
