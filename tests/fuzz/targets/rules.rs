//! Any bytes as a site policy and as a file of adj rules. What compiles is applied to fixtures.

#![no_main]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use doomtop::model::{Scene, Text};
use doomtop::policy::site::{AdjRules, Diagnostic, SiteRule};
use doomtop::rank::Ranking;
use doomtop_fuzz::{bounded, fixture, harmless};
use libfuzzer_sys::fuzz_target;

/// Maximum number of bytes that become policies: a policy lives as long as the program.
const LEAKED: usize = 16 << 20;

static MACHINES: LazyLock<Vec<Scene>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../fixtures/small.jsonl"),
        include_str!("../../fixtures/strict.jsonl"),
        include_str!("../../fixtures/db-03.jsonl"),
    ];
    let scene = |text: &str| {
        let mut samples = fixture(text).into_iter();
        let mut scene = Scene::new(samples.next()?, None);
        samples.for_each(|sample| drop(scene.advance(sample)));
        Some(scene)
    };
    texts.iter().filter_map(|text| scene(text)).collect()
});

static USERS: LazyLock<Arc<BTreeMap<u32, Text>>> = LazyLock::new(|| {
    let names = [(0, "root"), (33, "www-data"), (1000, "ada"), (26, "postgres")];
    Arc::new(names.into_iter().map(|(uid, name)| (uid, Text::new(name.as_bytes()))).collect())
});

static SPENT: AtomicUsize = AtomicUsize::new(0);

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    bounded(|| if first % 2 == 0 { site(&text) } else { adj(&text) });
});

fn check_refusal(faults: &[Diagnostic]) {
    assert!(!faults.is_empty(), "a refusal has a reason");
    faults.iter().for_each(|fault| harmless(&fault.to_string()));
}

fn site(text: &str) {
    let rule = match SiteRule::compile(text, Arc::clone(&USERS)) {
        Ok(rule) => rule,
        Err(faults) => return check_refusal(&faults),
    };
    harmless(rule.name());
    let _ = rule.steps();
    let spent = SPENT.fetch_add(text.len() + 1024, Ordering::Relaxed);
    if spent > LEAKED {
        for scene in &*MACHINES {
            for process in &scene.now().processes {
                if let Err(trouble) = rule.verdict(process, scene) {
                    harmless(&trouble.to_string());
                }
            }
        }
        return;
    }
    let policy: &'static dyn doomtop::policy::Policy = rule.leak("rule.toml");
    harmless(policy.title());
    harmless(policy.info().about);
    for scene in &*MACHINES {
        let ranking = Ranking::new(policy, scene);
        let again = Ranking::new(policy, scene);
        let order = |ranking: &Ranking| ranking.rows().iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(order(&ranking), order(&again), "the same sample, the same order");
        if let Some(victim) = ranking.victim().and_then(|row| scene.find(row.id)) {
            assert!(policy.also_killed(victim, scene).iter().all(|other| other.id != victim.id));
            let _ = policy.action(victim);
        }
        for process in &scene.now().processes {
            if let Some(trouble) = policy.rule_error(process, scene) {
                harmless(&trouble);
            }
        }
    }
}

fn adj(text: &str) {
    let rules = match AdjRules::compile(text, Arc::clone(&USERS)) {
        Ok(rules) => rules,
        Err(faults) => return check_refusal(&faults),
    };
    for rule in &rules.rules {
        harmless(&rule.about);
        assert!((-1000..=1000).contains(&rule.adj.0), "out of range: {}", rule.adj);
        rule.subjects.iter().for_each(|subject| harmless(&subject.to_string()));
    }
    for scene in &*MACHINES {
        for process in &scene.now().processes {
            if let Ok(Some(hit)) = rules.first(process, scene) {
                assert!(hit.rule < rules.rules.len());
            }
        }
    }
}
