//! The view of verdicts: one line a policy, and below it how each ranks those that matter.

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::view::verdicts::VerdictRow;
use crate::columns::RowContext;
use crate::forecast::opinion::{KillerOpinion, OpinionCertainty};
use crate::model::{ProcId, Process};
use crate::policy::BadnessUnit;
use crate::ui::frame::headline;
use crate::ui::paint::canvas::{Canvas, cells};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::ui::panel::conditions;
use crate::units::Points;

/// Where the fields of a policy's line stand; a field without width is not shown.
#[derive(Clone, Copy)]
struct Fields {
    policy: (u16, u16),
    dies: (u16, u16),
    signal: (u16, u16),
    margin: (u16, u16),
    armed: (u16, u16),
    waits: (u16, u16),
}

impl Fields {
    fn new(app: &App, width: u16) -> Self {
        let ids = app.verdicts.lines.iter().map(|it| cells(it.policy.id())).max().unwrap_or(0);
        let mut x = 2;
        let mut field = |cells: u16| {
            let at = x;
            x += if cells > 0 { cells + 2 } else { 0 };
            (at, cells)
        };
        let policy = field(ids.clamp(6, if width < 100 { 18 } else { 26 }));
        let numbers = width >= 64;
        // What it waits for is said in full where there is room, in short where there is some.
        let (armed, wide) = match width {
            ..64 => (0, false),
            64..100 => (20, false),
            _ => (5, true),
        };
        let fixed = policy.1 + 4 + if numbers { 4 + 2 + 7 + 2 } else { 0 };
        let rest = width.saturating_sub(fixed + if armed > 0 { armed + 2 } else { 0 });
        let dies = if wide { (rest / 2).clamp(20, 40) } else { rest };
        Self {
            policy,
            dies: field(dies),
            signal: field(if numbers { 4 } else { 0 }),
            margin: field(if numbers { 7 } else { 0 }),
            armed: field(armed),
            waits: field(if wide { rest.saturating_sub(dies + 3) } else { 0 }),
        }
    }
}

/// Paints list, ranks and words; how many lines the list has, and how many columns of ranks were left
/// out on the left.
pub fn paint(
    app: &App,
    head: Rect,
    area: Rect,
    panelled: bool,
    canvas: &mut Canvas<'_>,
) -> (u16, u16) {
    let view = &app.verdicts;
    let theme = canvas.theme;
    let fields = Fields::new(app, area.width);
    canvas.style(head, theme.head());
    let all = u16::try_from(view.lines.len()).unwrap_or(u16::MAX);
    let ranks = u16::try_from(view.rows.len()).unwrap_or(u16::MAX).saturating_add(1);
    // Where there are no panels, the policy under the cursor has the last words.
    let words = if panelled || area.height < 9 { 0 } else { 2 };
    let room = area.height - words;
    let below = if room < 6 { 0 } else { ranks.min((room / 2).max(room.saturating_sub(all))) };
    let list = Rect { height: room - below, ..area };
    let Some(context) = app.context() else { return (list.height.max(1), 0) };
    paint_head(&fields, head, canvas);
    for (y, (nth, opinion)) in
        (list.top()..list.bottom()).zip(view.lines.iter().enumerate().skip(view.top))
    {
        let strip = Rect { y, height: 1, ..list };
        paint_line(app, opinion, &context, &fields, strip, canvas);
        if nth == view.cursor {
            canvas.text(area.x, y, 1, ">", theme.strong());
            canvas.style(strip, theme.cursor());
        }
    }
    let under = Rect { y: list.bottom().min(area.y + all.min(list.height)), height: below, ..area };
    let left = if below > 1 { paint_ranks(app, under, canvas) } else { 0 };
    if words > 0
        && let Some((context, opinion)) = app.opinion_context()
    {
        let y = area.bottom() - words;
        let line = headline::fitting(&context, theme, area.width);
        canvas.line(area.x, y, area.width, &line);
        canvas.line(area.x, y + 1, area.width, &waits_for(opinion, theme));
    }
    (list.height, left)
}

/// The heads of the list.
fn paint_head(fields: &Fields, area: Rect, canvas: &mut Canvas<'_>) {
    let style = canvas.theme.head();
    let mut put = |(x, width): (u16, u16), title: &str| {
        if width > 0 {
            canvas.text(area.x + x, area.y, width, title, style);
        }
    };
    put(fields.policy, "POLICY");
    put(fields.dies, "WOULD DIE");
    put(fields.signal, "SIG");
    put(fields.margin, " MARGIN");
    put(fields.armed, "ARMED");
    put(fields.waits, "WAITS FOR");
}

fn paint_line(
    app: &App,
    opinion: &KillerOpinion,
    context: &RowContext<'_>,
    fields: &Fields,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let theme = canvas.theme;
    let policy = opinion.policy;
    let current = policy.id() == app.setup.policy.id();
    if current {
        canvas.text(area.x + 1, area.y, 1, "*", theme.tag());
    }
    let mut put = |(x, width): (u16, u16), text: &str, style: Style| {
        if width > 0 {
            canvas.text(area.x + x, area.y, width, text, style);
        }
    };
    put(fields.policy, policy.id(), if current { theme.strong() } else { theme.plain() });
    let context = RowContext { policy, ..*context };
    let (dies, style) = dies(opinion, &context, fields.dies.1, theme);
    put(fields.dies, &dies, style);
    let falls = opinion.dies().is_some();
    if let Some(act) = opinion.action.filter(|_| falls) {
        put(fields.signal, act.signal.short(), theme.plain());
    }
    if let Some(margin) = opinion.margin.filter(|_| falls) {
        put(fields.margin, &format!("{:>7}", points(&context, margin)), theme.plain());
    }
    let ready = opinion.armed.ready;
    let style = if ready { theme.plain() } else { theme.dim() };
    if fields.waits.1 > 0 {
        put(fields.armed, if ready { "yes" } else { "no" }, style);
        put(fields.waits, &waits_in(opinion, fields.waits.1), style);
    } else {
        put(fields.armed, &armed(opinion), style);
    }
}

/// What it waits for: in its own words, or where those do not fit what is not met yet.
fn waits_in(opinion: &KillerOpinion, room: u16) -> Cow<'_, str> {
    let armed = &opinion.armed;
    if cells(&armed.why) <= room {
        return armed.why.as_str().into();
    }
    let unmet = armed.triggers.iter().filter(|trigger| trigger.met == Some(false));
    let unmet: Vec<String> =
        unmet.map(|it| format!("{} {}, wants {}", it.what, it.now, it.wants)).collect();
    if unmet.is_empty() { armed.why.as_str().into() } else { unmet.join("; ").into() }
}

/// Whether it is armed, and what holds it back: in a few words.
fn armed(opinion: &KillerOpinion) -> String {
    let armed = &opinion.armed;
    let unmet = armed.triggers.iter().find(|trigger| trigger.met == Some(false));
    let unseen = armed.triggers.iter().filter(|trigger| trigger.met.is_none()).count();
    match (armed.ready, unmet, unseen) {
        (true, _, 0) => "yes".to_owned(),
        (true, ..) => format!("yes, {unseen} unseen"),
        (false, Some(trigger), _) => format!("no: {} {}", trigger.what, trigger.now),
        (false, None, _) => format!("no: {}", armed.why),
    }
}

/// Points in their unit, short.
fn points(context: &RowContext<'_>, points: Points) -> String {
    let bare = context.policy.info().unit == BadnessUnit::Bare;
    match points.0 {
        // A bare number may be any size; its first digits tell enough.
        many if bare && many >= 10_000_000 => format!("{}M", many / 1_000_000),
        many if bare && many >= 1_000_000 => format!("{}k", many / 1000),
        _ => text::points(context, points),
    }
}

/// `20731 chrome`.
fn name(context: &RowContext<'_>, id: ProcId) -> String {
    context.scene.find(id).map_or_else(|| id.to_string(), text::who)
}

/// Who would die by it, the longest form that fits, and how that looks.
fn dies(
    opinion: &KillerOpinion,
    context: &RowContext<'_>,
    room: u16,
    theme: Theme,
) -> (Cow<'static, str>, Style) {
    let fate = &opinion.outcome;
    let sure = fate.overridden.is_none() && !fate.too_close();
    if let (true, Some((other, _)), Some(chosen)) = (sure, opinion.instead, fate.chosen) {
        let (other, chosen) = (name(context, other), name(context, chosen));
        let long = format!("{other}, for {chosen}");
        let text = if cells(&long) <= room { long } else { other };
        return (text.into(), theme.plain());
    }
    if fate.overridden.is_some() || fate.victim.is_none() {
        return (text::victim(context, fate).into(), theme.dim());
    }
    let close = fate.too_close();
    let forms = text::fates(context, fate);
    let mut text = forms.iter().find(|it| cells(it) <= room).unwrap_or(&forms[3]).clone();
    if close {
        // Where it does not fit, how many there are says more than half a name.
        let count = fate.candidates;
        let short = format!(
            "one of {count}: {}",
            fate.victim.map_or_else(String::new, |id| name(context, id))
        );
        text = if cells(&text) <= room { text } else { short };
    }
    (text.into(), if close { theme.candidate() } else { theme.plain() })
}

/// What it waits for, and that nothing dies now where that is so.
fn waits_for(opinion: &KillerOpinion, theme: Theme) -> Line<'static> {
    let KillerOpinion { policy, armed, .. } = opinion;
    if armed.ready {
        let text = format!("{}: {}", policy.id(), armed.why);
        return Line::styled(text, theme.dim());
    }
    Line::from(vec![
        Span::styled("! not armed, so nobody dies by it now: ", theme.warn()),
        Span::raw(armed.why.clone()),
    ])
}

/// The name of a policy over a narrow column: a version, or the last word behind the first letters of
/// the others.
fn short(id: &str) -> Cow<'_, str> {
    if let Some(version) = id.strip_prefix("linux-") {
        let version = version.split_once(':').map_or(version, |(_, later)| later);
        return version.rsplit_once('-').map_or(version, |(_, name)| name).into();
    }
    match id.rsplit_once('-') {
        Some((first, last)) if cells(id) >= WIDEST => {
            let letters = first.split('-').filter_map(|word| word.chars().next());
            format!("{}-{last}", letters.collect::<String>()).into()
        }
        _ => id.into(),
    }
}

/// The widest column of ranks.
const WIDEST: u16 = 9;

/// Cells of a column, with a mark on each side of the number.
fn column(opinion: &KillerOpinion, digits: u16) -> u16 {
    (cells(&short(opinion.policy.id())) + 1).clamp(digits + 2, WIDEST)
}

/// The columns that fit: from which on, and where each stands.
fn columns(app: &App, width: u16, digits: u16) -> (usize, Vec<(usize, u16, u16)>) {
    let view = &app.verdicts;
    let widths: Vec<u16> = view.lines.iter().map(|it| column(it, digits) + 1).collect();
    let before = if width < 60 { 20 } else { 27 };
    let room = width.saturating_sub(before);
    let fit_back = |end: usize| {
        let mut taken = 0;
        let mut from = end;
        while from > 0 && taken + widths[from - 1] <= room {
            from -= 1;
            taken += widths[from];
        }
        from
    };
    let last = fit_back(widths.len());
    let cursor = view.cursor.min(widths.len().saturating_sub(1));
    let first = view.skipped.unwrap_or_else(|| fit_back(cursor + 1)).min(last);
    let mut x = before;
    let mut found = Vec::new();
    for (nth, &cells) in widths.iter().enumerate().skip(first) {
        if x + cells > width + 1 {
            break;
        }
        found.push((nth, x, cells - 1));
        x += cells;
    }
    (first, found)
}

/// Those that matter, and their rank by each policy; how many columns were left out on the left.
fn paint_ranks(app: &App, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let theme = canvas.theme;
    let view = &app.verdicts;
    let Some(scene) = &app.scene else { return 0 };
    let falls = |row: &VerdictRow| {
        let process = scene.now().processes.get(row.at);
        process.is_some_and(|it| app.opinion().is_some_and(|own| own.takes(it).is_some()))
    };
    let rows = shown(&view.rows, usize::from(area.height) - 1, falls);
    let rank = |row: &VerdictRow| view.lines.iter().filter_map(|it| it.rank_at(row.at)).max();
    let most = rows.iter().filter_map(|&row| rank(row)).max().unwrap_or(1);
    let digits = most.to_string().len() as u16;
    let (first, columns) = columns(app, area.width, digits);
    let strip = Rect { height: 1, ..area };
    canvas.style(strip, theme.head());
    canvas.right(area.x, area.y, 8, "PID", theme.head());
    canvas.text(area.x + 9, area.y, 12, "COMMAND", theme.head());
    for &(nth, x, width) in &columns {
        let title = short(view.lines[nth].policy.id());
        let style = if nth == view.cursor { theme.sorted_head() } else { theme.head() };
        let taken = cells(&title).min(width - 1);
        canvas.text(area.x + x + width - 1 - taken, area.y, taken, &title, style);
    }
    let room = columns.first().map_or(area.width, |&(_, x, _)| x).saturating_sub(10);
    for (y, row) in (area.top() + 1..area.bottom()).zip(rows) {
        let Some(process) = scene.now().processes.get(row.at) else { continue };
        let current = view.lines.iter().find(|it| it.policy.id() == app.setup.policy.id());
        let falls = current.is_some_and(|it| it.takes(process) == Some(OpinionCertainty::Surely));
        let style = if falls { theme.victim() } else { theme.plain() };
        canvas.right(area.x, y, 8, &process.id.to_string(), style);
        canvas.text(area.x + 9, y, room, &process.comm.to_string(), style);
        for &(nth, x, width) in &columns {
            let (text, style) = cell(&view.lines[nth], process, row.at, theme);
            canvas.right(area.x + x, y, width, &text, style);
        }
    }
    u16::try_from(first).unwrap_or(u16::MAX)
}

/// A rank: in brackets whoever dies, with a question mark whoever may.
fn cell(opinion: &KillerOpinion, process: &Process, at: usize, theme: Theme) -> (String, Style) {
    let rank = opinion.rank_at(at);
    let number = rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string());
    match (opinion.takes(process), rank) {
        (Some(OpinionCertainty::Surely), _) => (format!("[{number}]"), theme.victim()),
        (Some(OpinionCertainty::Perhaps), _) => (format!("{number}?"), theme.candidate()),
        (None, Some(1..=5)) => (format!("{number} "), theme.plain()),
        (None, _) => (format!("{number} "), theme.dim()),
    }
}

/// Those for whom there is room, in their own order: first whoever dies by the policy under the cursor,
/// then whoever does by another.
fn shown(
    rows: &[VerdictRow],
    room: usize,
    falls: impl Fn(&VerdictRow) -> bool,
) -> Vec<&VerdictRow> {
    let mut best: Vec<(bool, u32, usize)> =
        rows.iter().zip(0..).map(|(row, nth)| (!falls(row), row.best, nth)).collect();
    best.sort_unstable();
    best.truncate(room);
    best.sort_unstable_by_key(|&(.., nth)| nth);
    best.into_iter().map(|(.., nth)| &rows[nth]).collect()
}

/// The title of the card.
#[must_use]
pub fn title(app: &App) -> String {
    app.opinion()
        .map_or_else(String::new, |it| format!("{}: {}", it.policy.id(), it.policy.title()))
}

fn say(label: &str, text: String, theme: Theme) -> Line<'static> {
    Line::from(vec![Span::styled(format!("{label:<10} "), theme.label()), Span::raw(text)])
}

/// The policy under the cursor: who dies by it and how, then its rule.
#[must_use]
pub fn card(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let Some((context, opinion)) = app.opinion_context() else { return Vec::new() };
    let policy = opinion.policy;
    let mut lines = vec![victim_line(&context, opinion, theme)];
    let many = if opinion.eligible == 1 { "process" } else { "processes" };
    lines.push(say("eligible", format!("{} {many}", opinion.eligible), theme));
    if let Some(other) = opinion.outcome.beside() {
        let margin = match opinion.margin {
            // The margin is that of the one chosen next.
            _ if Some(other) != opinion.outcome.runner_up => "as likely to die first".to_owned(),
            Some(margin) => format!("{} behind", text::points(&context, margin)),
            None => "put behind by more than points".to_owned(),
        };
        let slack = if opinion.slack.0 > 0 {
            format!(", slack {}", text::size(&context, opinion.slack))
        } else {
            String::new()
        };
        lines.push(say("runner-up", format!("{}, {margin}{slack}", name(&context, other)), theme));
    }
    if let Some(act) = opinion.action {
        lines.push(say("signal", format!("{}: {}", act.signal, act.why), theme));
    }
    lines.extend(company(&context, opinion).map(|text| say("with it", text, theme)));
    lines.push(say("rule", policy.info().about.to_owned(), theme));
    for (nth, cite) in policy.info().cites.iter().enumerate() {
        let label = if nth == 0 { "source" } else { "" };
        lines.push(say(label, format!("{} at {}", cite.place, cite.at), theme));
    }
    lines
}

/// Who dies, or why nobody does.
fn victim_line(context: &RowContext<'_>, opinion: &KillerOpinion, theme: Theme) -> Line<'static> {
    let fate = &opinion.outcome;
    if let Some(off) = fate.overridden {
        let label = Span::styled(format!("{:<10} ", "nobody"), theme.label());
        return Line::from(vec![label, Span::styled(off.sentence(context.scene), theme.warn())]);
    }
    let Some(chosen) = fate.chosen else {
        let label = Span::styled(format!("{:<10} ", "nobody"), theme.label());
        let text = crate::words::prediction::sentence(context).whole();
        return Line::from(vec![label, Span::styled(text, theme.warn())]);
    };
    let label = Span::styled(format!("{:<10} ", "victim"), theme.label());
    let mut spans = vec![label];
    match opinion.instead {
        _ if fate.too_close() => {
            let text = format!("too close to call between {} processes", fate.candidates);
            spans.push(Span::styled(text, theme.candidate()));
        }
        Some((other, why)) => {
            spans.push(Span::styled(name(context, other), theme.victim()));
            spans.push(Span::raw(format!(", in the place of {}: {why}", name(context, chosen))));
        }
        None => {
            spans.push(Span::styled(name(context, chosen), theme.victim()));
            let share = fate.permille.map(|share| format!(" {}/1000", share.0));
            spans.push(Span::raw(share.unwrap_or_default()));
        }
    }
    Line::from(spans)
}

/// Who dies along with whoever dies.
fn company(context: &RowContext<'_>, opinion: &KillerOpinion) -> Option<String> {
    let victim = context.scene.find(opinion.dies()?)?;
    let others = opinion.policy.also_killed(victim, context.scene);
    let count = others.len().max(opinion.outcome.also_killed);
    let first: Vec<String> = others.iter().take(2).map(|other| text::who(other)).collect();
    Some(match (count, others.len()) {
        (0, _) => "nobody else".to_owned(),
        (count, 0) => format!("{count} more (memory.oom.group)"),
        (count, named) if named <= 2 && named == count => first.join(", "),
        (count, _) => format!("{} and {} more", first.join(", "), count - first.len()),
    })
}

/// What the policy under the cursor waits for.
#[must_use]
pub fn waits(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let Some((context, opinion)) = app.opinion_context() else { return Vec::new() };
    let armed = &opinion.armed;
    let label = if armed.ready { "armed" } else { "not armed" };
    let style = if armed.ready { theme.plain() } else { theme.warn() };
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{label:<10} "), theme.label()),
        Span::styled(armed.why.clone(), style),
    ])];
    lines.extend(conditions::lines(app, &context, theme));
    lines
}
