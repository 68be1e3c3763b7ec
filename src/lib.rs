//! doomtop, the `top` of the Linux OOM killer: which process is killed next, and why.
//!
//! This page is the map of the source. Reading the system, ranking, showing and acting are separate. Each
//! room below is one directory, and imports point down this table only: `tests/suite/rules/mod.rs` reads
//! the sources and fails, with file and line, where they do not.
//!
//! | level | room | what it is |
//! |---|---|---|
//! | 0 | [`units`] | pages, bytes, ticks, adj: units that cannot be mixed |
//! | 0 | `format` | sizes and spans of time as text |
//! | 0 | [`syscall`] | the system calls that no crate wraps: the only unsafe code |
//! | 1 | [`model`] | facts: process, machine, cgroup, snapshot, scene. No I/O and no opinion |
//! | 2 | [`sample`] | reads `/proc` and cgroupfs into facts, one file per kernel file in `sample/parse` |
//! | 2 | [`events`] | the logs of the kernel and of userspace killers as OOM events; PSI triggers |
//! | 2 | [`policy`] | one file per killer, pure functions; `policy::site` compiles site rules from text |
//! | 2 | [`intent`] | what the user wants done, and what came of it: values only |
//! | 3 | [`rank`] | judges every process and sorts once: victim, runner-up, margin |
//! | 3 | [`forecast`] | trends and limits: when a limit is reached, and what happens there |
//! | 3 | [`source`] | where snapshots come from: the live machine, a recording, the demo; redaction |
//! | 3 | [`effects`] | the only room that changes the system |
//! | 4 | [`kills`] | every kill, once: by the logs, and by the counters where no log tells of it |
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
//! The program is one loop, `MainLoop::run` in `shell/tui/main_loop.rs`, with one inbox. Threads send an
//! `Event` (`shell/event.rs`); the loop gives the [`app::Msg`] in it to [`app::App::update`], carries out the
//! [`app::Request`]s that come back, and draws. Only the loop owns the [`app::App`], so there are no
//! locks around it. The following three routes cover almost everything.
//!
//! **A sample**, from the screen down to `/proc` and up again:
//!
//! 1. `MainLoop::request_sample` (`shell/tui/main_loop.rs`) finds that the next sample is due. The delay comes
//!    from [`app::App::delay`]: the interval that the user chose, shorter under memory pressure
//!    (`app/refresh/pace.rs`).
//! 2. [`app::App::needs`] (`app/update/needs.rs`) says what must be read for the policy, the columns, the view
//!    and the open page. What nothing shows is not read. `Sampler::sample` (`shell/worker/sampler.rs`) hands
//!    this to the sampler thread.
//! 3. The sampler thread calls [`source::Source::sample`]; live, that is `source/live.rs`. It reads the
//!    system-wide files and those of the top candidates through descriptors that stay open, because
//!    opening a file allocates, and allocation is what stalls when memory is short. The walk over all
//!    processes and cgroups runs in a thread of its own (`source/walk_thread.rs`, [`sample::process`],
//!    [`sample::cgroup`]); if it is late, the last complete walk is used.
//! 4. The [`model::Snapshot`] comes back to the inbox as [`app::Msg::Sampled`].
//! 5. `App::sampled` (`app/update/sample.rs`) puts it into the history, and `App::show_sample` makes it the newest
//!    of the [`model::Scene`], which also knows the sample before and the trend.
//! 6. [`rank::Ranking::update`] lets the [`policy::Policy`] judge every process and sorts once.
//!    `App::refresh_lines` (`app/update/arrange.rs`) filters and orders the rows ([`rows`]) and keeps the cursor on
//!    the same [`model::ProcId`]; another view builds its lines in `View::arrange` (`app/input/view`).
//!    `App::take_live_sample` (`app/update/live.rs`) sets the pace and compares the alarms.
//! 7. [`ui::draw`] paints the [`app::App`] into the cells of the terminal. The [`app::Viewport`] that it returns
//!    goes back as [`app::Msg::Drawn`], so that the app knows how many rows fit.
//!
//! Between two samples the thread `usage` reads the domains that [`app::App::near_domains`] names, those near their
//! limit, and sends [`app::Msg::UsageRead`]: the predicted death follows (`app/update/deaths.rs`), and the loop
//! draws only if its sentence changed. The next sample takes the readings along
//! ([`model::Snapshot::usage_readings`]), so that a recording gives the same prediction.
//!
//! **A key press**, from the terminal to a new state and back to the terminal:
//!
//! 1. The input thread (`shell/worker/input.rs`) reads the key and sends [`app::Msg::Key`] with the time.
//! 2. [`app::App::update`] gives it to `App::key` (`app/input/dispatch.rs`), and that to what has the keys, the
//!    [`app::mode::Mode`]: the view, a prompt, a menu, a dialog or a page. Each has a file below `app/input`.
//! 3. The mode looks it up in the keys in force ([`app::keymap::bindings::Keymap`]: the one table,
//!    [`app::keymap::bindings::KEYS`], with what the user changed in it), in its
//!    [`app::keymap::bindings::KeyContext`], and gets an [`app::keymap::bindings::Action`].
//! 4. A dialog or a page carries it out itself. In a view, `App::view_action` (`app/input/view/mod.rs`) first asks
//!    `View::action` of the view on the screen, and then `App::table_action` for what means the same in all views.
//!    What the app cannot do itself (sample now, copy, write a file, act, quit) it returns as an
//!    [`app::Request`].
//! 5. `MainLoop::serve_key` (`shell/tui/requests.rs`) carries the request out, and the loop draws.
//!
//! **An intent**, from a key down to the kernel and up again (here: SIGKILL for a process):
//!
//! 1. `X` only opens a dialog (`App::open_sacrifice` in `app/input/dialog/signal.rs`), which shows who dies and what
//!    else happens. [`plan::signal::SignalPlan`] decides what needs a typed pid and what is refused at once.
//! 2. The confirming key makes `App::signal_key` (`app/input/dialog/signal.rs`) take an [`intent::Intent`] from the
//!    plan. It holds the process as the user saw it. It leaves as [`app::Request::Act`]. A key that was typed
//!    before the dialog was on the screen ([`app::keymap::press_time::ShownSince`]), or that arrives together with
//!    other keys as in a paste, does not confirm (`MainLoop::serve_key`).
//! 3. `MainLoop::act` calls [`effects::Effects::perform`]. [`effects::LiveEffects`] can only be built from
//!    a [`sample::proc_root::LiveRoot`]; `--read-only`, a recording and the demo get
//!    [`effects::NoEffects`], `--dry-run` gets [`effects::DryRun`].
//! 4. `effects/signal.rs` opens a pidfd, compares the identity and checks the protection again, and only
//!    then sends the signal. Whatever is written is read back.
//! 5. The [`intent::Outcome`] goes to the app as [`app::Msg::Outcome`] (`app/update/outcome.rs`): into the journal
//!    and, as a sentence of [`words`], to the bottom line. The loop keeps calling [`effects::Effects::settle`]
//!    until the process has exited and reports that too.
//!
//! The command line (`shell/command/act/mod.rs`) uses the same `plan`, `intent` and `effects` without an app.
//!
//! *Rules of adj* ([`app::adj_rules`]) are the only intents without a key press: once the user has
//! confirmed the rules, `App::apply_adj_rules` (`app/update/adj_rules.rs`) returns their intents with every sample.
//! A changed rule file withdraws the consent.
//!
//! # Threads
//!
//! The name is that of the thread, as `/proc/PID/task/TID/comm` shows its first 15 bytes. `shell/thread.rs` starts
//! all but the walker, the readers in `sample` and the reaper.
//!
//! | thread | file | what it does |
//! |---|---|---|
//! | main | `shell/tui/main_loop.rs` | the loop: inbox, app, effects, drawing |
//! | `input` | `shell/worker/input.rs` | keys and pastes |
//! | `input watch` | `shell/worker/input.rs` | notices that keys are taken for the rest of an unknown answer of the terminal |
//! | `signals` | `shell/worker/signals.rs` | SIGWINCH, SIGTSTP, SIGTERM … |
//! | `last output` | `shell/command/headless/last_output.rs` | SIGINT, SIGTERM, SIGHUP of `--json`: writes the line that waits for a log, then ends |
//! | `sampler` | `shell/worker/sampler.rs` | one sample at a time; absent where a recording is played |
//! | `walker` | `source/walk_thread.rs` | the part of a sample that may stall |
//! | `cgroups` | `source/side_readers.rs` | reads the cgroups where BPF reads the processes; otherwise the walker does |
//! | `killers` | `source/side_readers.rs` | looks for installed killers there |
//! | `rare facts` | `source/side_readers.rs` | reads who holds memory beside processes, and which BPF programs decide about kills |
//! | `lazy free` | `source/lazy_free.rs` | reads what those that may die gave back with `MADV_FREE`, as `cmdline` |
//! | `counters` | `sample/machine/vmstat_reader.rs` | reads `/proc/vmstat`, for which the kernel allocates |
//! | `environs` | `sample/process/exe_cwd_environ.rs` | environments, if a rule of an installed nohang tests them |
//! | `users` | `shell/worker/command_lines.rs` | names of users, once: a directory server may block that |
//! | `command lines` | `shell/worker/command_lines.rs` | asks for command lines, and sends them to the main loop |
//! | `cmdline` | `shell/worker/command_lines.rs` | reads command lines; another one takes the place of one that is stuck (`sample/process/stall_proof_reader.rs`) |
//! | `detail` | `shell/worker/detail.rs` | what a dialog shows about its process |
//! | `details` | `shell/worker/detail.rs` | reads it, as `cmdline` |
//! | `breakdowns` | `shell/worker/breakdowns.rs` | what the memory of processes consists of, for the page of commitments |
//! | `smaps` | `shell/worker/breakdowns.rs` | reads it, as `cmdline` |
//! | `kernel log` | `shell/worker/log_sources/kernel.rs` | follows the kernel log |
//! | `journal` | `shell/worker/log_sources/journal.rs` | follows the journal, through journalctl, where there is a userspace killer |
//! | `victims` | `shell/worker/log_sources/victims.rs` | waits at the tracepoint `oom:mark_victim`, through BPF |
//! | `log files` | `shell/worker/log_sources/files.rs` | reads log files with each sample |
//! | `usage` | `shell/worker/usage_readings.rs` | reads the usage of domains near their limit between samples; asleep while none is |
//! | `pressure` | `shell/worker/psi_trigger.rs` | sleeps at a pressure file; [`app::Msg::Pressure`] asks for a sample at once |
//! | `site rules` | `shell/worker/site_rules.rs` | watches the file of a site policy and compiles it |
//! | `adj rules` | `shell/worker/adj_rules.rs` | the same for adj rules |
//! | `player` | `shell/worker/recording_reader.rs` | reads a recording |
//! | `recorder` | `shell/worker/recorder.rs` | writes a recording |
//! | `alarm command` | `shell/worker/alarm_command.rs` | runs the command of an alarm |
//! | `scrapers` | `shell/command/metrics/connections.rs` | accepts the connections of `metrics --listen` |
//! | `connection` | `shell/command/metrics/connections.rs` | reads one request and sends the answer; one for each connection |
//! | `command` | `shell/command/run/mod.rs` | follows the command of `doomtop run` while the screen is shown |
//! | `reaper` | `effects/reap.rs` | `process_mrelease(2)` for killed processes |
//!
//! # Tables
//!
//! [`policy::POLICIES`], [`columns::COLUMNS`], [`app::keymap::bindings::KEYS`], [`alarm::QUANTITIES`],
//! [`forecast::series::SERIES`], [`shell::command::config::table::CONFIG_KEYS`],
//! [`shell::exit_status::EXIT_STATUSES`] and the clap command ([`shell::command::cli::Cli`]). Every list that a user sees is printed from one of them. `CONTRIBUTING.md` has
//! a recipe for adding a row, a view, a dialog, a fact or a daemon.

pub mod alarm;
pub mod app;
pub mod columns;
pub mod effects;
pub mod events;
pub mod forecast;
pub(crate) mod format;
pub mod intent;
pub mod kills;
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
