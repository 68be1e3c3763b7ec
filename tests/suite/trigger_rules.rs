//! The thresholds of the userspace killers as numbers, and which killers act here.

use std::sync::Arc;

use doomtop::model::{
    Cgroup, Cgroups, Hierarchy, InstalledKillers, KillerPresence, Pressure, PsiLine, Reading,
    Scene, ScoreScale, Signal, Snapshot, Text, ThresholdAmount, ZramSwap,
};
use doomtop::policy::{
    BUSTD, EARLYOOM, EARLYOOM_RSS, KUBELET, LINUX, NOHANG, NOHANG_DESKTOP, OOMD_SIZE, OOMD_SWAP,
    POLICIES, Policy, SYSTEMD_OOMD_PRESSURE, SYSTEMD_OOMD_SWAP, TriggerQuantity, TriggerRule,
};
use doomtop::units::{Kib, Millis};

use crate::stage::{machine, process};

/// 100,000 KiB of RAM, of which so many percent are available, and as much swap, of which so many are free.
fn level(available: u64, swap: u64) -> Snapshot {
    let mut snapshot = machine(1_000_000, ScoreScale::Signed, vec![process(10, "a", 100)]);
    snapshot.memory.total_kib = Kib(100_000);
    snapshot.memory.available_kib = Reading::Value(Kib(available * 1000));
    snapshot.memory.anon_kib = Reading::Value(Kib((100 - available) * 1000));
    snapshot.swap.total_kib = Kib(100_000);
    snapshot.swap.free_kib = Kib(swap * 1000);
    snapshot
}

fn stalled(avg10: f32) -> Pressure {
    let stall = Reading::Value(PsiLine { avg10, ..PsiLine::default() });
    Pressure::of_memory(stall, stall)
}

/// Cgroups below `/user.slice` and `/system.slice` that are stalled this much.
fn grouped(mut snapshot: Snapshot, user: f32, system: f32) -> Snapshot {
    let group = |path: &str, avg10| Cgroup {
        path: Arc::new(Text::new(path.as_bytes())),
        pressure: stalled(avg10),
        ..Cgroup::default()
    };
    snapshot.cgroups = Arc::new(Cgroups {
        hierarchy: Reading::Value(Hierarchy::V2),
        list: vec![
            group("/", 0.0),
            group("/system.slice", system),
            group("/user.slice", user),
            group("/user.slice/user-7.slice", user),
            group("/user.slice/user-7.slice/user@7.service", user),
        ],
        ..Cgroups::default()
    });
    snapshot
}

fn scene(mut snapshot: Snapshot, tell: impl FnOnce(&mut InstalledKillers)) -> Scene {
    tell(Arc::make_mut(&mut snapshot.killers));
    Scene::new(Arc::new(snapshot), None)
}

const RUNS: KillerPresence = KillerPresence::Running(77);

/// The thresholds of each rule, with its signal, and whether the rule is met.
fn rules(policy: &dyn Policy, scene: &Scene) -> Vec<(Signal, Vec<f64>, Option<bool>)> {
    let told = |it: &TriggerRule| {
        let at = it.levels.iter().map(|level| level.acts_at.round()).collect();
        (it.signal, at, it.met())
    };
    policy.trigger_rules(scene).iter().map(told).collect()
}

const MET: Option<bool> = Some(true);
const NOT: Option<bool> = Some(false);

#[test]
fn earlyoom_has_a_rule_for_each_signal() {
    let default = scene(level(8, 9), |_| ());
    let wants = [(Signal::TERM, vec![10_000.0; 2], MET), (Signal::KILL, vec![5_000.0; 2], NOT)];
    assert_eq!(rules(&EARLYOOM, &default), wants);
    let set = scene(level(8, 9), |it| {
        it.earlyoom.options.mem_percent = Some([20.0, 8.0]);
        it.earlyoom.options.swap_kib = Some([Kib(50_000), Kib(9_000)]);
    });
    let wants = [
        (Signal::TERM, vec![20_000.0, 50_000.0], MET),
        (Signal::KILL, vec![8_000.0, 9_000.0], MET),
    ];
    assert_eq!(rules(&EARLYOOM, &set), wants);
    let mut none = level(8, 0);
    none.swap.total_kib = Kib::ZERO;
    assert_eq!(rules(&EARLYOOM, &scene(none, |_| ()))[0].2, MET, "no swap counts as met");
    let mut unread = level(8, 9);
    unread.memory.available_kib = Reading::Missing;
    assert_eq!(rules(&EARLYOOM, &scene(unread, |_| ()))[0].2, None);
}

#[test]
fn a_distance_is_in_the_unit_of_the_quantity() {
    let scene = scene(level(30, 60), |_| ());
    let levels = EARLYOOM.trigger_rules(&scene).remove(0).levels;
    assert_eq!(levels[0].quantity, TriggerQuantity::AvailableMemory);
    assert_eq!(levels[0].distance(), Some(20_000.0));
    assert_eq!(levels[0].percent(levels[0].acts_at), Some(10.0));
    assert_eq!(levels[1].quantity, TriggerQuantity::FreeSwap);
    assert_eq!(levels[1].distance(), Some(50_000.0));
}

#[test]
fn nohang_acts_by_swap_or_by_pressure() {
    let mut stressed = level(4, 50);
    stressed.pressure = stalled(50.0);
    let by_swap = scene(stressed.clone(), |_| ());
    let wants =
        [(Signal::TERM, vec![5_000.0, 10_000.0], NOT), (Signal::KILL, vec![2_000.0, 4_000.0], NOT)];
    assert_eq!(rules(&NOHANG, &by_swap), wants);
    let by_both = scene(stressed.clone(), |it| it.nohang.options.psi = true);
    let found = NOHANG.trigger_rules(&by_both);
    let met: Vec<Option<bool>> = found.iter().map(TriggerRule::met).collect();
    assert_eq!(met, [NOT, MET, NOT, NOT]);
    assert_eq!((found[0].lasting, found[1].lasting), (Millis::ZERO, Millis(30_000)));
    stressed.swap.total_kib = Kib::ZERO;
    stressed.swap.free_kib = Kib::ZERO;
    let no_swap = scene(stressed, |it| it.nohang.options.psi = true);
    assert_eq!(rules(&NOHANG, &no_swap).len(), 2, "without swap it ignores pressure");
    assert_eq!(rules(&NOHANG, &no_swap)[0].2, MET, "and its swap condition counts as met");
}

#[test]
fn nohang_acts_by_what_zram_takes() {
    let on_zram = |available, used: u64| {
        let mut sample = level(available, 50);
        let whole = sample.memory.total_kib.0;
        let used_kib = Kib(whole * used / 100);
        sample.swap.zram = Some(ZramSwap { used_kib, ..ZramSwap::default() });
        let scene = scene(sample, |it| it.nohang.options.zram = true);
        NOHANG.trigger_rules(&scene).iter().map(TriggerRule::met).collect::<Vec<_>>()
    };
    // SIGTERM by swap and by zram, then SIGKILL by swap and by zram.
    assert_eq!(on_zram(5, 54), [NOT, NOT, NOT, NOT]);
    assert_eq!(on_zram(5, 55), [NOT, MET, NOT, NOT]);
    assert_eq!(on_zram(6, 99), [NOT, NOT, NOT, NOT], "there is enough available memory");
    assert_eq!(on_zram(2, 60), [NOT, MET, NOT, MET]);
    let without = scene(level(2, 50), |it| it.nohang.options.zram = true);
    let met: Vec<_> = NOHANG.trigger_rules(&without).iter().map(TriggerRule::met).collect();
    assert_eq!(met, [NOT, None, NOT, None], "there is no zram");
}

#[test]
fn systemd_oomd_needs_both_swap_and_memory_used_or_pressure_on_a_watched_cgroup() {
    let swap = |available, free| {
        let scene = scene(grouped(level(available, free), 0.0, 0.0), |_| ());
        SYSTEMD_OOMD_SWAP.trigger_rules(&scene)[0].met()
    };
    assert_eq!([swap(9, 9), swap(10, 9), swap(9, 10)], [MET, NOT, NOT], "below, not at 10 %");
    let mut none = level(1, 0);
    none.swap.total_kib = Kib::ZERO;
    let none = scene(grouped(none, 0.0, 0.0), |_| ());
    assert_eq!(SYSTEMD_OOMD_SWAP.trigger_rules(&none)[0].met(), NOT, "never without swap");
    let pressed = scene(grouped(level(50, 50), 51.0, 99.0), |_| ());
    let found = SYSTEMD_OOMD_PRESSURE.trigger_rules(&pressed);
    assert_eq!(found.len(), 1, "it watches user@7.service only");
    assert_eq!(found[0].levels[0].acts_at, 50.0);
    let watched = found[0].levels[0].cgroup.as_ref().map(|it| it.as_str().to_owned());
    assert_eq!(watched.as_deref(), Some("/user.slice/user-7.slice/user@7.service"));
    assert_eq!((found[0].met(), found[0].lasting), (MET, Millis(20_000)));
}

#[test]
fn oomd_has_a_rule_for_each_set_that_it_watches() {
    let scene = scene(grouped(level(50, 9), 70.0, 70.0), |_| ());
    let found = rules(&OOMD_SIZE, &scene);
    assert_eq!(found, [(Signal::KILL, vec![60.0], MET), (Signal::KILL, vec![80.0], NOT)]);
    assert_eq!(rules(&OOMD_SWAP, &scene), [(Signal::KILL, vec![10_000.0], MET)]);
}

#[test]
fn bustd_and_the_kubelet_have_one_rule() {
    let mut low = level(50, 50);
    (low.memory.free_kib, low.pressure) = (Kib(15_900), stalled(25.0));
    let low = scene(low, |_| ());
    assert_eq!(rules(&BUSTD, &low), [(Signal::TERM, vec![15.0, 25.0], MET)]);
    assert_eq!(rules(&KUBELET, &low), [(Signal::KILL, vec![102_400.0], MET)], "all has less");
}

/// The ids of the policies that act in this scene.
fn acting(scene: &Scene) -> Vec<&'static str> {
    let acts = POLICIES.iter().filter(|policy| policy.acts_here(scene));
    acts.map(|policy| policy.id()).collect()
}

#[test]
fn only_killers_that_run_here_act_here() {
    assert_eq!(acting(&scene(level(1, 1), |_| ())), [LINUX.id()]);
    let installed = |it: &mut InstalledKillers| {
        it.earlyoom.found = KillerPresence::Installed;
        it.nohang_desktop.found = KillerPresence::Installed;
    };
    assert_eq!(acting(&scene(level(1, 1), installed)), [LINUX.id()]);
    let running = |it: &mut InstalledKillers| {
        it.earlyoom.found = RUNS;
        it.nohang_desktop.found = RUNS;
    };
    let ids = [LINUX.id(), EARLYOOM.id(), NOHANG_DESKTOP.id()];
    assert_eq!(acting(&scene(level(1, 1), running)), ids);
    let by_size = |it: &mut InstalledKillers| {
        it.earlyoom.found = RUNS;
        it.earlyoom.options.sort_by_rss = true;
    };
    assert_eq!(acting(&scene(level(1, 1), by_size)), [LINUX.id(), EARLYOOM_RSS.id()]);
    let dry = |it: &mut InstalledKillers| {
        it.earlyoom.found = RUNS;
        it.earlyoom.options.dry_run = true;
    };
    assert_eq!(acting(&scene(level(1, 1), dry)), [LINUX.id()], "a dry run kills nothing");
}

#[test]
fn cgroup_killers_act_where_they_watch_something() {
    let running = |it: &mut InstalledKillers| {
        it.systemd_oomd.found = RUNS;
        it.oomd.found = RUNS;
        it.oomd.options.by_io.0.clear();
    };
    let acting = acting(&scene(grouped(level(50, 50), 0.0, 0.0), running));
    let ids = ["systemd-oomd-swap", "systemd-oomd-pressure", "oomd-size", "oomd-swap"];
    assert!(ids.iter().all(|id| acting.contains(id)), "{acting:?}");
    assert!(!acting.contains(&"oomd-io"), "its configuration names no cgroup for that plugin");
    let none = self::acting(&scene(level(50, 50), |it| it.systemd_oomd.found = RUNS));
    assert_eq!(none, [LINUX.id()], "there are no cgroups of version 2");
}

#[test]
fn the_kubelet_evicts_softly_first() {
    let set = scene(level(40, 50), |it| {
        it.kubelet.found = RUNS;
        it.kubelet.options.soft = Some(ThresholdAmount::Percent(50.0));
        it.kubelet.options.soft_seconds = 90.0;
        it.kubelet.options.hard = Some(ThresholdAmount::Kib(Kib(8_000)));
    });
    let wants = [(Signal::TERM, vec![50_000.0], MET), (Signal::KILL, vec![8_000.0], NOT)];
    assert_eq!(rules(&KUBELET, &set), wants);
    assert_eq!(KUBELET.trigger_rules(&set)[0].lasting, Millis(90_000));
    assert!(acting(&set).contains(&"kubelet"));
}
