//! What another adj would do, against the ranking itself: change it, rank again, look.

use std::sync::Arc;

use doomtop::app::Setup;
use doomtop::model::{Process, Reading, Scene, Scope, ScoreScale, Snapshot};
use doomtop::policy::site::SiteRule;
use doomtop::policy::{LINUX, LINUX_2_4, LINUX_4_17, Policy};
use doomtop::rank::Ranking;
use doomtop::rank::what_if::{WhatIf, what_if};
use doomtop::units::{Adj, Pages};
use proptest::prelude::*;

use crate::fixtures::{paint, text};
use crate::stage::{Player, machine, process, setup, usual, with_scores};

fn asked(policy: &dyn Policy, snapshot: &Snapshot, pid: i32) -> Option<WhatIf> {
    let scene = Scene::new(Arc::new(snapshot.clone()), None);
    let at = snapshot.position(pid).unwrap();
    let ranking = Ranking::new(policy, &scene);
    what_if(policy, &scene, &ranking, &scene.now().processes[at])
}

/// The rank at another adj, by doing it.
fn rank_with(policy: &dyn Policy, snapshot: &Snapshot, pid: i32, adj: i16) -> Option<usize> {
    let mut changed = snapshot.clone();
    let at = changed.position(pid).unwrap();
    changed.processes[at].adj = Reading::Value(Adj(adj));
    let scene = Scene::new(Arc::new(changed), None);
    let ranking = Ranking::new(policy, &scene);
    let (place, row) = ranking.place(at).unwrap();
    row.placement.points().map(|_| place + 1)
}

#[test]
fn the_cast_is_told_what_would_change_it() {
    let cast = usual();
    // chrome: 90,000 + 300 x 1000; java: 200,000.
    let chrome = asked(&LINUX, &cast, 500).unwrap();
    assert_eq!(chrome.rank_at_zero, Some(2));
    assert_eq!((chrome.saved_at, chrome.doomed_at), (Some(Adj(110)), None), "an equal, and older");
    let java = asked(&LINUX, &cast, 600).unwrap();
    assert_eq!((java.saved_at, java.doomed_at), (None, Some(Adj(190))), "an equal, and younger");
    assert_eq!(java.rank_at_zero, None);
    let never = asked(&LINUX, &cast, 50).unwrap();
    assert_eq!((never.saved_at, never.doomed_at), (None, Some(Adj(389))));
    assert_eq!(asked(&LINUX, &cast, 1), None, "init");
    assert_eq!(asked(&LINUX, &cast, 2), None, "a kernel thread");
    assert_eq!(asked(&LINUX_2_4, &cast, 600), None, "2.4 knows no adj");
}

#[test]
fn the_last_one_is_saved_by_never_only() {
    let alone = machine(1_000_000, ScoreScale::Signed, vec![process(10, "alone", 5000)]);
    assert_eq!(asked(&LINUX, &alone, 10).unwrap().saved_at, Some(Adj::MIN));
    // Where adj weighs nothing, the same.
    let twins = vec![process(10, "a", 500), process(20, "b", 300)];
    let tiny = machine(900, ScoreScale::Signed, twins);
    assert_eq!(asked(&LINUX, &tiny, 10).unwrap().saved_at, Some(Adj::MIN));
    assert_eq!(asked(&LINUX, &tiny, 20).unwrap().doomed_at, None);
}

#[test]
fn outside_the_domain_nothing_is_promised() {
    let scene = Scene::scoped(Arc::new(usual()), None, Scope::parse("/x").unwrap());
    let ranking = Ranking::new(&LINUX, &scene);
    assert_eq!(what_if(&LINUX, &scene, &ranking, &scene.now().processes[7]), None);
}

fn crowd() -> impl Strategy<Value = Vec<Process>> {
    prop::collection::vec((0_u64..60_000, -1000_i16..=1000), 1..7).prop_map(|sizes| {
        let one = |(nth, (rss, adj)): (usize, (u64, i16))| {
            let mut process = process(10 + nth as i32, "one", rss);
            process.adj = Reading::Value(Adj(adj));
            process.rss_exact = Reading::Value(Pages(rss));
            process
        };
        sizes.into_iter().enumerate().map(one).collect()
    })
}

proptest! {
    #[test]
    fn what_is_said_comes_true(crowd in crowd(), nth in 0_usize..7, floored: bool, total in 500_u64..100_000) {
        let (scale, policy): (_, &dyn Policy) = if floored {
            (ScoreScale::Floored, &LINUX_4_17)
        } else {
            (ScoreScale::Signed, &LINUX)
        };
        let pid = 10 + (nth % crowd.len()) as i32;
        let snapshot = machine(total, scale, crowd);
        let rank = |adj: i16| rank_with(policy, &snapshot, pid, adj);
        let own = snapshot.processes[snapshot.position(pid).unwrap()].adj.value().unwrap();
        let said = asked(policy, &snapshot, pid).unwrap();
        if let Some(zero) = said.rank_at_zero {
            prop_assert_eq!(Some(zero), rank(0));
        }
        match (said.saved_at, said.doomed_at) {
            (Some(adj), None) => {
                prop_assert_eq!(rank(own.0), Some(1));
                prop_assert_ne!(rank(adj.0), Some(1));
                prop_assert_eq!(rank(adj.0 + 1), Some(1), "the smallest change");
            }
            (None, Some(adj)) => {
                prop_assert_ne!(rank(own.0), Some(1));
                prop_assert_eq!(rank(adj.0), Some(1));
                prop_assert_ne!(rank(adj.0 - 1), Some(1), "the smallest change");
            }
            (None, None) => prop_assert_ne!(rank(1000), Some(1)),
            both => prop_assert!(false, "{:?}", both),
        }
    }
}

/// A rule of a site with this score.
fn site(score: &str) -> &'static dyn Policy {
    let text = format!("name = 'x'\nscore = '''{score}'''\neligible = 'true'");
    SiteRule::compile(&text, Arc::default()).unwrap().leak("x.toml")
}

/// Every adj at which it is the first, by trying all.
fn first_at(policy: &dyn Policy, snapshot: &Snapshot, pid: i32) -> Vec<i16> {
    (-1000..=1000).filter(|&adj| rank_with(policy, snapshot, pid, adj) == Some(1)).collect()
}

#[test]
fn a_rule_that_falls_with_adj_is_told_the_nearest_turn() {
    let with = |pid, adj| {
        let mut process = process(pid, "one", 500);
        process.adj = Reading::Value(Adj(adj));
        process
    };
    let cast = machine(1_000_000, ScoreScale::Signed, vec![with(10, 100), with(20, 300)]);
    let falls = site("5000 - p.adj");
    // Of equals the lower pid dies.
    let first = asked(falls, &cast, 10).unwrap();
    assert_eq!((first.saved_at, first.doomed_at), (Some(Adj(301)), None));
    let second = asked(falls, &cast, 20).unwrap();
    assert_eq!((second.saved_at, second.doomed_at), (None, Some(Adj(99))));
    assert_eq!(second.rank_at_zero, Some(1));
    // What knows no adj has nothing to tell, and what nothing saves says so.
    assert_eq!(asked(site("p.rss"), &cast, 10), None);
    let ever = asked(site("p.adj < 0 ? 90000 : 80000 - p.pid"), &cast, 10).unwrap();
    assert_eq!((ever.saved_at, ever.doomed_at), (None, None));
}

#[test]
fn a_rule_with_hills_is_told_what_comes_true() {
    let hills = site("(p.adj - 300) * (p.adj - 300) % 977 - p.adj / 3");
    let mut own = process(10, "one", 500);
    for adj in [-1000_i16, -37, 0, 299, 640, 1000] {
        own.adj = Reading::Value(Adj(adj));
        let cast = vec![own.clone(), process(20, "two", 400), process(30, "three", 300)];
        let cast = machine(1_000_000, ScoreScale::Signed, cast);
        let said = asked(hills, &cast, 10).unwrap();
        let all = first_at(hills, &cast, 10);
        let is_first = all.contains(&adj);
        let turns = (-1000..=1000).filter(|at| all.contains(at) != is_first);
        let near = turns.min_by_key(|at| (at.abs_diff(adj), *at)).map(Adj);
        assert_eq!(if is_first { said.saved_at } else { said.doomed_at }, near, "{adj}");
        assert_eq!(if is_first { said.doomed_at } else { said.saved_at }, None, "{adj}");
    }
}

#[test]
fn a_rule_on_the_kernel_s_score_is_told_by_reckoned_scores() {
    let cast = with_scores(usual());
    let by_score = site("p.oom_score");
    let (chrome, linux) =
        (asked(by_score, &cast, 500).unwrap(), asked(&LINUX, &cast, 500).unwrap());
    let (saved, exact) = (chrome.saved_at.unwrap(), linux.saved_at.unwrap());
    // A step of the score is more than one of adj, and of equals the lower pid dies.
    assert!(saved <= exact && saved.0 + 3 > exact.0, "{saved} {exact}");
}

#[test]
fn the_explain_page_says_it_of_a_site_s_rule_too() {
    let says = |policy: &'static dyn Policy| {
        let mut player = Player::with(Setup { policy, ..setup() }, usual());
        player.play("<Enter>");
        text(&paint(&mut player.app, crate::fixtures::theme(false, false), 140, 60).0)
    };
    assert!(says(site("5000 - p.adj")).contains("what if"));
    let never = says(site("p.rss"));
    assert!(never.contains("this rule does not use oom_score_adj"), "{never}");
    let ever = says(site("p.adj < 0 ? 90000 : 80000 - p.pid"));
    assert!(ever.contains("no adj saves it") && !ever.contains("puts it behind"), "{ever}");
}
