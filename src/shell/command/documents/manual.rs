//! The manual pages, from the tables and the documents.

use std::fmt::Write as _;

use clap::CommandFactory;

use super::markdown;
use super::roff::Roff;
use crate::app::keymap::bindings::{KEYS, Key, KeyContext};
use crate::shell::command::cli::Cli;
use crate::shell::command::config::documents;
use crate::shell::config_file;
use crate::shell::exit_status::{EXIT_STATUSES, MAIN};

/// A manual page.
pub struct ManualPage {
    /// Its name, without the section.
    pub name: &'static str,
    /// Its section.
    pub section: u8,
    /// What it describes, in a few words.
    pub about: &'static str,
    fill: fn(&mut Roff),
}

/// The variables of the environment that doomtop reads, and what they do.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    ("DOOMTOP_CONFIG", "the settings file, as --config"),
    ("DOOMTOP_LOG", "the file of the debug log, as --log"),
    ("DOOMTOP_LOG_LEVEL", "the level of the debug log, as --log-level"),
    ("XDG_CONFIG_HOME", "the directory that holds doomtop/config.toml, instead of ~/.config"),
    ("NO_COLOR", "set to anything: no colours, unless --theme is given"),
    ("COLORTERM", "truecolor: the terminal shows 24-bit colours"),
    ("LC_ALL, LC_CTYPE, LANG", "whether the terminal shows UTF-8"),
    ("COLUMNS", "the width of a line of -b where standard output is no terminal"),
];

/// Every manual page; the first is that of the program.
pub const MANUAL: &[ManualPage] = &[
    ManualPage {
        name: "doomtop",
        section: 1,
        about: "the top of the Linux OOM killer: who dies next, and why",
        fill: program,
    },
    ManualPage {
        name: "doomtop-config",
        section: 5,
        about: "the settings of doomtop",
        fill: config,
    },
    ManualPage {
        name: "doomtop-policy",
        section: 5,
        about: "rules of your own, and the policies of doomtop",
        fill: policy,
    },
    ManualPage {
        name: "doomtop-recording",
        section: 5,
        about: "recordings of doomtop, and its JSON",
        fill: recording,
    },
];

impl ManualPage {
    /// The page that is asked for: `config`, `doomtop-config` or `doomtop-config(5)`.
    #[must_use]
    pub fn named(text: &str) -> Option<&'static Self> {
        let name = text.split(['(', '.']).next().unwrap_or(text);
        MANUAL.iter().find(|page| {
            page.name == name || page.name.strip_prefix("doomtop-").is_some_and(|it| it == name)
        })
    }

    /// The name of its file: `doomtop.1`.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}.{}", self.name, self.section)
    }

    /// The page in the language of roff.
    #[must_use]
    pub fn text(&self) -> String {
        let mut roff = Roff::page(self.name, self.section, self.about);
        (self.fill)(&mut roff);
        roff.section("See also");
        let others = MANUAL.iter().filter(|page| page.name != self.name);
        let names: Vec<String> =
            others.map(|page| format!("**{}**({})", page.name, page.section)).collect();
        roff.paragraph(&names.join(", "));
        roff.finish()
    }
}

fn program(roff: &mut Roff) {
    let mut command = Cli::command();
    command.build();
    roff.section("Synopsis");
    roff.paragraph("**doomtop** [OPTIONS] [COMMAND]");
    roff.section("Description");
    let about = command.get_long_about().map(ToString::to_string).unwrap_or_default();
    for paragraph in about.split("\n\n") {
        roff.paragraph(&one_line(paragraph));
    }
    roff.section("Options");
    options(roff, &command, false);
    roff.section("Commands");
    commands(roff, &command, "doomtop");
    roff.section("Keys");
    let views = KEYS.iter().filter(|row| row.places.contains(&KeyContext::Browse));
    for row in views {
        let names: Vec<String> = row.keys.iter().map(Key::to_string).collect();
        roff.term(&names.join(" "), row.help);
    }
    roff.section("Exit status");
    for row in EXIT_STATUSES {
        let of = match row.commands {
            [] => String::new(),
            commands => {
                let names = commands
                    .iter()
                    .map(|name| if *name == MAIN { "without a command" } else { *name });
                format!(" ({})", names.collect::<Vec<_>>().join(", "))
            }
        };
        roff.term(&row.status.to_string(), &format!("{}{of}", row.meaning));
    }
    roff.section("Files");
    roff.term(
        "~/.config/doomtop/config.toml",
        "the settings of the user; see **doomtop-config**(5)",
    );
    roff.term(config_file::SYSTEM, "the settings of the machine, always read before them");
    roff.term("/var/lib/doomtop", "recordings of doomtop-recorder.service");
    roff.section("Environment");
    for (name, about) in ENVIRONMENT {
        roff.term(name, about);
    }
}

fn one_line(text: &str) -> String {
    let paragraphs = text.split("\n\n").filter(|it| !it.trim().is_empty());
    let mut line = String::new();
    for paragraph in paragraphs {
        // The first one of a help text has no full stop.
        if !line.is_empty() {
            line.push_str(if line.ends_with(['.', ':', ';']) { " " } else { ". " });
        }
        line.push_str(&paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    line
}

/// The options and arguments of a command.
fn options(roff: &mut Roff, command: &clap::Command, is_below: bool) {
    for flag in command.get_arguments() {
        let is_general = flag.is_hide_set() || (is_below && flag.is_global_set());
        if is_general || ["help", "version"].contains(&flag.get_id().as_str()) && is_below {
            continue;
        }
        let help = flag.get_long_help().or_else(|| flag.get_help());
        let help = one_line(&help.map(ToString::to_string).unwrap_or_default());
        roff.term(&spelled(flag), &help);
    }
}

/// How a flag is written: `-d, --delay SECS`.
fn spelled(flag: &clap::Arg) -> String {
    let value = flag.get_value_names().and_then(|names| names.first());
    let value = value.map_or_else(String::new, ToString::to_string);
    let takes = flag.get_action().takes_values();
    let mut text = flag.get_short().map_or_else(String::new, |short| format!("-{short}"));
    if let Some(long) = flag.get_long() {
        let gap = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{gap}--{long}");
        match takes {
            true if flag.is_require_equals_set() => _ = write!(text, "[={value}]"),
            true => _ = write!(text, " {value}"),
            false => {}
        }
    }
    if text.is_empty() { value } else { text }
}

fn commands(roff: &mut Roff, command: &clap::Command, name: &str) {
    for inner in command.get_subcommands().filter(|it| it.get_name() != "help" && !it.is_hide_set())
    {
        let name = format!("{name} {}", inner.get_name());
        roff.subsection(&name);
        let about = inner.get_long_about().or_else(|| inner.get_about());
        roff.paragraph(&one_line(&about.map(ToString::to_string).unwrap_or_default()));
        options(roff, inner, true);
        commands(roff, inner, &name);
    }
}

fn config(roff: &mut Roff) {
    roff.section("Description");
    markdown::add(roff, include_str!("../../../../assets/docs/config.md"));
    roff.section("Template");
    roff.paragraph("What `doomtop config print` prints:");
    let template = documents::template();
    roff.literal(&template.lines().collect::<Vec<_>>());
}

fn policy(roff: &mut Roff) {
    roff.section("Description");
    markdown::add(roff, include_str!("../../../../assets/docs/site-policy.md"));
    roff.section("Policies");
    markdown::add(roff, include_str!("../../../../assets/docs/policies.md"));
}

fn recording(roff: &mut Roff) {
    roff.section("Description");
    markdown::add(roff, include_str!("../../../../assets/docs/recordings.md"));
    markdown::add(roff, include_str!("../../../../assets/docs/schema.md"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paragraphs_of_a_help_text_become_sentences() {
        assert_eq!(
            one_line("Print\n  all\n\nOne a line.\n\n Two:\n\nthree"),
            "Print all. One a line. Two: three"
        );
        assert_eq!(one_line("\n\n"), "");
    }
}
