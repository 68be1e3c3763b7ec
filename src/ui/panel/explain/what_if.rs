//! What another oom_score_adj would do to the rank of a process.

use ratatui::text::Line;

use crate::policy::{AdjEffect, BadnessUnit};
use crate::rank::Ranked;
use crate::rank::what_if::what_if;
use crate::ui::panel::explain::explained_process::Case;
use crate::units::{Adj, LegacyAdj, Points};
use crate::words::death_details::saving;

impl Case<'_> {
    /// What another adj would do.
    pub(crate) fn what_if(&self) -> Vec<Line<'static>> {
        let (policy, scene) = (self.context.policy, self.context.scene);
        if policy.traits(scene).adj == AdjEffect::Ignored {
            let known = self.own_place().is_some();
            let text = "this rule does not use oom_score_adj";
            return known.then(|| self.text("what if", text)).into_iter().collect();
        }
        let death = self.app.deaths.saving(self.process.id);
        let mut texts: Vec<String> =
            death.into_iter().map(|(death, saved)| saving(death, saved)).collect();
        texts.extend(self.what_if_now(texts.is_empty()));
        let label = |nth| if nth == 0 { "what if" } else { "" };
        texts.iter().enumerate().map(|(nth, text)| self.text(label(nth), text)).collect()
    }

    /// What another adj would do to its rank in the domain on the screen. Of the victim of a predicted death only
    /// `all` that does not contradict what saves it from that.
    fn what_if_now(&self, all: bool) -> Vec<String> {
        let (policy, scene, ranking) =
            (self.context.policy, self.context.scene, self.context.ranking);
        let Some(found) = what_if(policy, scene, ranking, self.process) else { return Vec::new() };
        let mut texts = Vec::new();
        let place = self.own_place();
        // While a death is near, "next" and "saved" are about that.
        let (now, next) = match self.app.deaths.next {
            Some(_) => (" if memory ended now", "first"),
            None => ("", "the next victim"),
        };
        if let Some((rank, (place, _))) = found.rank_at_zero.zip(place) {
            texts.push(if rank == place + 1 {
                format!("adj 0 would leave it at rank {rank}")
            } else {
                format!("adj 0 would give it rank {rank}, not {}", place + 1)
            });
        }
        if !all {
            return texts;
        }
        texts.extend(found.saved_at.map(|adj| match ranking.runner_up() {
            Some(next) => {
                format!("adj {adj} saves it{now}: then {} dies first", self.name(next.id))
            }
            None => format!("only adj {adj} saves it{now}: then no process can be chosen"),
        }));
        // Every step of adj weighs the same only in the kernel's own rules.
        let by_adj = policy.info().unit == BadnessUnit::Pages
            && policy.traits(scene).adj == AdjEffect::Rising;
        if let Some((place, points)) = place.filter(|&(place, _)| place > 0 && by_adj)
            && let Some((adj, behind)) = self.behind(place, points)
        {
            let rank = place + 2;
            texts.push(format!("adj {adj} puts it behind {} (rank {rank})", self.name(behind.id)));
        }
        match found.doomed_at {
            Some(adj) => texts.push(format!("adj {adj} makes it {next}{now}")),
            None if found.saved_at.is_none() => {
                let first = place.is_some_and(|(place, _)| place == 0);
                let word =
                    if first { "saves it".to_owned() } else { format!("makes it {next}{now}") };
                texts.push(format!("no adj {word}"));
            }
            None => {}
        }
        texts
    }

    /// The highest adj that puts it behind its successor in the ranking.
    fn behind(&self, place: usize, points: Points) -> Option<(Adj, &Ranked)> {
        let candidates = &self.context.ranking.rows()[..self.context.ranking.eligible()];
        let next = candidates.get(place + 1)?;
        let step = i64::try_from(self.context.scene.domain().pages.0 / 1000).ok()?;
        let adj = self.process.adj.value().filter(|_| step > 0)?;
        let below = next.placement.points()? - points - Points(1);
        let wanted = i64::from(adj.0).saturating_add(below.0.div_euclid(step));
        (wanted > -1000).then(|| (Adj::clamped(wanted), next))
    }

    /// The value on the scale of the legacy `oom_adj`, and what writing it there would give.
    pub(crate) fn legacy(&self) -> Option<Line<'static>> {
        let adj = self.process.adj.value()?;
        let legacy = self.context.scene.machine().legacy(adj);
        // Before 5.10 the kernel shows a value that it does not take.
        let back = match legacy {
            LegacyAdj(16) => "writing 16 there is refused".to_owned(),
            _ => format!("writing {legacy} there gives {}", legacy.modern()),
        };
        let text = format!("oom_score_adj {adj} reads as {legacy} in the legacy oom_adj; {back}");
        Some(self.text("both scales", &text))
    }
}
