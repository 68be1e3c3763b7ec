//! The adj editor: a value on either scale, and its preview. Nothing is written before Enter.

use std::collections::BTreeSet;

use crate::app::keymap::press_time::ShownSince;
use crate::model::{ProcId, Process, Scene};
use crate::plan::adj_rights::{AffectedKin, WriteRights};
use crate::plan::preview::{Previews, Proposals};
use crate::plan::targets::Targets;
use crate::policy::Policy;
use crate::rank::Ranking;
use crate::units::{Adj, LegacyAdj};

/// The scale on which the value is typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdjScale {
    /// `oom_score_adj`, -1000 to 1000.
    #[default]
    Modern,
    /// `oom_adj`, -17 to 15.
    Legacy,
}

impl AdjScale {
    /// The ends of the scale.
    #[must_use]
    pub const fn ends(self) -> (i64, i64) {
        match self {
            Self::Modern => (Adj::MIN.0 as i64, Adj::MAX.0 as i64),
            Self::Legacy => (LegacyAdj::DISABLE.0 as i64, LegacyAdj::MAX.0 as i64),
        }
    }

    /// The presets, the lowest first, some with a word.
    #[must_use]
    pub const fn presets(self) -> &'static [(i64, &'static str)] {
        match self {
            Self::Modern => {
                &[(-1000, "never"), (-999, "last"), (-500, ""), (0, ""), (300, ""), (1000, "first")]
            }
            Self::Legacy => {
                &[(-17, "never"), (-16, "last"), (-8, ""), (0, ""), (5, ""), (15, "first")]
            }
        }
    }
}

/// The editor.
#[derive(Clone, Debug)]
pub struct AdjustDialog {
    /// The process.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// The value the user saw.
    pub from: Adj,
    /// The scale of the input.
    pub scale: AdjScale,
    /// The typed text; at most a few characters.
    pub typed: String,
    /// Whether the next character replaces the text.
    pub fresh: bool,
    /// Which processes get the value.
    pub reach: Targets,
    /// Those processes, by pid.
    pub reached: Vec<ProcId>,
    /// The preview of the value.
    pub previews: Previews,
    /// What the value does to the death that the headline shows; nothing while none is near.
    pub next_death: Option<String>,
    /// What saves the process from the nearest predicted death of which it is the named victim: the value, and what
    /// it does.
    pub saved: Option<(Adj, String)>,
    /// The smallest changes that make the process the next victim, or no longer the next victim.
    pub proposals: Proposals,
    /// What this user may write.
    pub rights: WriteRights,
    /// The processes that get the value with it, and those that do not.
    pub kin: AffectedKin,
    /// What may refuse this value, known before it is tried.
    pub warning: Option<&'static str>,
    /// Since when it is on the screen.
    pub shown: ShownSince,
}

impl AdjustDialog {
    /// Opens the editor with a proposed value.
    #[must_use]
    pub fn new(process: &Process, from: Adj, proposal: Adj, rights: WriteRights) -> Self {
        Self {
            who: process.id,
            name: process.comm.to_string(),
            from,
            scale: AdjScale::Modern,
            typed: proposal.0.to_string(),
            fresh: true,
            reach: Targets::This,
            reached: vec![process.id],
            previews: Previews::default(),
            next_death: None,
            saved: None,
            proposals: Proposals::default(),
            rights,
            kin: AffectedKin::default(),
            warning: None,
            shown: ShownSince::default(),
        }
    }

    /// Whether the value is for more than the one process. It stays so when all the others have exited,
    /// so that their value is never written to the one.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.reach != Targets::This
    }

    /// Goes to the next kind of targets that differs from the one process, or back to that process.
    pub fn next_targets(&mut self, scene: &Scene, tags: &BTreeSet<ProcId>) {
        let Some(process) = scene.find(self.who) else { return };
        let now = Targets::ALL.iter().position(|&it| it == self.reach).unwrap_or(0);
        let rest = Targets::ALL[now + 1..].iter().copied();
        let next = rest.map(|reach| (reach, reached(reach, process, scene, tags)));
        let next = next.into_iter().find(|(_, all)| !all.is_empty() && *all != [self.who]);
        (self.reach, self.reached) = next.unwrap_or((Targets::This, vec![self.who]));
    }

    /// The value that Enter would write; nothing where the text is not a value of the scale.
    #[must_use]
    pub fn value(&self) -> Option<Adj> {
        let number: i64 = self.typed.trim_start_matches('+').parse().ok()?;
        match self.scale {
            AdjScale::Modern if (-1000..=1000).contains(&number) => Some(Adj::clamped(number)),
            AdjScale::Legacy if (-17..=15).contains(&number) => {
                Some(LegacyAdj::clamped(number).modern())
            }
            _ => None,
        }
    }

    /// The text as a number, on the scale or not; 0 where it is not a number.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.typed.trim_start_matches('+').parse().unwrap_or(0)
    }

    /// What should be typed.
    #[must_use]
    pub const fn complaint(&self) -> &'static str {
        match self.scale {
            AdjScale::Modern => "a number from -1000 to 1000",
            AdjScale::Legacy => "a number from -17 to 15",
        }
    }

    /// Adds a typed character.
    pub fn push(&mut self, c: char) {
        if std::mem::take(&mut self.fresh) {
            self.typed.clear();
        }
        if c == '-' || c == '+' {
            // A sign goes to the front, whenever it is typed.
            self.typed = format!("{c}{}", self.typed.trim_start_matches(['-', '+']));
        } else if self.typed.len() < 5 {
            self.typed.push(c);
        }
    }

    /// Removes the last character.
    pub fn pop(&mut self) {
        self.fresh = false;
        self.typed.pop();
    }

    /// Changes the value by `modern` or `legacy`, depending on the scale, and stays on the scale.
    pub fn step(&mut self, modern: i64, legacy: i64) {
        let number = self.number();
        let next = match self.scale {
            AdjScale::Modern => i64::from(Adj::clamped(number.saturating_add(modern)).0),
            AdjScale::Legacy => i64::from(LegacyAdj::clamped(number.saturating_add(legacy)).0),
        };
        self.typed = next.to_string();
        self.fresh = true;
    }

    /// Goes to the next higher or lower preset.
    pub fn preset(&mut self, up: bool) {
        let number = self.number();
        let mut presets = self.scale.presets().iter().map(|(value, _)| *value);
        let next = if up {
            presets.find(|&value| value > number)
        } else {
            presets.rfind(|&value| value < number)
        };
        if let Some(next) = next {
            self.typed = next.to_string();
            self.fresh = true;
        }
    }

    /// Takes a value, on the scale that has all values.
    pub fn take(&mut self, value: Adj) {
        self.scale = AdjScale::Modern;
        self.typed = value.0.to_string();
        self.fresh = true;
    }

    /// Shows the value on the other scale, as near as possible.
    pub fn other_scale(&mut self) {
        let value = self.value().unwrap_or(self.from);
        (self.scale, self.typed) = match self.scale {
            AdjScale::Modern => (AdjScale::Legacy, value.legacy().0.to_string()),
            AdjScale::Legacy => (AdjScale::Modern, value.0.to_string()),
        };
        self.fresh = true;
    }

    /// Computes the preview again. `spare` is a ranking whose buffers may be used.
    pub fn renew_preview(
        &mut self,
        policy: &'static dyn Policy,
        scene: &Scene,
        now: &Ranking,
        tags: &BTreeSet<ProcId>,
        spare: &mut Ranking,
    ) {
        self.previews = Previews::default();
        self.proposals = Proposals::default();
        let Some(process) = scene.find(self.who) else { return };
        self.kin = AffectedKin::of(process, scene);
        let all = reached(self.reach, process, scene, tags);
        if all != self.reached {
            // A process came or exited: the user has to see that first.
            self.reached = all;
            self.shown = ShownSince::default();
        }
        // For many processes each step takes a ranking, so they are computed when their key is pressed.
        self.proposals = if self.is_wide() {
            Proposals::default()
        } else {
            Proposals::of(policy, process, scene, now)
        };
        let Some(value) = self.value() else { return };
        self.warning = self.rights.warning(self.from, value);
        let changed = if self.is_wide() {
            self.reached.clone()
        } else {
            AffectedKin::changed_with(process, scene)
        };
        self.previews = Previews::of(policy, (self.who, &changed), value, scene, now, spare);
    }
}

/// The processes that get the value, by pid.
fn reached(
    reach: Targets,
    process: &Process,
    scene: &Scene,
    tags: &BTreeSet<ProcId>,
) -> Vec<ProcId> {
    reach.of(process, scene, tags).iter().map(|other| other.id).collect()
}
