//! Why a process stands where it stands: every term, what would change it, what falls with it.

use std::sync::Arc;

use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::dialog::signal::SignalDialog;
use crate::app::refresh::self_check::ScoreAgreement;
use crate::columns::RowContext;
use crate::model::{Capability, Cgroup, ProcId, Process, Reading, Scope};
use crate::policy::sacrifice;
use crate::policy::{
    AdjEffect, BadnessUnit, KillScope, SparedReason, Term, TermNote, Verdict, kernel_score,
};
use crate::rank::Ranked;
use crate::rank::also_killed::group_mates;
use crate::rank::what_if::what_if;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::conditions;
use crate::units::{Adj, LegacyAdj, Pages, Points};

/// The title of panel and page.
#[must_use]
pub fn title(app: &App) -> String {
    let found = app.context().zip(app.selected());
    found.map_or_else(
        || "Explain".to_owned(),
        |(context, process)| {
            format!("Explain {} ({})", text::who(process), text::user(&context, process))
        },
    )
}

/// What the panel says, the most telling first.
#[must_use]
pub fn brief(app: &App, theme: Theme, height: u16) -> Vec<Line<'static>> {
    let Some((context, process)) = app.context().zip(app.selected()) else {
        return vec![Line::styled("that process is gone", theme.dim())];
    };
    let case = Case { app, context: &context, process, theme };
    let mut lines = match context.policy.judge(process, context.scene) {
        Verdict::Spared(reason) => case.spared(reason),
        Verdict::Scored(badness) => {
            let mut lines: Vec<Line<'static>> =
                badness.terms.as_slice().iter().map(|term| case.term(term)).collect();
            lines.push(case.sum(badness.points));
            lines
        }
    };
    lines.push(case.kernel());
    lines.extend(case.place());
    lines.extend(case.what_if());
    let rest = [
        case.mates(),
        case.falls(),
        case.cgroup(),
        case.frees(),
        case.caps(),
        case.kin(),
        case.command(),
    ];
    let room = usize::from(height).saturating_sub(1);
    lines.extend(rest.into_iter().flatten());
    lines.truncate(room);
    lines.push(case.keys());
    lines
}

/// What the page says: everything.
#[must_use]
pub fn full(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let Some((context, process)) = app.context().zip(app.selected()) else {
        return vec![Line::styled("that process is gone", theme.dim())];
    };
    let case = Case { app, context: &context, process, theme };
    let policy = context.policy;
    let mut lines =
        vec![case.heading(&format!("Why it stands here, by the rule of {}", policy.title()))];
    match policy.judge(process, context.scene) {
        Verdict::Spared(reason) => lines.extend(case.spared(reason)),
        Verdict::Scored(badness) => {
            lines.extend(badness.terms.as_slice().iter().map(|term| case.term(term)));
            lines.push(case.sum(badness.points));
        }
    }
    lines.push(case.kernel());
    lines.extend(case.place());
    lines.push(case.text("rule", policy.info().about));
    for cite in policy.info().cites {
        lines.push(case.text("", &format!("{} at {}", cite.place, cite.at)));
    }
    lines.push(Line::default());
    lines.push(case.heading("What would change it"));
    lines.extend(case.what_if());
    lines.extend(case.legacy());
    lines.push(Line::default());
    lines.push(case.heading("If it dies"));
    let act = policy.action(process);
    lines.push(case.text("signal", &format!("{}: {}", act.signal, act.why)));
    if let Some((other, why)) = policy.killed_instead(process, context.scene) {
        lines.push(case.text("instead", &format!("{} dies: {why}", text::who(other))));
    }
    lines.extend(case.sacrifice());
    lines.extend(case.frees());
    lines.extend(case.all_falls());
    let gate = conditions::lines(app, &context, theme);
    if !gate.is_empty() {
        lines.push(Line::default());
        lines.push(case.heading("When that is"));
        lines.push(case.text("the killer", &policy.trigger_state(context.scene).why));
        lines.extend(gate);
    }
    lines.push(Line::default());
    lines.push(case.heading("Who it is"));
    lines.extend(case.identity());
    lines.extend(case.caps());
    lines.extend(case.cgroup());
    lines.extend(case.wall());
    lines.extend(case.kin());
    lines.extend(case.command());
    lines.push(Line::default());
    lines.push(case.keys());
    lines
}

/// Width of the word before a value.
const LABEL: usize = 11;

struct Case<'a> {
    app: &'a App,
    context: &'a RowContext<'a>,
    process: &'a Process,
    theme: Theme,
}

impl Case<'_> {
    fn heading(&self, text: &str) -> Line<'static> {
        Line::styled(text.to_owned(), self.theme.strong())
    }

    fn label(&self, label: &str) -> Span<'static> {
        Span::styled(format!("{label:<LABEL$} "), self.theme.label())
    }

    fn text(&self, label: &str, text: &str) -> Line<'static> {
        Line::from(vec![self.label(label), Span::raw(text.to_owned())])
    }

    fn size(&self, pages: Pages) -> String {
        text::size(self.context, pages)
    }

    fn spared(&self, reason: SparedReason) -> Vec<Line<'static>> {
        vec![Line::from(vec![
            self.label("spared"),
            Span::styled(reason.word(), self.theme.strong()),
            Span::raw(format!(": {}", reason.sentence())),
        ])]
    }

    /// A summand: its size, its pages, and how it came about.
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
            TermNote::Unread => "could not be read: counted as nothing".to_owned(),
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
            TermNote::Floor => "raised to the least there is".to_owned(),
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
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    }

    fn sum(&self, points: Points) -> Line<'static> {
        let mut spans = vec![self.label("badness")];
        match self.context.policy.info().unit {
            BadnessUnit::Pages => {
                let amount = text::points(self.context, points);
                let bold = format!("{amount:>8} {:>11}", text::grouped(points.0));
                spans.push(Span::styled(bold, self.theme.strong()));
                let share = text::permille(self.context, points);
                let total = self.size(self.context.scene.domain().pages);
                spans.push(Span::styled(format!("  {share}/1000"), self.theme.strong()));
                spans.push(Span::styled(format!(" of {total}"), self.theme.dim()));
            }
            BadnessUnit::Bare => {
                let bold = format!("{:>12}", text::grouped(points.0));
                spans.push(Span::styled(bold, self.theme.strong()));
                spans.push(Span::styled("  points", self.theme.dim()));
            }
        }
        Line::from(spans)
    }

    /// The kernel's own number beside ours.
    fn kernel(&self) -> Line<'static> {
        let computed = kernel_score(self.process, self.context.scene);
        let label = self.label("oom_score");
        let (text, style) = match self.process.score {
            Reading::Value(kernel) if kernel == computed => {
                (format!("kernel {kernel} = computed {computed}"), self.theme.good())
            }
            Reading::Value(kernel) => match self.app.check.of(self.process.id) {
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

    fn ranked(&self, at: usize) -> Option<(usize, &Ranked)> {
        self.context.ranking.place(at)
    }

    fn own_place(&self) -> Option<(usize, Points)> {
        let at = self.context.scene.now().position(self.process.id.pid)?;
        let (place, row) = self.ranked(at)?;
        Some((place, row.placement.points()?))
    }

    fn name(&self, id: ProcId) -> String {
        self.context.scene.find(id).map_or_else(|| id.to_string(), text::who)
    }

    /// Its rank, and the neighbours in the order of death.
    fn place(&self) -> Option<Line<'static>> {
        let (place, _) = self.own_place()?;
        let ranking = self.context.ranking;
        let count = ranking.eligible();
        let mut text = format!("{} of {count}", place + 1);
        let neighbour = |at: Option<usize>| at.and_then(|at| ranking.rows()[..count].get(at));
        if let Some(row) = neighbour(place.checked_sub(1)) {
            text.push_str(&format!("; before it dies {}", self.name(row.id)));
        } else if let Some(row) = neighbour(Some(place + 1)) {
            text.push_str(&format!("; after it dies {}", self.name(row.id)));
        }
        let mut line = self.text("rank", &text);
        if place == 0 {
            let text = if ranking.too_close() { "  TOO CLOSE TO CALL" } else { "  NEXT VICTIM" };
            line.spans.push(Span::styled(text, self.theme.victim()));
        }
        Some(line)
    }

    /// What another adj would do.
    fn what_if(&self) -> Vec<Line<'static>> {
        let (policy, scene, ranking) =
            (self.context.policy, self.context.scene, self.context.ranking);
        if policy.traits(scene).adj == AdjEffect::Ignored {
            let known = self.own_place().is_some();
            let text = "this rule knows no oom_score_adj";
            return known.then(|| self.text("what if", text)).into_iter().collect();
        }
        let Some(found) = what_if(policy, scene, ranking, self.process) else { return Vec::new() };
        let mut texts = Vec::new();
        let place = self.own_place();
        if let Some((rank, (place, _))) = found.rank_at_zero.zip(place) {
            texts.push(if rank == place + 1 {
                format!("adj 0 would leave it at rank {rank}")
            } else {
                format!("adj 0 would give it rank {rank}, not {}", place + 1)
            });
        }
        texts.extend(found.saved_at.map(|adj| match ranking.runner_up() {
            Some(next) => format!("adj {adj} saves it: then {} dies first", self.name(next.id)),
            None => format!("only adj {adj} saves it: then nobody is left to choose"),
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
            Some(adj) => texts.push(format!("adj {adj} makes it the next victim")),
            None if found.saved_at.is_none() => {
                let first = place.is_some_and(|(place, _)| place == 0);
                let word = if first { "saves it" } else { "makes it the next victim" };
                texts.push(format!("no adj {word}"));
            }
            None => {}
        }
        let label = |nth| if nth == 0 { "what if" } else { "" };
        texts.iter().enumerate().map(|(nth, text)| self.text(label(nth), text)).collect()
    }

    /// The highest adj that puts it behind the next in the order.
    fn behind(&self, place: usize, points: Points) -> Option<(Adj, &Ranked)> {
        let candidates = &self.context.ranking.rows()[..self.context.ranking.eligible()];
        let next = candidates.get(place + 1)?;
        let step = i64::try_from(self.context.scene.domain().pages.0 / 1000).ok()?;
        let adj = self.process.adj.value().filter(|_| step > 0)?;
        let below = next.placement.points()? - points - Points(1);
        let wanted = i64::from(adj.0).saturating_add(below.0.div_euclid(step));
        (wanted > -1000).then(|| (Adj::clamped(wanted), next))
    }

    fn legacy(&self) -> Option<Line<'static>> {
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

    fn sacrifice(&self) -> Option<Line<'static>> {
        if self.process.is_kernel_thread() {
            return None;
        }
        let rule = sacrifice(self.process);
        Some(self.text("sacrifice", &format!("X would send {}: {}", rule.signal, rule.why)))
    }

    fn frees(&self) -> Option<Line<'static>> {
        if !self.process.has_mm {
            return None;
        }
        let text = match self.process.private() {
            Reading::Value(pages) => {
                format!("about {} (estimate: anonymous memory and swap)", self.size(pages))
            }
            Reading::Denied => "unknown: its status may not be read".to_owned(),
            _ => "unknown: this kernel does not say what is anonymous".to_owned(),
        };
        Some(self.text("frees", &text))
    }

    fn fallen(&self) -> Vec<String> {
        // The dialog that would ask says the same.
        SignalDialog::sacrifice(self.process, self.app.setup.own, self.context.scene)
            .map(|dialog| dialog.also_killed)
            .unwrap_or_default()
    }

    fn falls(&self) -> Option<Line<'static>> {
        let fallen = self.fallen();
        (!fallen.is_empty()).then(|| self.text("with it", &fallen.join("; ")))
    }

    fn all_falls(&self) -> Vec<Line<'static>> {
        let mut lines: Vec<Line<'static>> = self.mates().into_iter().collect();
        match SignalDialog::sacrifice(self.process, self.app.setup.own, self.context.scene) {
            Err(why) => lines.push(self.text("protected", why)),
            Ok(dialog) if dialog.also_killed.is_empty() && lines.is_empty() => {
                lines.push(self.text("with it", "nothing else"));
            }
            Ok(dialog) => {
                for fallen in &dialog.also_killed {
                    lines.push(self.text(if lines.is_empty() { "with it" } else { "" }, fallen));
                }
            }
        }
        lines
    }

    fn identity(&self) -> Vec<Line<'static>> {
        let (process, scene) = (self.process, self.context.scene);
        let ids = match process.ids {
            Reading::Value(ids) if ids.uid != ids.euid => {
                format!(" (uid {}, effective {})", ids.uid, ids.euid)
            }
            Reading::Value(ids) => format!(" (uid {})", ids.uid),
            _ => String::new(),
        };
        let threads = match process.threads {
            0 | 1 => "1 thread".to_owned(),
            count => format!("{count} threads"),
        };
        let who = text::who(process);
        // A dump tells nothing of its life.
        let life = if scene.now().unavailable.lives {
            who
        } else {
            format!(
                "{who}, started {} ago, {}, {threads}, nice {}",
                text::age(scene, process.id),
                process.state.words(),
                process.nice
            )
        };
        let mut lines = vec![
            self.text("process", &life),
            self.text("user", &format!("{}{ids}", text::user(self.context, process))),
            self.text(
                "memory",
                &format!(
                    "resident {} of {} mapped",
                    self.size(scene.rss(process)),
                    self.size(process.total_vm(scene.machine().page_size))
                ),
            ),
        ];
        if let Some(growth) = scene.growth_lately(process) {
            let rate = growth.per_minute();
            let text = match rate.0 {
                0 => "steady over the last minute".to_owned(),
                _ => {
                    let sign = if rate.0 < 0 { '-' } else { '+' };
                    format!(
                        "{sign}{} a minute, over the last one",
                        self.size(Pages(rate.0.unsigned_abs()))
                    )
                }
            };
            lines.push(self.text("growth", &text));
        }
        lines
    }

    /// What matters of the capabilities, in words.
    fn caps(&self) -> Option<Line<'static>> {
        let text = match self.process.caps {
            Reading::Value(caps) => {
                let held = |capability: Capability| {
                    let name = capability.name().trim_start_matches("CAP_");
                    if caps.has(capability) { name.to_owned() } else { format!("no {name}") }
                };
                [Capability::SysAdmin, Capability::SysRawio, Capability::SysResource]
                    .map(held)
                    .join(", ")
            }
            Reading::Denied => "may not be read".to_owned(),
            Reading::Missing | Reading::NotAsked => return None,
        };
        Some(self.text("caps", &text))
    }

    fn cgroup(&self) -> Option<Line<'static>> {
        let path = self.process.cgroup.as_ref().value()?;
        Some(self.text("cgroup", path.as_str()))
    }

    /// The nearest wall that it lives behind: how full it is, and which place it has there.
    fn wall(&self) -> Option<Line<'static>> {
        let path = self.process.cgroup.as_ref().value()?;
        let cgroups = &self.context.scene.now().cgroups;
        let group = cgroups.upwards(path.as_str()).find(|group| group.is_limited())?;
        let limit = group.effective_limit()?;
        let mut text = format!("limit {}", text::bytes(self.context, limit));
        if group.path != *path {
            text.push_str(&format!(" at {}", group.path));
        }
        if let Some(used) = group.used().value() {
            let full = u128::from(used.0) * 100 / u128::from(limit.0.max(1));
            text.push_str(&format!(": {full}% full"));
        }
        if let Some(rank) = self.rank_at(group) {
            text.push_str(&format!("; in that domain rank {rank}"));
        }
        if group.oom_group.value() == Some(true) {
            text.push_str("; memory.oom.group");
        }
        Some(self.text("its wall", &text))
    }

    /// Its place, counted from 1, among a cgroup's own processes.
    fn rank_at(&self, group: &Cgroup) -> Option<usize> {
        let inside = self.context.scene.within(Scope::Memcg(Arc::clone(&group.path)));
        let points = |process: &Process| match self.context.policy.judge(process, &inside) {
            Verdict::Scored(badness) => Some(badness.points),
            Verdict::Spared(_) => None,
        };
        let own = points(self.process)?;
        let processes = inside.now().processes.iter();
        let members = processes.filter(|it| inside.domain().contains(it));
        Some(members.filter(|it| points(it).is_some_and(|other| other > own)).count() + 1)
    }

    /// Whom an OOM kill of it takes along because their cgroup dies as a whole, or their process group gets the
    /// signal.
    fn mates(&self) -> Option<Line<'static>> {
        let scope = self.context.policy.traits(self.context.scene).kill_scope;
        if scope == KillScope::ProcessGroup {
            let fellows = self.context.policy.also_killed(self.process, self.context.scene);
            let names: Vec<String> = fellows.iter().take(3).map(|it| text::who(it)).collect();
            let more = fellows.len() - names.len();
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            let text = format!(
                "{}{rest} of its process group: it gets the signal whole",
                names.join(", ")
            );
            return (!fellows.is_empty()).then(|| self.text("with it", &text));
        }
        if scope != KillScope::OomGroup {
            return None;
        }
        let (group, mates) = group_mates(self.process, self.context.scene)?;
        let text = format!(
            "{} more of {} (memory.oom.group): an OOM kills it as a whole",
            mates.len(),
            group.path
        );
        (!mates.is_empty()).then(|| self.text("with it", &text))
    }

    fn kin(&self) -> Option<Line<'static>> {
        let scene = self.context.scene;
        let now = scene.now();
        if now.unavailable.lives {
            return None;
        }
        let parent = now
            .position(self.process.parent)
            .map_or_else(|| "none in sight".to_owned(), |at| text::who(&now.processes[at]));
        let children = scene.children(self.process.id.pid).count();
        Some(self.text("parent", &format!("{parent}, children {children}")))
    }

    fn command(&self) -> Option<Line<'static>> {
        let line = self.app.names.command(self.process)?;
        Some(self.text("command", line))
    }

    fn keys(&self) -> Line<'static> {
        let rule = sacrifice(self.process);
        let mut spans = Vec::new();
        let acts = [
            ("[a]", " adjust  ".to_owned()),
            ("[k]", " signal  ".to_owned()),
            ("[X]", format!(" sacrifice ({})  ", rule.signal)),
        ];
        let acts = acts.into_iter().filter(|_| !self.app.is_over());
        for (key, what) in acts.chain([("[y]", " copy".to_owned())]) {
            spans.push(Span::styled(key, self.theme.strong()));
            spans.push(Span::styled(what, self.theme.dim()));
        }
        Line::from(spans)
    }
}
