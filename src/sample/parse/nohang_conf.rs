//! `nohang.conf`: one `KEY = VALUE` a line, and the rules, which begin with `@`.

use crate::model::{
    NohangOptions, NohangRule, NohangRuleField, NohangThreshold, Text, ThresholdAmount,
};
use crate::units::Kib;

/// What stands between a rule's number and its expression.
const SEPARATOR: &str = "///";

/// The rules, and what they look at.
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

/// So many rules are taken; more serve only to fill somebody's memory.
const MOST: usize = 1000;

/// `5 %` or `300 M`.
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

/// A rule, without the `@`.
fn rule(line: &str) -> Option<NohangRule> {
    let line = line.strip_prefix("BADNESS_ADJ_RE_")?;
    let &(name, on) = RULES.iter().find(|(name, _)| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '\t', '-', '+']))
    })?;
    let (adj, pattern) = line[name.len()..].split_once(SEPARATOR)?;
    let adj = adj.trim().parse().ok()?;
    Some(NohangRule { on, adj, pattern: Text::new(pattern.trim().as_bytes()) })
}

/// Sets one key; `None` where its value makes no sense.
fn set(options: &mut NohangOptions, key: &str, value: &str) -> Option<()> {
    let NohangOptions { soft, hard, .. } = options;
    let step = |step: &mut NohangThreshold, what: &str| {
        match what {
            "min_mem" => step.mem = amount(value)?,
            "min_swap" => step.swap = amount(value)?,
            "max_psi" => step.psi = float(value)?,
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

/// Reads the file: what it says, and what of it made no sense. What it leaves out is as shipped.
#[must_use]
pub fn nohang_conf(bytes: &[u8]) -> (NohangOptions, Vec<Text>) {
    let mut options = NohangOptions::default();
    let mut odd = Vec::new();
    let strange = |words: &str, line: &str| {
        let short: String = line.chars().take(80).collect();
        Text::new(format!("nohang: {words} {short}").as_bytes())
    };
    for line in bytes.split(|&byte| byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        // Only what begins at the margin counts.
        if line.is_empty() || line.starts_with(['#', ' ', '\t']) {
            continue;
        }
        let line = line.trim_end();
        if let Some(special) = line.strip_prefix('@') {
            if special.starts_with("SOFT_ACTION_RE_") {
                options.soft_actions = options.soft_actions.saturating_add(1);
            } else if special.starts_with("BADNESS_ADJ_RE_") {
                match rule(special) {
                    Some(rule) if options.rules.len() < MOST => options.rules.push(rule),
                    Some(_) => {}
                    None => odd.push(strange("cannot make out the rule", line)),
                }
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if set(&mut options, key.trim(), value.trim()).is_none() {
            odd.push(strange("cannot make out", line));
        }
    }
    // It looks at the names first, then at each of the others in its own order; only sums count.
    odd.truncate(8);
    (options, odd)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "## comment\n    indented = 1\nsoft_threshold_min_mem = 8 %\n\
        soft_threshold_min_swap = 300 M\nhard_threshold_max_psi = 70\npsi_checking_enabled = True\n\
        psi_metrics = some_avg60\nignore_positive_oom_score_adj = True\nmin_badness = 10\n\
        @BADNESS_ADJ_RE_NAME   200  ///  ^(Web Content|file:// Content)$\n\
        @BADNESS_ADJ_RE_REALPATH -200 /// ^/usr/bin/X\n@SOFT_ACTION_RE_NAME ^a$ /// kill $PID\n\
        @BADNESS_ADJ_RE_CGROUP_V2 -5 ///  /a\n@BADNESS_ADJ_RE_NAME x /// y\nunknown = 7\n";

    #[test]
    fn keys_and_rules_are_read() {
        let (options, odd) = nohang_conf(FILE.as_bytes());
        assert_eq!(options.soft.mem, ThresholdAmount::Percent(8.0));
        assert_eq!(options.soft.swap, ThresholdAmount::Kib(Kib(307_200)));
        assert_eq!(options.hard.psi, 70.0);
        assert_eq!(options.hard.mem, ThresholdAmount::Percent(2.0), "as shipped");
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
        let odd: Vec<_> = odd.iter().map(Text::as_str).collect();
        assert_eq!(odd, ["nohang: cannot make out the rule @BADNESS_ADJ_RE_NAME x /// y"]);
    }

    #[test]
    fn nonsense_is_said() {
        for line in ["soft_threshold_min_mem = 8", "min_badness = 0", "psi_checking_enabled = yes"]
        {
            let (options, odd) = nohang_conf(line.as_bytes());
            assert_eq!((options, odd.len()), (NohangOptions::default(), 1), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let _ = nohang_conf(&bytes);
        }

        #[test]
        fn any_damage_is_survived(at in 0..FILE.len(), byte: u8) {
            let mut bytes = FILE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = nohang_conf(&bytes);
        }
    }
}
