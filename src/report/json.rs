//! One sample as one JSON object on one line: the raw facts *and* the verdicts. The facts suffice to compute
//! the ranking again. Described in `assets/docs/schema.md`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, IntoInnerError, Write};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::death::DeathReport;
use super::kill::KillNewsReport;
use super::time::rfc3339;
use crate::columns::{Column, RowContext, RowView};
use crate::forecast::at_limit::RankingAtLimit;
use crate::forecast::next_death::Deaths;
use crate::forecast::oom_at_limit;
use crate::forecast::oom_at_limit::FirstLimit;
use crate::kills::KillNews;
use crate::model::{
    BpfOom, Cgroups, Clock, Comm, DomainKind, Growth, InstalledKillers, Machine, Memory,
    MemoryHolders, MemoryUses, Overcommit, Pressure, Privileges, ProcId, Process, SCHEMA, ScanAge,
    Scene, Swap, Sysctls, Text, VmCounters,
};
use crate::policy::{Policy, Term, Terms, Verdict, agreement, kernel_score};
use crate::rank::Ranked;
use crate::rank::freed::FreedMemory;
use crate::report::shared_objects::{
    MemorySheetReport, OverrideReport, ProcessName, VerdictReport, unit_word,
};
use crate::units::{Bytes, Millis, Pages, Points};
use crate::words::memory_sheet::MemorySheet;
use crate::words::next_victim::sentence;

/// A process with its place in the ranking.
#[derive(Serialize)]
struct RankedProcess<'a> {
    #[serde(flatten)]
    id: ProcId,
    comm: &'a Comm,
    /// `None` where it cannot be chosen itself, as a child that dies in place of another process.
    badness_pages: Option<Points>,
}

impl<'a> RankedProcess<'a> {
    fn of(row: &Ranked, scene: &'a Scene) -> Option<Self> {
        let process = scene.find(row.id)?;
        Some(Self { id: row.id, comm: &process.comm, badness_pages: row.placement.points() })
    }
}

/// A row: the facts about a process, and what is computed from them.
#[derive(Serialize)]
struct RowReport<'a> {
    #[serde(flatten)]
    facts: &'a Process,
    user: Option<Cow<'a, str>>,
    rank: Option<usize>,
    badness_pages: Option<Points>,
    permille: Option<i64>,
    growth_pages_per_minute: Option<Points>,
    freed_bytes: Option<Bytes>,
    terms: TermsReport,
    oom_score_computed: Option<u32>,
    oom_adj: Option<i8>,
    spared: Option<&'static str>,
}

/// The terms that add up to the points, each under its name, sorted.
#[derive(Default)]
struct TermsReport(Option<Terms>);

impl Serialize for TermsReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sorted: [Option<&Term>; Terms::CAPACITY] = [None; Terms::CAPACITY];
        let terms = self.0.as_ref().map_or(&[][..], Terms::as_slice);
        for (place, term) in sorted.iter_mut().zip(terms) {
            *place = Some(term);
        }
        let sorted = &mut sorted[..terms.len()];
        sorted.sort_by_key(|term| term.map(|it| it.name));
        serializer.collect_map(sorted.iter().flatten().map(|term| (term.name, term.points)))
    }
}

/// Keys of a row that are written whatever the columns.
const IDENTITY: &[&str] = &["pid", "start_ticks", "comm"];

/// Bytes that are written at once.
const PIECE: usize = 32 << 10;

/// The line: first what a reader of logs wants, then the facts, then the rows.
#[derive(Serialize)]
struct Frame<'a> {
    schema: &'static str,
    time: String,
    policy: &'static str,
    unit: &'static str,
    domain: DomainReport<'a>,
    next: String,
    off: Option<OverrideReport>,
    first_wall: FirstLimitReport<'a>,
    next_death: Option<DeathReport<'a>>,
    deaths: Vec<DeathReport<'a>>,
    kills: Vec<KillNewsReport<'a>>,
    victim: Option<RankedProcess<'a>>,
    /// The process that dies in the place of the victim, where the policy sacrifices another one.
    instead: Option<RankedProcess<'a>>,
    runner_up: Option<RankedProcess<'a>>,
    at_limit: AtLimitReport<'a>,
    margin_pages: Option<Points>,
    slack_pages: Pages,
    candidates: Vec<i32>,
    self_check: Agreement,
    clock: &'a Clock,
    host: &'a Machine,
    load: [f32; 3],
    memory: &'a Memory,
    swap: &'a Swap,
    memory_uses: &'a MemoryUses,
    #[serde(skip_serializing_if = "MemoryHolders::is_default")]
    memory_holders: &'a MemoryHolders,
    memory_sheet: Option<MemorySheetReport>,
    overcommit: &'a Overcommit,
    knobs: &'a Sysctls,
    #[serde(skip_serializing_if = "BpfOom::is_default")]
    bpf_oom: &'a BpfOom,
    pressure: &'a Pressure,
    traffic: &'a VmCounters,
    powers: &'a Privileges,
    scan: &'a ScanAge,
    cgroups: &'a Cgroups,
    users: &'a BTreeMap<u32, Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdicts: Option<Vec<VerdictReport<'a>>>,
    #[serde(skip_serializing_if = "InstalledKillers::is_default")]
    killers: &'a InstalledKillers,
    processes: Rows<'a>,
}

#[derive(Serialize)]
struct DomainReport<'a> {
    name: &'a Text,
    kind: &'static str,
    total_pages: Pages,
    weighed_by: Option<&'a Text>,
}

impl<'a> DomainReport<'a> {
    fn of(scene: &'a Scene) -> Self {
        let domain = scene.domain();
        let kind = match domain.kind {
            DomainKind::Global => "global",
            DomainKind::Memcg(_) => "memcg",
            DomainKind::Nodes(_) => "nodes",
            DomainKind::Part => "part",
            DomainKind::Gone => "gone",
        };
        let weighed_by = domain.weighed_by.as_deref();
        Self { name: &domain.name, kind, total_pages: domain.pages, weighed_by }
    }
}

/// The limit that is reached first.
#[derive(Serialize)]
struct FirstLimitReport<'a> {
    name: Arc<Text>,
    limit_bytes: Bytes,
    headroom_bytes: Bytes,
    hit_in_ms: Option<Millis>,
    victim: Option<ProcessName<'a>>,
}

impl<'a> FirstLimitReport<'a> {
    fn of(first: FirstLimit, scene: &'a Scene) -> Self {
        let victim = first.outcome.victim.and_then(|id| scene.find(id));
        Self {
            victim: victim.map(ProcessName::of),
            name: first.limit.name,
            limit_bytes: first.limit.limit,
            headroom_bytes: first.limit.headroom,
            hit_in_ms: first.limit.hit_in,
        }
    }
}

/// The ranking without what reclaim takes back before the kernel kills.
#[derive(Serialize)]
struct AtLimitReport<'a> {
    victim: Option<RankedProcess<'a>>,
    candidates: Vec<i32>,
    excluded_bytes: Bytes,
}

impl<'a> AtLimitReport<'a> {
    fn of(policy: &dyn Policy, scene: &'a Scene) -> Self {
        let RankingAtLimit { victim, candidates, excluded } = RankingAtLimit::of(policy, scene);
        let named = |(id, badness_pages): (ProcId, Points)| {
            let process = scene.find(id)?;
            Some(RankedProcess { id, comm: &process.comm, badness_pages: Some(badness_pages) })
        };
        Self {
            victim: victim.and_then(named),
            candidates: candidates.iter().map(|id| id.pid).collect(),
            excluded_bytes: excluded,
        }
    }
}

/// How many of the kernel's scores in this sample equal the computed ones.
#[derive(Serialize)]
struct Agreement {
    agree: usize,
    compared: usize,
}

/// Writes one line, without predicted deaths. `rows` are the positions to list, in their order; `columns`
/// limits the keys of each row, and such a line can no longer be ranked again.
///
/// # Errors
/// `out` cannot be written.
pub fn write_line(
    out: &mut dyn Write,
    context: &RowContext<'_>,
    rows: &[u32],
    columns: Option<&[&'static Column]>,
) -> io::Result<()> {
    write_line_with(out, context, rows, columns, LineExtras::default())
}

/// What a line holds that does not follow from its sample alone.
#[derive(Default)]
pub struct LineExtras<'a> {
    /// The verdict of every policy, where it is wanted.
    pub verdicts: Option<Vec<VerdictReport<'a>>>,
    /// The predicted deaths.
    pub deaths: Deaths,
    /// What became known of kills.
    pub kills: &'a [KillNews],
}

/// The same with the verdict of every policy and the predicted deaths.
///
/// # Errors
/// `out` cannot be written.
pub fn write_line_with<'a>(
    out: &mut dyn Write,
    context: &RowContext<'a>,
    rows: &[u32],
    columns: Option<&[&'static Column]>,
    extras: LineExtras<'a>,
) -> io::Result<()> {
    let LineExtras { verdicts, deaths, kills } = extras;
    let frame = frame(context, verdicts, (&deaths, kills), Rows { context, rows, columns });
    // Each value is a write of a few bytes.
    let mut pieces = BufWriter::with_capacity(PIECE, out);
    serde_json::to_writer(&mut pieces, &frame)?;
    pieces.write_all(b"\n")?;
    pieces.into_inner().map(drop).map_err(IntoInnerError::into_error)
}

fn frame<'a>(
    context: &'a RowContext<'_>,
    verdicts: Option<Vec<VerdictReport<'a>>>,
    (deaths, kills): (&'a Deaths, &'a [KillNews]),
    processes: Rows<'a>,
) -> Frame<'a> {
    let RowContext { scene, policy, ranking, .. } = *context;
    let snapshot = scene.now();
    let ranked = |row: &Ranked| RankedProcess::of(row, scene);
    let (agree, compared) = agreement(scene);
    let first = oom_at_limit::first(policy, scene, ranking, deaths);
    Frame {
        schema: SCHEMA,
        time: rfc3339(snapshot.clock.unix_ms),
        policy: policy.id(),
        unit: unit_word(policy),
        domain: DomainReport::of(scene),
        next: sentence(context).whole(),
        off: policy.overridden(scene).map(|by| OverrideReport::of(by, policy, scene)),
        first_wall: FirstLimitReport::of(first, scene),
        next_death: deaths.next.as_ref().map(|it| DeathReport::of(it, scene)),
        deaths: deaths.list.iter().map(|it| DeathReport::of(it, scene)).collect(),
        kills: kills.iter().map(KillNewsReport::of).collect(),
        victim: ranking.victim().and_then(ranked),
        instead: ranking
            .dies()
            .filter(|&id| ranking.victim().is_some_and(|row| row.id != id))
            .and_then(|id| ranking.place(snapshot.position(id.pid)?))
            .and_then(|(_, row)| ranked(row)),
        runner_up: ranking.runner_up().and_then(ranked),
        at_limit: AtLimitReport::of(policy, scene),
        margin_pages: ranking.margin(),
        slack_pages: ranking.slack(),
        candidates: ranking.candidates().iter().map(|id| id.pid).collect(),
        self_check: Agreement { agree, compared },
        clock: &snapshot.clock,
        host: &snapshot.machine,
        load: snapshot.load,
        memory: &snapshot.memory,
        swap: &snapshot.swap,
        memory_uses: &snapshot.memory_uses,
        memory_holders: &snapshot.memory_holders,
        memory_sheet: MemorySheet::of_machine(snapshot).as_ref().map(MemorySheetReport::of),
        overcommit: &snapshot.overcommit,
        knobs: &snapshot.sysctls,
        bpf_oom: &snapshot.bpf_oom,
        pressure: &snapshot.pressure,
        traffic: &snapshot.traffic,
        powers: &snapshot.privileges,
        scan: &snapshot.scan,
        cgroups: &snapshot.cgroups,
        users: &snapshot.users,
        verdicts,
        killers: &snapshot.killers,
        processes,
    }
}

/// The rows. They are written one by one, so that ten thousand of them are never in memory twice.
struct Rows<'a> {
    context: &'a RowContext<'a>,
    rows: &'a [u32],
    columns: Option<&'a [&'static Column]>,
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.rows.iter().filter_map(|&at| self.context.row(at as usize));
        match self.columns {
            None => serializer.collect_seq(rows.map(|row| report(&row))),
            Some(columns) => serializer.collect_seq(rows.map(|row| limited(&row, columns))),
        }
    }
}

fn report<'a>(row: &RowView<'a>) -> RowReport<'a> {
    let context = row.context;
    let process = row.process;
    let (points, terms, spared) = match context.policy.judge(process, context.scene) {
        Verdict::Scored(badness) => (Some(badness.points), TermsReport(Some(badness.terms)), None),
        Verdict::Spared(reason) => (None, TermsReport::default(), Some(reason.word())),
    };
    let adj = process.adj.value();
    RowReport {
        facts: process,
        user: process.ids.value().map(|ids| match context.names.user(ids.euid) {
            Some(name) => Cow::Borrowed(name),
            None => Cow::Owned(ids.euid.to_string()),
        }),
        rank: points.map(|_| row.place + 1),
        badness_pages: points,
        permille: row.permille().map(|share| share.0),
        growth_pages_per_minute: context.scene.growth_lately(process).map(Growth::per_minute),
        freed_bytes: FreedMemory::of(process, context.scene).value().map(|it| it.room()),
        terms,
        oom_score_computed: adj.map(|_| kernel_score(process, context.scene)),
        oom_adj: adj.map(|adj| context.scene.machine().legacy(adj).0),
        spared,
    }
}

/// The same with only the keys of these columns.
fn limited(row: &RowView<'_>, columns: &[&'static Column]) -> Value {
    let mut value = json!(report(row));
    if let Value::Object(keys) = &mut value {
        keys.retain(|key, _| {
            IDENTITY.contains(&key.as_str())
                || columns.iter().any(|column| column.json.contains(&key.as_str()))
        });
    }
    value
}
