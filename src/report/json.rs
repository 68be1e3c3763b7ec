//! One look as one JSON object on one line: the raw facts *and* the verdicts. Whoever has the line
//! can compute the ranking again. Described in `assets/docs/schema.md`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::verdicts::VerdictReport;
use crate::columns::{Column, RowContext, RowView};
use crate::forecast::at_limit;
use crate::model::{
    Cgroups, Clock, Comm, DomainKind, Growth, InstalledKillers, Machine, Memory, Overcommit,
    Pressure, Privileges, ProcId, Process, SCHEMA, ScanAge, Swap, Sysctls, Text, VmCounters,
};
use crate::policy::{BadnessUnit, Verdict, agreement, kernel_score};
use crate::rank::Ranked;
use crate::units::{Bytes, Millis, Pages, Points};
use crate::words::prediction::sentence;

#[derive(Serialize)]
struct Named<'a> {
    #[serde(flatten)]
    id: ProcId,
    comm: &'a Comm,
    badness_pages: Points,
}

#[derive(Serialize)]
struct Verdicts<'a> {
    #[serde(flatten)]
    facts: &'a Process,
    user: Option<String>,
    rank: Option<usize>,
    badness_pages: Option<Points>,
    permille: Option<i64>,
    growth_pages_per_minute: Option<Points>,
    terms: Map<String, Value>,
    oom_score_computed: Option<u32>,
    oom_adj: Option<i8>,
    spared: Option<&'static str>,
}

/// Every key that is there whatever the columns.
const IDENTITY: &[&str] = &["pid", "start_ticks", "comm"];

/// The line: first what a reader of logs wants, then the facts, then the rows.
#[derive(Serialize)]
struct Frame<'a> {
    schema: &'static str,
    time: String,
    policy: &'static str,
    unit: &'static str,
    domain: Domain<'a>,
    next: String,
    off: Option<Overruled>,
    first_wall: FirstWall<'a>,
    victim: Option<Named<'a>>,
    /// Who dies in the place of the victim, where the rule sacrifices another one.
    instead: Option<Named<'a>>,
    runner_up: Option<Named<'a>>,
    margin_pages: Option<Points>,
    slack_pages: Pages,
    candidates: Vec<i32>,
    self_check: Agreement,
    clock: &'a Clock,
    host: &'a Machine,
    load: [f32; 3],
    memory: &'a Memory,
    swap: &'a Swap,
    overcommit: &'a Overcommit,
    knobs: &'a Sysctls,
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
struct Domain<'a> {
    name: &'a Text,
    kind: &'static str,
    total_pages: Pages,
    weighed_by: Option<&'a Text>,
}

/// The wall that is hit first.
#[derive(Serialize)]
struct FirstWall<'a> {
    name: Arc<Text>,
    limit_bytes: Bytes,
    headroom_bytes: Bytes,
    hit_in_ms: Option<Millis>,
    victim: Option<Person<'a>>,
}

#[derive(Serialize)]
struct Person<'a> {
    pid: i32,
    comm: &'a Comm,
}

/// What overrules the ranking.
#[derive(Serialize)]
struct Overruled {
    by: &'static str,
    words: String,
}

/// How many of the scores that were read this time equal the computed ones.
#[derive(Serialize)]
struct Agreement {
    agree: usize,
    compared: usize,
}

/// Writes one line. `rows` are the positions to list, in their order; `columns` limits the keys of
/// each row, and such a line can no longer be ranked again.
///
/// # Errors
/// Whatever writing to `out` gives.
pub fn write_line(
    out: &mut dyn Write,
    context: &RowContext<'_>,
    rows: &[u32],
    columns: Option<&[&'static Column]>,
) -> io::Result<()> {
    write_line_with(out, context, rows, columns, None)
}

/// The same with every policy's answer, where there are any.
///
/// # Errors
/// Whatever writing to `out` gives.
pub fn write_line_with<'a>(
    out: &mut dyn Write,
    context: &RowContext<'a>,
    rows: &[u32],
    columns: Option<&[&'static Column]>,
    verdicts: Option<Vec<VerdictReport<'a>>>,
) -> io::Result<()> {
    let snapshot = context.scene.now();
    let named = |row: &Ranked| {
        let process = context.scene.find(row.id)?;
        Some(Named { id: row.id, comm: &process.comm, badness_pages: row.placement.points()? })
    };
    let (agree, compared) = agreement(context.scene);
    let domain = context.scene.domain();
    let first = at_limit::first(context.policy, context.scene, context.ranking);
    let frame = Frame {
        schema: SCHEMA,
        time: time(snapshot.clock.unix_ms),
        policy: context.policy.id(),
        unit: match context.policy.info().unit {
            BadnessUnit::Pages => "pages",
            BadnessUnit::Bare => "points",
        },
        domain: Domain {
            name: &domain.name,
            kind: match domain.kind {
                DomainKind::Global => "global",
                DomainKind::Memcg(_) => "memcg",
                DomainKind::Nodes(_) => "nodes",
                DomainKind::Part => "part",
                DomainKind::Gone => "gone",
            },
            total_pages: domain.pages,
            weighed_by: domain.weighed_by.as_deref(),
        },
        next: sentence(context).whole(),
        off: context
            .policy
            .overridden(context.scene)
            .map(|off| Overruled { by: off.word(), words: off.sentence(context.scene) }),
        first_wall: FirstWall {
            victim: first
                .outcome
                .victim
                .and_then(|id| context.scene.find(id))
                .map(|it| Person { pid: it.id.pid, comm: &it.comm }),
            name: first.limit.name,
            limit_bytes: first.limit.limit,
            headroom_bytes: first.limit.headroom,
            hit_in_ms: first.limit.hit_in,
        },
        victim: context.ranking.victim().and_then(named),
        instead: context
            .ranking
            .dies()
            .filter(|&id| context.ranking.victim().is_some_and(|row| row.id != id))
            .and_then(|id| context.ranking.place(snapshot.position(id.pid)?))
            .and_then(|(_, row)| named(row)),
        runner_up: context.ranking.runner_up().and_then(named),
        margin_pages: context.ranking.margin(),
        slack_pages: context.ranking.slack(),
        candidates: context.ranking.candidates().iter().map(|id| id.pid).collect(),
        self_check: Agreement { agree, compared },
        clock: &snapshot.clock,
        host: &snapshot.machine,
        load: snapshot.load,
        memory: &snapshot.memory,
        swap: &snapshot.swap,
        overcommit: &snapshot.overcommit,
        knobs: &snapshot.sysctls,
        pressure: &snapshot.pressure,
        traffic: &snapshot.traffic,
        powers: &snapshot.privileges,
        scan: &snapshot.scan,
        cgroups: &snapshot.cgroups,
        users: &snapshot.users,
        verdicts,
        killers: &snapshot.killers,
        processes: Rows { context, rows, columns },
    };
    serde_json::to_writer(&mut *out, &frame)?;
    out.write_all(b"\n")
}

/// The rows, written one by one, so that ten thousand of them never stand in memory twice.
struct Rows<'a> {
    context: &'a RowContext<'a>,
    rows: &'a [u32],
    columns: Option<&'a [&'static Column]>,
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.rows.iter().filter_map(|&at| self.context.row(at as usize));
        match self.columns {
            None => serializer.collect_seq(rows.map(|row| verdicts(&row))),
            Some(columns) => serializer.collect_seq(rows.map(|row| limited(&row, columns))),
        }
    }
}

fn verdicts<'a>(row: &RowView<'a>) -> Verdicts<'a> {
    let context = row.context;
    let process = row.process;
    let (points, terms, spared) = match context.policy.judge(process, context.scene) {
        Verdict::Scored(badness) => {
            let terms = badness.terms.as_slice().iter();
            let terms = terms.map(|term| (term.name.to_owned(), json!(term.points))).collect();
            (Some(badness.points), terms, None)
        }
        Verdict::Spared(reason) => (None, Map::new(), Some(reason.word())),
    };
    let adj = process.adj.value();
    Verdicts {
        facts: process,
        user: context.user(process).value(),
        rank: points.map(|_| row.place + 1),
        badness_pages: points,
        permille: row.permille().map(|share| share.0),
        growth_pages_per_minute: context.scene.growth_lately(process).map(Growth::per_minute),
        terms,
        oom_score_computed: adj.map(|_| kernel_score(process, context.scene)),
        oom_adj: adj.map(|adj| context.scene.machine().legacy(adj).0),
        spared,
    }
}

/// The same with the keys of these columns only.
fn limited(row: &RowView<'_>, columns: &[&'static Column]) -> Value {
    let mut value = json!(verdicts(row));
    if let Value::Object(keys) = &mut value {
        keys.retain(|key, _| {
            IDENTITY.contains(&key.as_str())
                || columns.iter().any(|column| column.json.contains(&key.as_str()))
        });
    }
    value
}

/// A time as RFC 3339, UTC, to the millisecond.
#[must_use]
pub fn time(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms).unwrap_or_default().to_string()
}
