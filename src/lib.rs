//! doomtop, the `top` of the OOM killer: who dies next, and why.
//!
//! This page is the map of the house. Reading is apart from judging, judging from showing, wishing
//! from doing; each room is one directory, and imports point down this list only (a test,
//! `tests/suite/rules.rs`, reads the sources and fails, with file and line, where they do not):
//!
//! | level | room | what it is |
//! |---|---|---|
//! | 0 | [`units`] | pages, bytes, ticks, adj: units that cannot be mixed |
//! | 0 | `format` | sizes and spans of time as text |
//! | 0 | [`syscall`] | the two system calls that no crate wraps: the only unsafe code |
//! | 1 | [`model`] | facts: process, machine, cgroup, snapshot, scene. No I/O and no opinion |
//! | 2 | [`sample`] | reads `/proc` and cgroupfs into facts, one file per kernel file in `sample/parse` |
//! | 2 | [`events`] | the logs of the kernel and of userspace killers as OOM events; PSI triggers |
//! | 2 | [`policy`] | one file per killer, pure functions; `policy::site` compiles site rules from text |
//! | 2 | [`intent`] | what the user wants done, and what came of it: values only |
//! | 3 | [`rank`] | judges every process and sorts once: victim, runner-up, margin |
//! | 3 | [`forecast`] | trends and limits: when a limit is reached, and what happens there |
//! | 3 | [`source`] | where snapshots come from: the live machine, a recording, the demo; redaction |
//! | 3 | [`effects`] | the only room that changes the system |
//! | 4 | [`plan`] | an intent before it is carried out: protection, rights, targets, preview |
//! | 4 | [`columns`] | the table of columns |
//! | 4 | [`rows`] | which rows a table shows, and in which order |
//! | 4 | [`alarm`] | what can be watched, its threshold, and when it rings |
//! | 5 | [`words`] | prediction, outcome and incident as sentences |
//! | 6 | [`app`] | state and messages in, state and requests out. No terminal, no clock, no files |
//! | 6 | [`report`] | the same ranking without a screen: text, JSON lines, metrics |
//! | 7 | [`ui`] | the app in, cells out; never changes the app |
//! | 8 | [`shell`] | joins everything: terminal, threads, command line |
//!
//! # How things flow
//!
//! *One look.* The pace says when; the sampler thread calls [`source::Source::sample`] with the
//! [`model::Needs`] of the active policy, the visible columns and the open panel; the snapshot
//! arrives as a message; the app builds its [`model::Scene`], ranks, keeps the cursor on the same
//! [`model::ProcId`]; the painter draws. What nobody needs is not read, what cannot have changed is
//! not read again, and the files of the top candidates stay open, because opening a file allocates,
//! and allocating is what stalls when memory is gone.
//!
//! *One key.* Key, then [`app::keymap::bindings::Action`] by the one table of keys, then a new state and
//! perhaps an [`intent::Intent`]. A dangerous action only opens a dialog that holds the intent; the
//! confirming key is what releases it. Only [`effects`] carries it out, against the process as the
//! user saw it, and says what came of it as an [`intent::Outcome`].
//!
//! *Threads.* Input, sampler, walker (the part of a look that may stall), one slow reader for what
//! may block (command lines, user names), one for environments where a rule looks at them, one that
//! studies whom a dialog asks about, one that weighs those on the page of promises, one that takes back the
//! memory of the killed, three that listen to logs (the kernel's, the journal, files), one that watches the
//! file of a site's rule, one that watches that of rules of adj, one that writes recordings, one that sleeps
//! at a pressure file, one that runs the command of an alarm, and the main loop with one inbox. Where a
//! recording is played, one reads it, and there is no sampler. No locks.
//!
//! *Rules of adj.* The one place where an intent leaves without a key pressed for it. The shell reads and
//! watches their file as it does a site's rule; the app says at each look what they would do, and once
//! their own dialog was confirmed, each look brings its intents under that standing consent
//! ([`app::adj_rules::consent::RuleConsent`]). A new version of the file ends it.
//!
//! *A site's rule.* The shell reads the file and watches it, [`policy::site`] makes a policy of its text
//! or says what is wrong, and a good one reaches the app as a message. The policy is kept for the rest
//! of the run, so the shell counts how many it loads.
//!
//! *Pressure.* A trigger in the pressure file wakes its thread when tasks begin to wait for memory; the app
//! asks for a look at once and keeps a faster pace until that is over ([`app::refresh::pace`]). Alarms
//! ([`alarm`]) go by the newest look, whatever the screen shows; what one asks of the world (a bell, the
//! user's own command) leaves as a request like any other.
//!
//! # Four tables rule the house
//!
//! [`policy::POLICIES`], [`columns::COLUMNS`], [`app::keymap::bindings::KEYS`] and the clap command
//! ([`shell::command::cli::Cli`]). Every list that a user sees is printed from one of them. A policy is one
//! file and one row; a column is one row; a key is one row.

pub mod alarm;
pub mod app;
pub mod columns;
pub mod effects;
pub mod events;
pub mod forecast;
pub(crate) mod format;
pub mod intent;
pub mod model;
pub mod plan;
pub mod policy;
pub mod rank;
pub mod report;
pub mod rows;
pub mod sample;
pub mod shell;
pub mod source;
pub mod syscall;
pub mod ui;
pub mod units;
pub mod words;
