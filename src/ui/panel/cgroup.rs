//! The panels of the memory cgroup under the cursor: what its files say, and what happens at its limit.

use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::app::App;
use crate::columns::RowContext;
use crate::forecast::limits::ReachableLimit;
use crate::forecast::next_death::{StallReason, stall};
use crate::model::{Cgroup, Domain, Hierarchy, Limit, PsiLine, Reading, Scope};
use crate::rank::also_killed::group_of;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::label;
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::{boxes, cgroup_history, forecast, machine};
use crate::units::Bytes;
use crate::words::memory_sheet::MemorySheet;
use crate::words::next_death::event_and_time;

/// Paints both panels.
pub fn paint(app: &App, _: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let [left, right] = boxes::halves(area, 50);
    let files = files(app, theme, left.width.saturating_sub(4));
    let files = files.unwrap_or_else(|| machine::lines(app, theme));
    let title = title(app, left.width.saturating_sub(6));
    boxes::paint(left, &title, &files, 11, canvas);
    boxes::paint(right, "At the limit", &at_limit(app, theme), 11, canvas);
}

fn title(app: &App, room: u16) -> String {
    let group = app.group_line().and_then(|line| app.group_at(line));
    let Some(group) = group else { return "The machine".to_owned() };
    let whole = format!("Cgroup {}", group.path);
    if cells(&whole) <= room {
        return whole;
    }
    let name = text::domain(group.path.as_str(), room);
    let first = name.chars().next().map(|it| it.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), name.chars().skip(1).collect::<String>())
}

/// Why a value is not known, with the mark that tables show for it.
const fn absent<T>(reading: &Reading<T>) -> &'static str {
    match reading {
        Reading::Denied => "may not be read (!)",
        Reading::Missing => "does not exist here (-)",
        _ => "was not read yet (?)",
    }
}

/// `oom_kill 2`.
fn known(name: &str, reading: Reading<u64>) -> String {
    let count = reading.value().map_or_else(|| reading.dash().to_owned(), |it| it.to_string());
    format!("{name} {count}")
}

/// A cgroup and what its lines need.
struct Case<'a> {
    group: &'a Cgroup,
    context: &'a RowContext<'a>,
    version_1: bool,
    theme: Theme,
}

/// What the files of the cgroup say; nothing for the machine.
fn files(app: &App, theme: Theme, width: u16) -> Option<Vec<Line<'static>>> {
    let context = app.context()?;
    let group = app.group_at(app.group_line()?)?;
    let version_1 = context.scene.now().cgroups.hierarchy.value() == Some(Hierarchy::V1);
    let case = Case { group, context: &context, version_1, theme };
    if version_1 {
        let mut lines = vec![case.usage()];
        lines.extend(case.sheet());
        lines.extend([case.swap(), case.disabled(), case.fails()]);
        return Some(lines);
    }
    let mut lines = vec![case.usage()];
    lines.extend(case.sheet());
    lines.extend([case.high(), case.swap(), case.group()]);
    lines.extend(case.stalled());
    lines.extend(case.events());
    lines.extend(case.pressure());
    lines.extend(cgroup_history::lines(app, group, theme, width));
    Some(lines)
}

impl Case<'_> {
    fn say(&self, label: &str, text: String) -> Line<'static> {
        label::line(self.theme, label, text)
    }

    fn size(&self, size: Bytes) -> String {
        text::bytes(self.context, size)
    }

    fn sized(&self, reading: Reading<Bytes>) -> String {
        let dash = absent(&reading);
        match reading {
            Reading::Value(Bytes(0)) => "nothing".to_owned(),
            Reading::Value(size) => self.size(size),
            _ => dash.to_owned(),
        }
    }

    fn usage(&self) -> Line<'static> {
        let group = self.group;
        let usage = self.sized(group.used());
        let file = match (self.version_1, group.limit) {
            (true, Reading::Value(Limit::Max)) if group.effective_limit().is_some() => {
                "memory.memsw.limit_in_bytes"
            }
            (true, _) => "memory.limit_in_bytes",
            _ => "memory.max",
        };
        let mut text = match (group.effective_limit(), group.limit) {
            (Some(limit), _) => format!("{usage} of {} ({file})", self.size(limit)),
            (None, Reading::Value(_)) => format!("{usage}, no limit of its own ({file} max)"),
            (None, limit) => format!("{usage}; {file} {}", absent(&limit)),
        };
        if let Some(size) = group.reclaimable.value().filter(|size| size.0 > 0) {
            text.push_str(&format!(", {} reclaimable", self.size(size)));
        }
        if let Some(size) = group.zswap_incompressible.value().filter(|size| size.0 > 0) {
            text.push_str(&format!(", {} in zswap incompressible", self.size(size)));
        }
        self.say("usage", text)
    }

    /// What its memory is used for, as far as `memory.stat` was read.
    fn sheet(&self) -> Vec<Line<'static>> {
        let sheet = MemorySheet::of_cgroup(self.group, self.context.scene.now());
        let words = sheet.map(|sheet| sheet.words(None)).unwrap_or_default();
        let uses = words.uses_sentence().map(|text| self.say("uses", text));
        let stuck = words.stuck().map(|stuck| self.say("no kill", format!("frees {stuck}")));
        uses.into_iter().chain(stuck).collect()
    }

    /// Why its tasks wait and are not killed, where that is so.
    fn stalled(&self) -> Option<Line<'static>> {
        let words = match stall(self.group)? {
            // The line above tells that it would be.
            StallReason::OomKillDisabled => return None,
            reason => reason.words(),
        };
        Some(self.say("stalled", words.to_owned()))
    }

    fn high(&self) -> Line<'static> {
        let text = match self.group.high {
            Reading::Value(Limit::Max) => "max: nothing is throttled before the limit".to_owned(),
            Reading::Value(Limit::At(size)) => {
                format!("throttled above {}, nothing is killed", self.size(size))
            }
            absence => absent(&absence).to_owned(),
        };
        self.say("high", text)
    }

    fn swap(&self) -> Line<'static> {
        let hierarchy = if self.version_1 { Hierarchy::V1 } else { Hierarchy::V2 };
        let (usage, limit) = self.group.swap(Some(hierarchy));
        let text = match limit {
            Reading::Value(Limit::Max) => format!("{}, no limit (max)", self.sized(usage)),
            Reading::Value(Limit::At(Bytes(0))) => "none may be used (max 0)".to_owned(),
            Reading::Value(Limit::At(size)) => {
                format!("{} of {}", self.sized(usage), self.size(size))
            }
            absence => format!("{}; its limit {}", self.sized(usage), absent(&absence)),
        };
        self.say("swap", text)
    }

    /// Whether version 1 kills at this limit.
    fn disabled(&self) -> Line<'static> {
        let text = match self.group.oom_kill_disabled {
            Reading::Value(true) => "disabled: at the limit its tasks wait (oom_kill_disable 1)",
            Reading::Value(false) => {
                "enabled: at the limit a process is killed (oom_kill_disable 0)"
            }
            ref absence => absent(absence),
        };
        self.say("oom kill", text.to_owned())
    }

    /// The counters of version 1.
    fn fails(&self) -> Line<'static> {
        let events = self.group.events;
        self.say(
            "events",
            [known("failcnt", events.max), known("oom_kill", events.oom_kill)].join(", "),
        )
    }

    /// Whether version 2 kills all of it at once.
    fn group(&self) -> Line<'static> {
        let text = match self.group.oom_group {
            Reading::Value(true) => "1: an OOM kill kills the whole cgroup".to_owned(),
            Reading::Value(false) => "0: the chosen process dies alone".to_owned(),
            absence => absent(&absence).to_owned(),
        };
        self.say("oom.group", text)
    }

    fn events(&self) -> Vec<Line<'static>> {
        let events = self.group.events;
        let first = [
            known("oom", events.oom),
            known("oom_kill", events.oom_kill),
            known("oom_group_kill", events.oom_group_kill),
        ];
        let mut others =
            vec![known("max", events.max), known("high", events.high), known("low", events.low)];
        others.extend(events.sock_throttled.value().map(|count| format!("sock_throttled {count}")));
        vec![self.say("events", first.join(", ")), self.say("", others.join(", "))]
    }

    fn pressure(&self) -> Vec<Line<'static>> {
        let pressure = self.group.pressure;
        let text = |some: Reading<PsiLine>, full: Reading<PsiLine>| match (some, full) {
            (Reading::Value(some), Reading::Value(full)) => format!(
                "some {}%, full {}% of the last 10 s",
                text::share(some.avg10),
                text::share(full.avg10)
            ),
            (some, _) => absent(&some).to_owned(),
        };
        let mut lines = vec![self.say("pressure", text(pressure.some, pressure.full))];
        if !pressure.io_some.is_not_asked() {
            lines.push(self.say("io", text(pressure.io_some, pressure.io_full)));
        }
        lines
    }
}

/// What happens when it can take no more.
fn at_limit(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let (Some(context), Some(line)) = (app.context(), app.group_line()) else { return Vec::new() };
    let (scene, now) = (context.scene, context.scene.now());
    let group = app.group_at(line);
    let scope = group.map_or(Scope::Global, |group| Scope::Memcg(group.path.clone()));
    let domain = Domain::of(&scope, now);
    let mut lines = Vec::new();
    let Some(limit) = &line.limit else {
        let above = domain.weighed_by.as_ref().map_or(Scope::GLOBAL, |name| name.as_str());
        lines.push(label::line(
            theme,
            "limit",
            format!("none of its own; the next above is {above}"),
        ));
        lines.push(label::line(theme, "total", step(&context, &domain)));
        return lines;
    };
    // The forecast below it has the time.
    let limit = &ReachableLimit { hit_in: None, ..limit.clone() };
    lines.push(label::line(theme, "room", text::room(&context, limit)));
    let trends = scene.forecast();
    let trend = group.map_or(trends.both, |group| trends.of_group(group.path.as_str()));
    let name = group.map_or(Scope::GLOBAL, |group| group.path.as_str());
    let told = app.deaths.first_in(name).map(event_and_time);
    let told = told.or_else(|| trend.arrival().map(|it| forecast::sentence("full", &it)));
    lines.extend(told.map(|text| label::line(theme, "forecast", text)));
    lines.push(label::line(theme, "total", step(&context, &domain)));
    let Some(outcome) = &line.outcome else { return lines };
    lines.push(label::line(theme, "victim", text::outcome(&context, outcome)));
    let victim = outcome.victim.and_then(|id| scene.find(id));
    if let Some(other) = outcome.beside().and_then(|id| scene.find(id)) {
        lines.push(label::line(theme, "runner-up", text::who(other)));
    }
    let with = match victim.and_then(|victim| group_of(victim, &domain, now)) {
        Some(group) if outcome.also_killed > 0 => {
            format!("{} more of {} (memory.oom.group)", outcome.also_killed, group.path)
        }
        _ if victim.is_some() => "no other by memory.oom.group".to_owned(),
        _ => return lines,
    };
    lines.push(label::line(theme, "with it", with));
    lines
}

/// `8.00G: 1 adj = 8.2M`: the total that badness is weighed against, and one step of adj.
fn step(context: &RowContext<'_>, domain: &Domain) -> String {
    let of = match &domain.weighed_by {
        Some(name) => format!(" (of {name})"),
        None => String::new(),
    };
    let total = text::size(context, domain.pages);
    format!("{total}{of}: 1 adj = {}", text::step_of(context, domain))
}
