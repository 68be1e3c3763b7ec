//! Tells the program which commit it is built from, and for which target.
//!
//! The commit comes from `DOOMTOP_COMMIT`, from git, or from a file: that of `cargo package`, or `COMMIT` of the
//! tarball that `.ci/package` makes. Without any of them it is `unknown`. A debug build is not built again for each commit: it says the commit of its first build,
//! with `+dev`.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=DOOMTOP_COMMIT");
    let is_debug = env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    let commit = given().or_else(|| git(!is_debug)).or_else(packaged);
    let mut commit = commit.unwrap_or_else(|| "unknown".to_owned());
    if is_debug {
        commit.push_str("+dev");
    }
    println!("cargo::rustc-env=DOOMTOP_COMMIT={commit}");
    let target = env::var("TARGET").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=DOOMTOP_TARGET={target}");
}

/// Twelve digits of a commit, where the text is one.
fn short(text: &str) -> Option<String> {
    let text = text.trim();
    let is_commit = text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit.then(|| text.chars().take(12).collect())
}

fn given() -> Option<String> {
    short(&env::var("DOOMTOP_COMMIT").ok()?)
}

/// The commit that is checked out, where this is a repository of its own and not below another one.
fn git(watch: bool) -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    let run = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if watch {
        for name in ["HEAD", "logs/HEAD"] {
            if let Some(path) = run(&["rev-parse", "--git-path", name]) {
                println!("cargo::rerun-if-changed={path}");
            }
        }
    }
    short(&run(&["rev-parse", "HEAD"])?)
}

/// The commit in the file of a tarball, or in that of `cargo package`.
fn packaged() -> Option<String> {
    if let Ok(text) = fs::read_to_string("COMMIT") {
        return short(&text);
    }
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    short(rest.split('"').nth(1)?)
}
