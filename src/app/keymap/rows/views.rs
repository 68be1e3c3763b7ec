//! Keys of the views beside the table.

use crate::app::keymap::action::Action;
use crate::app::keymap::key::{Key, KeyCode};
use crate::app::keymap::row::{
    CGROUPS, EVENTS, EVERYWHERE, KeyBinding, VERDICTS, VIEWS, c, k, row,
};

pub(in crate::app::keymap) const ROWS: &[KeyBinding] = &[
    row(
        CGROUPS,
        &[k(KeyCode::Enter)],
        Action::EnterDomain,
        "",
        "show the processes of this domain, ranked for an OOM in it",
    ),
    row(
        CGROUPS,
        &[k(KeyCode::F(6)), c('B'), c(','), c('.')],
        Action::GroupsByLimit,
        "Nearest",
        "sort by distance to the limit",
    ),
    row(
        CGROUPS,
        &[k(KeyCode::F(5)), c('t'), c('V')],
        Action::GroupsAsTree,
        "Tree",
        "show as a tree",
    ),
    row(
        CGROUPS,
        &[c('i')],
        Action::HideUnlimited,
        "",
        "show or hide cgroups without a limit, their own or below",
    ),
    row(
        VIEWS,
        &[
            c('a'),
            c('k'),
            c('X'),
            c('r'),
            c('W'),
            k(KeyCode::F(7)),
            k(KeyCode::F(8)),
            k(KeyCode::F(9)),
            Key::shift(KeyCode::F(7)),
            Key::shift(KeyCode::F(8)),
            c(']'),
            c('['),
        ],
        Action::ProcessFirst,
        "",
        "not in this view: choose a process in the table first",
    ),
    row(VERDICTS, &[k(KeyCode::Left)], Action::ColumnsLeft, "", "scroll the ranks left"),
    row(VERDICTS, &[k(KeyCode::Right)], Action::ColumnsRight, "", "scroll the ranks right"),
    row(VERDICTS, &[Key::ctrl('a')], Action::ColumnsBegin, "", "first ranks"),
    row(VERDICTS, &[Key::ctrl('e')], Action::ColumnsEnd, "", "last ranks"),
    row(
        VERDICTS,
        &[k(KeyCode::Enter)],
        Action::EnterPolicy,
        "",
        "rank by this policy, and show the processes",
    ),
    row(
        VERDICTS,
        &[c('i')],
        Action::HideAgreeing,
        "",
        "show or hide the policies that agree with the current one",
    ),
    row(
        EVENTS,
        &[k(KeyCode::Enter)],
        Action::ExplainKill,
        "",
        "explain this kill: the kernel's own list of tasks, ranked, and why",
    ),
    row(EVENTS, &[c('p')], Action::SampleBefore, "", "show the sample just before this kill"),
    row(EVENTS, &[c('i')], Action::KillsOnly, "", "show or hide doomtop's own actions"),
    row(
        EVERYWHERE,
        &[c('w')],
        Action::WhyReport,
        "",
        "the page of the process, with its command line in full; in the report of a kill: what happened",
    ),
];
