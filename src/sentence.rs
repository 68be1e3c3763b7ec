//! The one sentence that everybody reads first: who dies next. The same words on the screen, in
//! batch and wherever else it is said.

use crate::columns::Sight;
use crate::model::Process;
use crate::policy::{Note, Unit, Verdict};
use crate::units::{Pages, Permille};

/// How sure the sentence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// One process is named.
    Named,
    /// Several are; the order between them cannot be known.
    TooClose,
    /// Nobody can be chosen.
    Nobody,
}

/// Who dies next, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// How sure.
    pub certainty: Certainty,
    /// Its head: `NEXT VICTIM`, `TOO CLOSE TO CALL`, `NOBODY DIES`.
    pub head: &'static str,
    /// Who: `20731 chrome (alice) 313/1000`.
    pub who: String,
    /// Why, and who comes after.
    pub rest: String,
}

impl Sentence {
    /// The whole of it.
    #[must_use]
    pub fn whole(&self) -> String {
        let Self { head, who, rest, .. } = self;
        if rest.is_empty() { format!("{head} {who}") } else { format!("{head} {who}{rest}") }
    }
}

/// So many candidates are named; the others are counted.
const NAMED: usize = 3;

impl Sight<'_> {
    fn permille(&self, process: &Process) -> Option<i64> {
        let at = self.scene.now().position(process.id.pid)?;
        let points = self.ranking.place(at)?.1.standing.points()?;
        Some(Permille::of(points, self.scene.domain().pages).0)
    }

    fn named(&self, process: &Process) -> String {
        let user = self.user(process).value().map(|user| format!(" ({user})")).unwrap_or_default();
        format!("{} {}{user}", process.id, process.comm)
    }

    fn sized(&self, pages: Pages) -> String {
        let mut size = String::new();
        self.size(pages, &mut size);
        size
    }

    /// Who dies next.
    #[must_use]
    pub fn sentence(&self) -> Sentence {
        let victim = self.ranking.victim().and_then(|row| self.scene.find(row.id));
        let Some(victim) = victim else {
            return Sentence {
                certainty: Certainty::Nobody,
                head: "NOBODY DIES",
                who: "no process can be chosen".to_owned(),
                rest: match self.policy.unit() {
                    Unit::Pages => ": the kernel would panic (System is deadlocked on memory)",
                    Unit::Bare => ": that kernel would panic (no killable processes)",
                }
                .to_owned(),
            };
        };
        if self.ranking.too_close() {
            return self.too_close();
        }
        let share = self.permille(victim).unwrap_or_default();
        let mut rest = String::new();
        if let Some(why) = self.because_of_adj(victim) {
            rest.push_str(": ");
            rest.push_str(&why);
        }
        rest.push('.');
        if let (Some(next), Some(margin)) = (self.ranking.runner_up(), self.ranking.margin()) {
            if let Some(process) = self.scene.find(next.id) {
                let mut ahead = String::new();
                self.points(margin, &mut ahead);
                let behind = self.permille(process).unwrap_or_default();
                let name = self.named(process);
                rest.push_str(&format!(" Next {name} {behind}/1000, {ahead} behind."));
            }
        } else {
            rest.push_str(" Nobody comes after.");
        }
        let who = format!("{} {share}/1000", self.named(victim));
        Sentence { certainty: Certainty::Named, head: "NEXT VICTIM", who, rest }
    }

    fn too_close(&self) -> Sentence {
        let candidates = self.ranking.candidates();
        let names: Vec<String> = candidates
            .iter()
            .take(NAMED)
            .filter_map(|&id| self.scene.find(id))
            .map(|process| format!("{} {}", process.id, process.comm))
            .collect();
        let more = candidates.len().saturating_sub(NAMED);
        let mut who = names.join(" or ");
        if more > 0 {
            who.push_str(&format!(" or {more} more"));
        }
        let margin = self.ranking.margin().unwrap_or_default();
        let mut ahead = String::new();
        self.points(margin, &mut ahead);
        let slack = self.sized(self.ranking.slack());
        let rest = format!(": {ahead} apart, and they may move by {slack} before the kill.");
        Sentence { certainty: Certainty::TooClose, head: "TOO CLOSE TO CALL", who, rest }
    }

    /// What adj does to the victim, where it does something.
    fn because_of_adj(&self, victim: &Process) -> Option<String> {
        let Verdict::Scored(badness) = self.policy.judge(victim, self.scene) else { return None };
        let term = badness.terms.as_slice().iter().find_map(|term| match term.note {
            Note::Adj { adj, .. } if adj.0 != 0 => Some((adj, term.points)),
            _ => None,
        })?;
        let (adj, points) = term;
        let without = badness.points - points;
        let rank = 1 + self
            .ranking
            .rows()
            .iter()
            .filter(|row| row.id != victim.id)
            .filter_map(|row| row.standing.points())
            .filter(|&others| others > without)
            .count();
        let verb = if points.0 < 0 { "takes" } else { "adds" };
        let size = self.sized(Pages(points.0.unsigned_abs()));
        Some(format!("adj {adj} {verb} {size}, without it rank {rank}"))
    }
}
