//! The same report in every form in which logs are saved and sent: one answer, or what is missing is said.

use std::io::Write;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::Value;

/// A report of a memory cgroup: the lines of the kernel, without any framing.
const CGROUP: &[&str] = &[
    "ingestd invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-300",
    "CPU: 2 UID: 44 PID: 5123 Comm: ingestd Not tainted 6.9.3-lab #1 SMP",
    "memory: usage 65536kB, limit 65536kB, failcnt 77",
    "swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
    "Memory cgroup stats for /plant/ingest:",
    "anon 61440000",
    "file 8192",
    "slab_unreclaimable 1048576",
    "Tasks state (memory values in pages):",
    "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name",
    "[   5120]    44  5120    90210     2210     1210     1000         0    90112        0          -300 sidecar",
    "[   5123]    44  5123   250210    15100    14100     1000         0   401408        0          -300 ingestd",
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=ingest,mems_allowed=0,oom_memcg=/plant/ingest,task_memcg=/plant/ingest,task=ingestd,pid=5123,uid=44",
    "Memory cgroup out of memory: Killed process 5123 (ingestd) total-vm:1000840kB, anon-rss:56400kB, file-rss:4000kB, shmem-rss:0kB, UID:44 pgtables:392kB oom_score_adj:-300",
];

/// A report of the machine by an old kernel, with a child that dies in place of the chosen one.
const OLD: &[&str] = &[
    "reaperd invoked oom-killer: gfp_mask=0x280da, order=0, oom_score_adj=0",
    "reaperd cpuset=/ mems_allowed=0",
    "CPU: 1 PID: 811 Comm: reaperd Not tainted 3.10.0-lab #1",
    "Mem-Info:",
    "active_anon:200000 inactive_anon:1000 isolated_anon:0",
    " active_file:10 inactive_file:12 isolated_file:0",
    " free:1200 slab_reclaimable:300 slab_unreclaimable:4000",
    "262144 pages RAM",
    "1000 pages reserved",
    "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name",
    "[  801]     0   801   190000   150000     400        0             0 master",
    "[  811]     0   811    90000    50000     200        0             0 reaperd",
    "Out of memory: Kill process 801 (master) score 575 or sacrifice child",
    "Killed process 811 (reaperd) total-vm:360000kB, anon-rss:199000kB, file-rss:1000kB",
];

fn json_string(text: &str) -> String {
    Value::from(text).to_string()
}

/// Every framing: its name, and a line in it.
type Framing = (&'static str, fn(usize, &str) -> String);

const FRAMINGS: &[Framing] = &[
    ("bare", |_, text| text.to_owned()),
    ("dmesg", |nth, text| format!("[ 4711.{nth:06}] {text}")),
    ("dmesg -T", |_, text| format!("[Tue Nov 24 10:11:12 2026] {text}")),
    ("dmesg -x", |nth, text| format!("kern  :warn  : [ 4711.{nth:06}] {text}")),
    ("caller", |nth, text| format!("[ 4711.{nth:06}][ T5123] {text}")),
    ("priority", |nth, text| format!("<4>[ 4711.{nth:06}] {text}")),
    ("kmsg", |nth, text| format!("4,{nth},47110000{nth:02},-;{text}")),
    ("syslog", |_, text| format!("Nov 24 10:11:12 box kernel: {text}")),
    ("syslog with uptime", |nth, text| {
        format!("Nov 24 10:11:12 box kernel: [ 4711.{nth:06}] {text}")
    }),
    ("busybox", |nth, text| {
        format!("Nov 24 10:11:12 box kern.warn kernel: [ 4711.{nth:06}] {text}")
    }),
    ("logread", |nth, text| {
        format!("Tue Nov 24 10:11:12 2026 kern.err kernel: [ 4711.{nth:06}] {text}")
    }),
    ("rfc5424", |_, text| format!("<4>1 2026-11-24T10:11:12.5Z box kernel - - - {text}")),
    ("french", |_, text| format!("févr. 24 10:11:12 box kernel: {text}")),
    ("japanese", |_, text| format!("11月 24 10:11:12 box kernel: {text}")),
    ("talos", |_, text| format!("192.0.2.7: kern: warning: [2026-11-24T10:11:12.5Z]: {text}")),
    ("logcat", |_, text| format!("11-24 10:11:12.127     0     0 W         : {text}")),
    ("kubectl", |nth, text| format!("2026-11-24T10:11:12.127000000Z [ 4711.{nth:06}] {text}")),
    ("cri", |nth, text| format!("2026-11-24T10:11:12.1Z stdout F [ 4711.{nth:06}] {text}")),
    ("grep", |nth, text| {
        format!("/var/log/kern.log.1:Nov 24 10:11:12 box kernel: [ 4711.{nth:06}] {text}")
    }),
    ("grep -n", |nth, text| format!("{nth}:[ 4711.{nth:06}] {text}")),
    ("quoted", |nth, text| format!("> > [ 4711.{nth:06}] {text}")),
    ("indented", |nth, text| format!("        [ 4711.{nth:06}] {text}")),
    ("tab", |_, text| format!("\t{text}")),
    ("coloured", |nth, text| {
        format!("\u{1b}[32m[ 4711.{nth:06}] \u{1b}[0m\u{1b}[33m{text}\u{1b}[0m")
    }),
    ("crlf", |nth, text| format!("[ 4711.{nth:06}] {text}\r")),
    ("pipe table", |_, text| format!("| box | {text}")),
    ("journal", |nth, text| {
        format!(
            r#"{{"__REALTIME_TIMESTAMP":"17000000000000{nth:02}","MESSAGE":{},"SYSLOG_IDENTIFIER":"kernel","_TRANSPORT":"kernel"}}"#,
            json_string(text)
        )
    }),
    ("docker", |nth, text| {
        format!(
            r#"{{"log":{},"stream":"stdout","time":"T"}}"#,
            json_string(&format!("[ 4711.{nth:06}] {text}\n"))
        )
    }),
    ("loki", |nth, text| {
        format!(
            r#"{{"stream":{{"job":"x"}},"values":[["17000000000000000{nth:02}",{}]]}}"#,
            json_string(text)
        )
    }),
    ("cloudwatch", |nth, text| {
        format!(r#"{{"events":[{{"timestamp":{nth},"message":{}}}]}}"#, json_string(text))
    }),
    ("stackdriver", |_, text| {
        format!(
            "{{\n \"jsonPayload\": {{\n  \"MESSAGE\": {},\n  \"_TRANSPORT\": \"kernel\"\n }},\n \"timestamp\": \"T\"\n}}",
            json_string(text)
        )
    }),
    ("export", |nth, text| {
        format!("__CURSOR=s={nth}\n__REALTIME_TIMESTAMP=17\nMESSAGE={text}\n_TRANSPORT=kernel\n")
    }),
    ("logfmt", |_, text| format!("time=\"2026-11-24T10:11:12Z\" level=warn msg=\"{text}\"")),
];

fn framed(lines: &[&str], framing: fn(usize, &str) -> String) -> String {
    let lines: Vec<String> =
        lines.iter().enumerate().map(|(nth, line)| framing(nth, line)).collect();
    lines.join("\n") + "\n"
}

/// What `doomtop explain --json` says of a log: its objects, and its standard error.
fn explained(log: &[u8]) -> (Vec<Value>, String) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(log).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    let output = command.args(["explain", "--json"]).arg(file.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let objects = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (objects, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn pids(object: &Value) -> Vec<i64> {
    object["killed"].as_array().unwrap().iter().map(|it| it["pid"].as_i64().unwrap()).collect()
}

/// What must be the same in every form.
fn core(object: &Value) -> Value {
    let keys = [
        "killed",
        "chosen",
        "domain",
        "domain_kind",
        "invoked_by",
        "order",
        "kernel",
        "agreement",
        "ranking",
        "memory",
        "answer",
        "why",
    ];
    keys.iter()
        .map(|key| ((*key).to_owned(), object[*key].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn every_form_gives_the_same_answer() {
    for (report, domain) in [(CGROUP, "memory_cgroup"), (OLD, "machine")] {
        let (wanted, _) = explained(framed(report, FRAMINGS[1].1).as_bytes());
        assert_eq!(
            (wanted.len(), wanted[0]["domain_kind"].as_str()),
            (1, Some(domain)),
            "{wanted:#?}"
        );
        assert_eq!(wanted[0]["agreement"], "agrees");
        for (name, framing) in FRAMINGS {
            let (found, error) = explained(framed(report, *framing).as_bytes());
            assert_eq!(found.len(), 1, "{name}: {found:#?} {error}");
            assert_eq!(core(&found[0]), core(&wanted[0]), "{name}");
        }
    }
}

#[test]
fn every_packing_gives_the_same_answer() {
    let text = framed(CGROUP, FRAMINGS[1].1);
    let (wanted, _) = explained(text.as_bytes());
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bom = [&[0xff, 0xfe][..], &utf16].concat();
    // A frame of zstd with one raw block.
    let mut zstd = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    zstd.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    let head = u32::try_from(text.len()).unwrap() << 3 | 1;
    zstd.extend(&head.to_le_bytes()[..3]);
    zstd.extend(text.as_bytes());
    for (name, bytes) in
        [("gzip", gzip.finish().unwrap()), ("utf-16", utf16), ("bom", bom), ("zstd", zstd)]
    {
        let (found, error) = explained(&bytes);
        assert_eq!(found.len(), 1, "{name}: {error}");
        assert_eq!(core(&found[0]), core(&wanted[0]), "{name}");
    }
    let (found, error) = explained(b"\xfd7zXZ\0\0\0");
    assert!(found.is_empty() && error.contains("xz -dc"), "{error}");
}

#[test]
fn a_log_with_the_newest_line_first_gives_the_same_answer() {
    let (wanted, _) = explained(framed(CGROUP, FRAMINGS[7].1).as_bytes());
    for (name, framing) in [FRAMINGS[7], FRAMINGS[1], FRAMINGS[26]] {
        let text = framed(CGROUP, framing);
        let reversed: Vec<&str> = text.lines().rev().collect();
        let (found, error) = explained(reversed.join("\n").as_bytes());
        assert_eq!(found.len(), 1, "{name}: {found:#?}");
        assert_eq!(core(&found[0]), core(&wanted[0]), "{name}");
        assert!(error.contains("newest line comes first"), "{error}");
    }
}

/// Breaks a line at this width: at blanks as mail does, or anywhere as terminals do.
fn wrapped(line: &str, width: usize, at_blanks: bool) -> Vec<String> {
    let (mut rest, mut out) = (line, Vec::new());
    while rest.len() > width {
        let blank = rest[..width].rfind(' ').filter(|&at| at_blanks && at > 0);
        let (first, second) = rest.split_at(blank.unwrap_or(width));
        out.push(first.to_owned());
        rest = if blank.is_some() { &second[1..] } else { second };
    }
    out.push(rest.to_owned());
    out
}

#[test]
fn wrapped_lines_are_put_together() {
    for report in [CGROUP, OLD] {
        let text = framed(report, FRAMINGS[1].1);
        let (wanted, _) = explained(text.as_bytes());
        for (width, at_blanks) in [(78, false), (100, false), (72, false), (78, true), (100, true)]
        {
            let lines: Vec<String> =
                text.lines().flat_map(|line| wrapped(line, width, at_blanks)).collect();
            let (found, error) = explained(lines.join("\n").as_bytes());
            assert_eq!(found.len(), 1, "{width}: {found:#?} {error}");
            for key in ["killed", "domain", "domain_kind", "invoked_by", "kernel"] {
                assert_eq!(found[0][key], wanted[0][key], "{key} at {width} {at_blanks}");
            }
        }
    }
}

#[test]
fn cut_lines_tell_what_is_left_and_no_more() {
    let text = framed(CGROUP, FRAMINGS[1].1);
    for width in [60, 80, 100, 120, 160] {
        let lines: Vec<&str> = text.lines().map(|line| line.get(..width).unwrap_or(line)).collect();
        let (found, error) = explained(lines.join("\n").as_bytes());
        assert_eq!(found.len(), 1, "{width}: {error}");
        let object = &found[0];
        assert_eq!(object["domain_kind"], "memory_cgroup", "{width}");
        assert_eq!(pids(object), [5123].repeat(usize::from(width >= 80)), "{width}: {object:#}");
        if let Some(killed) = object["killed"].get(0) {
            let anon = &killed["anon_kib"];
            assert!(anon.is_null() || *anon == 56400, "{width}: {anon}");
        }
        let ranked = object["ranking"].as_array().map_or(0, Vec::len);
        assert!(ranked == 0 || width >= 120, "{width}: {ranked} rows of a dump that was cut");
    }
}

#[test]
fn grepped_lines_are_as_many_reports() {
    let kills = "Nov 24 10:11:12 box kernel: Out of memory: Kill process 41 (php) score 300 or sacrifice child\n\
                 Nov 24 10:11:13 box kernel: Out of memory: Kill process 42 (php) score 310 or sacrifice child\n";
    let (found, _) = explained(kills.as_bytes());
    let chosen: Vec<_> =
        found.iter().map(|it| (&it["chosen"]["pid"], &it["chosen"]["score"])).collect();
    assert_eq!(
        chosen,
        [(&Value::from(41), &Value::from(300)), (&Value::from(42), &Value::from(310))]
    );
    assert!(found.iter().all(|it| pids(it).is_empty() && it["domain_kind"] == "machine"));
    assert!(
        found[0]["answer"].as_str().unwrap().contains("not in this log"),
        "{}",
        found[0]["answer"]
    );
    let summaries = "oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=(null),cpuset=a,mems_allowed=1,global_oom,task_memcg=/a,task=x y,pid=7,uid=0\n\
                     oom-kill:constraint=CONSTRAINT_MEMORY_POLICY,nodemask=1,cpuset=/,mems_allowed=0-1,global_oom,task_memcg=/a,task=z,pid=8,uid=0\n";
    let (found, _) = explained(summaries.as_bytes());
    let kinds: Vec<_> = found.iter().map(|it| it["domain_kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["cpuset", "memory_policy"]);
    assert_eq!(found[0]["chosen"]["comm"], "x y");
    let (found, _) =
        explained(b"x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n");
    assert_eq!((found[0]["domain_kind"].as_str(), pids(&found[0]).len()), (Some("unknown"), 0));
    let answer = found[0]["answer"].as_str().unwrap();
    assert!(
        answer.contains("victim: not in this log") && answer.contains("domain: not told"),
        "{answer}"
    );
}

#[test]
fn reports_of_two_cpus_are_kept_apart() {
    let first = framed(CGROUP, |nth, text| format!("[ 4711.{nth:06}][ T5123] {text}"));
    let second = framed(OLD, |nth, text| format!("[ 4711.{nth:06}][  T811] {text}"));
    let mixed: Vec<&str> = first.lines().zip(second.lines()).flat_map(|(a, b)| [a, b]).collect();
    let (found, _) = explained(mixed.join("\n").as_bytes());
    assert_eq!(found.iter().map(pids).collect::<Vec<_>>(), [[5123], [811]], "{found:#?}");
    assert_eq!(found[0]["domain"], "/plant/ingest");
    assert_eq!(found[1]["domain_kind"], "machine");
    // Without callers each kill is still its own report, and the doubt is said.
    let bare: Vec<String> =
        mixed.iter().map(|line| line.split_once("] ").unwrap().1.to_owned()).collect();
    let (found, _) = explained(bare.join("\n").as_bytes());
    let mut killed: Vec<i64> = found.iter().flat_map(pids).collect();
    killed.sort_unstable();
    assert_eq!(killed, [811, 5123], "{found:#?}");
}

#[test]
fn a_name_forges_no_kill() {
    // The path of a cgroup may hold anything, in forms that do not escape the backslash also `\x0a`.
    for path in [
        "/a/x\\x0aOut of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB",
        "/a/Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB",
        "/a/[ 1] 0 1 1 1 1 1 0 0 init",
    ] {
        let log: Vec<String> =
            CGROUP.iter().map(|line| line.replace("/plant/ingest", path)).collect();
        let lines: Vec<&str> = log.iter().map(String::as_str).collect();
        for (name, framing) in [FRAMINGS[0], FRAMINGS[1], FRAMINGS[7], FRAMINGS[14]] {
            let (found, _) = explained(framed(&lines, framing).as_bytes());
            assert_eq!(found.iter().flat_map(pids).collect::<Vec<_>>(), [5123], "{name} {path}");
        }
    }
    for line in [
        "Nov 24 10:11:12 box app[7]: Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB",
        "[ 4711.000001] usb 1-1: Product: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB",
        "<14>Nov 24 10:11:12 box app: x: Out of memory: Killed process 1 (init)",
        "2026-11-24T10:11:12Z box my app: Out of memory: Killed process 1 (init)",
        r#"{"_TRANSPORT":"syslog","SYSLOG_IDENTIFIER":"app","MESSAGE":"Out of memory: Killed process 1 (init)"}"#,
        "MESSAGE=Out of memory: Killed process 1 (init)\n_TRANSPORT=stdout\n",
    ] {
        let (found, error) = explained(line.as_bytes());
        assert!(found.is_empty() && error.contains("no report"), "{line}: {found:#?}");
    }
}

#[test]
fn a_group_kill_is_one_report() {
    let mut lines = CGROUP.to_vec();
    lines.extend([
        "Tasks in /plant/ingest are going to be killed due to memory.oom.group set",
        "Memory cgroup out of memory: Killed process 5120 (sidecar) total-vm:360840kB, anon-rss:4840kB, file-rss:4000kB, shmem-rss:0kB, UID:44 pgtables:88kB oom_score_adj:-300",
        "Memory cgroup out of memory: OOM victim 5123 (ingestd) is already exiting. Skip killing the task",
        "Memory cgroup out of memory: OOM victim 5124 (late) is already exiting. Skip killing the task",
    ]);
    let (found, _) = explained(framed(&lines, FRAMINGS[1].1).as_bytes());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (pids(&found[0]), &found[0]["oom_group"]),
        (vec![5123, 5120], &Value::from("/plant/ingest"))
    );
}

#[test]
fn a_thread_stands_for_its_process() {
    let mut lines = OLD.to_vec();
    lines[10] = "[  833]     0   801   190000   150000     400        0             0 master";
    lines[12] = "Out of memory: Kill process 801 (master) score 575 or sacrifice child";
    lines[13] = "Killed process 801 (master) total-vm:760000kB, anon-rss:599000kB, file-rss:1000kB";
    let (found, _) = explained(framed(&lines, FRAMINGS[1].1).as_bytes());
    assert_eq!(
        (found[0]["agreement"].as_str(), pids(&found[0])),
        (Some("agrees"), vec![801]),
        "{found:#?}"
    );
    assert_eq!(found[0]["ranking"][0]["pid"], 801);
}

#[test]
fn kills_by_daemons_are_explained() {
    let log = "Nov 24 10:11:12 box systemd-oomd[84]: Killed /user.slice/a.scope due to memory pressure for /user.slice being 61.00% > 60.00% for > 20s with reclaim activity\n\
               Nov 24 10:11:12 box systemd[1]: a.scope: systemd-oomd killed 5 process(es) in this unit.\n\
               Nov 24 10:11:13 box systemd-oomd[84]: Marked /user.slice/b.scope for killing due to memory used (1) / total (2) and swap used (3) / total (4) being more than 90.00%\n\
               Nov 24 10:11:14 box earlyoom[39]: low memory! at or below SIGTERM limits: mem 10.00%, swap 10.00%\n\
               Nov 24 10:11:14 box earlyoom[39]: sending SIGTERM to process 7 uid 1001 \"tab\": badness 757, VmRSS 637 MiB\n\
               11-24 10:11:15.127   600   600 I lowmemorykiller: Kill 'com.example.app' (812), uid 10123, oom_score_adj 900 to free 65536kB rss, 1024kB swap; reason: device is low on swap\n";
    let (found, error) = explained(log.as_bytes());
    let told: Vec<_> = found
        .iter()
        .map(|it| (it["killer"].as_str().unwrap(), it["answer"].as_str().unwrap()))
        .collect();
    assert_eq!(told.len(), 4, "{told:#?} {error}");
    assert_eq!((told[0].0, found[0]["processes"].as_i64()), ("systemd-oomd", Some(5)));
    assert!(
        told[0].1.starts_with("all of /user.slice/a.scope (5 processes) was killed"),
        "{}",
        told[0].1
    );
    assert!(told[1].1.contains("/user.slice/b.scope") && told[1].1.contains("more than 90.00%"));
    assert!(told[2].1.contains("tab (7)") && told[2].1.contains("mem 10.00%"), "{}", told[2].1);
    assert_eq!((told[3].0, pids(&found[3])), ("lmkd", vec![812]));
    assert!(told[3].1.contains("low on swap"), "{}", told[3].1);
}

#[test]
fn the_cause_is_told_by_any_of_its_signs() {
    let kind = |log: &str| {
        let (found, error) = explained(log.as_bytes());
        assert_eq!(found.len(), 1, "{log}: {error}");
        (
            found[0]["domain_kind"].as_str().unwrap().to_owned(),
            found[0]["answer"].as_str().unwrap().to_owned(),
        )
    };
    let invoked =
        "[ 1.000001] a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n";
    for (lines, wanted) in [
        ("[ 1.000002]  mem_cgroup_out_of_memory+0xb5/0xd0\n", "memory_cgroup"),
        ("[ 1.000002] memory+swap: usage 10kB, limit 10kB, failcnt 7\n", "memory_cgroup"),
        ("[ 1.000002] Memory cgroup stats for /x: cache:0KB rss:10KB\n", "memory_cgroup"),
        ("[ 1.000002] Task in /x/y killed as a result of limit of /x\n", "memory_cgroup"),
        (
            "[ 1.000002] Memory cgroup out of memory: Kill process 7 (b) score 9 or sacrifice child\n",
            "memory_cgroup",
        ),
        ("[ 1.000002] Mem-Info:\n", "machine"),
        ("[ 1.000002] Out of memory: Killed process 7 (b) total-vm:1kB\n", "machine"),
        (
            "[ 1.000002] Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled\n",
            "machine",
        ),
        (
            "[ 1.000002] Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled\n",
            "unknown",
        ),
        (
            "[ 1.000002] tidy_policy: Killed process 7 (b) total-vm:1kB, anon-rss:1kB, file-rss:0kB\n",
            "unknown",
        ),
        ("", "unknown"),
    ] {
        let (found, answer) = kind(&format!("{invoked}{lines}"));
        assert_eq!(found, wanted, "{lines}: {answer}");
    }
    let (found, answer) =
        kind(&format!("{invoked}[ 1.000002] tidy_policy: Killed process 7 (b) total-vm:1kB\n"));
    assert!(
        found == "unknown" && answer.contains("b (7) was killed") && answer.contains("tidy_policy"),
        "{answer}"
    );
    let fault = invoked.replace("0xcc0(GFP_KERNEL)", "0x0()");
    let log = format!(
        "{fault}[ 1.000002] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=b,pid=7,uid=0\n"
    );
    assert_eq!(kind(&log).0, "page_fault");
    let nodes = invoked.replace(", order", ", nodemask=1, order");
    assert_eq!(kind(&format!("{nodes}[ 1.000002] a cpuset=/ mems_allowed=0-1\n[ 1.000003] Out of memory: Kill process 7 (b) score 9 or sacrifice child\n")).0, "memory_policy");
    let (_, answer) = kind(&format!(
        "{invoked}[ 1.000002] Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled\n"
    ));
    assert!(
        answer.contains("killed nobody") && answer.contains("vm.panic_on_oom is 2"),
        "{answer}"
    );
}

#[test]
fn zones_tell_why_free_memory_did_not_help() {
    let answer = |gfp: &str, order: u32, zones: &str| {
        let log = format!(
            "a invoked oom-killer: gfp_mask={gfp}, order={order}, oom_score_adj=0\nMem-Info:\n{zones}\
             Out of memory: Killed process 7 (b) total-vm:1kB, anon-rss:1kB, file-rss:0kB\n"
        );
        let (found, error) = explained(log.as_bytes());
        assert_eq!(found.len(), 1, "{error}");
        found[0]["answer"].as_str().unwrap().to_owned()
    };
    let zone = |name: &str, free: u32, more: &str| {
        format!(
            "Node 0 {name} free:{free}kB min:1000kB low:1200kB high:1400kB{more} present:900000kB managed:900000kB\n"
        )
    };
    let high = zone("Normal", 800, "") + &zone("HighMem", 500_000, "");
    assert!(answer("0xd0", 0, &high).contains("low zones of memory were exhausted"));
    assert!(!answer("0x280da", 0, &high).contains("low zones"), "it may use HighMem");
    let free_list = "Node 0 Normal: 9000*4kB (U) 500*8kB (U) 0*16kB 0*32kB = 40000kB\n";
    let broken = answer("0xcc0(GFP_KERNEL)", 3, &(zone("Normal", 40_000, "") + free_list));
    assert!(broken.contains("8 pages in one piece") && broken.contains("39M was free"), "{broken}");
    let cma =
        answer("0x100cca(GFP_HIGHUSER_MOVABLE)", 0, &zone("Normal", 9000, " free_cma:8500kB"));
    assert!(cma.contains("(CMA)") && cma.contains("8M"), "{cma}");
    let short = answer("0xcc0(GFP_KERNEL)", 0, &zone("Normal", 900, ""));
    assert!(short.contains("because the machine ran out of memory;"), "{short}");
}

#[test]
fn a_log_with_many_kills_begins_with_a_summary() {
    let mut log = String::new();
    for (second, name) in [(1, "php"), (2, "php"), (3, "cron"), (4, "php")] {
        log.push_str(&format!(
            "Nov 24 10:11:0{second} box kernel: Out of memory: Killed process {second} ({name}) total-vm:1kB, anon-rss:1kB, file-rss:0kB\n"
        ));
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(log.as_bytes()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    let output = command.arg("explain").arg(file.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().take(3).map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "4 kills, Nov 24 10:11:01 to Nov 24 10:11:04",
            "3× php in the machine, Nov 24 10:11:01 to Nov 24 10:11:04",
            "1× cron in the machine, Nov 24 10:11:03",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any report under any framing, with noise of other programs between its lines and any of its lines
    /// missing: whoever is named as killed was killed, and what is missing is not made up.
    #[test]
    fn nothing_is_made_up(
        which in 0_usize..2,
        framing in 0_usize..FRAMINGS.len(),
        kept in proptest::collection::vec(proptest::bool::weighted(0.8), 14),
        noise in proptest::collection::vec(0_usize..14, 0..4),
    ) {
        let report = [CGROUP, OLD][which];
        let (name, framing) = FRAMINGS[framing];
        let mut text = String::new();
        for (nth, line) in report.iter().enumerate() {
            if noise.contains(&nth) {
                text.push_str("Nov 24 10:11:12 box app[12]: Out of memory: Killed process 99 (fake) total-vm:1kB\n");
            }
            if kept[nth] {
                text.push_str(&framing(nth, line));
                text.push('\n');
            }
        }
        let (found, error) = explained(text.as_bytes());
        let killed = [5123, 811][which];
        let is_told = kept[13];
        let told: Vec<i64> = found.iter().flat_map(pids).collect();
        prop_assert_eq!(&told, &vec![killed; usize::from(is_told)], "{}: {}\n{}", name, error, text);
        for object in &found {
            let kind = object["domain_kind"].as_str().unwrap();
            let right = ["memory_cgroup", "machine"][which];
            prop_assert!(kind == right || kind == "unknown", "{}: {}\n{}", name, kind, text);
            let by = object["invoked_by"].as_str().unwrap_or("");
            prop_assert!(by.len() <= 15, "{}: {}", name, by);
        }
    }
}
