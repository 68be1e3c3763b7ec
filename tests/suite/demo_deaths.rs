//! Who dies next, at each sample of the demo: the kernel kills three processes in it, and earlyoom one.

use std::sync::{Arc, LazyLock};

use doomtop::forecast::next_death::{DeathForecaster, Deaths, NextDeath};
use doomtop::model::{Comm, ProcId, Scene, Snapshot};
use doomtop::rank::also_killed::GroupCensus;
use doomtop::units::{Bytes, Millis};

use crate::demo::SAMPLES;

/// What was said at one sample.
struct Said {
    at: Millis,
    deaths: Deaths,
    /// The killer that acts after the next death, and in how many milliseconds.
    then: Option<(&'static str, u64)>,
}

/// Who was killed, and at which sample that was seen.
struct Kill {
    at: Millis,
    victim: ProcId,
    comm: Comm,
}

/// What the forecaster says at each of these samples, and the kills in them. `between` is called after each.
fn replay(
    samples: impl Iterator<Item = Arc<Snapshot>>,
    between: impl Fn(&mut DeathForecaster, &Scene),
) -> (Vec<Said>, Vec<Kill>) {
    let mut forecaster = DeathForecaster::default();
    let mut scene: Option<Scene> = None;
    let (mut said, mut kills) = (Vec::new(), Vec::new());
    for sample in samples {
        let at = sample.clock.monotonic_ms;
        let scene = match &mut scene {
            Some(scene) => {
                scene.advance(sample);
                scene
            }
            none => none.insert(Scene::new(sample, None)),
        };
        forecaster.observe(scene);
        let deaths = forecaster.deaths(scene, &GroupCensus::new(scene));
        let then = deaths.then(scene).map(|it| (it.death.by, it.when.middle.0));
        said.push(Said { at, deaths, then });
        for kill in scene.kills().iter().filter(|kill| kill.at == at) {
            let before = scene.before().and_then(|before| before.find(kill.victim));
            let comm = before.map(|it| it.comm).unwrap_or_default();
            kills.push(Kill { at, victim: kill.victim, comm });
        }
        between(&mut forecaster, scene);
    }
    (said, kills)
}

/// What the forecaster says in the whole demo, and the kills in it.
static DEMO: LazyLock<(Vec<Said>, Vec<Kill>)> =
    LazyLock::new(|| replay(SAMPLES.iter().map(Arc::clone), |_, _| ()));

/// What was said less than so many seconds before this time.
fn before(said: &[Said], at: Millis, seconds: u64) -> impl Iterator<Item = &Said> {
    let from = at.saturating_sub(Millis(seconds * 1000));
    said.iter().filter(move |it| it.at >= from && it.at < at)
}

/// Whether this process is named, or the first of at most three candidates.
fn is_named(said: &Said, victim: ProcId) -> bool {
    said.deaths.next.as_ref().is_some_and(|next| {
        next.candidates.len() <= 3 && next.candidates.first().is_some_and(|it| it.id == victim)
    })
}

fn domain(said: &Said) -> Option<&str> {
    said.deaths.next.as_ref().map(|next| next.domain.as_str())
}

#[test]
fn the_kernel_kills_three_processes_in_the_demo() {
    let (_, kills) = &*DEMO;
    let names: Vec<String> = kills.iter().map(|kill| kill.comm.to_string()).collect();
    assert_eq!(names, ["node", "parser", "python3"]);
}

#[test]
fn whoever_dies_is_named_from_ten_seconds_before() {
    let (said, kills) = &*DEMO;
    for kill in kills {
        let near: Vec<&Said> = before(said, kill.at, 10).collect();
        assert!(near.len() >= 9, "a sample a second");
        for said in near {
            let left = kill.at.saturating_sub(said.at);
            assert!(
                is_named(said, kill.victim),
                "{left:?} before {}: {:?}",
                kill.comm,
                said.deaths
            );
        }
    }
}

#[test]
fn nobody_is_told_to_die_soon_where_nobody_dies_for_long() {
    let (said, kills) = &*DEMO;
    // The one that earlyoom ends: the kernel counts nothing.
    let by_earlyoom = SAMPLES.windows(2).find_map(|pair| {
        let gone = |comm: &str| pair[0].processes.iter().find(|it| it.comm.to_string() == comm);
        let victim = gone("python3").filter(|it| pair[1].find(it.id).is_none())?;
        (victim.rss_stat.0 > 50_000).then(|| pair[1].clock.monotonic_ms)
    });
    let deaths: Vec<Millis> =
        kills.iter().map(|kill| kill.at).chain(Some(by_earlyoom.expect("it acts"))).collect();
    for said in said {
        let soon = |next: &NextDeath| next.when.is_some_and(|when| when.middle < Millis(60_000));
        let Some(next) = said.deaths.next.as_ref().filter(|next| soon(next)) else { continue };
        let left = deaths.iter().filter(|at| **at >= said.at).map(|at| at.saturating_sub(said.at));
        let left = left.min();
        assert!(
            left.is_some_and(|left| left < Millis(120_000)),
            "{:?}: {next:?}, and the next one dies after {left:?}",
            said.at
        );
        // Right after a death, what was freed lasts for a while.
        let since =
            deaths.iter().filter(|at| **at <= said.at).map(|at| said.at.saturating_sub(*at));
        assert!(since.min().is_none_or(|it| it > Millis(8_000)), "{:?}: {next:?}", said.at);
    }
}

#[test]
fn the_time_is_right_from_five_seconds_before() {
    let (said, kills) = &*DEMO;
    for kill in kills {
        for said in before(said, kill.at, 5) {
            let left = kill.at.saturating_sub(said.at).0;
            let when = said.deaths.next.as_ref().and_then(|next| next.when).unwrap();
            // The kill happened between two samples.
            let off = when.middle.0.abs_diff(left.saturating_sub(500));
            assert!(off <= left / 4 + 1000, "{left} ms before {}: {when:?}", kill.comm);
        }
    }
}

#[test]
fn the_domain_of_the_headline_changes_at_most_once_before_a_kill() {
    let (said, kills) = &*DEMO;
    for kill in kills {
        let shown: Vec<Option<&str>> = before(said, kill.at, 20).map(domain).collect();
        let changes = shown.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(changes <= 1, "before {}: {shown:?}", kill.comm);
    }
}

#[test]
fn no_killer_is_told_to_act_after_a_death_that_keeps_it_from_acting() {
    let (said, kills) = &*DEMO;
    // Before the first two kills the machine shrinks by what their victims take.
    for kill in &kills[..2] {
        for said in before(said, kill.at, 30) {
            let left = kill.at.saturating_sub(said.at);
            let soon = said.then.filter(|it| it.1 < 30_000);
            assert_eq!(soon, None, "{left:?} before {}", kill.comm);
        }
    }
}

#[test]
fn nothing_is_predicted_after_the_last_kill() {
    let (said, kills) = &*DEMO;
    let last = kills.last().unwrap().at;
    let after = said.iter().filter(|it| it.at >= last && it.at.0 <= last.0 + 8000);
    let shown: Vec<Option<&str>> = after.map(domain).collect();
    assert!(shown.len() >= 8, "{}", shown.len());
    assert!(shown.iter().all(Option::is_none), "{shown:?}");
}

#[test]
fn asking_more_often_or_in_another_order_changes_nothing() {
    let (said, _) = &*DEMO;
    let (again, _) = replay(SAMPLES.iter().map(Arc::clone), |forecaster, scene| {
        let census = GroupCensus::new(scene);
        let near = forecaster.near();
        let first = forecaster.deaths(scene, &census);
        forecaster.observe(scene);
        forecaster.observe_usage("/no/such/group", Millis::ZERO, Bytes(1));
        assert_eq!(forecaster.deaths(scene, &census), first);
        assert_eq!(forecaster.near(), near);
    });
    for (one, other) in said.iter().zip(&again) {
        assert_eq!((one.at, &one.deaths), (other.at, &other.deaths));
    }
}

#[test]
fn half_the_samples_are_enough_for_five_seconds() {
    for phase in 0..2 {
        let half = SAMPLES.iter().map(Arc::clone).skip(phase).step_by(2);
        let (said, kills) = replay(half, |_, _| ());
        assert_eq!(kills.len(), 3);
        for kill in &kills {
            // The kill is seen up to two seconds after it happened.
            for said in before(&said, kill.at, 7) {
                let left = kill.at.saturating_sub(said.at);
                let told = is_named(said, kill.victim);
                assert!(told, "{left:?}: {:?}", said.deaths);
            }
        }
    }
}

#[test]
fn nobody_is_told_to_die_long_before_the_first_kill() {
    let (said, kills) = &*DEMO;
    let first = kills.first().unwrap().at;
    let early = said.iter().filter(|it| it.at.0 + 15_000 < first.0);
    assert!(early.map(domain).all(|it| it.is_none()), "a build alone is no reason");
}
