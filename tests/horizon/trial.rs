//! One trial: its cgroups, the processes in them, and what its observer saw and said.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doomtop::model::Snapshot;
use doomtop::units::Millis;

use crate::judge::is_ours;
use crate::kmsg::Kill;
use crate::nest::{Group, Nest};
use crate::scenario::Scenario;
use crate::trace::Head;
use crate::worker::Worker;
use crate::world::{Event, World, own_part};

/// How long processes may take to get ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a trial goes on after the last death in it, in microseconds.
pub const AFTER: i64 = 8_000_000;

/// One.
pub struct Trial {
    // Behind those who hold memory in them come the cgroups, the inner ones first.
    workers: Vec<(Worker, bool)>,
    groups: Vec<Group>,
    usages: Vec<(String, File)>,
    /// What happens in it.
    pub scenario: Scenario,
    paths: Vec<String>,
    /// When it is told to begin.
    begins: i64,
    begun: bool,
    /// Whether one still grew at the end.
    pub grew: bool,
    /// It takes one of so many samples.
    every: u32,
    /// What its observer saw and said.
    pub world: World,
    /// The same to be saved, if that is wanted.
    events: Option<Vec<Event>>,
}

impl Trial {
    /// Makes the cgroups, and starts whoever is there from the start. They hold everything when this is over.
    pub fn start(
        nest: &Nest,
        nth: usize,
        scenario: Scenario,
        every: u32,
        saves: bool,
    ) -> Result<Self, String> {
        let mut groups: Vec<Group> = Vec::new();
        for (at, place) in scenario.places.iter().enumerate() {
            let limit = place.limit.map(|mib| (mib as u64) << 20);
            let name = format!("t{nth}-{at}");
            let group = match place.inside {
                Some(outer) => groups[outer].group(&name, limit)?,
                None => nest.group(&name, limit)?,
            };
            groups.push(group);
        }
        let limited = |(at, _): &(usize, &Group)| scenario.places[*at].limit.is_some();
        let usages = groups.iter().enumerate().filter(limited).map(|(_, group)| {
            let file = group.usage().map_err(|error| format!("{}: {error}", group.path))?;
            Ok((group.path.clone(), file))
        });
        let mut trial = Self {
            workers: Vec::new(),
            usages: usages.collect::<Result<_, String>>()?,
            paths: groups.iter().map(|group| group.path.clone()).collect(),
            groups,
            scenario,
            begins: i64::MAX,
            begun: false,
            grew: false,
            every,
            world: World::default(),
            events: saves.then(Vec::new),
        };
        trial.start_workers(false);
        let deadline = Instant::now() + PATIENCE;
        for (worker, _) in &mut trial.workers {
            if !worker.ready(deadline) {
                return Err(format!("{}: a process is not ready", trial.scenario.name));
            }
        }
        Ok(trial)
    }

    fn start_workers(&mut self, late: bool) {
        for (place, part) in self.scenario.parts.iter().filter(|(_, part)| part.late == late) {
            let worker = Worker::start(part, Some(self.groups[*place].dir()));
            self.workers.push((worker, part.is_endless()));
        }
    }

    /// Has the growth begin at this time.
    pub fn begin_at(&mut self, at: i64) {
        self.begins = at;
    }

    /// Begins the growth when its time has come.
    pub fn tick(&mut self, now: i64) {
        if now >= self.begins && !self.begun {
            self.begun = true;
            self.start_workers(true);
            self.workers.iter_mut().for_each(|(worker, _)| worker.begin());
            self.take(Event::Begin { at: crate::clock::now() });
        }
    }

    fn take(&mut self, event: Event) {
        self.world.take(&event);
        if let Some(events) = &mut self.events {
            events.push(event);
        }
    }

    /// Takes its own part of a sample, which was complete at this time.
    pub fn sample(&mut self, nth: u32, at: i64, sample: &Snapshot) {
        if nth.is_multiple_of(self.every) {
            let sample = Arc::new(own_part(sample, &self.paths));
            self.take(Event::Sample { at, sample });
        }
    }

    /// Reads how much is charged to its limited cgroups. The snapshots' clock began at `origin`.
    pub fn read_usage(&mut self, origin: i64) {
        for nth in 0..self.usages.len() {
            let (path, file) = &self.usages[nth];
            let mut text = [0; 32];
            let Ok(length) = file.read_at(&mut text, 0) else { continue };
            let text = std::str::from_utf8(&text[..length]).unwrap_or_default();
            let Ok(bytes) = text.trim().parse() else { continue };
            let (at, path) = (crate::clock::now(), path.clone());
            let clock = Millis(u64::try_from((at - origin) / 1000).unwrap_or(0));
            self.take(Event::Usage { at, clock, path, bytes });
        }
    }

    /// Takes a kill, if it happened in here. Whether it did.
    pub fn killed(&mut self, kill: &Kill, at: i64) -> bool {
        let seen = self.world.lives_in(kill.pid).is_some_and(|path| is_ours(path, &self.paths));
        let scope = kill.scope.as_ref().is_some_and(|path| is_ours(path, &self.paths));
        if seen || scope {
            let (pid, comm, scope) = (kill.pid, kill.comm.clone(), kill.scope.clone());
            self.take(Event::Kill { at, pid, comm, scope });
        }
        seen || scope
    }

    /// Whether one that grows without end still runs.
    pub fn grows(&mut self) -> bool {
        let late = !self.begun && self.scenario.parts.iter().any(|(_, part)| part.is_endless());
        late || self.workers.iter_mut().any(|(worker, endless)| *endless && !worker.ended())
    }

    /// Whether nothing is to be expected of it any more.
    pub fn is_over(&mut self, now: i64) -> bool {
        let last = self.world.kills.last().map(|kill| kill.0);
        self.scenario.deadly && !self.grows() && last.is_some_and(|last| now - last > AFTER)
    }

    /// Ends its processes, and removes its cgroups.
    pub fn stop(&mut self) {
        self.grew |= self.grows();
        self.workers.clear();
        // A cgroup goes before the one that it is in.
        while self.groups.pop().is_some() {}
    }

    /// Writes what its observer saw.
    pub fn save(&self, dir: &Path, name: &str, end: i64) -> std::io::Result<()> {
        let Some(events) = &self.events else { return Ok(()) };
        let Scenario { name: pattern, deadly, .. } = self.scenario;
        let head = Head { pattern: pattern.to_owned(), deadly, grows: self.grew, end };
        crate::trace::save(dir, name, &head, events)
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.stop();
    }
}
