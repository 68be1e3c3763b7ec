//! A predicted death as a JSON object.

use serde::Serialize;

use crate::forecast::next_death::{Candidate, DeathCertainty, NextDeath};
use crate::model::{Comm, ProcId, Scene, Text};
use crate::units::{Bytes, Ticks};
use crate::words::death_details::futile_kill;

/// A predicted death. Times are in seconds from the sample on.
#[derive(Serialize)]
pub(crate) struct DeathReport<'a> {
    by: &'static str,
    domain: &'a Text,
    certainty: &'static str,
    pid: Option<i32>,
    start_ticks: Option<Ticks>,
    comm: Option<&'a Comm>,
    candidates: Vec<CandidateReport<'a>>,
    seconds: Option<f64>,
    seconds_low: Option<f64>,
    seconds_high: Option<f64>,
    left_bytes: Bytes,
    rate_bytes_per_s: f64,
    stalled: bool,
    kill_cannot_help: Option<String>,
}

/// A process that may die, and when the limit must be reached for that.
#[derive(Serialize)]
struct CandidateReport<'a> {
    #[serde(flatten)]
    id: ProcId,
    comm: &'a Comm,
    from_s: f64,
    to_s: f64,
}

impl<'a> CandidateReport<'a> {
    fn of(candidate: &'a Candidate) -> Self {
        let Candidate { id, comm, from, to } = candidate;
        Self { id: *id, comm, from_s: from.seconds(), to_s: to.seconds() }
    }
}

impl<'a> DeathReport<'a> {
    pub(crate) fn of(death: &'a NextDeath, scene: &Scene) -> Self {
        let victim = death.victim();
        Self {
            by: death.by,
            domain: &death.domain,
            certainty: word(death.certainty),
            pid: victim.map(|it| it.id.pid),
            start_ticks: victim.map(|it| it.id.born),
            comm: victim.map(|it| &it.comm),
            candidates: death.candidates.iter().map(CandidateReport::of).collect(),
            seconds: death.when.map(|when| when.middle.seconds()),
            seconds_low: death.when.map(|when| when.low.seconds()),
            seconds_high: death.when.map(|when| when.high.seconds()),
            left_bytes: death.left,
            rate_bytes_per_s: death.rate.round(),
            stalled: death.stalled.is_some(),
            kill_cannot_help: futile_kill(scene, death).map(|it| it.sentence()),
        }
    }
}

const fn word(certainty: DeathCertainty) -> &'static str {
    match certainty {
        DeathCertainty::Named => "named",
        DeathCertainty::TooClose => "too_close",
        DeathCertainty::Nobody => "nobody",
        DeathCertainty::Overridden(_) => "off",
    }
}
