//! The first thing on the screen: who dies next, when, where and by which killer; then what leads there, why
//! this process, what would save it, and which death comes after. Nothing near: one calm line.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::App;
use crate::app::keymap::bindings::{Action, KeyContext};
use crate::columns::RowContext;
use crate::forecast::next_death::NextDeath;
use crate::forecast::series::Severity;
use crate::forecast::usage_series;
use crate::model::{EventTime, Scope, TimeAxis};
use crate::ui::frame::nearest_limit;
use crate::ui::paint::canvas::{cells, line_cells};
use crate::ui::paint::chart;
use crate::ui::paint::lines::{flow, span_cells, wrap};
use crate::ui::paint::text;
use crate::ui::paint::theme::Theme;
use crate::units::Millis;
use crate::words::death_details::{self, DeathRemedy};
use crate::words::next_death::{SentenceForm, forms};
use crate::words::next_victim::{Certainty, VictimForm, sentence};

/// A death that is nearer than this is shown in red.
const RED: Millis = Millis(60_000);
/// A death that is nearer than this is shown in yellow.
const YELLOW: Millis = Millis(300_000);
/// The time that the curve of the usage shows.
const CURVE: Millis = Millis(60_000);
/// The columns of the label, below which the details stand.
const INDENT: u16 = 6;

/// How near the next death is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Nothing is near.
    Calm,
    /// A death is predicted, but not soon.
    Far,
    /// Within minutes, or tasks are stalled.
    Soon,
    /// Within a minute.
    Now,
}

impl Urgency {
    /// Of the prediction on the screen.
    #[must_use]
    pub fn of(app: &App) -> Self {
        let Some(death) = &app.deaths.next else { return Self::Calm };
        match death.when.map(|when| when.middle) {
            Some(time) if time < RED => Self::Now,
            Some(time) if time >= YELLOW => Self::Far,
            _ => Self::Soon,
        }
    }

    /// The mark before the sentence: severity never depends on colour alone.
    const fn mark(self) -> &'static str {
        match self {
            Self::Calm | Self::Far => "",
            Self::Soon => "! ",
            Self::Now => "!! ",
        }
    }

    /// The style of the sentence and of the border.
    #[must_use]
    pub fn style(self, theme: Theme) -> Style {
        match self {
            Self::Calm => theme.good(),
            Self::Far => theme.plain(),
            Self::Soon => theme.warn(),
            Self::Now => theme.danger(),
        }
    }
}

/// The room that the headline has.
#[derive(Clone, Copy, Debug)]
pub struct HeadlineRoom {
    /// Cells of a line.
    pub width: u16,
    /// Maximum number of lines of the first sentence.
    pub sentence: u16,
    /// Maximum number of lines of the details.
    pub details: u16,
    /// Number of lines that are free in any case: beside what is taller.
    pub free: u16,
    /// Whether the calm headline tells more than one line.
    pub calm_details: bool,
}

/// The lines of the headline.
#[must_use]
pub fn lines(
    app: &App,
    context: &RowContext<'_>,
    theme: Theme,
    room: HeadlineRoom,
) -> Vec<Line<'static>> {
    let Some(death) = &app.deaths.next else { return calm(app, context, theme, room) };
    let urgency = Urgency::of(app);
    let mut lines = sentence_lines(context, death, urgency, theme, room);
    if room.details > 0 {
        lines.extend(details(app, context, death, theme, room));
        let left = usize::from(room.free).saturating_sub(lines.len());
        lines.extend(after(app, context, theme, (room.width, left.max(1))));
    }
    lines
}

/// The sentence about the death: the longest form that fits into one line; where none tells the place in one
/// line, the shortest that does over several.
fn sentence_lines(
    context: &RowContext<'_>,
    death: &NextDeath,
    urgency: Urgency,
    theme: Theme,
    room: HeadlineRoom,
) -> Vec<Line<'static>> {
    let style = urgency.style(theme);
    let line = |form: SentenceForm| {
        let label = format!("{}{}", urgency.mark(), form.label);
        let mut spans = vec![Span::styled(label, style)];
        if !form.who.is_empty() {
            spans.push(Span::raw(" "));
            spans.push(Span::styled(form.who, theme.victim()));
        }
        spans.push(Span::styled(form.rest, style));
        Line::from(spans)
    };
    let mut all: Vec<Line<'static>> = forms(context, death).into_iter().map(line).collect();
    let last = all.len().saturating_sub(1);
    // The last form leaves out the place.
    let with_place = &all[..last.max(1).min(all.len())];
    let wrapped =
        |line: &Line<'static>| wrap(line, room.width, if room.width < 60 { 3 } else { INDENT });
    let fits = |line: &&Line<'static>| line_cells(line) <= room.width;
    if let Some(line) = with_place.iter().find(fits) {
        return vec![line.clone()];
    }
    let most = usize::from(room.sentence);
    match with_place.last().map(wrapped) {
        Some(mut lines) if most > 1 && room.width > 2 * INDENT => {
            lines.truncate(most);
            lines
        }
        _ => all.pop().into_iter().collect(),
    }
}

/// What leads to the death, why this process, and what would save it.
fn details(
    app: &App,
    context: &RowContext<'_>,
    death: &NextDeath,
    theme: Theme,
    room: HeadlineRoom,
) -> Vec<Line<'static>> {
    let usage = usage(app, death, theme, if room.width >= 110 { 16 } else { 8 });
    let race = app.race.as_ref().filter(|race| race.domain == death.domain);
    let futile = app.futile_kill.as_ref().filter(|_| race.is_some());
    let reasons = race.map(|race| death_details::reasons(context, race, death, futile));
    let remedies =
        race.map(|race| death_details::remedies(context.scene, race, death, futile.is_some()));
    let (reasons, remedies) = (reasons.unwrap_or_default(), remedies.unwrap_or_default());
    let by = |remedy: &DeathRemedy| {
        let action = match remedy {
            DeathRemedy::Adj { .. } | DeathRemedy::Unprotect => Some(Action::Adjust),
            DeathRemedy::Kill { .. } => Some(Action::Sacrifice),
            DeathRemedy::RaiseLimit
            | DeathRemedy::RaiseHigh
            | DeathRemedy::AllowKill
            | DeathRemedy::Thaw => None,
        };
        let key = action.filter(|_| app.may_act_here());
        let key = key.and_then(|action| app.keys.key_of(KeyContext::Browse, action));
        remedy.words(&key.map(|key| format!(" ({key})")).unwrap_or_default())
    };
    let remedies: Vec<String> = remedies.iter().map(by).collect();
    let reason = |nth: usize| reasons.get(nth).or(reasons.last().filter(|_| nth < 2)).cloned();
    // From the most that can be told to the least. That no kill can help is more than what would save.
    let all = remedies.len();
    let tries: &[(usize, usize)] = if futile.is_some() {
        &[(0, all), (1, all), (0, 0), (1, 0), (2, all), (2, 0), (3, 0)]
    } else {
        &[(0, all), (1, all), (0, 1), (1, 1), (2, 1), (1, 0), (2, 0)]
    };
    let build = |(nth, count): (usize, usize)| {
        let mut parts = vec![usage.clone()];
        parts.extend(reason(nth).map(|text| vec![Span::raw(text)]));
        let saves = remedies.get(..count.min(remedies.len())).unwrap_or_default().join("; or ");
        if !saves.is_empty() {
            parts.push(vec![Span::styled("save: ", theme.label()), Span::raw(saves)]);
        }
        flow(parts, room.width, INDENT)
    };
    let fits = |lines: &Vec<Line<'static>>| lines.len() <= usize::from(room.details);
    tries.iter().copied().map(build).find(fits).unwrap_or_default()
}

/// How full the domain is, the curve of the last minute, and the rate.
fn usage(app: &App, death: &NextDeath, theme: Theme, width: usize) -> Vec<Span<'static>> {
    let (used, rate) = death_details::use_and_rate(death);
    let mut spans = vec![Span::styled(used, theme.strong())];
    if let Some(at) = app.shown_at() {
        let axis = TimeAxis::new(at, CURVE, width);
        let values = if death.domain.as_str() == Scope::GLOBAL {
            usage_series::of_machine(&app.playback.history, &axis, at)
        } else {
            usage_series::of_cgroup(&app.playback.past, death.domain.as_str(), &axis, at)
        };
        let limit = death.limit.0 as f64;
        // The curve begins at the least of the minute: a full column is the limit.
        let least = values.iter().flatten().copied().fold(limit, f64::min);
        let over: Vec<Option<f64>> = values.iter().map(|it| it.map(|it| it - least)).collect();
        if values.iter().flatten().count() > 1 {
            spans.push(Span::raw(" "));
            let known = over.iter().position(Option::is_some).unwrap_or(0);
            let severity = |_: f64| Severity::Care;
            let top = (limit - least).max(1.0);
            spans.extend(chart::spans(theme, &over[known..], top, &severity));
        }
    }
    if !rate.is_empty() {
        spans.push(Span::raw(format!(" {rate}")));
    }
    spans
}

/// The death after this one, and who would be chosen if memory ended now: in a line, and where there are more, in
/// two if one is too short for all that can be told.
fn after(
    app: &App,
    context: &RowContext<'_>,
    theme: Theme,
    (width, rows): (u16, usize),
) -> Vec<Line<'static>> {
    let mut spans = match death_details::after(&app.deaths, context.scene) {
        Some([time, place, who]) => vec![
            Span::styled("then  ", theme.label()),
            Span::raw(format!("{time} {place}: ")),
            Span::styled(who, theme.strong()),
        ],
        None => vec![Span::raw(" ".repeat(usize::from(INDENT)))],
    };
    let is_begun = spans.len() > 1;
    let label = Span::styled("now first ", theme.label());
    let whole = now_first(context, width.saturating_sub(INDENT + cells(&label.content)));
    let gap = if is_begun { 2 } else { 0 };
    let left = width.saturating_sub(span_cells(&spans) + gap + cells(&label.content));
    let beside = now_first(context, left);
    let now = |form: VictimForm| {
        [label.clone(), Span::styled(form.who, theme.strong()), Span::raw(form.rest)]
    };
    if is_begun && rows > 1 && whole != beside {
        let indent = Span::raw(" ".repeat(usize::from(INDENT)));
        let below = whole.map(|form| [indent].into_iter().chain(now(form)).collect::<Vec<_>>());
        return [Some(spans), below].into_iter().flatten().map(Line::from).collect();
    }
    let Some(form) = beside else {
        return if is_begun { vec![Line::from(spans)] } else { Vec::new() };
    };
    if is_begun {
        spans.push(Span::raw("  "));
    }
    spans.extend(now(form));
    vec![Line::from(spans)]
}

/// Who would be chosen if memory ended now, in the longest form without reasons that fits.
fn now_first(context: &RowContext<'_>, room: u16) -> Option<VictimForm> {
    let sentence = sentence(context);
    let short = match sentence.certainty {
        Certainty::Named => {
            sentence.forms.into_iter().filter(|it| !it.rest.contains('(')).collect()
        }
        Certainty::TooClose => sentence.forms,
        Certainty::Nobody | Certainty::Off => Vec::new(),
    };
    short.into_iter().find(|it| cells(&it.who) + cells(&it.rest) <= room)
}

/// The headline while nothing is near.
fn calm(
    app: &App,
    context: &RowContext<'_>,
    theme: Theme,
    room: HeadlineRoom,
) -> Vec<Line<'static>> {
    let before = match &app.incidents.report {
        Some(report) if report.told == EventTime::Order => Before::Report(report.stamp.clone()),
        Some(_) => Before::Report(text::clock(app, context.scene.now().clock.unix_ms)),
        None => Before::Calm,
    };
    let mut lines = vec![now_line(context, &before, theme, room.width)];
    let limit = nearest_limit::of(app).filter(|_| room.details > 0);
    if let Some(first) = limit.filter(|first| room.calm_details || nearest_limit::is_near(first)) {
        let rows = usize::from(room.details.clamp(2, 3));
        lines.extend(nearest_limit::lines(first, context, theme, (room.width, rows)));
        // Beside the machine there is room for those that come next.
        if room.details > 2 {
            let more = (room.width, usize::from(room.details));
            lines.extend(nearest_limit::others(app, first, context, theme, more));
        }
    }
    lines
}

/// Who would be chosen now by the rule of this context.
#[must_use]
pub fn by_rule(context: &RowContext<'_>, theme: Theme, width: u16) -> Line<'static> {
    now_line(context, &Before::Rule, theme, width)
}

/// What a sentence about who would be chosen now stands for.
#[derive(PartialEq, Eq)]
enum Before {
    /// Nothing is near.
    Calm,
    /// The choice of a rule.
    Rule,
    /// The numbers of a report, which are past and have no future, with the time of the kill.
    Report(String),
}

/// `nothing near; if memory ended now: 245 chrome, 14M ahead of 254 chrome`, in the longest form that fits.
fn now_line(context: &RowContext<'_>, before: &Before, theme: Theme, width: u16) -> Line<'static> {
    let sentence = sentence(context);
    let certainty = sentence.certainty;
    let style = match certainty {
        Certainty::Named if *before == Before::Calm => theme.good(),
        Certainty::Named => theme.plain(),
        Certainty::TooClose | Certainty::Nobody | Certainty::Off => theme.warn(),
    };
    let who = match certainty {
        Certainty::TooClose => theme.candidate(),
        _ => style.patch(theme.strong()),
    };
    let line = |begin: &str, form: &VictimForm| {
        let space = if form.who.is_empty() { "" } else { " " };
        Line::from(vec![
            Span::styled(format!("{begin}{space}"), style),
            Span::styled(form.who.clone(), who),
            Span::styled(form.rest.clone(), style),
        ])
    };
    let begins = beginnings(context, before, certainty, sentence.rule);
    let all: Vec<Line<'static>> = match certainty {
        // Why there is no prediction says more than what stands before it.
        Certainty::Off => {
            sentence.forms.iter().flat_map(|form| begins.iter().map(|it| line(it, form))).collect()
        }
        _ => {
            begins.iter().flat_map(|it| sentence.forms.iter().map(|form| line(it, form))).collect()
        }
    };
    let mut fitting = all.into_iter().filter(|line| line_cells(line) <= width);
    let shortest = || Some(line(begins.last()?, sentence.forms.last()?));
    fitting.next().or_else(shortest).unwrap_or_default()
}

/// What stands before the name, the longest first.
fn beginnings(
    context: &RowContext<'_>,
    before: &Before,
    certainty: Certainty,
    rule: Option<&str>,
) -> Vec<String> {
    let domain = context.scene.domain();
    let place = if domain.is_global() {
        String::new()
    } else {
        let path = domain.name.as_str();
        let name = text::domain(path, 36);
        format!(" in {name}")
    };
    let by = rule.map(|rule| format!(" by {rule}")).unwrap_or_default();
    if let Before::Report(time) = before {
        return past_beginnings(time, (&place, &by), certainty);
    }
    let near = if *before == Before::Calm { "nothing near; " } else { "" };
    match certainty {
        Certainty::Named if *before == Before::Calm && rule.is_none() => vec![
            format!("nothing near; if memory ended now{place}:"),
            "nothing near; now first".to_owned(),
            "now first".to_owned(),
        ],
        Certainty::Named => vec![format!("{near}now first{place}{by}:"), format!("now first{by}")],
        Certainty::TooClose => vec![
            format!("{near}now first{place}{by}, too close to call:"),
            format!("{near}too close to call{by}:"),
            format!("too close{by}:"),
        ],
        Certainty::Nobody => vec![
            format!("! {near}NO PROCESS can be chosen{place}{by}:"),
            format!("! NO PROCESS can be chosen{by}"),
            "! NO VICTIM".to_owned(),
        ],
        Certainty::Off => vec![
            format!("! {near}NO PREDICTION:"),
            "! NO PREDICTION:".to_owned(),
            "! OFF:".to_owned(),
        ],
    }
}

/// What stands before the name in a report: it is past, and says when it was.
fn past_beginnings(time: &str, (place, by): (&str, &str), certainty: Certainty) -> Vec<String> {
    let word = match certainty {
        Certainty::Named => "first",
        Certainty::TooClose => "too close to call",
        Certainty::Nobody => "NO PROCESS could be chosen",
        Certainty::Off => "NO PREDICTION",
    };
    vec![
        format!("at the kill at {time} {word}{place}{by}:"),
        format!("at {time} {word}{place}{by}:"),
        format!("at {time} {word}{by}:"),
        format!("at {time} {word}:"),
    ]
}

/// The headline of a screen of few lines: two lines while a death is near, else one.
#[must_use]
pub fn short(app: &App, context: &RowContext<'_>, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let room = HeadlineRoom { width, sentence: 2, details: 0, free: 0, calm_details: false };
    lines(app, context, theme, room)
}
