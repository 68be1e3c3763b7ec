//! A cgroup that has just begun: a program that starts in it, or a leak from the beginning.

use super::*;

/// What is held in a cgroup of 100 MiB, this many seconds after it began, by this program.
type Growth<'a> = &'a dyn Fn(f64) -> f64;

/// When "dies" is said first in so many seconds: with samples every two seconds, and five readings a second between
/// them where the forecaster asks for that.
fn told_first(over: f64, growth: Growth<'_>) -> Option<f64> {
    let mut watch = Watch::default();
    let said = |deaths: Deaths| deaths.next.is_some_and(|it| it.stalled.is_none());
    for tenth in 0..(over * 5.0) as u32 {
        let at = f64::from(tenth) / 5.0;
        if tenth % 10 == 0 {
            let size = growth(at);
            let mut members = vec![process(10, "worker", "/a", size)];
            members[0].id.born = Ticks(clock(0.0).0 / 10);
            if said(watch.see(sample(at, vec![group("/a", 100.0, size)], members))) {
                return Some(at);
            }
        } else if watch.forecaster.near().contains(&text("/a")) {
            watch.forecaster.observe_usage("/a", clock(at), mib(growth(at)));
            if said(watch.deaths()) {
                return Some(at);
            }
        }
    }
    None
}

/// The same number between -1 and 1 for the same time.
fn noise(at: f64) -> f64 {
    ((at * 78.233).sin() * 43758.547).fract()
}

#[test]
fn a_steady_leak_from_the_beginning_is_told_when_it_has_lasted_as_long_as_is_left() {
    for base in [5.0, 20.0, 40.0] {
        for time in [32.0, 36.0, 40.0, 50.0, 60.0] {
            let leak = |at: f64| base + (100.0 - base) * at / time + 0.3 * noise(at);
            let told = told_first(time, &leak).unwrap_or(time);
            // Half of its time has to be seen, and samples come every two seconds.
            let wanted = time * 0.53 + 2.0;
            assert!(told <= wanted, "{base} MiB, full at {time} s: told at {told}");
        }
    }
}

#[test]
fn a_program_that_fills_its_caches_when_it_starts_alarms_nobody() {
    for size in [30.0, 40.0, 50.0] {
        for over in [4.0, 6.0, 8.0, 10.0, 12.0] {
            let ramp = |at: f64| 10.0 + size * (at / over).min(1.0) + 0.3 * noise(at);
            let told = told_first(60.0, &ramp);
            assert_eq!(told, None, "{size} MiB in {over} s");
        }
    }
}

#[test]
fn a_program_that_takes_less_and_less_when_it_starts_alarms_nobody() {
    for size in [30.0, 40.0, 50.0, 60.0] {
        for over in [10.0, 15.0, 20.0] {
            let root = |at: f64| 5.0 + size * (at / over).min(1.0).sqrt() + 0.3 * noise(at);
            let told = told_first(60.0, &root);
            assert_eq!(told, None, "the root of {size} MiB in {over} s");
            let levels_off = |at: f64| 5.0 + size * (1.0 - (-at * 3.0 / over).exp());
            let told = told_first(60.0, &levels_off);
            assert_eq!(told, None, "{size} MiB levelling off in {over} s");
        }
    }
}

/// How early a leak of so many MiB a second is told that begins at 5 MiB after a rest, at the worst time between two
/// samples.
fn least_lead(rest: f64, rate: f64) -> f64 {
    let lead = |phase: u32| {
        let begin = rest + f64::from(phase) * 0.5;
        let leak = |at: f64| 5.0 + rate * (at - begin).max(0.0) + 0.05 * noise(at);
        let time = begin + 95.0 / rate;
        told_first(time, &leak).map_or(0.0, |it| time - it)
    };
    (0..4).map(lead).fold(f64::INFINITY, f64::min)
}

#[test]
fn a_fast_leak_is_told_as_soon_as_it_cannot_be_the_start_of_a_program() {
    for rate in [5.0, 5.5, 6.0, 7.0, 8.0] {
        // After a rest, from half full on; from the beginning, from seven tenths on: a program that starts takes as
        // much as that.
        for rest in [10.0, 40.0] {
            let lead = least_lead(rest, rate);
            assert!(lead >= 50.0 / rate - 0.4, "{rate} MiB/s after {rest} s of rest: {lead}");
        }
        let lead = least_lead(0.0, rate);
        assert!(lead >= 29.0 / rate - 0.2, "{rate} MiB/s from the beginning: {lead}");
    }
}

#[test]
fn a_program_that_was_at_work_before_anybody_looked_is_not_just_starting() {
    // 2 MiB a second, seen for four seconds, and full in seven.
    let mut watch = Watch::default();
    let mut said = Deaths::default();
    assert!(!watch.forecaster.is_filling());
    for half in 0..9 {
        let at = f64::from(half) / 2.0;
        let size = 100.0 - 2.0 * (11.0 - at);
        let mut sample =
            sample(at, vec![group("/a", 100.0, size)], vec![process(10, "x", "/a", size)]);
        // The clock begins when doomtop does.
        sample.clock.monotonic_ms = sample.clock.monotonic_ms.saturating_sub(clock(0.0));
        Arc::make_mut(&mut sample.cgroups).read_ms = sample.clock.monotonic_ms + Millis(1);
        said = watch.see(sample);
    }
    assert!(watch.forecaster.is_filling());
    let death = said.next.expect("a death");
    assert!((seconds(&death) - 7.0).abs() < 1.0, "{death:?}");
}
