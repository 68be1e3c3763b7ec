//! Userspace killers beside the kernel: who reaches its trigger first.

use std::sync::Arc;

use super::{Watch, clock, mib, names, process, said_after, sample, seconds, text};
use crate::forecast::next_death::{DeathCertainty, Deaths, KERNEL, NextDeath};
use crate::model::{
    Cgroup, InstalledKillers, KillerPresence, Pressure, PsiLine, Reading, Snapshot, Text,
};
use crate::units::{Bytes, Kib};

const EARLYOOM: &str = "earlyoom";
const RUNS: KillerPresence = KillerPresence::Running(77);

/// A machine of 1000 MiB on which a leak of 5 MiB a second leaves so many MiB available; of swap there are
/// 1000 MiB, so many of them free.
fn machine(at: f64, available: f64, swap: Option<f64>) -> Snapshot {
    let size = 100.0 + 5.0 * at;
    let members = vec![process(10, "other", "/", 60.0), process(11, "leak", "/", size)];
    let mut sample = sample(at, Vec::new(), members);
    let kib = |mib: f64| Kib((mib.max(0.0) * 1024.0) as u64);
    sample.memory.total_kib = kib(1000.0);
    sample.memory.available_kib = Reading::Value(kib(available));
    sample.memory.anon_kib = Reading::Value(kib(1000.0 - available));
    sample.swap.total_kib = kib(swap.map_or(0.0, |_| 1000.0));
    sample.swap.free_kib = kib(swap.unwrap_or(0.0));
    sample
}

fn with(mut sample: Snapshot, tell: impl Fn(&mut InstalledKillers)) -> Snapshot {
    tell(Arc::make_mut(&mut sample.killers));
    sample
}

fn earlyoom(it: &mut InstalledKillers) {
    it.earlyoom.found = RUNS;
}

/// Who kills, and in how many seconds.
fn told(deaths: &Deaths) -> Vec<(&'static str, f64)> {
    deaths.list.iter().map(|it| (it.by, seconds(it).round())).collect()
}

fn next(deaths: &Deaths) -> &NextDeath {
    deaths.next.as_ref().unwrap()
}

#[test]
fn earlyoom_acts_before_the_kernel() {
    // 5 MiB a second: 300 MiB at the start, 140 at 32 s; earlyoom acts at 100.
    let said = said_after(17, |at| with(machine(at, 300.0 - 5.0 * at, None), earlyoom));
    assert_eq!(told(&said), [(EARLYOOM, 8.0), (KERNEL, 28.0)]);
    let death = next(&said);
    assert_eq!((death.by, names(death)), (EARLYOOM, vec!["leak".to_owned()]));
    assert_eq!(death.certainty, DeathCertainty::Named);
    assert_eq!(death.domain.as_str(), "global");
    let rule = death.trigger.as_ref().unwrap();
    assert_eq!(rule.levels[0].percent(rule.levels[0].acts_at), Some(10.0));
    assert!(death.left.0.abs_diff(40 << 20) < 1 << 20, "{death:?}");
}

#[test]
fn readings_between_samples_move_the_time_of_a_killer() {
    let mut watch = Watch::default();
    let before = watch.see_all(17, |at| with(machine(at, 300.0 - 5.0 * at, None), earlyoom));
    assert_eq!(told(&before), [(EARLYOOM, 8.0), (KERNEL, 28.0)]);
    assert_eq!(watch.forecaster.near(), [text("global")]);
    // From 32 s on it grows six times as fast: by 30 MiB a second.
    for nth in 1..7_u32 {
        let passed = f64::from(nth) * 0.2;
        let usage = mib(860.0 + 30.0 * passed);
        watch.forecaster.observe_usage("global", clock(32.0 + passed), usage);
    }
    let after = watch.deaths();
    let (by, left) = (next(&after).by, seconds(next(&after)));
    assert!(by == EARLYOOM && left < 4.0, "{by} in {left} s: 4 MiB are left until it acts");
}

#[test]
fn a_dry_run_and_a_killer_that_does_not_run_take_no_part() {
    let kernel_only = |tell: fn(&mut InstalledKillers)| {
        let said = said_after(17, |at| with(machine(at, 300.0 - 5.0 * at, None), tell));
        assert_eq!(told(&said), [(KERNEL, 28.0)]);
        assert_eq!(next(&said).trigger, None);
    };
    kernel_only(|_| ());
    kernel_only(|it| it.earlyoom.found = KillerPresence::Installed);
    kernel_only(|it| {
        earlyoom(it);
        it.earlyoom.options.dry_run = true;
    });
}

#[test]
fn earlyoom_with_swap_waits_until_both_are_low() {
    // Memory is low all the time; the swap fills by 5 MiB a second.
    let said = said_after(17, |at| with(machine(at, 10.0, Some(300.0 - 5.0 * at)), earlyoom));
    assert_eq!(told(&said), [(EARLYOOM, 8.0), (KERNEL, 30.0)]);
    let much = said_after(17, |at| with(machine(at, 300.0 - 5.0 * at, Some(900.0)), earlyoom));
    let soon = told(&much).iter().any(|it| it.1 < 150.0);
    assert!(!soon, "the swap must be used up as well: {much:?}");
}

#[test]
fn its_victim_is_that_of_its_own_rule() {
    let avoid = |it: &mut InstalledKillers| {
        earlyoom(it);
        it.earlyoom.options.avoid = Some(Text::new(b"leak"));
    };
    let said = said_after(17, |at| with(machine(at, 300.0 - 5.0 * at, None), avoid));
    let victims: Vec<_> = said.list.iter().map(|it| (it.by, names(it))).collect();
    let name = |it: &str| vec![it.to_owned()];
    assert_eq!(victims, [(EARLYOOM, name("other")), (KERNEL, name("leak"))]);
    let by_size = |it: &mut InstalledKillers| {
        earlyoom(it);
        it.earlyoom.options.sort_by_rss = true;
    };
    let said = said_after(17, |at| with(machine(at, 300.0 - 5.0 * at, None), by_size));
    assert_eq!(next(&said).by, "earlyoom-rss");
    let kernel = |it: &mut InstalledKillers| {
        avoid(it);
        it.earlyoom.options.kernel_oom = true;
    };
    let said = said_after(17, |at| with(machine(at, 300.0 - 5.0 * at, None), kernel));
    assert_eq!((next(&said).by, names(next(&said))), (EARLYOOM, name("leak")));
}

#[test]
fn by_score_the_one_that_will_be_ahead_is_named() {
    let overtakes = |at: f64| {
        let mut sample = machine(at, 500.0 - 5.0 * at, None);
        let leak = 200.0 + 5.0 * at;
        sample.processes = vec![process(10, "large", "/", 400.0), process(11, "leak", "/", leak)];
        with(sample, earlyoom)
    };
    let said = said_after(26, overtakes);
    let death = said.list.iter().find(|it| it.by == EARLYOOM).unwrap();
    assert!((seconds(death) - 30.0).abs() < 2.0, "{death:?}");
    assert_eq!(names(death), ["leak"], "450 MiB now, 600 then");
    let early = said_after(14, overtakes);
    let death = early.list.iter().find(|it| it.by == EARLYOOM).unwrap();
    assert_eq!(names(death), ["leak"], "330 MiB now, 600 then: {death:?}");
}

#[test]
fn a_killer_that_spares_everybody_kills_nobody() {
    let spares = |it: &mut InstalledKillers| {
        earlyoom(it);
        it.earlyoom.options.ignore = Some(Text::new(b"."));
    };
    let said = said_after(17, |at| with(machine(at, 300.0 - 5.0 * at, None), spares));
    assert_eq!(told(&said), [(KERNEL, 28.0)]);
}

#[test]
fn nohang_acts_at_its_soft_limits() {
    let nohang = |it: &mut InstalledKillers| it.nohang.found = RUNS;
    let said = said_after(17, |at| with(machine(at, 300.0 - 5.0 * at, None), nohang));
    assert_eq!(told(&said), [("nohang", 18.0), (KERNEL, 28.0)]);
}

/// A watched cgroup that is stalled this much.
fn stalled(mut sample: Snapshot, avg10: f32) -> Snapshot {
    let stall = Reading::Value(PsiLine { avg10, ..PsiLine::default() });
    let group = |path: &str| Cgroup {
        path: super::text(path),
        usage: Reading::Value(Bytes(1 << 30)),
        swap_usage: Reading::Value(Bytes(600 << 20)),
        pgscan: Reading::Value(sample.clock.monotonic_ms.0),
        pressure: Pressure::of_memory(stall, stall),
        ..Cgroup::default()
    };
    let watched = "/user.slice/user@7.service";
    let cgroups = Arc::make_mut(&mut sample.cgroups);
    cgroups.list = vec![group("/"), group("/user.slice"), group(watched)];
    for process in &mut sample.processes {
        process.cgroup = Reading::Value(super::text(watched));
    }
    with(sample, |it| it.systemd_oomd.found = RUNS)
}

#[test]
fn systemd_oomd_acts_when_the_pressure_has_lasted() {
    let calm = said_after(17, |at| stalled(machine(at, 600.0, None), 30.0));
    assert_eq!(calm, Deaths::default(), "pressure is not foreseen");
    let mut watch = Watch::default();
    let mut seen = Vec::new();
    for nth in 0..14 {
        let at = f64::from(nth) * 2.0;
        let avg10 = if nth < 4 { 10.0 } else { 70.0 };
        let said = watch.see(stalled(machine(at, 600.0, None), avg10));
        seen.push(said.next.map(|it| (it.by, seconds(&it) as u64, it.candidates.len())));
    }
    // 20 s from the fifth sample on.
    let by = "systemd-oomd-pressure";
    assert_eq!(seen[3], None);
    assert_eq!(seen[4..7], [20, 18, 16].map(|time| Some((by, time, 1))));
    assert_eq!(seen[13], Some((by, 2, 1)));
}

#[test]
fn systemd_oomd_needs_a_cgroup_with_swap() {
    let falls = |at: f64| stalled(machine(at, 10.0, Some(300.0 - 5.0 * at)), 0.0);
    let said = said_after(17, falls);
    assert_eq!(told(&said), [("systemd-oomd-swap", 8.0), (KERNEL, 30.0)]);
    let none = said_after(17, |at| {
        let mut sample = falls(at);
        for group in &mut Arc::make_mut(&mut sample.cgroups).list {
            group.swap_usage = Reading::Value(Bytes(1 << 20));
        }
        sample
    });
    assert_eq!(told(&none), [(KERNEL, 30.0)], "none has more than 5 % of the swap");
}

#[test]
fn a_killer_that_is_overdue_is_not_told_for_ever() {
    let mut watch = Watch::default();
    let mut last = Deaths::default();
    for nth in 0..12 {
        let at = f64::from(nth) * 2.0;
        let mut still = with(machine(0.0, 90.0, None), earlyoom);
        super::move_to(&mut still, at);
        last = watch.see(still);
        if nth == 2 {
            assert_eq!(told(&last), [(EARLYOOM, 0.0)]);
        }
    }
    assert_eq!(last, Deaths::default());
}

#[test]
fn systemd_oomd_foresees_a_cgroup_that_will_have_swap() {
    let said = said_after(17, |at| {
        let mut sample = stalled(machine(at, 10.0, Some(300.0 - 5.0 * at)), 0.0);
        for group in &mut Arc::make_mut(&mut sample.cgroups).list {
            // Less than 5 % of the swap now, and half of what is used until it acts: 40 + 20 MiB.
            group.swap_usage = Reading::Value(Bytes(40 << 20));
            group.anon = Reading::Value(Bytes(500 << 20));
        }
        sample
    });
    assert_eq!(told(&said), [("systemd-oomd-swap", 8.0), (KERNEL, 30.0)]);
}

#[test]
fn systemd_oomd_pauses_after_a_kill_by_pressure() {
    let mut watch = Watch::default();
    let mut seen = Vec::new();
    for nth in 0..16 {
        let at = f64::from(nth) * 2.0;
        let mut sample = stalled(machine(at, 600.0, None), 70.0);
        if nth > 10 {
            sample.processes.retain(|it| it.comm.bytes() != b"leak");
        }
        let said = watch.see(sample);
        seen.push(said.next.map(|it| (names(&it), seconds(&it) as u64)));
    }
    let of = |name: &str, seconds: u64| Some((vec![name.to_owned()], seconds));
    assert_eq!(seen[10], of("leak", 0), "20 s have passed");
    assert_eq!(seen[11..14], [of("other", 15), of("other", 13), of("other", 11)]);
}

#[test]
fn a_pressure_that_falls_below_its_threshold_in_time_kills_nobody() {
    let mut watch = Watch::default();
    let mut seen = Vec::new();
    for nth in 0..10 {
        let at = f64::from(nth) * 2.0;
        // From the sixth sample on, nobody waits any more: it falls by a fifth in two seconds.
        let fallen = 0.8_f32.powi((nth - 5).max(0));
        let said = watch.see(stalled(machine(at, 600.0, None), 90.0 * fallen));
        seen.push(said.next.map(|it| seconds(&it) as u64));
    }
    assert_eq!(seen[4..6], [Some(12), Some(10)]);
    // The headline stays for a moment.
    assert_eq!(seen[6], Some(8));
    assert_eq!(seen[7..], [None; 3], "72 % is 60 % in 1.6 s, and 8 s are left");
}

#[test]
fn who_is_scanned_most_may_change_until_systemd_oomd_acts() {
    let with_scans = |more: u64| {
        said_after(3, |at| {
            let mut sample = stalled(machine(at, 600.0, None), 90.0);
            let list = &mut Arc::make_mut(&mut sample.cgroups).list;
            let watched = list.pop().expect("the watched cgroup");
            for (name, scans) in [("a", 100), ("b", 100 + more)] {
                let path = format!("{}/{name}", watched.path);
                let scanned = Reading::Value(scans * at.max(0.0) as u64);
                let path = super::text(&path);
                list.push(Cgroup { path, pgscan: scanned, ..watched.clone() });
            }
            list.insert(2, watched);
            for (process, path) in sample.processes.iter_mut().zip(["a", "b"]) {
                let watched = "/user.slice/user@7.service";
                process.cgroup = Reading::Value(super::text(&format!("{watched}/{path}")));
            }
            sample
        })
    };
    assert_eq!(next(&with_scans(20)).certainty, DeathCertainty::TooClose);
    assert_eq!(names(next(&with_scans(200))), ["leak"], "it is scanned three times as much");
}

#[test]
fn what_grew_is_forgotten_after_a_kill_by_a_daemon() {
    let mut watch = Watch::default();
    let before = watch.see_all(20, |at| with(machine(at, 300.0 - 5.0 * at, None), earlyoom));
    assert_eq!(told(&before)[0], (EARLYOOM, 2.0));
    for nth in 20..23 {
        let mut sample = with(machine(f64::from(nth) * 2.0, 400.0, None), earlyoom);
        sample.processes.retain(|it| it.comm.bytes() != b"leak");
        assert_eq!(watch.see(sample), Deaths::default(), "{nth}");
    }
}

#[test]
fn a_killer_whose_process_has_ended_kills_nobody() {
    let told = |lives_until: u32| {
        let mut watch = Watch::default();
        let sample = |second: u32| {
            let at = f64::from(second);
            let mut sample = with(machine(at, 400.0 - 5.0 * at, None), earlyoom);
            if second < lives_until {
                sample.processes.push(process(77, "earlyoom", "/", 1.0));
            }
            sample
        };
        let deaths = (0..40).map(|second| watch.see(sample(second))).last().unwrap();
        deaths.list.iter().map(|it| it.by).collect::<Vec<_>>()
    };
    assert!(told(40).contains(&EARLYOOM), "{:?}", told(40));
    // Killers are looked for seldom: the sample still holds that it was found.
    let ended = told(30);
    assert!(!ended.is_empty() && ended.iter().all(|by| *by == KERNEL), "{ended:?}");
}
