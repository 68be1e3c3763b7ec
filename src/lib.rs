//! doomtop, the `top` of the Linux OOM killer: which process is killed next, and why.
//!
//! This page is the map of the source. Reading the system, ranking, showing and acting are separate. Each
//! room below is one directory, and imports point down this table only: `tests/suite/rules.rs` reads
//! the sources and fails, with file and line, where they do not.
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
//! The program is one loop, `Loop::turn` in `shell/tui.rs`, with one inbox. Threads send an `Event`;
//! the loop turns it into an [`app::Msg`], gives that to [`app::App::update`], carries out the
//! [`app::Request`]s that come back, and draws. Only the loop owns the [`app::App`], so there are no
//! locks around it. The following three routes cover almost everything.
//!
//! **A sample**, from `/proc` to the screen:
//!
//! 1. `Loop::turn` (`shell/tui.rs`) finds that the next sample is due. The delay comes from
//!    `App::delay`: the interval that the user chose, shorter under memory pressure
//!    (`app/refresh/pace.rs`).
//! 2. `App::needs` (`app/refresh/needs.rs`) says what must be read for the policy, the columns and the
//!    panels on the screen. What nothing shows is not read. `Sampler::sample`
//!    (`shell/worker/sampler.rs`) hands this to the sampler thread.
//! 3. The sampler thread calls [`source::Source::sample`]; live, that is `source/live.rs`. It reads the
//!    system-wide files and those of the top candidates through descriptors that stay open, because
//!    opening a file allocates, and allocation is what stalls when memory is short. The walk over all
//!    processes runs in a thread of its own (`source/walk_thread.rs`, [`sample::process`]); if it is
//!    late, the last complete walk is used.
//! 4. The [`model::Snapshot`] comes back to the inbox as `Msg::Sampled`.
//! 5. `App::sampled` (`app/mod.rs`) puts it into the history, and `App::show_sample` makes it the newest
//!    of the [`model::Scene`], which also knows the sample before and the trend.
//! 6. [`rank::Ranking::update`] lets the [`policy::Policy`] judge every process and sorts once.
//!    `App::arrange` filters and orders the rows ([`rows`]) and keeps the cursor on the same
//!    [`model::ProcId`]. The alarms are compared (`app/refresh/live_sample.rs`).
//! 7. [`ui::draw`] paints the [`app::App`] into the cells of the terminal. The `Viewport` that it returns
//!    goes back as `Msg::Drawn`, so that the app knows how many rows fit.
//!
//! **A key press**, from the terminal to a new state:
//!
//! 1. The input thread (`shell/worker/input.rs`) reads the key and sends `Msg::Key` with the time.
//! 2. `App::key` (`app/input/browse.rs`) gives it to the active mode: the table, a prompt, a menu, a
//!    dialog or a page.
//! 3. The mode looks it up in the one table of keys, [`app::keymap::bindings::KEYS`], in its
//!    [`app::keymap::bindings::KeyContext`], and gets an [`app::keymap::bindings::Action`].
//! 4. `App::browse`, or the function of the dialog, changes the state. What the app cannot do itself
//!    (sample now, copy, write a file, act, quit) it returns as an [`app::Request`].
//! 5. `Loop::serve` carries the request out, and the loop draws.
//!
//! **An intent**, from a key to the kernel and back (here: SIGKILL for a process):
//!
//! 1. `X` only opens a dialog ([`app::dialog`]), which shows who dies and what else happens. [`plan`]
//!    decides what needs a typed pid and what is refused at once.
//! 2. The confirming key makes `App::signal_key` (`app/input/dialogs.rs`) build an [`intent::Intent`]. It
//!    holds the process as the user saw it. It leaves as `Request::Act`. A key that was typed before
//!    the dialog was on the screen, or that arrives together with other keys as in a paste, does not
//!    confirm (`Loop::serve_key`).
//! 3. `Loop::serve` calls [`effects::Effects::perform`]. [`effects::LiveEffects`] can only be built from
//!    a [`sample::proc_root::LiveRoot`]; `--read-only`, a recording and the demo get
//!    [`effects::NoEffects`], `--dry-run` gets [`effects::DryRun`].
//! 4. `effects/signal.rs` opens a pidfd, compares the identity and checks the protection again, and only
//!    then sends the signal. Whatever is written is read back.
//! 5. The [`intent::Outcome`] goes to the app as `Msg::Outcome`: into the journal and, as a sentence of
//!    [`words`], to the bottom line. The loop keeps calling [`effects::Effects::settle`] until the process
//!    has exited and reports that too.
//!
//! The command line (`shell/command/act.rs`) uses the same `plan`, `intent` and `effects` without an app.
//!
//! *Rules of adj* ([`app::adj_rules`]) are the only intents without a key press: once the user has
//! confirmed the rules, `App::apply_adj_rules` returns their intents with every sample. A changed rule
//! file withdraws the consent.
//!
//! # Threads
//!
//! | thread | file | what it does |
//! |---|---|---|
//! | main | `shell/tui.rs` | the loop: inbox, app, effects, drawing |
//! | input | `shell/worker/input.rs` | keys and pastes |
//! | signals | `shell/worker/signals.rs` | SIGWINCH, SIGTSTP, SIGTERM … |
//! | sampler | `shell/worker/sampler.rs` | one sample at a time; absent where a recording is played |
//! | walk | `source/walk_thread.rs` | the part of a sample that may stall |
//! | environment reader | `sample/process/exe_cwd_environ.rs` | environments, if a rule matches them |
//! | lookups (three) | `shell/worker/lookup.rs` | what may block: user names and command lines; details for a dialog; the breakdown of a process's memory |
//! | log sources (three) | `shell/worker/log_sources.rs` | kernel log, journal, log files |
//! | PSI trigger | `shell/worker/psi_trigger.rs` | sleeps at a pressure file; `Msg::Pressure` asks for a sample at once |
//! | site policy, adj rules | `shell/worker/site_rules.rs`, `shell/worker/adj_rules.rs` | watch the file and compile it |
//! | player | `shell/worker/player.rs` | reads a recording |
//! | recorder | `shell/worker/recorder.rs` | writes a recording |
//! | alarm command | `shell/worker/alarm_command.rs` | runs the command of an alarm |
//! | reaper | `effects/reap.rs` | `process_mrelease(2)` for killed processes |
//!
//! # Four tables
//!
//! [`policy::POLICIES`], [`columns::COLUMNS`], [`app::keymap::bindings::KEYS`] and the clap command
//! ([`shell::command::cli::Cli`]). Every list that a user sees is printed from one of them. A policy is
//! one file and one row, a column is one row, a key is one row and one match arm.

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
