//! A kill as a JSON object.

use serde::Serialize;

use super::time::rfc3339;
use crate::kills::KillNews;
use crate::model::{Comm, EventTime, ForecastResult, OomEvent, Text};
use crate::units::{Bytes, Ticks};

/// A kill that became known.
#[derive(Serialize)]
pub(crate) struct KillReport<'a> {
    when: String,
    /// It was within so many seconds before, where only a counter tells of it.
    within_s: Option<f64>,
    by: &'static str,
    domain: Option<&'a Text>,
    cgroup: Option<&'a Text>,
    pid: Option<i32>,
    start_ticks: Option<Ticks>,
    comm: Option<&'a Comm>,
    guessed: bool,
    /// Any user could have written the line that tells of it.
    unproven: bool,
    #[serde(flatten)]
    sizes: KillSizes,
    #[serde(flatten)]
    forecast: KillForecast,
}

/// What became known of a kill.
#[derive(Serialize)]
pub(crate) struct KillNewsReport<'a> {
    #[serde(flatten)]
    kill: KillReport<'a>,
    /// What was told before, where this takes its place.
    corrects: Option<CorrectedKill<'a>>,
    /// It was told before, and was no kill.
    retracted: bool,
}

/// A kill as it was told before.
#[derive(Serialize)]
struct CorrectedKill<'a> {
    when: String,
    pid: Option<i32>,
    start_ticks: Option<Ticks>,
    comm: Option<&'a Comm>,
}

impl<'a> KillNewsReport<'a> {
    pub(crate) fn of(news: &'a KillNews) -> Self {
        let corrects = match news {
            KillNews::Corrected { before, .. } => Some(&**before),
            KillNews::Kill(_) | KillNews::Retracted(_) => None,
        };
        Self {
            kill: KillReport::of(news.event()),
            corrects: corrects.map(CorrectedKill::of),
            retracted: matches!(news, KillNews::Retracted(_)),
        }
    }
}

impl<'a> CorrectedKill<'a> {
    fn of(event: &'a OomEvent) -> Self {
        let victim = event.victim.as_ref();
        Self {
            when: rfc3339(event.unix_ms),
            pid: victim.and_then(|it| it.pid),
            start_ticks: victim.and_then(|it| it.id).map(|it| it.born),
            comm: victim.map(|it| &it.comm),
        }
    }
}

/// What the victim had.
#[derive(Serialize)]
pub(crate) struct KillSizes {
    freed_bytes: Option<Bytes>,
    file_bytes: Option<Bytes>,
}

/// What was predicted of the victim.
#[derive(Serialize)]
pub(crate) struct KillForecast {
    predicted_s: Option<f64>,
    candidates: Option<u32>,
}

impl KillSizes {
    pub(crate) fn of(event: &OomEvent) -> Self {
        Self {
            freed_bytes: event.victim.and_then(|it| it.freed()).map(|it| it.bytes()),
            file_bytes: event.victim.and_then(|it| it.file).map(|it| it.bytes()),
        }
    }
}

impl KillForecast {
    pub(crate) fn of(forecast: ForecastResult) -> Self {
        let candidates = match forecast {
            ForecastResult::Among { candidates, .. } => Some(candidates),
            ForecastResult::Named { .. } => Some(1),
            ForecastResult::NotMade | ForecastResult::NotPredicted => None,
        };
        Self { predicted_s: forecast.lead().map(|it| it.seconds()), candidates }
    }
}

impl<'a> KillReport<'a> {
    pub(crate) fn of(event: &'a OomEvent) -> Self {
        let victim = event.victim.as_ref();
        Self {
            when: rfc3339(event.unix_ms),
            within_s: match event.time {
                EventTime::Within(span) => Some(span.seconds()),
                _ => None,
            },
            by: event.by.word(),
            domain: event.domain.as_ref(),
            cgroup: event.cgroup.as_ref(),
            pid: victim.and_then(|it| it.pid),
            start_ticks: victim.and_then(|it| it.id).map(|it| it.born),
            comm: victim.map(|it| &it.comm),
            guessed: event.guessed,
            unproven: event.unproven,
            sizes: KillSizes::of(event),
            forecast: KillForecast::of(event.forecast),
        }
    }
}
