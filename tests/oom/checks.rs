//! Checks of the test's own logic, which run before it. The test has no harness, so they are functions.

use crate::kmsg::{Event, Record, Reports};
use crate::oracle::{Claim, Frame, Named};
use crate::tally::{Outcome, Tally, judge};

/// Runs all checks. Panics at the first that fails.
pub fn all() {
    records_are_parsed();
    a_report_of_a_new_kernel_is_joined();
    a_report_of_6_1_has_fewer_columns();
    a_lone_kill_line_is_enough();
    a_group_kill_is_one_choice();
    only_the_kernel_can_report_a_kill();
    a_sample_is_compared_with_a_kill();
    the_claim_of_a_limit_is_the_death_there();
    a_wrong_prediction_refutes();
    of_equal_scores_the_youngest_is_chosen();
}

fn events(lines: &[&str]) -> Vec<Event> {
    let mut reports = Reports::default();
    let records = lines.iter().map(|line| Record::parse(line.as_bytes()).expect("a record"));
    records.filter_map(|record| reports.take(&record)).collect()
}

fn records_are_parsed() {
    let record = Record::parse(b"6,47451,4516700942,-;text; with, marks\n SUBSYSTEM=x\n").unwrap();
    assert_eq!((record.stamp, record.kernel), (4_516_700_942, true));
    assert_eq!(record.text, "text; with, marks");
    let record = Record::parse(b"12,1,77,-,caller=T1;ours\n").unwrap();
    assert_eq!((record.stamp, record.kernel), (77, false));
    for odd in [&b""[..], b"no record", b"1;x", b"a,b,c,d;x", b"6,1,\xff,-;x"] {
        assert_eq!(Record::parse(odd), None);
    }
}

fn a_report_of_a_new_kernel_is_joined() {
    let events = events(&[
        "4,1,100,-;gr ow invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "6,2,110,-;[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name",
        "6,3,120,-;[     41]     0    41     2890      300      280       20         0    61440        7          -800 hog a",
        "6,4,130,-;[     42]     0    42     2890     2311     2304        7         0    61440        0           800 hogk",
        "6,5,140,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a b,task_memcg=/a b/c,task=hogk,pid=42,uid=0",
        "3,6,150,-;Memory cgroup out of memory: Killed process 42 (ho) (gk) total-vm:11560kB, anon-rss:9216kB, file-rss:28kB, shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:800",
    ]);
    let [Event::Chosen(kill)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((kill.stamp, kill.pid, kill.comm.as_str()), (100, 42, "ho) (gk"));
    assert_eq!((kill.invoker.as_str(), kill.in_cgroup), ("gr ow", true));
    assert_eq!(kill.scope.as_deref(), Some("/a b"));
    let row = &kill.table[0];
    assert_eq!((row.pid, row.name.as_str(), row.rss, row.tables), (41, "hog a", 300, 15));
    assert_eq!((row.swap, row.adj, kill.table.len()), (7, -800, 2));
}

fn a_report_of_6_1_has_fewer_columns() {
    let events = events(&[
        "4,1,5,-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0",
        "6,2,6,-;[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "6,3,7,-;[    132]     0   132   155813      912  1286144        0           694 hog02",
        "6,4,8,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=hog02,pid=132,uid=0",
        "3,5,9,-;Out of memory: Killed process 132 (hog02) total-vm:623252kB, anon-rss:3564kB, file-rss:0kB, shmem-rss:84kB, UID:0 pgtables:1256kB oom_score_adj:694",
    ]);
    let [Event::Chosen(kill)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((kill.pid, kill.in_cgroup, kill.scope.as_deref()), (132, false, None));
    assert_eq!((kill.table[0].rss, kill.table[0].tables, kill.table[0].adj), (912, 314, 694));
}

fn a_lone_kill_line_is_enough() {
    let events = events(&[
        "3,5,9,-;Memory cgroup out of memory: Killed process 7 (a) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0",
    ]);
    let [Event::Chosen(kill)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((kill.stamp, kill.pid, kill.invoker.as_str()), (9, 7, ""));
}

fn a_group_kill_is_one_choice() {
    let killed = |pid| {
        format!("3,5,9,-;Memory cgroup out of memory: Killed process {pid} (a) total-vm:1kB, x")
    };
    let invoked = "4,1,5,-;a invoked oom-killer: gfp_mask=0x1, order=0, oom_score_adj=0";
    let group = "6,1,9,-;Tasks in /x are going to be killed due to memory.oom.group set";
    let (first, second, third) = (killed(1), killed(2), killed(3));
    let events = events(&[invoked, &first, group, &first, &second, invoked, &third]);
    let said: Vec<(bool, i32)> = events
        .iter()
        .map(|event| match event {
            Event::Chosen(kill) => (true, kill.pid),
            Event::Member(pid) => (false, *pid),
        })
        .collect();
    assert_eq!(said, [(true, 1), (false, 1), (false, 2), (true, 3)]);
}

fn only_the_kernel_can_report_a_kill() {
    let said = events(&[
        "12,5,9,-;Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB",
        "6,5,9,-;Killed process 1 (init), or so they say",
    ]);
    assert_eq!(said, []);
}

fn sample(victim: i32, candidates: &[i32]) -> Frame {
    let victim = (victim > 0).then_some(Named { pid: victim });
    Frame { victim, candidates: candidates.to_vec(), ..Frame::default() }
}

fn said(victim: i32, candidates: &[i32]) -> Claim {
    sample(victim, candidates).now()
}

fn the_claim_of_a_limit_is_the_death_there() {
    let frame: Frame = serde_json::from_str(
        r#"{"victim":{"pid":1},"candidates":[1],"processes":[],
            "off":{"by":"no_limit","words":"no limit","candidates":[4]},
            "at_limit":{"victim":{"pid":2},"candidates":[2,1]},
            "deaths":[{"by":"kernel","domain":"/a","candidates":[{"pid":3},{"pid":2}]}]}"#,
    )
    .unwrap();
    assert_eq!(frame.at_the_limit("/a").candidates, [3, 2]);
    assert_eq!(frame.at_the_limit("/b").candidates, [2, 1]);
    assert!(frame.at_the_limit("/b").off);
    assert_eq!(frame.above_the_scope("/a").candidates, [3, 2]);
    assert_eq!(frame.above_the_scope("/x").candidates, [4]);
    let confined = Frame { off: None, ..frame };
    assert_eq!(judge(&confined.above_the_scope("/x"), 4), Outcome::Missed, "it must be said");
}

fn a_sample_is_compared_with_a_kill() {
    assert_eq!(judge(&said(7, &[7]), 7), Outcome::Named);
    assert_eq!(judge(&said(7, &[7, 8]), 7), Outcome::Among);
    assert_eq!(judge(&said(7, &[7, 8]), 8), Outcome::Among);
    assert_eq!(judge(&said(7, &[7]), 8), Outcome::Missed);
    assert_eq!(judge(&said(7, &[7, 8]), 9), Outcome::Missed);
    assert_eq!(judge(&said(8, &[7]), 7), Outcome::Missed, "victim and candidates differ");
    assert_eq!(judge(&said(0, &[]), 7), Outcome::Missed);
    let off = Frame { off: Some("panic_on_oom".into()), ..sample(7, &[7]) };
    assert_eq!(judge(&off.now(), 8), Outcome::Off);
    let on = Frame { off: Some(serde_json::Value::Null), ..sample(7, &[7]) };
    assert_eq!(judge(&on.now(), 7), Outcome::Named);
}

fn a_wrong_prediction_refutes() {
    let count = |tally: &mut Tally, victim, candidates: &[i32], killed| {
        let frame = sample(victim, candidates);
        tally.count(&frame, &frame.now(), killed, 0);
    };
    let mut tally = Tally::default();
    assert!(tally.refuted().is_some(), "no kill proves nothing");
    count(&mut tally, 7, &[7], 7);
    count(&mut tally, 7, &[7, 8], 8);
    assert_eq!(tally.refuted(), None);
    count(&mut tally, 7, &[7], 8);
    assert!(tally.refuted().is_some(), "one wrong kill is enough");
    assert_eq!((tally.kills, tally.named, tally.too_close), (3, 1, 1));
    assert_eq!((tally.among, tally.missed, tally.first), (1, 1, 1));
    assert_eq!(tally.candidates, 4);
}

fn of_equal_scores_the_youngest_is_chosen() {
    let frame: Frame = serde_json::from_str(
        r#"{"victim":null,"candidates":[],"processes":[
            {"pid":3,"start_ticks":99,"oom_score":999,"spared":"outside"},
            {"pid":5,"start_ticks":10,"oom_score":700},
            {"pid":4,"start_ticks":11,"oom_score":700},
            {"pid":6,"start_ticks":12,"oom_score":699},
            {"pid":2,"start_ticks":13}]}"#,
    )
    .unwrap();
    assert_eq!(frame.highest_score(), Some(4));
}
