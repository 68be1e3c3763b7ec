//! An OOM event in words.

use crate::columns::{human_size, span_of};
use crate::model::{EventTime, ForecastResult, Killer, OomEvent, PredictionResult, Victim};
use crate::words::numbers_and_names::short_cgroup;

/// Which process was killed.
#[must_use]
pub fn victim_text(event: &OomEvent) -> String {
    let likely = if event.guessed { "likely " } else { "" };
    match (&event.victim, &event.domain) {
        (Some(Victim { pid: Some(pid), comm, .. }), _) => format!("{likely}{pid} {comm}"),
        (Some(Victim { comm, .. }), _) => format!("{likely}{comm}"),
        (None, Some(path)) if !event.by.is_kernel() => {
            format!("all of {}", short_cgroup(path.as_str()))
        }
        (None, _) if event.by == Killer::Counted => "somebody".to_owned(),
        (None, _) => "nobody".to_owned(),
    }
}

/// What was predicted for the victim of a kill, for a column: by the forecast, or where there was none, by the
/// ranking before the kill.
#[must_use]
pub fn prediction_word(event: &OomEvent) -> String {
    match event.forecast {
        ForecastResult::NotMade => rank_word(event.prediction),
        ForecastResult::NotPredicted => "no".to_owned(),
        ForecastResult::Named { lead } => format!("{}s before", lead.0 / 1000),
        ForecastResult::Among { candidates, lead } => {
            format!("1 of {candidates}, {}s", lead.0 / 1000)
        }
    }
}

fn rank_word(prediction: PredictionResult) -> String {
    match prediction {
        PredictionResult::NoSample => String::new(),
        PredictionResult::NotSeen => "not seen".to_owned(),
        PredictionResult::Rank(1) => "as predicted".to_owned(),
        PredictionResult::Rank(2) => "runner-up".to_owned(),
        PredictionResult::Rank(rank) => format!("rank {rank}"),
        PredictionResult::Candidate(_) => "too close".to_owned(),
        PredictionResult::Spared => "not eligible".to_owned(),
        PredictionResult::AlsoKilled => "with it".to_owned(),
    }
}

/// The same in a sentence; nothing where no sample was taken before the kill.
pub(crate) fn prediction_sentence(prediction: PredictionResult) -> Option<String> {
    Some(match prediction {
        PredictionResult::NoSample | PredictionResult::AlsoKilled => return None,
        PredictionResult::NotSeen => {
            "not in the previous sample: it was too short-lived".to_owned()
        }
        PredictionResult::Rank(1) => "the previous sample named it the next victim".to_owned(),
        PredictionResult::Rank(rank) => format!("the previous sample gave it rank {rank}"),
        PredictionResult::Candidate(_) => {
            "in the previous sample it was one of several too close to call".to_owned()
        }
        PredictionResult::Spared => "in the previous sample it could not be chosen".to_owned(),
    })
}

/// Which killer acted, where no report tells.
pub(crate) fn killer_sentence(event: &OomEvent) -> String {
    match event.by {
        Killer::Counted => {
            "the kernel counted a kill (oom_kill in /proc/vmstat); its log has no report of it"
                .to_owned()
        }
        Killer::Marked => {
            "the kernel marked a victim (tracepoint oom:mark_victim); its log has no report \
             of it"
                .to_owned()
        }
        by if by.is_kernel() => {
            "the kernel killed a process; the log no longer has the report, or never had it"
                .to_owned()
        }
        by => format!(
            "{} killed: the kernel's OOM killer was not involved and counts no kill",
            by.word()
        ),
    }
}

/// The victim with its sizes.
pub(crate) fn victim_sentence(event: &OomEvent) -> String {
    let mut text = victim_text(event);
    if let Some(victim) = &event.victim {
        text.push_str(&victim.uid.map_or_else(String::new, |uid| format!(" (uid {uid})")));
        let resident = Victim { swap: None, ..*victim }.freed();
        let own = if victim.file.is_some() { "anonymous and shared" } else { "rss" };
        for (name, size) in [(own, resident), ("files", victim.file), ("swap", victim.swap)] {
            if let Some(size) = size.filter(|size| size.0 > 0) {
                text.push_str(&format!(", {name} {}", human_size(size.bytes())));
            }
        }
        text.push_str(&victim.adj.map_or_else(String::new, |adj| format!(", oom_score_adj {adj}")));
    }
    if event.guessed {
        text.push_str("; a guess: the largest process that is missing in the next sample");
    }
    text
}

/// When it happened, in local time; `utc_offset` are the seconds that it is ahead of UTC.
pub(crate) fn time_sentence(event: &OomEvent, utc_offset: i32) -> String {
    let local = event.unix_ms.div_euclid(1000) + i64::from(utc_offset);
    let second = local.rem_euclid(86_400);
    let (year, month, day) = civil(local.div_euclid(86_400));
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let time = format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}");
    match event.time {
        EventTime::Live | EventTime::Clock => time,
        EventTime::Stamp => {
            format!("about {time}: the clock of the kernel log drifts, and stops during suspend")
        }
        EventTime::Within(span) => {
            format!("in the {} before {time}", span_of(span.0.div_ceil(1000)))
        }
        EventTime::Order => "not told".to_owned(),
    }
}

/// Year, month and day of a number of days since 1970.
#[must_use]
pub const fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is the last day of a year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year + era * 400 + (month <= 2) as i64, month, day)
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn days_have_dates() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (789, (1972, 2, 29)),
            (20_413, (2025, 11, 21)),
            (-1, (1969, 12, 31)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(civil(days), date, "{days}");
        }
    }
}
