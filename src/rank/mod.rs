//! Ranks processes: judges each one, sorts once, and finds the victim, the runner-up and the lead.

pub mod also_killed;
pub mod freed;
pub mod growth;
pub mod what_if;

use std::cmp::Ordering;

use crate::model::{ProcId, Process, Scene};
use crate::policy::{BadnessKey, Policy, SparedReason, TieBreak, Verdict};
use crate::units::{Pages, Points};

/// The verdict on a process in the ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// It can be chosen; the highest points die first.
    Scored(Points),
    /// It cannot be chosen.
    Spared(SparedReason),
}

impl Placement {
    /// The points, if it can be chosen.
    #[must_use]
    pub const fn points(self) -> Option<Points> {
        match self {
            Self::Scored(points) => Some(points),
            Self::Spared(_) => None,
        }
    }
}

/// One row of a ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Position in the processes of the snapshot.
    pub at: u32,
    /// The process.
    pub id: ProcId,
    /// The verdict on it.
    pub placement: Placement,
    /// Compared before the points ([`BadnessKey::class`]).
    pub class: i8,
    /// Compared between equal points ([`BadnessKey::second`]).
    pub second: i64,
}

impl Ranked {
    fn new(at: u32, id: ProcId, key: Result<BadnessKey, SparedReason>) -> Self {
        match key {
            Ok(BadnessKey { class, points, second }) => {
                Self { at, id, placement: Placement::Scored(points), class, second }
            }
            Err(reason) => {
                Self { at, id, placement: Placement::Spared(reason), class: 0, second: 0 }
            }
        }
    }

    /// Compares two rows: the one that dies first is the lesser.
    fn order(&self, other: &Self, tie: TieBreak) -> Ordering {
        match (self.placement, other.placement) {
            (Placement::Scored(mine), Placement::Scored(theirs)) => {
                let key = |row: &Self, points| (row.class, points, row.second);
                let by_key = key(other, theirs).cmp(&key(self, mine));
                by_key.then_with(|| tie.order(self.id, other.id))
            }
            (Placement::Scored(_), Placement::Spared(_)) => Ordering::Less,
            (Placement::Spared(_), Placement::Scored(_)) => Ordering::Greater,
            (Placement::Spared(mine), Placement::Spared(theirs)) => {
                mine.cmp(&theirs).then_with(|| self.id.pid.cmp(&other.id.pid))
            }
        }
    }
}

/// All processes in the order in which they would die. The same scene always gives the same order.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    rows: Vec<Ranked>,
    /// By position in the processes of the snapshot: position in `rows`.
    places: Vec<u32>,
    eligible: usize,
    slack: Pages,
    /// The lead over the first other candidate, and its uncertainty.
    rival: Option<(Points, Pages)>,
    candidates: Vec<ProcId>,
    dies: Option<ProcId>,
}

impl Ranking {
    /// Judges and sorts.
    #[must_use]
    pub fn new(policy: &dyn Policy, scene: &Scene) -> Self {
        let mut ranking = Self::default();
        ranking.update(policy, scene);
        ranking
    }

    /// Judges and sorts in place, so that a repeated call allocates nothing.
    pub fn update(&mut self, policy: &dyn Policy, scene: &Scene) {
        self.update_by_key(policy, scene, |process| policy.key(process, scene));
    }

    /// Judges with another function and sorts in place, for what-if questions.
    pub fn update_with(
        &mut self,
        policy: &dyn Policy,
        scene: &Scene,
        judge: impl Fn(&Process) -> Verdict,
    ) {
        self.update_by_key(policy, scene, |process| judge(process).key());
    }

    fn update_by_key(
        &mut self,
        policy: &dyn Policy,
        scene: &Scene,
        key: impl Fn(&Process) -> Result<BadnessKey, SparedReason>,
    ) {
        let all = 0..scene.now().processes.len() as u32;
        self.put_in_order(policy, scene, all, key);
        self.places.clear();
        self.places.resize(self.rows.len(), 0);
        for (place, row) in self.rows.iter().enumerate() {
            self.places[row.at as usize] = place as u32;
        }
    }

    /// Judges and sorts only the processes at these positions. Such a ranking has no [`Ranking::place`].
    #[must_use]
    pub fn among(policy: &dyn Policy, scene: &Scene, positions: impl Iterator<Item = u32>) -> Self {
        let mut ranking = Self::default();
        ranking.put_in_order(policy, scene, positions, |process| policy.key(process, scene));
        ranking
    }

    fn put_in_order(
        &mut self,
        policy: &dyn Policy,
        scene: &Scene,
        positions: impl Iterator<Item = u32>,
        key: impl Fn(&Process) -> Result<BadnessKey, SparedReason>,
    ) {
        let processes = &scene.now().processes;
        self.rows.clear();
        self.rows.extend(positions.map(|at| {
            let process = &processes[at as usize];
            let key = if policy.looks_at(process, scene) {
                key(process)
            } else {
                Err(SparedReason::Outside)
            };
            Ranked::new(at, process.id, key)
        }));
        let tie = policy.traits(scene).tie_break;
        self.rows.sort_unstable_by(|a, b| a.order(b, tie));
        self.eligible = self.rows.iter().take_while(|row| row.placement.points().is_some()).count();
        // If its comparison is not transitive, the victim of its own scan comes first.
        if policy.traits(scene).scans {
            let mut among: Vec<u32> = self.rows[..self.eligible].iter().map(|row| row.at).collect();
            among.sort_unstable();
            let found = policy.scan(scene, &among);
            let eligible = &self.rows[..self.eligible];
            if let Some(at) = eligible.iter().position(|row| Some(row.id) == found) {
                self.rows[..=at].rotate_right(1);
            }
        }
        self.find_candidates(policy, scene);
        self.find_victims(policy, scene);
    }

    /// Finds the candidates: all processes whose highest possible points at the time of the kill reach the
    /// lowest possible points of the victim.
    fn find_candidates(&mut self, policy: &dyn Policy, scene: &Scene) {
        self.candidates.clear();
        self.dies = None;
        self.slack = Pages::ZERO;
        self.rival = None;
        let Some((first, top)) =
            self.rows.first().and_then(|row| Some((row, row.placement.points()?)))
        else {
            return;
        };
        self.candidates.push(first.id);
        let processes = &scene.now().processes;
        let drift = |row: &Ranked| policy.drift(&processes[row.at as usize], scene);
        let down = drift(first).down;
        let floor = top - down.points();
        let unseen = policy.traits(scene).tie_break == TieBreak::Unseen;
        let others = &self.rows[1..self.eligible];
        self.slack = down + others.first().map_or(Pages::ZERO, |next| drift(next).up);
        let reach = policy.max_drift_up(scene).points();
        for row in others.iter().take_while(|row| row.class == first.class) {
            let Some(points) = row.placement.points() else { break };
            // No process from here on can reach the floor.
            if points + reach < floor {
                break;
            }
            let up = drift(row).up;
            // An exact tie is certain if the order of equals is known.
            if (unseen || (up + down).0 > 0) && points + up.points() >= floor {
                self.candidates.push(row.id);
                self.rival.get_or_insert((top - points, down + up));
            }
        }
    }

    /// Some rules kill another process than the chosen one: that one is the candidate then.
    fn find_victims(&mut self, policy: &dyn Policy, scene: &Scene) {
        let mut others = false;
        for candidate in &mut self.candidates {
            let chosen = scene.find(*candidate);
            if let Some((other, _)) = chosen.and_then(|chosen| policy.killed_instead(chosen, scene))
            {
                *candidate = other.id;
                others = true;
            }
        }
        self.dies = self.candidates.first().copied();
        if !others {
            return;
        }
        // A killed child may be a candidate itself. No process is listed twice.
        let mut seen: Vec<ProcId> = Vec::new();
        self.candidates.retain(|id| {
            let new = !seen.contains(id);
            seen.extend(new.then_some(*id));
            new
        });
    }

    /// The process that dies: the chosen one, unless the rule kills another in its place.
    #[must_use]
    pub const fn dies(&self) -> Option<ProcId> {
        self.dies
    }

    /// All rows, first the processes that can be chosen.
    #[must_use]
    pub fn rows(&self) -> &[Ranked] {
        &self.rows
    }

    /// The number of processes that can be chosen.
    #[must_use]
    pub const fn eligible(&self) -> usize {
        self.eligible
    }

    /// The row of the process that is chosen first.
    #[must_use]
    pub fn victim(&self) -> Option<&Ranked> {
        self.rows[..self.eligible].first()
    }

    /// The row of the process that is chosen next.
    #[must_use]
    pub fn runner_up(&self) -> Option<&Ranked> {
        self.rows[..self.eligible].get(1)
    }

    /// The lead of the victim over the runner-up, in points. `None` if their classes differ, so that
    /// points do not decide.
    #[must_use]
    pub fn margin(&self) -> Option<Points> {
        let (first, next) = (self.victim()?, self.runner_up()?);
        let comparable = first.class == next.class;
        Some(first.placement.points()? - next.placement.points()?).filter(|_| comparable)
    }

    /// How far the lead may change before the kill: the uncertainty.
    #[must_use]
    pub const fn slack(&self) -> Pages {
        self.slack
    }

    /// The lead over the first candidate beside the victim, and how far that lead may change before the kill. Not
    /// always that over the runner-up: it may be certain to stay behind, and one after it not. `None` unless too close
    /// to call.
    #[must_use]
    pub const fn rival(&self) -> Option<(Points, Pages)> {
        self.rival
    }

    /// All processes that may be the victim: the predicted one, and those too close to call.
    #[must_use]
    pub fn candidates(&self) -> &[ProcId] {
        &self.candidates
    }

    /// Whether more than one process may be the victim.
    #[must_use]
    pub const fn too_close(&self) -> bool {
        self.candidates.len() > 1
    }

    /// The row of the process at this position in the snapshot, and its place from 0.
    #[must_use]
    pub fn place(&self, at: usize) -> Option<(usize, &Ranked)> {
        let place = *self.places.get(at)? as usize;
        Some((place, &self.rows[place]))
    }
}
