//! The editor of `oom_score_adj`: a value on either scale, and what would follow from it. Nothing
//! is written before Enter.

use super::mode::Shown;
use crate::model::{Capability, Powers, ProcId, Process, Reading, Scene};
use crate::policy::{self, Policy};
use crate::rank::{Ranking, Standing};
use crate::units::{Adj, LegacyAdj};

/// On which scale the value is typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// `oom_score_adj`, -1000 to 1000.
    #[default]
    Modern,
    /// `oom_adj`, -17 to 15.
    Legacy,
}

/// What would follow from the value in the editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The policy that was asked.
    pub policy: &'static str,
    /// How it stands now.
    pub before: Standing,
    /// How it would stand.
    pub after: Standing,
    /// Its place now, counted from 1.
    pub rank_before: Option<usize>,
    /// Its place then.
    pub rank_after: Option<usize>,
    /// Who would be the next victim then.
    pub victim: Option<(ProcId, String)>,
    /// Whether that is the same one as now.
    pub victim_stays: bool,
    /// Whether more than one might be it then.
    pub too_close: bool,
}

/// The editor.
#[derive(Clone, Debug)]
pub struct AdjEdit {
    /// Whose value.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// The value the user saw.
    pub from: Adj,
    /// The scale of the input.
    pub scale: Scale,
    /// As typed; always short.
    pub typed: String,
    /// Whether the next character replaces what stands there.
    pub fresh: bool,
    /// What would follow.
    pub preview: Option<Preview>,
    /// What may refuse it, known before it is tried.
    pub warning: Option<&'static str>,
    /// Since when it is on the screen.
    pub shown: Shown,
}

impl AdjEdit {
    /// Opens the editor at a proposal.
    #[must_use]
    pub fn new(process: &Process, from: Adj, proposal: Adj) -> Self {
        Self {
            who: process.id,
            name: process.comm.to_string(),
            from,
            scale: Scale::Modern,
            typed: proposal.0.to_string(),
            fresh: true,
            preview: None,
            warning: None,
            shown: Shown::default(),
        }
    }

    /// The value that Enter would write; nothing if what is typed is none.
    #[must_use]
    pub fn value(&self) -> Option<Adj> {
        let number: i64 = self.typed.trim_start_matches('+').parse().ok()?;
        match self.scale {
            Scale::Modern if (-1000..=1000).contains(&number) => Some(Adj::clamped(number)),
            Scale::Legacy if (-17..=15).contains(&number) => {
                Some(LegacyAdj::clamped(number).modern())
            }
            _ => None,
        }
    }

    /// What is wrong with what is typed.
    #[must_use]
    pub const fn complaint(&self) -> &'static str {
        match self.scale {
            Scale::Modern => "a number from -1000 to 1000",
            Scale::Legacy => "a number from -17 to 15",
        }
    }

    /// A character of the number.
    pub fn push(&mut self, c: char) {
        if std::mem::take(&mut self.fresh) {
            self.typed.clear();
        }
        if self.typed.len() < 5 {
            self.typed.push(c);
        }
    }

    /// Takes the last character back.
    pub fn pop(&mut self) {
        self.fresh = false;
        self.typed.pop();
    }

    /// Goes by so many steps of its scale, staying inside.
    pub fn step(&mut self, modern: i64, legacy: i64) {
        let number: i64 = self.typed.trim_start_matches('+').parse().unwrap_or(0);
        let next = match self.scale {
            Scale::Modern => i64::from(Adj::clamped(number.saturating_add(modern)).0),
            Scale::Legacy => i64::from(LegacyAdj::clamped(number.saturating_add(legacy)).0),
        };
        self.typed = next.to_string();
        self.fresh = true;
    }

    /// The same value on the other scale, as near as it goes.
    pub fn other_scale(&mut self) {
        let value = self.value().unwrap_or(self.from);
        (self.scale, self.typed) = match self.scale {
            Scale::Modern => (Scale::Legacy, value.legacy().0.to_string()),
            Scale::Legacy => (Scale::Modern, value.0.to_string()),
        };
        self.fresh = true;
    }

    /// Computes again what would follow. `spare` is a ranking whose buffers may be used.
    pub fn foresee(
        &mut self,
        policy: &'static dyn Policy,
        scene: &Scene,
        now: &Ranking,
        spare: &mut Ranking,
    ) {
        self.preview = None;
        let (Some(value), Some(at)) = (self.value(), scene.now().position(self.who.pid)) else {
            return;
        };
        let Some(process) = scene.find(self.who) else { return };
        self.warning = warning(process, self.from, value, &scene.now().powers);
        // A rule from before adj would show no difference: then the running kernel's is asked.
        let knows_adj = policy.unit() == policy::Unit::Pages;
        let asked: &'static dyn Policy = if knows_adj { policy } else { &policy::LINUX };
        let own;
        let now = if knows_adj {
            now
        } else {
            own = Ranking::new(asked, scene);
            &own
        };
        let mut changed = process.clone();
        changed.adj = Reading::Value(value);
        // The kernel's score was read under the old value and says nothing of the new one.
        changed.score = Reading::NotAsked;
        spare.update_with(asked, scene, |other| {
            asked.judge(if other.id == changed.id { &changed } else { other }, scene)
        });
        let (Some((place_before, before)), Some((place_after, after))) =
            (now.place(at), spare.place(at))
        else {
            return;
        };
        let rank = |standing: Standing, place: usize| standing.points().map(|_| place + 1);
        let victim = spare.victim().map(|row| row.id);
        self.preview = Some(Preview {
            policy: asked.id(),
            before: before.standing,
            after: after.standing,
            rank_before: rank(before.standing, place_before),
            rank_after: rank(after.standing, place_after),
            victim: victim.and_then(|id| scene.find(id)).map(|p| (p.id, p.comm.to_string())),
            victim_stays: victim == now.victim().map(|row| row.id),
            too_close: spare.too_close(),
        });
    }
}

/// What the kernel will or may answer, said before the user tries (`fs/proc/base.c`
/// `__set_oom_adj`; the floor itself is not published).
fn warning(process: &Process, from: Adj, to: Adj, powers: &Powers) -> Option<&'static str> {
    let foreign = process.ids.value().is_some_and(|ids| ids.euid != powers.euid);
    if foreign && !powers.caps.has(Capability::DacOverride) {
        Some("another user's process: needs root (CAP_DAC_OVERRIDE)")
    } else if to < from && !powers.lowers_adj() {
        if to < Adj::ZERO {
            Some("going below 0 needs CAP_SYS_RESOURCE, which you lack")
        } else {
            Some(
                "lowering works down to the last value that root set; below it needs CAP_SYS_RESOURCE",
            )
        }
    } else {
        None
    }
}
