//! ORDER: judge everyone, sort once. Who is the victim, who comes next, and by how much.

pub mod also_killed;
pub mod growth;
pub mod what_if;

use std::cmp::Ordering;

use crate::model::{ProcId, Process, Scene};
use crate::policy::{Badness, Policy, SparedReason, TieBreak, Verdict};
use crate::units::{Pages, Points};

/// What became of a process in the ranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// It can be chosen; more points die first.
    Scored(Points),
    /// It cannot.
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

/// One row, in final order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Position in the snapshot's processes.
    pub at: u32,
    /// Who.
    pub id: ProcId,
    /// What became of it.
    pub placement: Placement,
    /// What its rule looks at before the points ([`Badness::class`]).
    pub class: i8,
    /// What decides between equals ([`Badness::second`]).
    pub second: i64,
}

/// Everybody in the order in which they would die. Deterministic: the same scene gives the same
/// order.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    rows: Vec<Ranked>,
    /// By position in the snapshot's processes: place in `rows`.
    places: Vec<u32>,
    eligible: usize,
    slack: Pages,
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

    /// The same in place, so that a warm loop allocates nothing.
    pub fn update(&mut self, policy: &dyn Policy, scene: &Scene) {
        self.update_with(policy, scene, |process| policy.judge(process, scene));
    }

    /// The same with another judge: what would happen if.
    pub fn update_with(
        &mut self,
        policy: &dyn Policy,
        scene: &Scene,
        judge: impl Fn(&Process) -> Verdict,
    ) {
        let everybody = 0..scene.now().processes.len() as u32;
        self.put_in_order(policy, scene, everybody, judge);
        self.places.clear();
        self.places.resize(self.rows.len(), 0);
        for (place, row) in self.rows.iter().enumerate() {
            self.places[row.at as usize] = place as u32;
        }
    }

    /// Judges and sorts just the processes at these positions. What such a ranking holds has no
    /// [`Ranking::place`].
    #[must_use]
    pub fn among(policy: &dyn Policy, scene: &Scene, positions: impl Iterator<Item = u32>) -> Self {
        let mut ranking = Self::default();
        ranking.put_in_order(policy, scene, positions, |process| policy.judge(process, scene));
        ranking
    }

    fn put_in_order(
        &mut self,
        policy: &dyn Policy,
        scene: &Scene,
        positions: impl Iterator<Item = u32>,
        judge: impl Fn(&Process) -> Verdict,
    ) {
        let processes = &scene.now().processes;
        self.rows.clear();
        self.rows.extend(positions.map(|at| {
            let process = &processes[at as usize];
            let verdict = if policy.looks_at(process, scene) {
                judge(process)
            } else {
                Verdict::Spared(SparedReason::Outside)
            };
            let (standing, class, second) = match verdict {
                Verdict::Scored(Badness { class, points, second, .. }) => {
                    (Placement::Scored(points), class, second)
                }
                Verdict::Spared(reason) => (Placement::Spared(reason), 0, 0),
            };
            Ranked { at, id: process.id, placement: standing, class, second }
        }));
        let tie = policy.traits(scene).tie_break;
        self.rows.sort_unstable_by(|a, b| match (a.placement, b.placement) {
            (Placement::Scored(mine), Placement::Scored(theirs)) => {
                let keys = |row: &Ranked, points| (row.class, points, row.second);
                keys(b, theirs).cmp(&keys(a, mine)).then_with(|| tie.order(a.id, b.id))
            }
            (Placement::Scored(_), Placement::Spared(_)) => Ordering::Less,
            (Placement::Spared(_), Placement::Scored(_)) => Ordering::Greater,
            (Placement::Spared(mine), Placement::Spared(theirs)) => {
                mine.cmp(&theirs).then_with(|| a.id.pid.cmp(&b.id.pid))
            }
        });
        self.eligible = self.rows.iter().take_while(|row| row.placement.points().is_some()).count();
        // Where its comparison is no order, whom its own scan finds stands first.
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
        self.find_who_dies(policy, scene);
    }

    /// Who may overtake whom until the kill: everybody whose highest possible points reach the
    /// victim's lowest.
    fn find_candidates(&mut self, policy: &dyn Policy, scene: &Scene) {
        self.candidates.clear();
        self.dies = None;
        self.slack = Pages::ZERO;
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
            // Nobody from here on can come up so far.
            if points + reach < floor {
                break;
            }
            let up = drift(row).up;
            // An exact tie is no uncertainty where its order is known.
            if (unseen || (up + down).0 > 0) && points + up.points() >= floor {
                self.candidates.push(row.id);
            }
        }
    }

    /// Some rules kill another one than they choose: that one is the candidate then.
    fn find_who_dies(&mut self, policy: &dyn Policy, scene: &Scene) {
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
        // A child may be worth more than its parent's other candidates: nobody is named twice.
        let mut named: Vec<ProcId> = Vec::new();
        self.candidates.retain(|id| {
            let new = !named.contains(id);
            named.extend(new.then_some(*id));
            new
        });
    }

    /// Who dies when the victim is chosen: itself, unless the rule sacrifices another one.
    #[must_use]
    pub const fn dies(&self) -> Option<ProcId> {
        self.dies
    }

    /// All rows, those who can be chosen first.
    #[must_use]
    pub fn rows(&self) -> &[Ranked] {
        &self.rows
    }

    /// How many can be chosen.
    #[must_use]
    pub const fn eligible(&self) -> usize {
        self.eligible
    }

    /// Who dies next.
    #[must_use]
    pub fn victim(&self) -> Option<&Ranked> {
        self.rows[..self.eligible].first()
    }

    /// Who dies after that.
    #[must_use]
    pub fn runner_up(&self) -> Option<&Ranked> {
        self.rows[..self.eligible].get(1)
    }

    /// By how many points the victim is ahead of the runner-up; nothing where something else than
    /// points puts it there.
    #[must_use]
    pub fn margin(&self) -> Option<Points> {
        let (first, next) = (self.victim()?, self.runner_up()?);
        let comparable = first.class == next.class;
        Some(first.placement.points()? - next.placement.points()?).filter(|_| comparable)
    }

    /// How far victim and runner-up may move against each other before the kill.
    #[must_use]
    pub const fn slack(&self) -> Pages {
        self.slack
    }

    /// Everybody who may be the victim: the predicted one, and those too close to call.
    #[must_use]
    pub fn candidates(&self) -> &[ProcId] {
        &self.candidates
    }

    /// Whether more than one may be the victim.
    #[must_use]
    pub const fn too_close(&self) -> bool {
        self.candidates.len() > 1
    }

    /// The row of the process at this position of the snapshot, and its place, counted from 0.
    #[must_use]
    pub fn place(&self, at: usize) -> Option<(usize, &Ranked)> {
        let place = *self.places.get(at)? as usize;
        Some((place, &self.rows[place]))
    }
}
