//! The cascade: room is used up, somebody is chosen, what they free is room again.

use std::sync::Arc;

use crate::forecast::at_limit::{Contender, contenders};
use crate::forecast::cascade::levels::{Levels, leaving};
use crate::forecast::cascade::{
    CascadeStep, Casualty, FitAnswer, FitOutcome, Newcomer, NextToDie, Obstacle, Throttling,
};
use crate::forecast::commitments::NextAllocation;
use crate::forecast::next_death::{KERNEL, StallReason};
use crate::model::{ProcId, Process, Reading, Scene, Text};
use crate::policy::{AdjEffect, BadnessUnit, KillScope, LINUX, Override, Policy};
use crate::rank::Ranking;
use crate::rank::also_killed::group_mates;
use crate::rank::freed::FreedMemory;
use crate::units::{Adj, Bytes, Points};

/// Maximum number of kills that are followed.
pub const MAX_KILLS: usize = 200;
/// The newcomer's size at a limit is known to a fiftieth: what reclaim gives back is an estimate.
const UNCERTAINTY: i64 = 50;

/// Whether so much more fits, and who is killed until it does. `policy` is the rule by which the kernel chooses.
#[must_use]
pub fn what_fits(policy: &dyn Policy, scene: &Scene, newcomer: &Newcomer) -> FitAnswer {
    let levels = Levels::of(scene, newcomer);
    let grant = NextAllocation::of(scene.now());
    let mut answer = FitAnswer {
        newcomer: newcomer.clone(),
        levels: levels.all.iter().map(|level| level.shown.clone()).collect(),
        steps: Vec::new(),
        throttled: None,
        outcome: FitOutcome::Fits { left: Bytes::ZERO },
        grant,
        by_pressure: levels.by_pressure.clone(),
        unread: levels.unread.clone(),
    };
    let had = Bytes::ZERO;
    if let Some(NextAllocation::UpTo(most)) = grant
        && newcomer.size > most.bytes()
    {
        let obstacle = Obstacle::Refused { most: most.bytes() };
        answer.outcome = FitOutcome::Blocked { obstacle, had };
        return answer;
    }
    if let Some(domain) = levels.frozen.clone() {
        let obstacle = Obstacle::Stalled { reason: StallReason::Frozen, domain };
        answer.outcome = FitOutcome::Blocked { obstacle, had };
        return answer;
    }
    let mut inside = scene.clone();
    newcomer.enter(&mut inside);
    let asker = newcomer.like.filter(|_| newcomer.replaces);
    let gone: Vec<ProcId> = leaving(scene).map(|it| it.id).chain(asker).collect();
    inside.suppose(|sample| sample.processes.retain(|it| !gone.contains(&it.id)));
    let (steps, throttled) = (Vec::new(), None);
    let mut run = Run { policy, newcomer, scene: inside, levels, had, steps, throttled };
    answer.outcome = run.finish();
    (answer.steps, answer.throttled) = (run.steps, run.throttled);
    answer
}

/// Where the cascade is.
struct Run<'a> {
    policy: &'a dyn Policy,
    newcomer: &'a Newcomer,
    /// The moment that is supposed: with the newcomer, and without those who were killed.
    scene: Scene,
    levels: Levels,
    had: Bytes,
    steps: Vec<CascadeStep>,
    throttled: Option<Throttling>,
}

/// What happens where room is used up.
enum Turn {
    /// Somebody is killed.
    Kill(Box<CascadeStep>),
    /// The killer finds nobody, and does nothing.
    Idle,
    /// It ends here.
    End(FitOutcome),
}

impl Run<'_> {
    fn finish(&mut self) -> FitOutcome {
        loop {
            let Some(at) = self.levels.tightest() else {
                break FitOutcome::Fits { left: Bytes::ZERO };
            };
            let (left, need) =
                (self.levels.all[at].left, self.newcomer.size.saturating_sub(self.had));
            if left >= need {
                break FitOutcome::Fits { left: left.saturating_sub(need) };
            }
            self.had += left;
            self.levels.take(left);
            Newcomer::has(self.had, &mut self.scene);
            if self.steps.len() >= MAX_KILLS {
                break self.blocked(Obstacle::TooMany);
            }
            match self.turn(at) {
                Turn::Kill(step) => self.steps.push(*step),
                Turn::Idle => drop(self.levels.all.remove(at)),
                Turn::End(outcome) => break outcome,
            }
        }
    }

    fn blocked(&self, obstacle: Obstacle) -> FitOutcome {
        FitOutcome::Blocked { obstacle, had: self.had }
    }

    fn turn(&mut self, at: usize) -> Turn {
        let level = &self.levels.all[at];
        let domain = Arc::clone(&level.shown.name);
        if level.shown.stalled == Some(StallReason::Throttled) {
            // The kernel makes its tasks sleep, reclaims harder and lets the usage grow beyond it
            // (`Documentation/admin-guide/cgroup-v2.rst`, memory.high).
            let had = self.had;
            self.throttled.get_or_insert(Throttling { domain, had });
            return Turn::Idle;
        }
        if let Some(reason) = level.shown.stalled {
            return Turn::End(self.blocked(Obstacle::Stalled { reason, domain }));
        }
        let scope = level.scope();
        let killer = level.killer;
        self.scene.set_scope(scope);
        match killer {
            Some(policy) if !policy.lets_kernel_choose(&self.scene) => {
                self.killer_chooses(policy, policy.id(), at)
            }
            Some(policy) => self.kernel_chooses(&LINUX, policy.id(), at, &domain),
            None => self.kernel_chooses(self.policy, KERNEL, at, &domain),
        }
    }

    /// The kernel chooses at its limit.
    fn kernel_chooses(
        &mut self,
        policy: &dyn Policy,
        by: &'static str,
        at: usize,
        domain: &Arc<Text>,
    ) -> Turn {
        let mut first = None;
        match policy.overridden(&self.scene) {
            Some(Override::Waits) => {
                let (reason, domain) = (StallReason::OomKillDisabled, Arc::clone(domain));
                return Turn::End(self.blocked(Obstacle::Stalled { reason, domain }));
            }
            Some(Override::Panic) => {
                return Turn::End(self.blocked(Obstacle::Panics { domain: Arc::clone(domain) }));
            }
            Some(Override::BpfPolicy) => {
                let domain = Arc::clone(domain);
                return Turn::End(FitOutcome::Unforeseen { domain, had: self.had });
            }
            // The task that asks is spared by -1000 alone (`mm/oom_kill.c` `out_of_memory`).
            Some(it) if it.kills_allocating_task() && self.newcomer.adj != Adj::MIN => {
                return self.itself(policy, by, domain, None, &[], true);
            }
            Some(Override::Swapoff(id)) => first = id,
            _ => {}
        }
        if !policy.info().kind.is_kernel() {
            return self.killer_chooses(policy, by, at);
        }
        let all = contenders(policy, &self.scene);
        let place = first.and_then(|first| all.iter().position(|it| it.id == first)).unwrap_or(0);
        let Some(chosen) = all.get(place) else {
            return Turn::End(self.blocked(Obstacle::Nobody { domain: Arc::clone(domain) }));
        };
        if chosen.id == Newcomer::ID {
            return self.itself(policy, by, domain, Some(chosen), &all, false);
        }
        let tie = policy.traits(&self.scene).tie_break;
        let rivals = all.iter().filter(|it| it.id != chosen.id && it.id != Newcomer::ID);
        let rivals = rivals.filter(|it| it.may_lead(chosen, tie));
        let rivals = rivals.filter_map(|it| self.casualty(it.id, Some(it.points))).collect();
        let own = all.iter().find(|it| it.id == Newcomer::ID).map(|it| it.points);
        let close = own.is_some_and(|own| self.is_close(chosen.points.saturating_sub(own)));
        let killed =
            self.scene.find(chosen.id).and_then(|it| policy.killed_instead(it, &self.scene));
        let victim = killed.map_or(chosen.id, |(child, _)| child.id);
        if victim == Newcomer::ID {
            return self.itself(policy, by, domain, None, &all, false);
        }
        let points = killed.is_none().then_some(chosen.points);
        let unit = policy.info().unit;
        let Some(victim) = self.casualty(victim, points) else { return Turn::Idle };
        let step = CascadeStep {
            rivals,
            own: own.map(Points),
            close_to_own: close,
            ..self.step(by, at, victim, unit)
        };
        self.kill(policy, at, step)
    }

    /// A userspace killer chooses, or a rule that is none of a kernel.
    fn killer_chooses(&mut self, policy: &dyn Policy, by: &'static str, at: usize) -> Turn {
        let ranking = Ranking::new(policy, &self.scene);
        let domain = Arc::clone(&self.levels.all[at].shown.name);
        let Some(dies) = ranking.dies() else {
            if self.levels.all[at].killer.is_some() {
                return Turn::Idle;
            }
            return Turn::End(self.blocked(Obstacle::Nobody { domain }));
        };
        let points = |id: ProcId| {
            let row = ranking.rows().iter().find(|row| row.id == id)?;
            row.placement.points().map(|it| it.0)
        };
        let unit = policy.info().unit;
        if dies == Newcomer::ID {
            let next = ranking.runner_up().and_then(|row| self.casualty(row.id, points(row.id)));
            let next = next.map(|who| NextToDie { who, below: None, close: false });
            let own = points(dies).map(|own| (Points(own), unit));
            let also = self.company(policy, dies).map_or_else(Vec::new, |(_, also)| also);
            let obstacle = Obstacle::Itself { by, domain, own, asks: false, next, also };
            return Turn::End(self.blocked(obstacle));
        }
        let others = ranking.candidates().iter().filter(|id| **id != dies && **id != Newcomer::ID);
        let rivals = others.filter_map(|id| self.casualty(*id, points(*id))).collect();
        let own = points(Newcomer::ID).map(Points);
        let close_to_own = ranking.candidates().contains(&Newcomer::ID);
        let Some(victim) = self.casualty(dies, points(dies)) else { return Turn::Idle };
        let step = self.step(by, at, victim, unit);
        self.kill(policy, at, CascadeStep { rivals, own, close_to_own, ..step })
    }

    /// Whether so many points between the newcomer and another one are less than what its size is known to.
    fn is_close(&self, behind: i64) -> bool {
        let pages = self.had.pages(self.scene.machine().page_size).points().0;
        behind.saturating_abs() <= pages / UNCERTAINTY
    }

    fn casualty(&self, id: ProcId, points: Option<i64>) -> Option<Casualty> {
        let process = self.scene.find(id)?;
        Some(Casualty { id, comm: process.comm, points: points.map(Points) })
    }

    fn step(
        &self,
        by: &'static str,
        at: usize,
        victim: Casualty,
        unit: BadnessUnit,
    ) -> CascadeStep {
        CascadeStep {
            by,
            domain: Arc::clone(&self.levels.all[at].shown.name),
            had: self.had,
            victim,
            unit,
            rivals: Vec::new(),
            own: None,
            close_to_own: false,
            group: None,
            also: Vec::new(),
            freed: None,
            perhaps: Bytes::ZERO,
            left: Bytes::ZERO,
        }
    }

    /// The newcomer is chosen.
    fn itself(
        &self,
        policy: &dyn Policy,
        by: &'static str,
        domain: &Arc<Text>,
        chosen: Option<&Contender>,
        all: &[Contender],
        asks: bool,
    ) -> Turn {
        let unit = policy.info().unit;
        let next = chosen.and_then(|own| {
            let next = all.iter().find(|it| it.id != Newcomer::ID)?;
            let who = self.casualty(next.id, Some(next.points))?;
            let below = self.adj_below(policy, own.points, next.points);
            let close = self.is_close(own.points.saturating_sub(next.points));
            Some(NextToDie { who, below, close })
        });
        let also = self.company(policy, Newcomer::ID).map_or_else(Vec::new, |(_, also)| also);
        let own = chosen.map(|own| (Points(own.points), unit));
        let domain = Arc::clone(domain);
        Turn::End(self.blocked(Obstacle::Itself { by, domain, own, asks, next, also }))
    }

    /// The highest adj with which the newcomer has fewer points than another one.
    fn adj_below(&self, policy: &dyn Policy, own: i64, other: i64) -> Option<Adj> {
        let counts = policy.traits(&self.scene).adj == AdjEffect::Rising;
        if !counts || policy.info().unit != BadnessUnit::Pages {
            return None;
        }
        let step = i64::try_from(self.scene.domain().pages.0 / 1000).ok().filter(|it| *it > 0)?;
        let too_many = own.saturating_sub(other).saturating_add(1).max(1);
        let steps = too_many.saturating_add(step - 1) / step;
        let adj = i64::from(self.newcomer.adj.0).saturating_sub(steps);
        Some(Adj::clamped(adj))
    }

    /// The cgroup that dies as a whole with a victim, and all others who die with it.
    fn company(
        &self,
        policy: &dyn Policy,
        victim: ProcId,
    ) -> Option<(Option<Arc<Text>>, Vec<Casualty>)> {
        let victim = self.scene.find(victim)?;
        let scope = policy.traits(&self.scene).kill_scope;
        let mates = group_mates(victim, &self.scene).filter(|_| scope == KillScope::OomGroup);
        let (group, others) = match mates {
            Some((group, others)) => (Some(Arc::clone(&group.path)), others),
            None => (None, policy.also_killed(victim, &self.scene)),
        };
        let casualty = |it: &&Process| Casualty { id: it.id, comm: it.comm, points: None };
        let others = others.iter().filter(|it| it.id != victim.id).map(casualty).collect();
        Some((group, others))
    }

    /// Carries a kill out: who dies with the victim, and what that frees.
    fn kill(&mut self, policy: &dyn Policy, at: usize, mut step: CascadeStep) -> Turn {
        let victim = step.victim;
        let Some((group, also)) = self.company(policy, victim.id) else { return Turn::Idle };
        if also.iter().any(|it| it.id == Newcomer::ID) {
            return Turn::End(self.blocked(Obstacle::With { by: step.by, victim, group }));
        }
        let scope = policy.traits(&self.scene).kill_scope;
        // Those who share the victim's memory hold nothing of their own.
        let apart = group.is_some() || matches!(scope, KillScope::ProcessGroup | KillScope::Cgroup);
        let holders = also.iter().filter(|_| apart).map(|it| it.id);
        let dead: Vec<&Process> = std::iter::once(victim.id)
            .chain(holders)
            .filter_map(|id| self.scene.find(id))
            .collect();
        for process in dead {
            let Reading::Value(freed) = FreedMemory::of(process, &self.scene) else { continue };
            for level in &mut self.levels.all {
                if level.holds(&process.cgroup) {
                    level.give(level.share(&freed));
                }
            }
            let share = self.levels.all[at].share(&freed);
            let here = self.levels.all[at].holds(&process.cgroup);
            let share = if here { share } else { Bytes::ZERO };
            step.freed = Some(step.freed.unwrap_or_default() + share);
            step.perhaps += freed.perhaps;
        }
        let dies = |id: ProcId| id == victim.id || also.iter().any(|it| it.id == id);
        self.scene.suppose(|sample| sample.processes.retain(|it| !dies(it.id)));
        step.left = self.levels.all.iter().map(|it| it.left).min().unwrap_or_default();
        (step.group, step.also) = (group, also);
        Turn::Kill(Box::new(step))
    }
}
