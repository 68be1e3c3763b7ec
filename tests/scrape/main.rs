//! The metrics as the real Prometheus and the real node exporter read them: their checker, the textfile
//! collector, a scrape, the alert rules. Taken from where they are installed, or from the packages of
//! Debian without installing them; skipped, and said so, where neither can be had.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// So long each of them may take to be ready, and to have scraped: only a failure takes it, however busy
/// the machine is.
const PATIENCE: Duration = Duration::from_secs(300);

/// Between two questions to one that tells nothing by itself.
const PACE: Duration = Duration::from_millis(100);

/// A name that would break a text that escapes nothing.
const HOSTILE: &str = "\"} 1\n\\# é";

/// How doomtop writes it.
const NEUTRAL: &str = "\"} 1\\x0a\\x5c# é";

fn main() -> ExitCode {
    // What asks for a list of tests gets none.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let tools = match Tools::find() {
        Ok(tools) => tools,
        Err(why) => {
            println!("skipped: the metrics are not read by the real Prometheus: {why}");
            return ExitCode::SUCCESS;
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let victim = Victim::start(folder.path());
    rules(&tools);
    checker(&tools);
    scrape(&tools, folder.path(), &victim);
    println!("ok: the checker, the textfile collector, a scrape and the alert rules");
    ExitCode::SUCCESS
}

struct Tools {
    promtool: PathBuf,
    prometheus: PathBuf,
    exporter: PathBuf,
}

impl Tools {
    fn find() -> Result<Self, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        Self::among(&folders).or_else(|_| Self::among(&[unpacked()?]))
    }

    fn among(folders: &[PathBuf]) -> Result<Self, String> {
        let find = |names: &[&str]| {
            let all = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
            let mut found = all.into_iter().filter(|file| file.is_file());
            found.next().ok_or_else(|| format!("there is no {}", names[0]))
        };
        Ok(Self {
            promtool: find(&["promtool"])?,
            prometheus: find(&["prometheus"])?,
            exporter: find(&["prometheus-node-exporter", "node_exporter"])?,
        })
    }
}

/// The programs of Debian's packages, in a folder of the build's own; fetched once.
fn unpacked() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prometheus");
    let programs = folder.join("usr/bin");
    if Tools::among(std::slice::from_ref(&programs)).is_ok() {
        return Ok(programs);
    }
    let packages = tempfile::tempdir().map_err(|error| error.to_string())?;
    let done = |command: &mut Command| -> Result<(), String> {
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{:?}: {error}", command.get_program()))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said.lines().next().unwrap_or_default();
        output
            .status
            .success()
            .then_some(())
            .ok_or_else(|| format!("{:?}: {line}", command.get_program()))
    };
    let mut fetch = Command::new("apt-get");
    // Without a network it says so soon.
    fetch.args(["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20"]);
    fetch.args(["download", "prometheus", "prometheus-node-exporter"]).current_dir(&packages);
    done(&mut fetch)?;
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for entry in fs::read_dir(&packages).map_err(|error| error.to_string())?.flatten() {
        done(Command::new("dpkg-deb").arg("-x").arg(entry.path()).arg(&folder))?;
    }
    Ok(programs)
}

/// A child of ours, ended at the end.
struct Own(Child);

impl Own {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().expect("it runs"))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A shell with a hostile name that waits, and would be killed first.
struct Victim(Child);

impl Victim {
    fn start(folder: &Path) -> Self {
        let program = folder.join(HOSTILE);
        fs::copy("/bin/sh", &program).expect("a copy of the shell");
        let mut command = Command::new(&program);
        command.args(["-c", "echo ready; read end"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a shell");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("its output"))
            .read_line(&mut line)
            .expect("ready");
        fs::write(format!("/proc/{}/oom_score_adj", child.id()), "1000").expect("its adj");
        Self(child)
    }

    /// Whether these are its labels.
    fn is(&self, labels: &Value) -> bool {
        labels["pid"] == self.0.id().to_string().as_str()
            && labels["comm"] == NEUTRAL
            && labels["oom_score_adj"] == "1000"
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn doomtop(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
    command.arg("metrics").args(arguments).stdin(Stdio::null());
    command
}

fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/metrics").join(name)
}

/// The alert rules are rules, and fire when they should.
fn rules(tools: &Tools) {
    for arguments in [
        ["check", "rules", asset("alerts.yml").to_str().expect("a path")],
        ["test", "rules", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scrape/alerts.yml")],
    ] {
        let output = Command::new(&tools.promtool).args(arguments).output().expect("promtool runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Prometheus's own checker finds nothing in the text.
fn checker(tools: &Tools) {
    let text = doomtop(&["--format", "prometheus"]).output().expect("doomtop runs").stdout;
    let mut check = Command::new(&tools.promtool);
    check
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = check.spawn().expect("promtool runs");
    child.stdin.take().expect("its input").write_all(&text).expect("taken");
    let output = child.wait_with_output().expect("its end");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
}

/// An address of the loopback that was free a moment ago.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address")
}

/// The body of an answer; nothing where there is none yet.
fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.split(' ').nth(1).filter(|status| *status == "200")?;
    Some(body.to_owned())
}

/// A query as an address takes it.
fn escaped_query(query: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    query.bytes().map(escaped).collect()
}

/// Asks until there is such an answer.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        thread::sleep(PACE);
    }
}

/// A server at a port of the loopback, once it answers. Somebody else may take the port before it does:
/// then it ends, and another port is tried.
fn serve(what: &str, path: &str, command: impl Fn(SocketAddr) -> Command) -> (Own, SocketAddr) {
    let start = || {
        let address = free();
        let mut own = Own::start(command(address).stdout(Stdio::null()).stderr(Stdio::null()));
        let serves = until(what, || match own.0.try_wait().expect("a status") {
            Some(_) => Some(false),
            None => get(address, path).map(|_| true),
        });
        serves.then_some((own, address))
    };
    (0..5).find_map(|_| start()).unwrap_or_else(|| panic!("{what}: it ends by itself"))
}

/// The textfile collector and Prometheus itself read the same.
fn scrape(tools: &Tools, folder: &Path, victim: &Victim) {
    let texts = folder.join("texts");
    fs::create_dir(&texts).expect("a folder");
    let file = texts.join("doomtop.prom");
    let written = doomtop(&["-n", "1", "--file", file.to_str().expect("a path")]).status();
    assert!(written.expect("doomtop runs").success());
    let (_exporter, exporter) = serve("the node exporter", "/metrics", |address| {
        let mut command = Command::new(&tools.exporter);
        command.args(["--collector.disable-defaults", "--collector.textfile"]);
        command.arg(format!("--collector.textfile.directory={}", texts.display()));
        command.arg(format!("--web.listen-address={address}"));
        command
    });
    let text = get(exporter, "/metrics").expect("it answers");
    assert!(text.contains("\nnode_textfile_scrape_error 0\n"), "{text}");
    let pid = format!("pid=\"{}\"", victim.0.id());
    let escaped = NEUTRAL.replace('\\', "\\\\").replace('"', "\\\"");
    let line = text.lines().find(|line| line.starts_with("doomtop_victim_info")).expect("a victim");
    assert!(line.contains(&pid) && line.contains(&format!("comm=\"{escaped}\"")), "{line}");
    assert!(text.contains("# TYPE doomtop_oom_kills_total counter\n"), "{text}");

    let mut server = doomtop(&["--listen", "127.0.0.1:0", "-d", "0.1"]);
    let mut server = Own::start(server.stderr(Stdio::piped()));
    let mut told = String::new();
    let mut errors = BufReader::new(server.0.stderr.take().expect("its errors"));
    errors.read_line(&mut told).expect("a line");
    let own = told.trim_end().strip_prefix("doomtop: http://").expect("an address");
    let own = own.strip_suffix("/metrics").expect("a path");
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
         rule_files: ['{}']\n\
         scrape_configs:\n\
         - {{job_name: doomtop, static_configs: [{{targets: ['{own}']}}]}}\n\
         - {{job_name: node, static_configs: [{{targets: ['{exporter}']}}]}}\n",
        asset("alerts.yml").display()
    );
    let file = folder.join("prometheus.yml");
    fs::write(&file, config).expect("written");
    let (_prometheus, prometheus) = serve("Prometheus", "/-/ready", |address| {
        let mut command = Command::new(&tools.prometheus);
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.join("data").display()));
        command.arg(format!("--web.listen-address={address}"));
        command
    });
    let ask = |path: &str| -> Option<Value> {
        let answer: Value = serde_json::from_str(&get(prometheus, path)?).expect("JSON");
        (answer["status"] == "success").then(|| answer["data"].clone())
    };
    for job in ["doomtop", "node"] {
        let path = format!("/api/v1/query?query=doomtop_victim_info%7Bjob%3D%22{job}%22%7D");
        let found = until(job, || {
            let data = ask(&path)?;
            data["result"].as_array().filter(|rows| !rows.is_empty()).cloned()
        });
        assert!(found.len() == 1 && victim.is(&found[0]["metric"]), "{job}: {found:?}");
    }
    // The server was asked for OpenMetrics: only that has units, and counters without their suffix.
    let about = "/api/v1/targets/metadata?match_target=%7Bjob%3D%22doomtop%22%7D&metric=";
    for (name, kind, unit) in [
        ("doomtop_domain_headroom_bytes", "gauge", "bytes"),
        ("doomtop_pressure_stall_seconds", "counter", "seconds"),
        ("doomtop_victim", "info", ""),
    ] {
        let known = until(name, || {
            let data = ask(&format!("{about}{name}"))?;
            data.as_array().and_then(|rows| rows.first()).cloned()
        });
        assert!(known["type"] == kind && known["unit"] == unit, "{name}: {known}");
    }
    // What the dashboard asks is understood, and there is something to show.
    let board = fs::read_to_string(asset("dashboard.json")).expect("the dashboard");
    let board: Value = serde_json::from_str(&board).expect("JSON");
    let targets: Vec<&Value> = board["panels"]
        .as_array()
        .expect("panels")
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("targets"))
        .collect();
    let answered = |target: &&&Value| {
        let expr = target["expr"].as_str().expect("an expression");
        let expr = expr.replace("$instance", ".+").replace("$__rate_interval", "1m");
        let data = ask(&format!("/api/v1/query?query={}", escaped_query(&expr)));
        let data = data.unwrap_or_else(|| panic!("{expr} is understood"));
        !data["result"].as_array().expect("a result").is_empty()
    };
    // What asks for a rate has its answer after the second scrape.
    until("answers to the dashboard", || {
        let shown = targets.iter().filter(answered).count();
        (shown > 6).then_some(())
    });
    // Every rule was evaluated on what was scraped.
    let rules = until("the alert rules", || {
        let data = ask("/api/v1/rules")?;
        let rules = data["groups"][0]["rules"].as_array()?.clone();
        let all = !rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown");
        all.then_some(rules)
    });
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
}
