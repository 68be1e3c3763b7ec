//! What follows the next death: not what it prevents.

use super::{Watch, group, mib, process, sample, seconds};
use crate::forecast::next_death::{Deaths, NextDeath, TimeSpan};
use crate::model::{Reading, Snapshot};
use crate::units::{Kib, Millis};

/// A machine of 1000 MiB that has 240 MiB left at 16 s. A leak of 10 MiB a second in `/c` meets its limit of
/// 400 MiB at 30 s; another one takes so many MiB a second outside of it. A killer acts at 100 MiB available.
fn machine(at: f64, beside: f64) -> Snapshot {
    let (leak, other) = (100.0 + 10.0 * at, 50.0 + beside * at);
    let processes = vec![process(11, "leak", "/c", leak), process(12, "other", "/", other)];
    let mut sample = sample(at, vec![group("/c", 400.0, leak)], processes);
    let kib = |mib: f64| Kib((mib * 1024.0) as u64);
    let available = 400.0 + 16.0 * beside - (10.0 + beside) * at;
    sample.memory.total_kib = kib(1000.0);
    sample.memory.available_kib = Reading::Value(kib(available));
    sample.memory.anon_kib = Reading::Value(kib(1000.0 - available));
    sample
}

fn is_machine(death: &NextDeath) -> bool {
    death.domain.as_str() == "global"
}

fn watched(beside: f64) -> (Watch, Deaths) {
    let mut watch = Watch::default();
    let said = watch.see_all(9, |at| machine(at, beside));
    (watch, said)
}

#[test]
fn what_the_next_death_prevents_does_not_follow_it() {
    let (watch, said) = watched(0.0);
    let list: Vec<f64> = said.list.iter().map(|it| seconds(it).round()).collect();
    assert_eq!(list, [14.0, 24.0], "each by itself");
    assert_eq!(said.then(watch.scene.as_ref().unwrap()), None, "nobody else grows");
}

#[test]
fn what_the_next_death_frees_puts_off_what_follows() {
    // At 16 s: 14 s until the leak dies with 400 MiB; the machine has 240 MiB left and loses 40 a second.
    let (watch, said) = watched(30.0);
    let machine = |said: &Deaths| seconds(said.list.iter().find(|it| is_machine(it)).unwrap());
    assert!((machine(&said) - 6.0).abs() < 1.0, "{said:?}");
    let scene = watch.scene.as_ref().unwrap();
    assert!(is_machine(said.next.as_ref().unwrap()), "it is next");
    // As if the cgroup were first, in 4 s: 80 MiB are left then, 300 come back, and 30 a second go.
    let mut cgroup = said.list.iter().find(|it| !is_machine(it)).unwrap().clone();
    cgroup.when = Some(TimeSpan { low: Millis(4_000), middle: Millis(4_000), high: Millis(4_000) });
    let mut said = Deaths { next: Some(cgroup), ..said };
    said.list.retain(is_machine);
    assert_eq!(said.then(scene), None, "17 s are too far for what is foreseen for 6");
    said.list[0].left = mib(560.0);
    said.list[0].when =
        Some(TimeSpan { low: Millis(13_000), middle: Millis(14_000), high: Millis(15_000) });
    // 4 s, then 400 and 300 MiB.
    let then = said.then(scene).unwrap();
    let time = then.when.middle.seconds();
    assert!((time - 27.3).abs() < 1.0, "{time}");
    assert!(then.when.low < then.when.middle && then.when.middle < then.when.high);
}
