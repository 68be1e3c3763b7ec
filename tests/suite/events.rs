//! The kernel's log: every form of every line, whole captures against the kernel's own choice, and
//! captures that are cut, mixed or hostile.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use doomtop::events::{KernelLogReader, KillReason, OomReport};
use doomtop::report::explain::{ChoiceAgreement, DumpContext, ExplainedReport};
use doomtop::units::{Adj, Kib, Pages};
use proptest::prelude::*;
use serde_json::Value;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kmsg")
}

/// Every capture: its name and its text.
fn captures() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "txt"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    all.sort();
    all
}

fn agreements(reports: &[OomReport]) -> Vec<ChoiceAgreement> {
    let common = DumpContext::of(reports);
    reports.iter().map(|report| ExplainedReport::new(report, &common, None).agreement()).collect()
}

#[test]
fn the_rule_chooses_in_every_dump_whom_the_kernel_chose() {
    let mut count = 0;
    for (name, text) in captures() {
        for (nth, agreement) in agreements(&KernelLogReader::read(&text)).into_iter().enumerate() {
            assert_eq!(agreement, ChoiceAgreement::Agrees, "{name}, OOM {}", nth + 1);
            count += 1;
        }
    }
    assert_eq!(count, 25);
}

#[test]
fn another_rule_than_the_kernels_does_not_agree() {
    let rss = doomtop::policy::by_id("rss").unwrap();
    let mut differ = 0;
    for (_, text) in captures() {
        let reports = KernelLogReader::read(&text);
        let common = DumpContext::of(&reports);
        for report in &reports {
            let agreement = ExplainedReport::new(report, &common, Some(rss)).agreement();
            differ += usize::from(matches!(agreement, ChoiceAgreement::Differs(Some(_))));
        }
    }
    assert!(differ >= 10, "only {differ} of 25 differ: the comparison sees nothing");
}

/// What a sample's line gave, in the names of the samples.
fn facts(kind: &str, report: &OomReport) -> Value {
    let kib = |kib: Option<Kib>| kib.map(|it| it.0);
    let killed = report.killed.first();
    let task = report.tasks.first();
    let pages = |pages: Option<Pages>| pages.map(|it| it.0);
    match kind {
        "invoked" => {
            let it = report.invoked.as_ref().unwrap();
            serde_json::json!({
                "comm": it.name, "gfp": it.gfp, "gfp_flags": it.flags, "order": it.order,
                "oom_score_adj": it.adj.map(|adj| adj.0), "oom_adj": it.adj.map(|adj| adj.legacy().0),
            })
        }
        "killed" => {
            let it = killed.unwrap();
            serde_json::json!({
                "pid": it.pid, "comm": it.name, "uid": it.uid, "prefix": it.reason.map(prefix),
                "total_vm_kb": kib(it.total_vm), "anon_rss_kb": kib(it.anon),
                "file_rss_kb": kib(it.file), "shmem_rss_kb": kib(it.shmem),
                "pgtables_kb": kib(it.pgtables), "oom_score_adj": it.adj.map(|adj| adj.0),
                "memcg": report.is_memcg(),
            })
        }
        "selected" => {
            let (pid, comm, score) = report.selected.clone().unwrap();
            serde_json::json!({ "pid": pid, "comm": comm, "score": score, "memcg": true })
        }
        "shared_kill" => {
            let (pid, comm) = report.sharers.first().unwrap();
            serde_json::json!({ "pid": pid, "comm": comm })
        }
        "already_exiting" => serde_json::json!({ "pid": report.exiting, "comm": "java" }),
        "summary" => serde_json::json!({
            "constraint": report.constraint.map(|it| match it {
                doomtop::events::Constraint::None => "CONSTRAINT_NONE",
                doomtop::events::Constraint::Cpuset => "CONSTRAINT_CPUSET",
                doomtop::events::Constraint::MemoryPolicy => "CONSTRAINT_MEMORY_POLICY",
                doomtop::events::Constraint::Memcg => "CONSTRAINT_MEMCG",
            }),
            "nodemask": report.nodes, "oom_memcg": report.domain, "task_memcg": report.cgroup,
            "pid": report.chosen,
        }),
        "oom_group" => serde_json::json!({ "cgroup": report.group }),
        "memcg_task" => {
            serde_json::json!({ "task_cgroup": report.cgroup, "limit_cgroup": report.domain })
        }
        "memcg_usage" => {
            let it = report.memory.unwrap();
            serde_json::json!({
                "usage_kb": it.usage.0, "limit_kb": kib(it.limit), "failcnt": it.failures,
            })
        }
        "memcg_swap" => {
            let it = report.swap.unwrap();
            serde_json::json!({
                "usage_kb": it.usage.0,
                "limit_kb": it.limit.map_or(9_007_199_254_740_988, |limit| limit.0),
            })
        }
        "task_row" => {
            let it = task.unwrap();
            serde_json::json!({
                "pid": it.pid, "uid": it.uid, "tgid": it.tgid, "total_vm": it.total_vm.0,
                "rss": it.rss.0, "rss_anon": pages(it.anon), "rss_file": pages(it.file),
                "rss_shmem": pages(it.shmem), "pgtables_bytes": it.table_bytes.map(|it| it.0),
                "swapents": pages(it.swap), "oom_score_adj": it.adj.map(|adj| adj.0),
                "comm": it.name,
            })
        }
        other => panic!("{other}"),
    }
}

#[test]
fn every_form_of_every_line_is_understood() {
    let samples = fs::read_to_string(folder().join("samples.json")).unwrap();
    let samples: Vec<Value> = serde_json::from_str(&samples).unwrap();
    // Not about who was chosen, or not worth a report alone.
    let elsewhere = [
        "vm_killing",
        "alloc_failed",
        "pinned",
        "pf_leak",
        "tasks_begin",
        "tasks_header",
        "reaped",
        "unable_to_reap",
        "kmsg_record",
        "none",
        "panic",
    ];
    let mut checked = 0;
    for sample in &samples {
        let (kind, line) = (sample["kind"].as_str().unwrap(), sample["line"].as_str().unwrap());
        if elsewhere.contains(&kind) {
            continue;
        }
        // What is no report alone stands inside one; a row needs the head of its own dump.
        let head = samples.iter().rfind(|other| {
            other["kind"] == "tasks_header" && other["kernels"] == sample["kernels"]
        });
        let head = head.map_or("", |head| head["line"].as_str().unwrap());
        let before = if kind == "invoked" { "" } else { "oom-killer: gfp_mask=0xd0\n" };
        let reports = KernelLogReader::read(&format!("{before}{head}\n{line}\n"));
        let [report] = &reports[..] else { panic!("{line}: {reports:?}") };
        let found = facts(kind, report);
        for (key, wanted) in sample["fields"].as_object().unwrap() {
            // Not kept: they decide nothing that is told.
            let dropped: &[&str] = match kind {
                "summary" => &["cpuset", "mems_allowed", "task", "uid"],
                "invoked" => &["nodemask"],
                _ => &[],
            };
            if dropped.contains(&key.as_str()) {
                continue;
            }
            assert_eq!(&found[key], wanted, "{key} of {line}");
        }
        checked += 1;
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn a_victims_end_belongs_to_its_report() {
    let text = "a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
                Out of memory: Killed process 999 (java) total-vm:1kB, anon-rss:1kB, file-rss:1kB\n\
                b invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
                oom_reaper: reaped process 999 (java), now anon-rss:0kB, file-rss:0kB, shmem-rss:8kB\n\
                Out of memory: Killed process 5 (b) total-vm:1kB, anon-rss:1kB, file-rss:1kB\n\
                oom_reaper: unable to reap pid:5 (b)\n\
                Out of memory: Killed process 6 (c) total-vm:1kB, anon-rss:1kB, file-rss:1kB\n\
                Out of memory and no killable processes...\n\
                Kernel panic - not syncing: System is deadlocked on memory\n";
    let reports = KernelLogReader::read(text);
    let victims: Vec<Option<i32>> = reports.iter().map(OomReport::victim).collect();
    assert_eq!(victims, [Some(999), Some(5), Some(6), None]);
    assert_eq!(reports[0].reaped[0].shmem, Kib(8));
    assert_eq!(reports[1].not_reaped, [5]);
    assert!(reports[2].invoked.is_none(), "its dump was rate-limited");
    assert!(reports[3].no_victim && reports[3].panic.is_some());
}

#[test]
fn the_same_capture_in_another_form_is_the_same_report() {
    let (_, text) = captures().into_iter().find(|(name, _)| name == "global-6.1.txt").unwrap();
    let wanted: Vec<Option<i32>> =
        KernelLogReader::read(&text).iter().map(OomReport::victim).collect();
    let rewritten = |form: &dyn Fn(u64, &str) -> String| {
        let mut out = String::new();
        for line in text.lines() {
            let (head, words) = line.split_once(';').unwrap();
            let at: u64 = head.split(',').nth(2).unwrap().parse().unwrap();
            // In these forms a record of several lines is several lines.
            for part in words.split("\\x0a") {
                out.push_str(&form(at, part));
                out.push('\n');
            }
            out.push_str("Nov 21 10:00:00 host sshd[1]: Out of memory: Killed process 1 (x)\n");
        }
        out
    };
    type Form<'a> = &'a dyn Fn(u64, &str) -> String;
    let forms: [Form<'_>; 5] = [
        &|at, words| format!("[{:5}.{:06}] {words}", at / 1_000_000, at % 1_000_000),
        &|at, words| format!("[{:5}.{:06}][  T12] {words}", at / 1_000_000, at % 1_000_000),
        &|_, words| format!("Nov 21 10:00:00 host kernel: {words}"),
        &|_, words| format!("2026-11-21T10:00:00+0000 host kernel: {words}"),
        &|_, words| format!("Nov 21 10:00:00 host kernel: [   12.345678] {words}"),
    ];
    for (nth, form) in forms.into_iter().enumerate() {
        let reports = KernelLogReader::read(&rewritten(form));
        let found: Vec<Option<i32>> = reports.iter().map(OomReport::victim).collect();
        assert_eq!(found, wanted, "form {nth}");
        assert!(agreements(&reports).iter().all(|it| *it == ChoiceAgreement::Agrees), "form {nth}");
    }
}

#[test]
fn a_capture_cut_anywhere_tells_what_came_before() {
    let (_, text) = captures().into_iter().find(|(name, _)| name == "global-6.18.txt").unwrap();
    let whole = KernelLogReader::read(&text);
    let mut seen = 0;
    for end in (0..text.len()).step_by(331) {
        let Some(cut) = text.get(..end) else { continue };
        let reports = KernelLogReader::read(cut);
        let over = reports.iter().filter(|report| !report.killed.is_empty()).count();
        assert!(over >= seen && over <= whole.len(), "{over} at {end}");
        seen = over;
        for (report, wanted) in reports.iter().zip(&whole).take(over) {
            assert_eq!(report.victim(), wanted.victim());
        }
    }
    // From behind: the first dump has lost its head, the others are whole.
    let last = text.rfind("\n3,").unwrap();
    for begin in (0..last).step_by(331) {
        let Some(cut) = text.get(begin..) else { continue };
        let reports = KernelLogReader::read(cut);
        assert_eq!(reports.last().and_then(OomReport::victim), Some(185), "from {begin}");
    }
}

#[test]
fn a_hostile_name_is_no_other_line() {
    let text = "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n\
                [ 4711]  1000  4711      100       50       1        0             0  a [ 1] 2 3\n\
                Out of memory: Killed process 4711 (x) total-vm:9kB, anon-rss:9kB, file-rss:9kB) \
                total-vm:400kB, anon-rss:200kB, file-rss:0kB, shmem-rss:0kB\n";
    let reports = KernelLogReader::read(text);
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].tasks[0].name, " a [ 1] 2 3");
    let killed = &reports[0].killed[0];
    assert_eq!(killed.name, "x) total-vm:9kB, anon-rss:9kB, file-rss:9kB");
    assert_eq!((killed.total_vm, killed.anon), (Some(Kib(400)), Some(Kib(200))));
    assert_eq!(reports[0].tasks[0].adj, Some(Adj(0)));
}

/// The lines of all captures.
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    captures().into_iter().flat_map(|(_, text)| lines(text)).collect()
});

#[test]
fn what_a_name_holds_never_reaches_the_terminal() {
    let (rows, kill) = (
        "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n\
         [    7]  1000     7      100       50       1        0             0 a\\x1b[2Jb\n",
        "Out of memory: Killed process 7 (a\\x1b[2Jb) total-vm:4kB, anon-rss:2kB, file-rss:0kB\n",
    );
    let kmsg = format!("4,1,5,-;{}\n4,2,6,-;{}", rows.trim_end().replace('\n', "\n4,1,5,-;"), kill);
    let raw = format!("{rows}{kill}").replace("\\x1b", "\u{1b}");
    for (form, text) in [("dmesg", format!("{rows}{kill}")), ("kmsg", kmsg), ("raw", raw)] {
        let reports = KernelLogReader::read(&text);
        let common = DumpContext::of(&reports);
        let explained = ExplainedReport::new(&reports[0], &common, None);
        let mut out = Vec::new();
        let manner = doomtop::report::line::TextStyle { cut: None, ascii: false };
        explained.write(&mut out, 5, manner).unwrap();
        let out = String::from_utf8(out).unwrap() + &explained.json().to_string();
        assert!(!out.contains(|c: char| c.is_control() && c != '\n'), "{form}: {out:?}");
        assert!(out.matches("a\\x1b[2Jb").count() >= 3, "{form}: {out}");
        assert!(out.matches("a\\\\x1b[2Jb").count() >= 2, "{form}: {out}");
    }
}

#[test]
fn a_later_kill_of_another_kind_is_no_part_of_a_group() {
    let text = "[    1.000000] Memory cgroup out of memory: Killed process 5 (a) total-vm:4kB, anon-rss:2kB, file-rss:0kB\n\
                [    1.000001] Tasks in /x are going to be killed due to memory.oom.group set\n\
                [    1.000002] Memory cgroup out of memory: Killed process 6 (b) total-vm:4kB, anon-rss:2kB, file-rss:0kB\n\
                [   90.000000] Memory cgroup out of memory: Killed process 7 (c) total-vm:4kB, anon-rss:2kB, file-rss:0kB\n\
                [   90.000001] Out of memory: Killed process 8 (d) total-vm:18446744073709551615kB, anon-rss:2kB, file-rss:0kB\n";
    let killed = |report: &OomReport| report.killed.iter().map(|it| it.pid).collect::<Vec<_>>();
    let reports: Vec<Vec<i32>> = KernelLogReader::read(text).iter().map(killed).collect();
    assert_eq!(reports, [vec![5, 6], vec![7], vec![8]]);
}

#[test]
fn a_log_of_nothing_but_kills_takes_no_longer_for_each() {
    let mut text = String::new();
    for pid in 1..40_000 {
        text.push_str(&format!(
            "Out of memory: Killed process {pid} (x) total-vm:4kB, anon-rss:2kB, file-rss:0kB\n"
        ));
        text.push_str(&format!(
            "oom_reaper: reaped process {pid} (x), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB\n"
        ));
    }
    let reports = KernelLogReader::read(&text);
    assert_eq!(reports.len(), 20_000, "more are not kept");
    assert!(reports.iter().all(|report| report.reaped.len() == 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Lines in any order, doubled, cut and mixed with noise: it never panics, and explains what it
    /// can.
    #[test]
    fn a_shuffled_capture_does_no_harm(
        picks in proptest::collection::vec((0_usize..900, 0_usize..200, "\\PC{0,20}"), 0..200),
    ) {
        let lines = &*LINES;
        let mut text = String::new();
        for (at, cut, noise) in picks {
            let line = &lines[at % lines.len()];
            let end = line.char_indices().nth(cut).map_or(line.len(), |(end, _)| end);
            text.push_str(if cut < 150 { line } else { &line[..end] });
            text.push_str(&noise);
            text.push('\n');
        }
        let reports = KernelLogReader::read(&text);
        let common = DumpContext::of(&reports);
        for report in &reports {
            let explained = ExplainedReport::new(report, &common, None);
            let manner = doomtop::report::line::TextStyle { cut: None, ascii: false };
            explained.write(&mut Vec::new(), 5, manner).unwrap();
            prop_assert!(explained.json().is_object());
        }
    }
}

fn explain(arguments: &[&str], input: Option<&Path>) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.arg("explain").args(arguments);
    match input {
        Some(path) => command.stdin(fs::File::open(path).unwrap()),
        None => command.stdin(Stdio::null()),
    };
    command.output().expect("doomtop runs")
}

#[test]
fn the_command_explains_a_log() {
    let log = folder().join("v2-oom-group-6.18.txt");
    let output = explain(&[log.to_str().unwrap(), "--rows", "3"], None);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    insta::assert_snapshot!("explain-oom-group", text);

    let output = explain(&["--json"], Some(&folder().join("global-6.1.txt")));
    let text = String::from_utf8(output.stdout).unwrap();
    let objects: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 6);
    assert_eq!(objects[0]["agreement"], "agrees");
    assert_eq!(objects[0]["killed"][0]["pid"], objects[0]["ranking"][0]["pid"]);
    assert_eq!(objects[0]["kernel"], "6.1.0-56-cloud-amd64");
}

#[test]
fn what_is_no_log_is_said_in_one_line() {
    for (arguments, words) in [
        (&["/dev/null"][..], "no report of the OOM killer"),
        (&["/nowhere/at/all"], "No such file"),
        (&["/"], "a directory"),
    ] {
        let output = explain(arguments, None);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        assert!(complaint.contains(words) && complaint.lines().count() == 1, "{complaint}");
    }
}

/// The beginning of a `Killed process` line.
fn prefix(reason: KillReason) -> &'static str {
    match reason {
        KillReason::OutOfMemory => "Out of memory",
        KillReason::AllocatingTask => "Out of memory (oom_kill_allocating_task)",
        KillReason::MemoryCgroup => "Memory cgroup out of memory",
        KillReason::Other => "other words",
    }
}
