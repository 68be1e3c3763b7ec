//! Where the badness of a process comes from: every term, the kernel's own score, and the rank.

use ratatui::text::{Line, Span};

use crate::app::refresh::self_check::ScoreAgreement;
use crate::model::Reading;
use crate::policy::{BadnessUnit, SparedReason, Term, TermNote, Verdict, kernel_score};
use crate::ui::paint::canvas::{cells, line_cells};
use crate::ui::paint::text;
use crate::ui::panel::explain::explained_process::{Case, LABEL};
use crate::units::{Adj, Pages, Points};

impl Case<'_> {
    /// Why the policy spares it, or every term of its badness and their sum.
    pub(crate) fn verdict(&self) -> Vec<Line<'static>> {
        match self.context.policy.judge(self.process, self.context.scene) {
            Verdict::Spared(reason) => vec![self.spared(reason)],
            Verdict::Scored(badness) => {
                let terms = badness.terms.as_slice().iter().map(|term| self.term(term));
                terms.chain([self.sum(badness.points)]).chain(self.given_back()).collect()
            }
        }
    }

    fn spared(&self, reason: SparedReason) -> Line<'static> {
        Line::from(vec![
            self.label("spared"),
            Span::styled(reason.word(), self.theme.strong()),
            Span::raw(format!(": {}", reason.sentence())),
        ])
    }

    /// A term of the badness: its size, its pages, and how it came about.
    fn term(&self, term: &Term) -> Line<'static> {
        let name = match term.name {
            "pgtables" => "page tables",
            name => name,
        };
        let pages = self.context.policy.info().unit == BadnessUnit::Pages;
        let amount = if pages { text::points(self.context, term.points) } else { String::new() };
        let note = match term.note {
            TermNote::Fact if term.name == "rss" => self.rss(),
            TermNote::Fact => String::new(),
            TermNote::Unread => "could not be read: counted as 0".to_owned(),
            TermNote::Adj { adj, step } => {
                let one = if step == Pages(self.context.scene.domain().pages.0 / 1000) {
                    text::step(self.context)
                } else {
                    self.size(step)
                };
                format!("adj {adj} {} {one}", self.theme.times())
            }
            TermNote::Divided { by, because } => format!("divided by {by}: {because}"),
            TermNote::Doubled { because } => format!("doubled: {because}"),
            TermNote::Floor => "raised to the minimum".to_owned(),
            TermNote::Because(why) => why.to_owned(),
            TermNote::Shifted { by } => format!("shifted by oom_adj {by}"),
        };
        let style = match term.note {
            TermNote::Adj { adj, .. } if adj > Adj::ZERO => self.theme.warn(),
            TermNote::Adj { adj, .. } if adj < Adj::ZERO => self.theme.good(),
            _ => self.theme.dim(),
        };
        let amount = if pages {
            format!("{amount:>8} {:>11}", text::grouped(term.points.0))
        } else {
            format!("{:>12}", text::grouped(term.points.0))
        };
        Line::from(vec![
            self.label(name),
            Span::raw(amount),
            Span::styled(format!("  {note}"), style),
        ])
    }

    fn rss(&self) -> String {
        let part = |name: &str, reading: Reading<Pages>| {
            let pages = reading.value().filter(|pages| pages.0 > 0)?;
            Some(format!("{name} {}", self.size(pages)))
        };
        let process = self.process;
        let parts =
            [part("anon", process.anon), part("file", process.file), part("shmem", process.shmem)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        // Behind the label, the size, the pages and two spaces.
        let room = usize::from(self.room).saturating_sub(LABEL + 1 + 20 + 2);
        let wide = parts.join("  ");
        if wide.len() <= room { wide } else { parts.join(" ") }
    }

    /// What the process gave back with `MADV_FREE`, where it did.
    fn given_back(&self) -> Option<Line<'static>> {
        let pages = self.process.lazy_free.value().filter(|pages| pages.0 > 0)?;
        let amount = format!("{:>8} {:>11}", self.size(pages), text::grouped(pages.points().0));
        let why = "  of it given back (MADV_FREE): reclaim takes that before the kernel kills";
        Some(Line::from(vec![
            self.label("at the limit"),
            Span::raw(amount),
            Span::styled(why, self.theme.dim()),
        ]))
    }

    fn sum(&self, points: Points) -> Line<'static> {
        let mut spans = vec![self.label("badness")];
        match self.context.policy.info().unit {
            BadnessUnit::Pages => {
                let amount = text::points(self.context, points);
                let bold = format!("{amount:>8} {:>11}", text::grouped(points.0));
                spans.push(Span::styled(bold, self.theme.strong()));
                let total = self.size(self.context.scene.domain().pages);
                if let Some(share) = text::share_of_domain(self.context, points) {
                    spans.push(Span::styled(format!("  {share}"), self.theme.strong()));
                    spans.push(Span::styled(format!(" of {total}"), self.theme.dim()));
                }
            }
            BadnessUnit::Bare => {
                let bold = format!("{:>12}", text::grouped(points.0));
                spans.push(Span::styled(bold, self.theme.strong()));
                spans.push(Span::styled("  points", self.theme.dim()));
            }
        }
        Line::from(spans)
    }

    /// The kernel's own oom_score beside the computed one.
    pub(crate) fn kernel_score(&self) -> Line<'static> {
        let computed = kernel_score(self.process, self.context.scene);
        let label = self.label("oom_score");
        let (text, style) = match self.process.score {
            Reading::Value(kernel) if kernel == computed => {
                (format!("kernel {kernel} = computed {computed}"), self.theme.good())
            }
            Reading::Value(kernel) => match self.app.refresh.self_check.of(self.process.id) {
                Some(ScoreAgreement::Differs { .. }) => (
                    format!("kernel {kernel}, computed {computed}: they differ!"),
                    self.theme.warn(),
                ),
                _ => (
                    format!("kernel {kernel}, computed {computed}: read at different moments"),
                    self.theme.dim(),
                ),
            },
            Reading::Denied => (format!("may not be read; computed {computed}"), self.theme.dim()),
            Reading::Missing => (format!("does not exist; computed {computed}"), self.theme.dim()),
            Reading::NotAsked => (format!("not read yet; computed {computed}"), self.theme.dim()),
        };
        Line::from(vec![label, Span::styled(text, style)])
    }

    /// Its place in the ranking, from 0, and its points; nothing where it is spared.
    pub(crate) fn own_place(&self) -> Option<(usize, Points)> {
        let at = self.context.scene.now().position(self.process.id.pid)?;
        let (place, row) = self.context.ranking.place(at)?;
        Some((place, row.placement.points()?))
    }

    /// Its rank, how far it is from its neighbour in the ranking, and whether it dies next.
    pub(crate) fn rank(&self) -> Option<Line<'static>> {
        let (place_now, points) = self.own_place()?;
        let ranking = self.context.ranking;
        let count = ranking.eligible();
        let mut text = format!("{} of {count}", place_now + 1);
        let neighbour = |at: Option<usize>| at.and_then(|at| ranking.rows()[..count].get(at));
        if let Some(row) = neighbour(place_now.checked_sub(1)) {
            let behind = row.placement.points().unwrap_or_default() - points;
            let lead = text::lead(self.context, behind);
            text.push_str(&format!("; {lead} behind {}", self.name(row.id)));
        } else if let Some(row) = neighbour(Some(place_now + 1)) {
            let ahead = points - row.placement.points().unwrap_or_default();
            let lead = text::lead(self.context, ahead);
            text.push_str(&format!("; {lead} ahead of {}", self.name(row.id)));
        }
        let next = self.app.deaths.next.as_ref();
        let death = next.filter(|it| it.victim().is_some_and(|it| it.id == self.process.id));
        if let Some(death) = death {
            let dies = format!("DIES NEXT, {}", text::in_soon(death.middle()));
            let ranked = self.context.scene.domain();
            let rest = if death.domain == *ranked.limiting_cgroup() {
                format!("; {text}")
            } else {
                // It is chosen among others than those that this ranking compares.
                let now = format!("; now {} of {count}", place_now + 1);
                let said = cells(&dies) + cells(" in ") + cells(&now);
                let left = self.room.saturating_sub(said + LABEL as u16);
                format!(" in {}{now}", text::domain(death.domain.as_str(), left))
            };
            let spans =
                vec![self.label("rank"), Span::styled(dies, self.theme.victim()), Span::raw(rest)];
            return Some(Line::from(spans));
        }
        let mut line = self.text("rank", &text);
        if place_now == 0 {
            let left = self.room.saturating_sub(line_cells(&line));
            let texts = ["  first if memory ended now", "  first now"];
            // That it is the first of them is said already.
            let fitting = texts.into_iter().find(|it| cells(it) <= left).unwrap_or_default();
            let text = if ranking.too_close() { "  too close to call" } else { fitting };
            line.spans.push(Span::styled(text, self.theme.candidate()));
        }
        Some(line)
    }
}
