//! The main suite: everything that needs neither a terminal nor rights.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod acts;
mod adj_rules;
mod alarms;
mod also_killed;
mod bulk;
mod cgroups;
mod cli;
mod demo;
mod differential;
mod domains;
mod editor;
mod events;
mod expedite;
mod fakeproc;
mod fixtures;
mod generations;
mod golden;
mod groups;
mod hands;
mod installed;
mod killers;
mod memory;
mod metrics;
mod modules;
mod policies;
mod readme;
mod recorder;
mod recordings;
mod redact;
mod rules;
mod sacrifice;
mod sampling;
mod screens;
mod scripts;
mod selfcheck;
mod site;
mod stage;
mod svg;
mod sysctls;
mod time;
mod timeline;
mod trend;
mod verdicts;
mod what_if;
