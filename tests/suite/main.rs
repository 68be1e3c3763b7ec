//! The main suite: everything that needs neither a terminal nor rights.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]

mod acts;
mod alarms;
mod cgroups;
mod cli;
mod company;
mod demo;
mod differential;
mod domains;
mod editor;
mod events;
mod fakeproc;
mod fixtures;
mod generations;
mod golden;
mod groups;
mod hands;
mod haste;
mod installed;
mod killers;
mod knobs;
mod memory;
mod metrics;
mod modules;
mod policies;
mod readme;
mod redact;
mod rules;
mod sacrifice;
mod sampling;
mod screens;
mod scripts;
mod selfcheck;
mod several;
mod site;
mod stage;
mod sticky;
mod svg;
mod tapes;
mod taping;
mod time;
mod timeline;
mod trend;
mod verdicts;
mod whatif;
