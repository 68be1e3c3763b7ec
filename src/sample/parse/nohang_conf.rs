//! `nohang.conf`: lines `KEY = VALUE`, and rules that begin with `@`.

use crate::model::{
    NohangOptions, NohangRule, NohangRuleField, NohangThreshold, Text, ThresholdAmount,
};
use crate::units::Kib;

/// Separates the number of a rule from its regular expression.
const SEPARATOR: &str = "///";

/// The kinds of rules, and what they test.
const RULES: &[(&str, NohangRuleField)] = &[
    ("NAME", NohangRuleField::Name),
    ("CMDLINE", NohangRuleField::Cmdline),
    ("UID", NohangRuleField::Uid),
    ("CGROUP_V1", NohangRuleField::CgroupV1),
    ("CGROUP_V2", NohangRuleField::CgroupV2),
    ("REALPATH", NohangRuleField::Exe),
    ("CWD", NohangRuleField::Cwd),
    ("ENVIRON", NohangRuleField::Environ),
];

/// Maximum number of rules, which bounds memory.
const RULES_MAX: usize = 1000;

/// Maximum number of remarks about one file.
const REMARKS_MAX: usize = 8;

/// Parses `5 %` or `300 M`.
fn amount(value: &str) -> Option<ThresholdAmount> {
    let number =
        |digits: &str| digits.trim().parse::<f64>().ok().filter(|it| (0.0..1e12).contains(it));
    if let Some(digits) = value.strip_suffix('%') {
        return number(digits).map(ThresholdAmount::Percent);
    }
    number(value.strip_suffix('M')?).map(|mib| ThresholdAmount::Kib(Kib((mib * 1024.0) as u64)))
}

fn truth(value: &str) -> Option<bool> {
    match value {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    }
}

fn float(value: &str) -> Option<f64> {
    value.parse::<f64>().ok().filter(|it| it.is_finite() && *it >= 0.0)
}

/// Parses a rule, without the `@`.
fn rule(line: &str) -> Option<NohangRule> {
    let line = line.strip_prefix("BADNESS_ADJ_RE_")?;
    let &(name, on) = RULES.iter().find(|(name, _)| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '\t', '-', '+']))
    })?;
    let (adj, pattern) = line[name.len()..].split_once(SEPARATOR)?;
    let adj = adj.trim().parse().ok()?;
    Some(NohangRule { on, adj, pattern: Text::new(pattern.trim().as_bytes()) })
}

/// Sets the option of a key; `None` if the value is invalid.
fn set(options: &mut NohangOptions, key: &str, value: &str) -> Option<()> {
    let NohangOptions { soft, hard, .. } = options;
    let step = |step: &mut NohangThreshold, what: &str| {
        match what {
            "min_mem" => step.mem = amount(value)?,
            "min_swap" => step.swap = amount(value)?,
            "max_psi" => step.psi = float(value)?,
            "max_zram" => step.zram = amount(value)?,
            _ => {}
        }
        Some(())
    };
    if let Some(what) = key.strip_prefix("soft_threshold_") {
        return step(soft, what);
    }
    if let Some(what) = key.strip_prefix("hard_threshold_") {
        return step(hard, what);
    }
    match key {
        "psi_checking_enabled" => options.psi = truth(value)?,
        "zram_checking_enabled" => options.zram = truth(value)?,
        "psi_metrics" => options.psi_metric = Text::new(value.as_bytes()),
        "psi_excess_duration" => options.psi_seconds = float(value)?,
        "ignore_positive_oom_score_adj" => options.ignore_positive_adj = truth(value)?,
        "min_badness" => options.min_badness = value.parse().ok().filter(|it| *it >= 1)?,
        _ => {}
    }
    Some(())
}

/// Parses the file. Returns the options, with the shipped defaults for those that it does not set,
/// and remarks about invalid lines. Rules keep the order of the file: nohang tests them by kind, but
/// only their sum counts.
#[must_use]
pub fn nohang_conf(bytes: &[u8]) -> (NohangOptions, Vec<Text>) {
    let mut options = NohangOptions::default();
    let mut remarks = Vec::new();
    let remark = |words: &str, line: &str| {
        let short: String = line.chars().take(80).collect();
        Text::new(format!("nohang: {words} {short}").as_bytes())
    };
    for line in bytes.split(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        // Indented lines are comments.
        if line.is_empty() || line.starts_with(['#', ' ', '\t']) {
            continue;
        }
        let line = line.trim_end();
        if let Some(special) = line.strip_prefix('@') {
            if special.starts_with("SOFT_ACTION_RE_") {
                options.soft_actions = options.soft_actions.saturating_add(1);
            } else if special.starts_with("BADNESS_ADJ_RE_") {
                match rule(special) {
                    Some(rule) if options.rules.len() < RULES_MAX => options.rules.push(rule),
                    Some(_) => {}
                    None => remarks.push(remark("invalid rule", line)),
                }
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if set(&mut options, key.trim(), value.trim()).is_none() {
            remarks.push(remark("invalid line", line));
        }
    }
    remarks.truncate(REMARKS_MAX);
    (options, remarks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "## comment\n    indented = 1\nsoft_threshold_min_mem = 8 %\n\
        soft_threshold_min_swap = 300 M\nhard_threshold_max_psi = 70\nhard_threshold_max_zram = 70 %\npsi_checking_enabled = True\n\
        psi_metrics = some_avg60\nignore_positive_oom_score_adj = True\nmin_badness = 10\n\
        @BADNESS_ADJ_RE_NAME   200  ///  ^(Web Content|file:// Content)$\n\
        @BADNESS_ADJ_RE_REALPATH -200 /// ^/usr/bin/X\n@SOFT_ACTION_RE_NAME ^a$ /// kill $PID\n\
        @BADNESS_ADJ_RE_CGROUP_V2 -5 ///  /a\n@BADNESS_ADJ_RE_NAME x /// y\nunknown = 7\n";

    #[test]
    fn keys_and_rules_are_read() {
        let (options, remarks) = nohang_conf(FILE.as_bytes());
        assert_eq!(options.soft.mem, ThresholdAmount::Percent(8.0));
        assert_eq!(options.soft.swap, ThresholdAmount::Kib(Kib(307_200)));
        assert_eq!(options.hard.psi, 70.0);
        assert_eq!(options.hard.mem, ThresholdAmount::Percent(2.0), "as shipped");
        assert_eq!(options.hard.zram, ThresholdAmount::Percent(70.0));
        assert_eq!(options.soft.zram, ThresholdAmount::Percent(55.0), "as shipped");
        assert!(options.psi && options.ignore_positive_adj && !options.zram);
        assert_eq!(options.psi_metric.as_str(), "some_avg60");
        assert_eq!(options.min_badness, 10);
        let rules: Vec<_> =
            options.rules.iter().map(|it| (it.on, it.adj, it.pattern.as_str())).collect();
        assert_eq!(
            rules,
            [
                (NohangRuleField::Name, 200, "^(Web Content|file:// Content)$"),
                (NohangRuleField::Exe, -200, "^/usr/bin/X"),
                (NohangRuleField::CgroupV2, -5, "/a"),
            ]
        );
        assert_eq!(options.soft_actions, 1);
        let remarks: Vec<_> = remarks.iter().map(Text::as_str).collect();
        assert_eq!(remarks, ["nohang: invalid rule @BADNESS_ADJ_RE_NAME x /// y"]);
    }

    #[test]
    fn invalid_input_is_reported() {
        for line in ["soft_threshold_min_mem = 8", "min_badness = 0", "psi_checking_enabled = yes"]
        {
            let (options, remarks) = nohang_conf(line.as_bytes());
            assert_eq!((options, remarks.len()), (NohangOptions::default(), 1), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = nohang_conf(&bytes);
        }

        #[test]
        fn no_damage_panics(at in 0..FILE.len(), byte: u8) {
            let mut bytes = FILE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = nohang_conf(&bytes);
        }
    }
}
