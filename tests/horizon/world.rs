//! What one observer sees and says: the machine and the cgroups of one trial, without the other trials.

use std::sync::Arc;

use doomtop::forecast::next_death::{DeathForecaster, Deaths};
use doomtop::model::{
    Cgroup, CgroupNeeds, Cgroups, Needs, Process, Reading, Scene, Scope, Scores, Snapshot,
    is_within,
};
use doomtop::policy::{LINUX, Policy};
use doomtop::rank::Ranking;
use doomtop::rank::also_killed::GroupCensus;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::{LiveSource, ScanPatience};
use doomtop::units::{Bytes, Millis};
use serde::{Deserialize, Serialize};

/// The sampler that the model is measured with, and what it reads.
pub fn sampled(root: ProcRoot) -> Result<(LiveSource, Needs), String> {
    let source = LiveSource::start(root, ScanPatience::Forever).map_err(|error| error.to_string());
    let needs = Needs {
        status: true,
        cgroup: true,
        cgroups: CgroupNeeds::Limits,
        scores: Scores::All,
        ..Needs::default()
    };
    Ok((source?, needs))
}

/// Something that happened, in the order in which it became known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Event {
    /// A sample, and when it had been taken, in microseconds on CLOCK_MONOTONIC.
    Sample { at: i64, sample: Arc<Snapshot> },
    /// The usage of a cgroup in bytes, and when it was read, on both clocks.
    Usage { at: i64, clock: Millis, path: String, bytes: u64 },
    /// The growth began.
    Begin { at: i64 },
    /// The kernel killed.
    Kill { at: i64, pid: i32, comm: String, scope: Option<String> },
}

/// Simple answers to the same question.
pub const BASELINES: [&str; 8] = [
    "highest badness now, machine",
    "highest oom_score, machine",
    "largest RSS, machine",
    "fastest grower, machine",
    "highest badness now, domain",
    "highest oom_score, domain",
    "largest RSS, domain",
    "fastest grower, domain",
];

/// Whom [`BASELINES`] name at one sample.
#[derive(Clone, Debug, Default)]
pub struct Simple {
    /// The first four.
    pub machine: [Option<i32>; 4],
    /// The last four, for each limited cgroup.
    pub domains: Vec<(String, [Option<i32>; 4])>,
}

/// What was said at one time.
#[derive(Clone, Debug)]
pub struct Said {
    /// When, in microseconds on CLOCK_MONOTONIC.
    pub at: i64,
    /// By the forecaster.
    pub deaths: Deaths,
    /// By one that is shown the first sample again and again.
    pub frozen: Deaths,
    /// By simple rules.
    pub simple: Arc<Simple>,
}

/// The observer.
#[derive(Default)]
pub struct World {
    scene: Option<Scene>,
    forecaster: DeathForecaster,
    frozen: Option<(Scene, DeathForecaster)>,
    simple: Arc<Simple>,
    /// All that was said, the oldest first.
    pub said: Vec<Said>,
    /// When the growth began.
    pub begun: Option<i64>,
    /// Kills: when, of whom, and in which domain.
    pub kills: Vec<(i64, i32, String, Option<String>)>,
}

/// Cgroups of tests: in them processes do die.
const TESTS: &str = "/doomtop-oom-";

/// The sample without what other trials and other tests do.
pub fn own_part(sample: &Snapshot, own: &[String]) -> Snapshot {
    without(sample, |path| path.contains(TESTS) && !own.iter().any(|it| is_within(path, it)))
}

/// The sample of the machine with these cgroups: the limits of others, who may really reach them, are left out.
pub fn own_limits(sample: &Snapshot, own: &[String]) -> Snapshot {
    let is_own = |it: &&Cgroup| own.iter().any(|path| is_within(it.path.as_str(), path));
    let list = sample.cgroups.list.iter().filter(is_own).cloned().collect();
    Snapshot {
        cgroups: Arc::new(Cgroups { list, ..Cgroups::clone(&sample.cgroups) }),
        processes: sample.processes.clone(),
        ..sample.without_lists()
    }
}

/// The sample without cgroups that are foreign, and what runs in them.
fn without(sample: &Snapshot, foreign: impl Fn(&str) -> bool) -> Snapshot {
    let cgroups = &sample.cgroups;
    let list = cgroups.list.iter().filter(|it| !foreign(it.path.as_str())).cloned().collect();
    let stays = |process: &&Process| match &process.cgroup {
        Reading::Value(path) => !foreign(path.as_str()),
        _ => true,
    };
    Snapshot {
        cgroups: Arc::new(Cgroups { list, ..Cgroups::clone(cgroups) }),
        processes: sample.processes.iter().filter(stays).cloned().collect(),
        ..sample.without_lists()
    }
}

impl World {
    /// Takes what happened, and says something.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Sample { at, sample } => self.take_sample(*at, sample),
            Event::Usage { at, clock, path, bytes } => {
                if self.forecaster.near().iter().any(|near| near.as_str() == path) {
                    self.forecaster.observe_usage(path, *clock, Bytes(*bytes));
                    self.say(*at);
                }
            }
            Event::Begin { at } => self.begun = Some(*at),
            Event::Kill { at, pid, comm, scope } => {
                self.kills.push((*at, *pid, comm.clone(), scope.clone()));
            }
        }
    }

    /// The process with this pid in the last sample.
    pub fn lives_in(&self, pid: i32) -> Option<&str> {
        let now = self.scene.as_ref()?.now();
        match &now.processes[now.position(pid)?].cgroup {
            Reading::Value(path) => Some(path.as_str()),
            _ => None,
        }
    }

    fn take_sample(&mut self, at: i64, sample: &Arc<Snapshot>) {
        // Those who were killed elsewhere are not in this part of the sample.
        let mut own = Snapshot::clone(sample);
        own.traffic.oom_kills = Reading::Value(self.kills.len() as u64);
        let sample = &Arc::new(own);
        let scene = match &mut self.scene {
            Some(scene) => {
                scene.advance(Arc::clone(sample));
                scene
            }
            none => none.insert(Scene::new(Arc::clone(sample), None)),
        };
        self.forecaster.observe(scene);
        self.simple = Arc::new(Simple::of(scene));
        self.freeze(sample);
        self.say(at);
    }

    /// Shows the first sample again, with the time of this one.
    fn freeze(&mut self, sample: &Snapshot) {
        let Some((scene, forecaster)) = &mut self.frozen else {
            let (scene, mut forecaster) =
                (Scene::new(Arc::new(sample.clone()), None), DeathForecaster::default());
            forecaster.observe(&scene);
            self.frozen = Some((scene, forecaster));
            return;
        };
        let mut cgroups = Cgroups::clone(&scene.now().cgroups);
        cgroups.read_ms = sample.cgroups.read_ms;
        let again = Snapshot {
            clock: sample.clock,
            cgroups: Arc::new(cgroups),
            ..Snapshot::clone(scene.now())
        };
        scene.advance(Arc::new(again));
        forecaster.observe(scene);
    }

    fn say(&mut self, at: i64) {
        let Some(scene) = &self.scene else { return };
        let deaths = self.forecaster.deaths(scene, &GroupCensus::new(scene));
        let frozen = self.frozen.as_mut().map(|(scene, forecaster)| {
            let census = GroupCensus::new(scene);
            forecaster.deaths(scene, &census)
        });
        let (frozen, simple) = (frozen.unwrap_or_default(), Arc::clone(&self.simple));
        self.said.push(Said { at, deaths, frozen, simple });
    }
}

impl Simple {
    fn of(scene: &Scene) -> Self {
        let domains = scene.now().cgroups.limited().map(|group| {
            let inside = scene.within(Scope::Memcg(Arc::clone(&group.path)));
            (group.path.as_str().to_owned(), baselines(&inside))
        });
        Self { domains: domains.collect(), machine: baselines(&scene.within(Scope::Global)) }
    }
}

/// Whom simple rules name in the scene's domain.
fn baselines(scene: &Scene) -> [Option<i32>; 4] {
    let policy: &dyn Policy = &LINUX;
    let ranking = Ranking::new(policy, scene);
    let inside = || {
        let all = scene.now().processes.iter();
        all.filter(|it| it.has_mm && !it.is_kernel_thread() && scene.domain().contains(it))
    };
    let most = |of: &dyn Fn(&Process) -> i64| {
        inside().max_by_key(|it| (of(it), it.id.born)).map(|it| it.id.pid)
    };
    let growth = |it: &Process| scene.growth_lately(it).map_or(0, |growth| growth.per_minute().0);
    [
        ranking.victim().map(|row| row.id.pid),
        most(&|it| i64::from(it.score.value().unwrap_or(0))),
        most(&|it| it.rss_stat.points().0),
        most(&growth),
    ]
}
