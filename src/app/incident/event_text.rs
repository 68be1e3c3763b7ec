//! An OOM event in words.

use crate::columns::cgroup_leaf;
use crate::model::{Killer, OomEvent, PredictionResult, Victim};

/// Who was killed, in words.
#[must_use]
pub fn whom(happening: &OomEvent) -> String {
    let likely = if happening.guessed { "likely " } else { "" };
    match (&happening.victim, &happening.domain) {
        (Some(Victim { pid: Some(pid), comm, .. }), _) => format!("{likely}{pid} {comm}"),
        (Some(Victim { comm, .. }), _) => format!("{likely}{comm}"),
        (None, Some(path)) if !happening.by.is_kernel() => {
            format!("all of {}", cgroup_leaf(path.as_str()))
        }
        (None, _) if happening.by == Killer::Counted => "somebody".to_owned(),
        (None, _) => "nobody".to_owned(),
    }
}

/// What the ranking had said of a victim, in a few words.
#[must_use]
pub fn foreseen_word(foreseen: PredictionResult) -> String {
    match foreseen {
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

pub(crate) fn what_words(happening: &OomEvent) -> String {
    match happening.by {
        Killer::Counted => {
            "the kernel counted a kill (oom_kill of /proc/vmstat); no line of its log tells more"
                .to_owned()
        }
        by if by.is_kernel() => {
            "the kernel killed; its report is no longer kept, or was not written".to_owned()
        }
        by => format!("{} killed: the kernel was not asked, and counts no kill", by.word()),
    }
}

pub(crate) fn whom_words(happening: &OomEvent) -> String {
    let mut text = whom(happening);
    if let Some(victim) = &happening.victim {
        text.push_str(&victim.uid.map_or_else(String::new, |uid| format!(" (uid {uid})")));
        for (name, size) in [("rss", victim.rss), ("swap", victim.swap)] {
            if let Some(size) = size.filter(|size| size.0 > 0) {
                text.push_str(&format!(", {name} {}", crate::columns::human_size(size.bytes())));
            }
        }
        text.push_str(&victim.adj.map_or_else(String::new, |adj| format!(", oom_score_adj {adj}")));
    }
    if happening.guessed {
        text.push_str("; a guess: the largest that was gone in the look after it");
    }
    text
}

/// Year, month and day of a count of days since 1970.
#[must_use]
pub const fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is the last one.
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
