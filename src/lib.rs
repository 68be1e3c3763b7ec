//! doomtop, the `top` of the OOM killer: who dies next, and why.
//!
//! This page is the map of the house. Reading is apart from judging, judging from showing, wishing
//! from doing; each room is one directory, and imports point down this list only (a test,
//! `tests/suite/rules.rs`, reads the sources and fails, with file and line, where they do not):
//!
//! | level | room | what it is |
//! |---|---|---|
//! | 0 | [`units`] | pages, bytes, ticks, adj: units that cannot be mixed |
//! | 0 | [`raw`] | the two system calls that no crate wraps: the only unsafe code |
//! | 1 | [`model`] | NOUNS: what was seen: process, machine, snapshot, scene. No I/O, no opinion |
//! | 2 | [`sample`] | EYES: `/proc` bytes to nouns, one file per kernel file under `sample/parse` |
//! | 2 | [`events`] | EARS: what happened, from the logs of the kernel and of the daemons that kill; when tasks begin to wait, from pressure files |
//! | 2 | [`policy`] | OPINIONS: one file per killer, pure functions; `policy::site` compiles a site's own from text |
//! | 2 | [`intent`] | WISHES: intents, outcomes, refusals: values only |
//! | 3 | [`rank`] | ORDER: judge everyone, sort once: victim, runner-up, margin |
//! | 3 | [`source`] | WINDOWS: where snapshots come from: the live machine, a recording; with the names painted over or not |
//! | 3 | [`effects`] | HANDS: the only room that changes the world |
//! | 4 | [`columns`] | the one table of columns |
//! | 4 | [`words`] | numbers and names as doomtop writes them |
//! | 4 | [`sentence`] | who dies next, in one sentence |
//! | 4 | [`told`] | what came of an act, in one sentence |
//! | 4 | [`inquest`] | what a report of the OOM killer means, in sentences |
//! | 5 | [`app`] | MIND: state in, state and wishes out. No terminal, no clock, no files |
//! | 6 | [`ui`] | FACE: the app in, cells out; never changes the app |
//! | 6 | [`report`] | the same ranking without a screen: text, JSON lines, metrics |
//! | 7 | [`shell`] | the loop that joins them: terminal, input, signals, pacing, command line |
//!
//! # How things flow
//!
//! *One look.* The pace says when; the sampler thread calls [`source::Source::look`] with the
//! [`model::Needs`] of the active policy, the visible columns and the open panel; the snapshot
//! arrives as a message; the app builds its [`model::Scene`], ranks, keeps the cursor on the same
//! [`model::ProcId`]; the painter draws. What nobody needs is not read, what cannot have changed is
//! not read again, and the files of the top candidates stay open, because opening a file allocates,
//! and allocating is what stalls when memory is gone.
//!
//! *One key.* Key, then [`app::keys::Action`] by the one table of keys, then a new state and
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
//! ([`app::sticky::Standing`]). A new version of the file ends it.
//!
//! *A site's rule.* The shell reads the file and watches it, [`policy::site`] makes a policy of its text
//! or says what is wrong, and a good one reaches the app as a message. The policy is kept for the rest
//! of the run, so the shell counts how many it loads.
//!
//! *Pressure.* A trigger in the pressure file wakes its thread when tasks begin to wait for memory; the app
//! asks for a look at once and keeps a faster pace until that is over ([`app::pace`]). Alarms
//! ([`app::alarm`]) go by the newest look, whatever the screen shows; what one asks of the world (a bell, the
//! user's own command) leaves as a request like any other.
//!
//! # Four tables rule the house
//!
//! [`policy::POLICIES`], [`columns::COLUMNS`], [`app::keys::KEYS`] and the clap command
//! ([`shell::cli::Cli`]). Every list that a user sees is printed from one of them. A policy is one
//! file and one row; a column is one row; a key is one row.

pub mod app;
pub mod columns;
pub mod effects;
pub mod events;
pub mod inquest;
pub mod intent;
pub mod model;
pub mod policy;
pub mod rank;
pub mod raw;
pub mod report;
pub mod sample;
pub mod sentence;
pub mod shell;
pub mod source;
pub mod told;
pub mod ui;
pub mod units;
pub mod words;
