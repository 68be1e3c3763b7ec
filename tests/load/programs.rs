//! Real programs below a limit that they survive, and one that kills them.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;

use serde_json::json;

use crate::bed::{Bed, Ran, installed};

/// Both limits of a program: it succeeds with the first; with the second something is killed.
fn both(bed: &Bed, (survives, kills): (&str, &str), command: &[&str]) -> [Ran; 2] {
    let fine = bed.run(&["--limit", survives, "--swap", "0", "--kill-after", "50s"], command);
    fine.expect_status(0);
    assert_eq!(fine.kills().len(), 0, "{:#}", fine.verdict);
    // Clients may wait long for a server that was killed.
    let flags = ["--limit", kills, "--swap", "0", "--until", "killed", "--kill-after", "50s"];
    let killed = bed.run(&flags, command);
    assert!(!killed.kills().is_empty(), "{}: {:#}", killed.stderr, killed.verdict);
    assert_eq!(killed.verdict["limit_enforced"], json!(true));
    [fine, killed]
}

pub fn stress_ng(bed: &Bed) {
    if !installed(&["stress-ng"]) {
        return;
    }
    let command = [
        "stress-ng",
        "--oomable",
        "--vm",
        "1",
        "--vm-bytes",
        "60m",
        "--vm-keep",
        "--timeout",
        "2s",
    ];
    let [fine, _] = both(bed, ("150M", "40M"), &command);
    assert!((55.0..120.0).contains(&fine.mib("needed_bytes")), "{:#}", fine.verdict);
}

pub fn redis(bed: &Bed) {
    if !installed(&["redis-server", "redis-benchmark", "redis-cli"]) {
        return;
    }
    let socket = bed.path("redis.sock");
    let socket = socket.display();
    // The server is ready when its socket is there. 6000 values of 8 KiB are 47 MiB.
    let script = format!(
        "redis-server --port 0 --unixsocket {socket} --save '' --appendonly no >/dev/null & server=$!\n\
         for nth in $(seq 200); do redis-cli -s {socket} ping >/dev/null 2>&1 && break; sleep 0.05; done\n\
         redis-benchmark -s {socket} -q -r 100000 -n 6000 -d 8192 -t set >/dev/null || exit 7\n\
         redis-cli -s {socket} shutdown nosave; wait $server"
    );
    let [fine, killed] = both(bed, ("150M", "40M"), &["sh", "-c", &script]);
    assert!(fine.mib("needed_bytes") > 40.0, "{:#}", fine.verdict);
    let names: Vec<&str> = killed.kills().iter().filter_map(|it| it["comm"].as_str()).collect();
    assert!(names.contains(&"redis-server"), "{names:?}");
}

/// The programs of the newest PostgreSQL that is installed.
fn postgresql_folder() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    versions.map(|it| it.path().join("bin")).filter(|it| it.join("initdb").is_file()).max()
}

pub fn postgresql(bed: &Bed) {
    let Some(folder) = postgresql_folder() else {
        println!("load: SKIPPED, not installed: postgresql");
        return;
    };
    if !installed(&["pgbench", "setpriv"]) {
        return;
    }
    // PostgreSQL does not run as root.
    let is_root = nix::unistd::geteuid().is_root();
    let nobody = nix::unistd::User::from_name("postgres").ok().flatten();
    let Some(user) = nobody.filter(|_| is_root) else {
        println!("load: SKIPPED, PostgreSQL is started as its own user, by root");
        return;
    };
    let home = bed.path("pg");
    fs::create_dir(&home).expect("a folder");
    chown(&home, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("its owner");
    fs::set_permissions(
        home.parent().expect("a folder"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .expect("a mode");
    let (home, folder) = (home.display(), folder.display());
    // 40 clients sort in memory of their own.
    let script = format!(
        "set -e; cd {home}; test -d data || {folder}/initdb -D data -A trust >/dev/null\n\
         {folder}/pg_ctl -D data -l log -w -o \"-k {home} -c listen_addresses='' -c fsync=off \
         -c shared_buffers=16MB -c work_mem=64MB\" start >/dev/null\n\
         trap '{folder}/pg_ctl -D data -m immediate stop >/dev/null' EXIT\n\
         echo 'select count(*) from (select repeat(md5(i::text), 8) as t from generate_series(1, 60000) i order by t) s;' >q\n\
         {folder}/pgbench -h {home} -n -f q -c 4 -j 2 -t 1 postgres >/dev/null\n"
    );
    let (uid, gid) = (user.uid.to_string(), user.gid.to_string());
    let command =
        ["setpriv", "--reuid", &uid, "--regid", &gid, "--clear-groups", "sh", "-c", &script];
    let [fine, killed] = both(bed, ("400M", "48M"), &command);
    assert!(fine.mib("needed_bytes") > 40.0, "{:#}", fine.verdict);
    assert_eq!(killed.kills()[0]["comm"], json!("postgres"), "{:#}", killed.verdict);
}

pub fn java(bed: &Bed) {
    if !installed(&["java"]) {
        return;
    }
    let source = bed.path("Fill.java");
    fs::write(
        &source,
        "public class Fill { public static void main(String[] a) { \
         byte[][] kept = new byte[80][]; \
         for (int i = 0; i < 80; i++) { kept[i] = new byte[1 << 20]; java.util.Arrays.fill(kept[i], (byte) 1); } \
         System.out.println(kept.length); } }",
    )
    .expect("a program");
    let source = source.to_str().expect("a path");
    // The heap is larger than the second limit: the JVM believes the flag, not the cgroup.
    let command = ["java", "-XX:+UseSerialGC", "-Xmx256m", source];
    let [fine, killed] = both(bed, ("600M", "100M"), &command);
    assert!(fine.mib("needed_bytes") > 80.0, "{:#}", fine.verdict);
    assert_eq!(killed.kills()[0]["comm"], json!("java"), "{:#}", killed.verdict);
}
