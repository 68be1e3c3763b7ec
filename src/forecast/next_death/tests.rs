//! What the forecaster says of machines that are made up, sample by sample.

mod killers;
mod start;
mod then;

use std::sync::Arc;

use proptest::prelude::*;

use super::{DeathCertainty, DeathForecaster, Deaths, MAX_DEATHS, NextDeath, StallReason};
use crate::model::{
    Cgroup, Cgroups, Comm, Hierarchy, Limit, PanicOnOom, ProcId, Process, Reading, Scene, Snapshot,
    Text, UsageReading,
};
use crate::policy::Override;
use crate::rank::also_killed::GroupCensus;
use crate::units::{Adj, Bytes, Kib, Millis, Pages, Ticks};

const MIB: u64 = 1 << 20;

fn mib(size: f64) -> Bytes {
    Bytes((size * MIB as f64) as u64)
}

fn pages(size: f64) -> Pages {
    Pages((size * 256.0) as u64)
}

fn text(path: &str) -> Arc<Text> {
    Arc::new(Text::new(path.as_bytes()))
}

/// A cgroup with this limit and usage in MiB, none of which can be taken back.
fn group(path: &str, limit: f64, usage: f64) -> Cgroup {
    Cgroup {
        path: text(path),
        limit: Reading::Value(Limit::At(mib(limit))),
        usage: Reading::Value(mib(usage)),
        reclaimable: Reading::Value(Bytes::ZERO),
        ..Cgroup::default()
    }
}

/// A process of this size in MiB.
fn process(pid: i32, name: &str, cgroup: &str, size: f64) -> Process {
    Process {
        id: ProcId { pid, born: Ticks(1) },
        parent: 1,
        comm: Comm::new(name.as_bytes()),
        has_mm: true,
        adj: Reading::Value(Adj::ZERO),
        rss_stat: pages(size),
        file: Reading::Value(Pages::ZERO),
        shmem: Reading::Value(Pages::ZERO),
        swap: Reading::Value(Pages::ZERO),
        pgtables: Reading::Value(Pages::ZERO),
        cgroup: Reading::Value(text(cgroup)),
        ..Process::default()
    }
}

/// When the stories begin.
const BEGIN: f64 = 100.0;

/// The clock of the samples, so many seconds after the story begins.
fn clock(seconds: f64) -> Millis {
    Millis(((BEGIN + seconds) * 1000.0) as u64)
}

/// Takes a sample at another time.
fn move_to(sample: &mut Snapshot, seconds: f64) {
    sample.clock.monotonic_ms = clock(seconds);
    sample.clock.uptime_ticks = Ticks(clock(seconds).0 / 10);
    Arc::make_mut(&mut sample.cgroups).read_ms = clock(seconds);
}

/// A machine of 64 GiB with plenty of room.
fn sample(seconds: f64, groups: Vec<Cgroup>, processes: Vec<Process>) -> Snapshot {
    let mut sample = Snapshot::default();
    sample.memory.total_kib = Kib(64 << 20);
    sample.memory.available_kib = Reading::Value(Kib(50 << 20));
    sample.traffic.oom_kills = Reading::Value(0);
    let hierarchy = Reading::Value(Hierarchy::V2);
    sample.cgroups = Arc::new(Cgroups { hierarchy, list: groups, ..Cgroups::default() });
    sample.processes = processes;
    move_to(&mut sample, seconds);
    sample
}

/// A forecaster and the scene that it sees.
#[derive(Default)]
struct Watch {
    scene: Option<Scene>,
    forecaster: DeathForecaster,
}

impl Watch {
    fn see(&mut self, sample: Snapshot) -> Deaths {
        let sample = Arc::new(sample);
        match &mut self.scene {
            Some(scene) => {
                scene.advance(sample);
            }
            none => *none = Some(Scene::new(sample, None)),
        }
        self.forecaster.observe(self.scene.as_ref().unwrap());
        self.deaths()
    }

    fn deaths(&self) -> Deaths {
        let scene = self.scene.as_ref().unwrap();
        self.forecaster.deaths(scene, &GroupCensus::new(scene))
    }

    /// Shows forty seconds of rest, and then so many samples, two seconds apart.
    fn see_all(&mut self, count: u32, of: impl Fn(f64) -> Snapshot) -> Deaths {
        let mut last = Deaths::default();
        for nth in (1..20).rev() {
            let mut sample = of(0.0);
            move_to(&mut sample, -2.0 * f64::from(nth));
            self.see(sample);
        }
        for nth in 0..count {
            last = self.see(of(f64::from(nth) * 2.0));
        }
        last
    }
}

/// What is said after so many samples, two seconds apart, and a rest before.
fn said_after(count: u32, of: impl Fn(f64) -> Snapshot) -> Deaths {
    Watch::default().see_all(count, of)
}

fn names(death: &NextDeath) -> Vec<String> {
    death.candidates.iter().map(|it| it.comm.to_string()).collect()
}

/// Seconds to the most likely time.
fn seconds(death: &NextDeath) -> f64 {
    death.when.unwrap().middle.0 as f64 / 1000.0
}

/// A cgroup of 100 MiB: 30 MiB of another process, and a leak of 2 MiB a second from 10 MiB on.
fn leak(at: f64) -> Snapshot {
    let size = 10.0 + 2.0 * at;
    let members = vec![process(10, "other", "/a", 30.0), process(11, "leak", "/a", size)];
    sample(at, vec![group("/a", 100.0, 30.0 + size)], members)
}

#[test]
fn a_leak_is_named_before_it_is_the_largest() {
    let next = said_after(9, leak).next.unwrap();
    // 30 + 42 MiB at 16 s: 28 MiB are left.
    assert_eq!(names(&next), ["leak"]);
    assert_eq!(next.certainty, DeathCertainty::Named);
    assert_eq!((next.by, next.domain.as_str()), ("kernel", "/a"));
    assert!((seconds(&next) - 14.0).abs() < 0.5, "{next:?}");
    assert_eq!((next.left, next.limit), (mib(28.0), mib(100.0)));
    assert!((next.rate - 2.0 * MIB as f64).abs() < 1000.0);

    let slow = |at: f64| {
        let size = 5.0 + 1.5 * at;
        let members = vec![process(10, "other", "/a", 35.0), process(11, "leak", "/a", size)];
        sample(at, vec![group("/a", 80.0, 35.0 + size)], members)
    };
    let next = said_after(9, slow).next.unwrap();
    assert_eq!(names(&next), ["leak"], "29 MiB now, 45 in the end");
}

#[test]
fn of_two_growers_one_dies_until_the_other_has_overtaken_it() {
    let said = |at: f64| {
        // Equal 24.3 s after the start; then 8 MiB would be left.
        let (first, second) = (40.0 + 0.5 * at, 10.85 + 1.7 * at);
        let members = vec![process(10, "first", "/a", first), process(11, "second", "/a", second)];
        sample(at, vec![group("/a", 105.0, first + second)], members)
    };
    let next = said_after(9, said).next.unwrap();
    assert_eq!(next.certainty, DeathCertainty::TooClose);
    let [one, other] = &next.candidates[..] else { panic!("{next:?}") };
    let candidates = if one.comm.to_string() == "first" { [one, other] } else { [other, one] };
    assert_eq!(candidates[0].comm.to_string(), "first");
    let when = next.when.unwrap();
    assert_eq!((candidates[0].from, candidates[1].to), (when.low, when.high));
    let crossing = Millis(8_300);
    for time in [candidates[0].to, candidates[1].from] {
        assert!(time.0.abs_diff(crossing.0) < 700, "{next:?}");
    }
}

#[test]
fn equals_are_all_candidates() {
    let workers = |at: f64| {
        let members = (0..3).map(|nth| process(10 + nth, "worker", "/a", 20.0)).collect();
        let files = process(20, "files", "/a", 1.0);
        let members = [members, vec![files]].concat();
        sample(at, vec![group("/a", 100.0, 61.0 + at)], members)
    };
    let next = said_after(12, workers).next.unwrap();
    assert_eq!((names(&next).len(), next.certainty), (3, DeathCertainty::TooClose));
}

#[test]
fn file_pages_do_not_count_as_far_as_the_cgroup_can_give_them_back() {
    // Something that is in no process takes the place of the page cache.
    let mapper = |charged_here: bool| {
        move |at: f64| {
            let file = (65.0 - at).min(45.0);
            let mut mapper = process(10, "mapper", "/a", 5.0 + file);
            mapper.file = Reading::Value(pages(file));
            let cache = if charged_here { file } else { 0.0 };
            let mut group = group("/a", 100.0, 35.0 + cache + at);
            group.reclaimable = Reading::Value(mib(cache));
            sample(at, vec![group], vec![mapper, process(11, "other", "/a", 30.0)])
        }
    };
    let next = said_after(19, mapper(true)).next.unwrap();
    assert_eq!(names(&next), ["other"], "34 MiB against 30, but 29 of them are file pages");
    let next = said_after(19, mapper(false)).next.unwrap();
    assert_eq!(names(&next), ["mapper"], "the file pages stay");
}

#[test]
fn shared_memory_does_not_count_where_it_can_go_to_swap() {
    let shared = |swap: u64, most: f64| {
        move |at: f64| {
            let mut server = process(10, "server", "/a", 45.0);
            server.shmem = Reading::Value(pages(40.0));
            let size = 5.0 + at;
            let members = vec![server, process(11, "leak", "/a", size)];
            let mut group = group("/a", 80.0, 45.0 + size);
            group.swap_limit = Reading::Value(Limit::At(mib(most)));
            group.swap_usage = Reading::Value(Bytes::ZERO);
            let mut sample = sample(at, vec![group], members);
            (sample.swap.total_kib, sample.swap.free_kib) = (Kib(swap), Kib(swap));
            sample
        }
    };
    assert_eq!(names(&said_after(10, shared(0, 12.0)).next.unwrap()), ["server"]);
    assert_eq!(names(&said_after(18, shared(1 << 20, 12.0)).next.unwrap()), ["leak"]);
    assert_eq!(names(&said_after(10, shared(1 << 20, 4.0)).next.unwrap()), ["server"], "4M of 40M");
}

#[test]
fn where_all_are_protected_nobody_is_named() {
    let protected = |at: f64| {
        let mut sample = leak(at);
        sample.processes.iter_mut().for_each(|it| it.adj = Reading::Value(Adj::MIN));
        sample
    };
    let next = said_after(10, protected).next.unwrap();
    assert_eq!(next.certainty, DeathCertainty::Nobody);
    assert!(next.candidates.is_empty() && next.victim().is_none());
}

#[test]
fn a_panic_overrides_the_ranking() {
    let panics = |at: f64| {
        let mut sample = leak(at);
        sample.sysctls.panic_on_oom = Reading::Value(PanicOnOom::Always);
        sample
    };
    let next = said_after(10, panics).next.unwrap();
    assert_eq!(next.certainty, DeathCertainty::Overridden(Override::Panic));
    assert!(next.candidates.is_empty());
}

#[test]
fn a_stalled_cgroup_kills_nobody_and_does_not_hide_a_death() {
    let throttled = |at: f64| {
        let mut group = group("/a", 100.0, (40.0 + 2.0 * at).min(60.0));
        group.high = Reading::Value(Limit::At(mib(60.0)));
        sample(at, vec![group], vec![process(10, "leak", "/a", 40.0)])
    };
    let said = said_after(12, throttled);
    let next = said.next.unwrap();
    assert_eq!((next.stalled, next.when), (Some(StallReason::Throttled), None));
    assert!(next.candidates.is_empty());

    // Without any limit there is nothing to be killed at, and the tasks stall all the same.
    let without_limit = |at: f64| {
        let mut group = group("/a", 100.0, 70.0);
        group.limit = Reading::Value(Limit::Max);
        group.high = Reading::Value(Limit::At(mib(60.0)));
        sample(at, vec![group], vec![process(10, "leak", "/a", 40.0)])
    };
    let next = said_after(6, without_limit).next.unwrap();
    assert_eq!((next.stalled, next.limit), (Some(StallReason::Throttled), mib(60.0)));

    // What is frozen allocates nothing: no death, and no stall before its limit.
    let frozen = |at: f64| {
        let mut sample = leak(at);
        Arc::make_mut(&mut sample.cgroups).list[0].frozen = Reading::Value(true);
        sample
    };
    let said = said_after(10, frozen);
    assert!(said.list.iter().all(|it| it.domain.as_str() != "/a"), "{said:?}");

    let waits = |at: f64| {
        let mut sample = leak(at);
        let groups = Arc::make_mut(&mut sample.cgroups);
        groups.list[0].oom_kill_disabled = Reading::Value(true);
        sample
    };
    let next = said_after(16, waits).next.unwrap();
    assert_eq!((next.stalled, next.when), (Some(StallReason::OomKillDisabled), None));

    let both = |at: f64| {
        let mut stalled = throttled(30.0);
        let dying = leak(at);
        let mut list = dying.cgroups.list.clone();
        let mut other = stalled.cgroups.list[0].clone();
        other.path = text("/b");
        list.push(other);
        stalled.processes[0].cgroup = Reading::Value(text("/b"));
        let members = [stalled.processes.clone(), dying.processes.clone()].concat();
        sample(at, list, members)
    };
    let said = said_after(10, both);
    assert_eq!(said.next.unwrap().domain.as_str(), "/a");
    assert_eq!(said.list.len(), 2);
}

#[test]
fn the_whole_machine_is_a_domain_too() {
    let machine = |at: f64| {
        let size = 20_000.0 + 500.0 * at;
        let members = vec![process(10, "large", "/", 25_000.0), process(11, "leak", "/", size)];
        let mut sample = sample(at, Vec::new(), members);
        let left = 64 * 1024 - 25_000 - size as u64;
        sample.memory.available_kib = Reading::Value(Kib(left << 10));
        sample
    };
    let next = said_after(10, machine).next.unwrap();
    assert_eq!((next.domain.as_str(), names(&next)), ("global", vec!["leak".to_owned()]));
    assert!((seconds(&next) - 23.0).abs() < 1.0, "{next:?}");
}

#[test]
fn readings_between_samples_move_the_time() {
    let mut watch = Watch::default();
    let said = watch.see_all(9, leak);
    assert!((seconds(&said.next.unwrap()) - 14.0).abs() < 0.5);
    for tenth in 1..15 {
        let at = 16.0 + f64::from(tenth) / 10.0;
        let usage = 40.0 + 2.0 * at;
        watch.forecaster.observe_usage("/a", clock(at), mib(usage));
    }
    let next = watch.deaths().next.unwrap();
    assert!((seconds(&next) - 12.6).abs() < 0.5, "{next:?}");
    assert_eq!(names(&next), ["leak"]);
    assert!(next.left.0.abs_diff(mib(25.2).0) < 4096);
}

/// Readings of `/a`, which the leak fills, ten times between the sample at this time and the next one.
fn readings_after(at: f64) -> Vec<UsageReading> {
    let reading = |tenth: u32| {
        let time = at + f64::from(tenth) / 10.0;
        let usage = mib(40.0 + 2.0 * time + f64::from(tenth % 3) * 0.3);
        UsageReading { domain: text("/a"), read_ms: clock(time), usage }
    };
    (1..15).map(reading).collect()
}

#[test]
fn a_sample_that_holds_the_readings_before_it_gives_what_was_said_live() {
    let (mut live, mut replayed, mut without) =
        (Watch::default(), Watch::default(), Watch::default());
    let mut differs = false;
    for nth in 0..12 {
        let at = f64::from(nth) * 2.0;
        let mut sample = leak(at);
        without.see(sample.clone());
        sample.usage_readings = if nth > 0 { readings_after(at - 2.0) } else { Vec::new() };
        let said = live.see(sample.clone());
        assert_eq!(replayed.see(sample), said, "at {at}");
        differs |= without.deaths() != said;
        for reading in readings_after(at) {
            live.forecaster.observe_readings(&[reading]);
        }
    }
    assert!(differs, "the readings count");
}

#[test]
fn a_sample_that_repeats_its_cgroups_keeps_what_was_read_since() {
    let mut watch = Watch::default();
    watch.see_all(9, leak);
    watch.forecaster.observe_readings(&readings_after(16.0));
    let before = watch.deaths().next.unwrap();
    // The walk is late: the cgroups are those of the sample before.
    let mut late = leak(16.0);
    let read = late.cgroups.read_ms;
    move_to(&mut late, 18.0);
    Arc::make_mut(&mut late.cgroups).read_ms = read;
    watch.see(late);
    let usage = mib(40.0 + 2.0 * 18.2);
    watch.forecaster.observe_usage("/a", clock(18.2), usage);
    let next = watch.deaths().next.unwrap();
    assert!(next.left < before.left);
    assert_eq!(next.left, mib(100.0).saturating_sub(usage), "as it was read");
}

#[test]
fn the_machine_is_read_between_samples_too() {
    let machine = |at: f64| {
        let size = 20_000.0 + 500.0 * at;
        let mut sample = sample(at, Vec::new(), vec![process(11, "leak", "/", size)]);
        sample.memory.available_kib = Reading::Value(Kib((64 * 1024 - size as u64) << 10));
        sample
    };
    let mut watch = Watch::default();
    let early = watch.see_all(33, machine).next.unwrap();
    assert_eq!(watch.forecaster.near(), [text("global")], "for 27 s");
    for tenth in 1..10 {
        let at = 64.0 + f64::from(tenth) / 5.0;
        watch.forecaster.observe_usage("global", clock(at), mib(20_000.0 + 500.0 * at));
    }
    let next = watch.deaths().next.unwrap();
    assert!((seconds(&early) - seconds(&next) - 1.8).abs() < 0.2, "{early:?} {next:?}");
    assert_eq!(next.left, mib(64.0 * 1024.0 - 20_000.0 - 500.0 * 65.8));
}

#[test]
fn no_more_than_eight_domains_are_read_the_nearest_first() {
    let mut watch = Watch::default();
    let crowd = |at: f64| {
        let full =
            (0..20).map(|nth| group(&format!("/full/{nth:02}"), 100.0, 81.0 + f64::from(nth)));
        let leak = group("/leak", 100.0, 30.0 + 2.5 * at);
        sample(at, full.chain([leak]).collect(), Vec::new())
    };
    watch.see_all(8, crowd);
    let near = watch.forecaster.near();
    assert_eq!(near[..2], [text("/leak"), text("/full/19")]);
    assert_eq!(near.len(), 8);
}

#[test]
fn only_cgroups_that_are_near_their_limit_want_readings() {
    let near = |samples: u32, usage: f64| {
        let mut watch = Watch::default();
        watch.see_all(samples, |at| sample(at, vec![group("/a", 100.0, usage)], Vec::new()));
        watch.forecaster.near().len()
    };
    assert_eq!((near(4, 79.0), near(4, 81.0)), (0, 1));
    let mut watch = Watch::default();
    watch.see_all(5, leak);
    let near = watch.forecaster.near();
    assert_eq!(near.iter().map(|it| it.as_str()).collect::<Vec<_>>(), ["/a"]);
}

#[test]
fn page_cache_that_fills_a_cgroup_kills_nobody() {
    let cache = |at: f64| {
        let cache = (2.0 * at).min(60.0);
        let mut group = group("/a", 100.0, 40.0 + cache);
        group.reclaimable = Reading::Value(mib(cache));
        sample(at, vec![group], vec![process(10, "reader", "/a", 40.0)])
    };
    let mut watch = Watch::default();
    for nth in 0..40 {
        let at = f64::from(nth) * 2.0;
        assert_eq!(watch.see(cache(at)).next, None);
        for tenth in 1..10 {
            let usage = 40.0 + (2.0 * at + tenth as f64 / 5.0).min(60.0);
            let time = clock(at + tenth as f64 / 5.0);
            watch.forecaster.observe_usage("/a", time, mib(usage));
            assert_eq!(watch.deaths().next, None, "at {at}");
        }
    }
}

#[test]
fn growth_that_has_just_begun_is_not_told() {
    // 3 MiB a second for 6 s only, in a cgroup that is less than half full.
    let start = |at: f64| {
        let size = 10.0 + 3.0 * at.min(8.0);
        sample(at, vec![group("/a", 100.0, size)], vec![process(10, "java", "/a", size)])
    };
    let mut watch = Watch::default();
    for nth in 0..30 {
        assert_eq!(watch.see(start(f64::from(nth) * 2.0)).next, None);
    }
}

#[test]
fn what_is_being_killed_counts_as_gone() {
    let mut watch = Watch::default();
    watch.see_all(16, leak);
    let dying = |at: f64| {
        let mut sample = leak(30.0);
        move_to(&mut sample, at);
        sample.traffic.oom_kills = Reading::Value(1);
        sample.processes[1].dying = true;
        sample
    };
    for at in [32.0, 34.0, 36.0] {
        assert_eq!(watch.see(dying(at)).next, None);
    }
}

#[test]
fn a_sample_of_another_boot_or_of_an_earlier_time_begins_anew() {
    for earlier in [false, true] {
        let mut watch = Watch::default();
        assert!(watch.see_all(10, leak).next.is_some());
        let mut sample = leak(if earlier { 16.0 } else { 20.0 });
        if !earlier {
            sample.clock.uptime_ticks = Ticks(5);
        }
        assert_eq!(watch.see(sample), Deaths::default());
    }
}

#[test]
fn the_same_sample_again_and_asking_twice_change_nothing() {
    let (mut once, mut often) = (Watch::default(), Watch::default());
    for nth in 0..16 {
        let at = f64::from(nth) * 2.0;
        let said = once.see(leak(at));
        for _ in 0..4 {
            let _ = (often.forecaster.near(), often.see(leak(at)), often.deaths());
        }
        assert_eq!(often.deaths(), said);
        assert_eq!(often.forecaster.near(), once.forecaster.near());
    }
}

/// Any number, and often one at an end of its range.
fn number() -> impl Strategy<Value = u64> {
    let end = prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(u64::MAX / 2)];
    prop_oneof![end, any::<u64>(), 0_u64..1 << 32, 0_u64..4000]
}

/// A machine of these numbers, whatever they are; one of them says how it goes on from the one before.
fn any_machine(numbers: &[u64], before: Millis) -> Snapshot {
    let mut numbers = numbers.iter().copied().chain(std::iter::repeat(7));
    let mut next = || numbers.next().unwrap_or_default();
    let limit = |number: u64| match number % 4 {
        0 => Reading::Missing,
        1 => Reading::Value(Limit::Max),
        _ => Reading::Value(Limit::At(Bytes(number))),
    };
    let groups = ["/a", "/a/b", "/c"].map(|path| Cgroup {
        path: text(path),
        limit: Reading::Value(Limit::At(Bytes(next()))),
        high: limit(next()),
        swap_limit: limit(next()),
        usage: Reading::Value(Bytes(next())),
        swap_usage: Reading::Value(Bytes(next())),
        reclaimable: Reading::Value(Bytes(next())),
        oom_kill_disabled: Reading::Value(next() % 8 == 1),
        ..Cgroup::default()
    });
    let processes = [2, 3, 7].map(|pid| Process {
        id: ProcId { pid, born: Ticks(next() % 2) },
        has_mm: next() % 8 > 0,
        dying: next() % 8 == 1,
        adj: Reading::Value(Adj::clamped((next() % 2001) as i64 - 1000)),
        rss_stat: Pages(next()),
        file: Reading::Value(Pages(next())),
        shmem: Reading::Value(Pages(next())),
        swap: Reading::Value(Pages(next())),
        pgtables: Reading::Value(Pages(next())),
        cgroup: Reading::Value(text(["/", "/a", "/a/b", "/c"][(next() % 4) as usize])),
        ..Process::default()
    });
    let mut sample = sample(0.0, groups.into(), processes.into());
    sample.memory.total_kib = Kib(next());
    sample.memory.available_kib = Reading::Value(Kib(next()));
    (sample.swap.total_kib, sample.swap.free_kib) = (Kib(next()), Kib(next()));
    sample.traffic.oom_kills = Reading::Value(next() % 3);
    // Most samples follow each other.
    let at = if next() % 8 == 1 { next() } else { before.0.saturating_add(next() % 4000) };
    sample.clock.monotonic_ms = Millis(at);
    sample.clock.uptime_ticks = Ticks(at / 10);
    Arc::make_mut(&mut sample.cgroups).read_ms = Millis(at);
    sample
}

/// Whatever is said must make sense.
fn make_sense(said: &Deaths) {
    assert!(said.list.len() <= MAX_DEATHS);
    for death in said.list.iter().chain(&said.next) {
        assert!(death.rate.is_finite() && death.rate >= 0.0, "{death:?}");
        if let Some(when) = death.when {
            assert!(when.low <= when.middle && when.middle <= when.high, "{death:?}");
            for candidate in &death.candidates {
                assert!(candidate.from <= candidate.to, "{death:?}");
            }
        }
        assert_eq!(death.certainty == DeathCertainty::Named, death.candidates.len() == 1);
    }
    let times: Vec<_> = said.list.iter().filter_map(|it| it.when).map(|it| it.middle).collect();
    assert!(times.is_sorted(), "{said:?}");
    assert!(said.next.iter().all(|next| said.list.contains(next)), "{said:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_samples_and_readings_are_survived(
        samples in proptest::collection::vec(proptest::collection::vec(number(), 40..64), 1..24),
        readings in proptest::collection::vec((0_usize..5, number(), number()), 24),
    ) {
        let mut watch = Watch::default();
        let mut before = Millis(1000);
        for (numbers, (path, at, usage)) in samples.iter().zip(readings) {
            let sample = any_machine(numbers, before);
            before = sample.clock.monotonic_ms;
            make_sense(&watch.see(sample));
            let path = ["/a", "/a/b", "/c", "/", "/none"][path];
            let soon = Millis(before.0.saturating_add(at % 2000));
            for at in [Millis(at), soon] {
                watch.forecaster.observe_usage(path, at, Bytes(usage));
                make_sense(&watch.deaths());
            }
        }
    }
}

#[test]
fn thousands_of_cgroups_are_survived() {
    let crowd = |at: f64| {
        let groups = (0..3000).map(|nth| {
            let usage = (f64::from(nth % 90) + at * f64::from(nth % 4)).min(100.0);
            group(&format!("/pods/{nth:04}"), 100.0, usage)
        });
        let members = (0..3000)
            .map(|nth| process(nth + 10, "service", &format!("/pods/{nth:04}"), 5.0))
            .collect();
        sample(at, groups.collect(), members)
    };
    let said = said_after(10, crowd);
    assert_eq!(said.list.len(), MAX_DEATHS);
    make_sense(&said);
}
