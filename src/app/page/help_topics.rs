//! What each dialog and page does, and what cannot be undone in it: F1 there shows it.

use crate::app::keymap::bindings::KeyContext;

/// A dialog or a page, explained.
#[derive(Debug, PartialEq, Eq)]
pub struct HelpTopic {
    /// Its name.
    pub title: &'static str,
    /// Where its keys are looked up.
    pub context: KeyContext,
    /// What it does.
    pub about: &'static [&'static str],
    /// What can be undone, and what cannot.
    pub undo: &'static str,
}

/// The text about what only shows something.
const READS: &str = "Nothing is changed here.";

pub(crate) static ADJUST: HelpTopic = HelpTopic {
    title: "The editor of oom_score_adj",
    context: KeyContext::Adjust,
    about: &[
        "It changes oom_score_adj, by which a process dies later (lower) or earlier (higher). Type a number, \
         or move it with the keys below; each step shows the badness, the rank and the next victim that \
         would follow.",
        "The value lasts until the process ends, and its later children inherit it. W shows how it outlasts \
         a restart.",
        "A value below the lowest one that the process ever had needs CAP_SYS_RESOURCE.",
    ],
    undo: "The old value is kept in the journal: {revert} in the table puts it back, as long as the process lives. \
           Without CAP_SYS_RESOURCE a raised value may not be lowered again.",
};
pub(crate) static SIGNAL: HelpTopic = HelpTopic {
    title: "The question before a signal",
    context: KeyContext::Confirm,
    about: &[
        "It names the process, what ends with it and about how much memory comes back. Only y sends the \
         signal; for a protected process (pid 1, your own shell, adj -1000) you type its pid instead.",
        "SIGTERM asks the process to end, so that it can save its work. SIGKILL ends it at once.",
        "The signal goes to exactly this process: if it has exited and its pid was given to another one, \
         nothing is sent.",
    ],
    undo: "A signal cannot be taken back. What the process had not saved is lost.",
};
pub(crate) static REVERT: HelpTopic = HelpTopic {
    title: "The question before a change is reverted",
    context: KeyContext::Confirm,
    about: &[
        "Enter writes the oom_score_adj from before doomtop's last change, or makes a reverted change again. \
         It is refused if the value was changed by something else since.",
    ],
    undo: "{redo} in the table makes the change again.",
};
pub(crate) static BULK: HelpTopic = HelpTopic {
    title: "The question before several processes",
    context: KeyContext::Confirm,
    about: &[
        "It lists every process, and those that are spared with the reason. Type the number of processes \
         that it names, and Enter.",
        "Each is checked once more before it is touched; the page afterwards has a line for each.",
    ],
    undo: "Changes of oom_score_adj are in the journal and can be put back one by one. Signals cannot be \
           taken back.",
};
pub(crate) static SYSCTL: HelpTopic = HelpTopic {
    title: "The editor of the vm sysctls",
    context: KeyContext::Sysctl,
    about: &[
        "These switches are for the whole machine: how much memory may be committed, and what the kernel \
         does when it runs out. Each line shows the value now and the one that you choose; below is what \
         would follow at once.",
        "y copies the command, Y the line that keeps the value after a reboot.",
    ],
    undo: "r proposes the value from before. An allocation that fails meanwhile may end a program: a \
           dangerous value asks again.",
};
pub(crate) static CONFIRM_SYSCTL: HelpTopic = HelpTopic {
    title: "The question before a dangerous sysctl value",
    context: KeyContext::Confirm,
    about: &["With this value allocations would fail or the machine would stop. Only y writes it."],
    undo: "The old value can be written back, but not what happened meanwhile.",
};
pub(crate) static RULES: HelpTopic = HelpTopic {
    title: "The page of the adj rules",
    context: KeyContext::AdjRules,
    about: &[
        "It lists the rules of --adj-rules and every process that they match, with the value that they \
         write. Rules are off until you switch them on, and off again when the file changes.",
    ],
    undo: "o or {rules-off} switches the rules off at once. Values that were written stay; the journal has the old \
           ones.",
};
pub(crate) static RULE_CONSENT: HelpTopic = HelpTopic {
    title: "The question before adj rules are on",
    context: KeyContext::Confirm,
    about: &[
        "From then on the rules write oom_score_adj by themselves, in every sample. Type the number of \
         processes that they match now, and Enter.",
    ],
    undo: "{rules-off} switches the rules off; the journal has the old values.",
};
pub(crate) static MENU: HelpTopic = HelpTopic {
    title: "A list to choose from",
    context: KeyContext::Menu,
    about: &[
        "Enter chooses the line under the cursor. In most lists letters narrow it: type a part of the name \
         or of the remark. A signal is asked for once more before it is sent.",
    ],
    undo: "Esc leaves everything as it was.",
};
pub(crate) static EXPLAIN: HelpTopic = HelpTopic {
    title: "The page that explains a process",
    context: KeyContext::Explain,
    about: &[
        "It adds up the badness of the process term by term, says what would change its rank, what else ends \
         with it, and when the killer acts. It follows each new sample.",
    ],
    undo: READS,
};
pub(crate) static COMMAND_LINE: HelpTopic = HelpTopic {
    title: "The command line of a process",
    context: KeyContext::Page,
    about: &[
        "It shows the whole command line, and below it the program and the cgroup. c in the table shows command \
         lines in the rows.",
    ],
    undo: READS,
};
pub(crate) static INCIDENT: HelpTopic = HelpTopic {
    title: "The page about a kill",
    context: KeyContext::Incident,
    about: &[
        "It says which allocation failed at which limit, who was killed, and whether the rule of that kernel \
         agrees with the choice. The lines `change` say what would prevent the next one, the best first; the \
         digit in front of a line does it or copies its command.",
    ],
    undo: READS,
};
pub(crate) static COMMITMENTS: HelpTopic = HelpTopic {
    title: "The page of commitments",
    context: KeyContext::Page,
    about: &[
        "It adds up which memory is committed, and which processes could still use more of what they \
         reserved. That matters under strict overcommit (mode 2), where the commit limit makes allocations \
         fail.",
    ],
    undo: READS,
};
pub(crate) static FITS: HelpTopic = HelpTopic {
    title: "The page about what fits",
    context: KeyContext::Fits,
    about: &[
        "It assumes that a new process takes this much memory in the scope, while all other processes keep their \
         size. When the room of a limit is used up, its killer chooses, the new process among the others; what the \
         victim frees is room again. The list has the kills in this order: what the new process had by then, who is \
         killed, its badness at the limit, what that frees, and what can be taken then.",
        "Room is what is free, what reclaim gives back and swap, in the cgroup and in every one above it, and on the \
         machine. A userspace killer that runs here acts before the kernel.",
        "It follows each new sample. ] and [ change the oom_score_adj of the new process.",
    ],
    undo: READS,
};
pub(crate) static BULK_RESULT: HelpTopic = HelpTopic {
    title: "The result for several processes",
    context: KeyContext::Page,
    about: &["It has a line for each process: what was done, or why it was refused."],
    undo: "Changes of oom_score_adj are in the journal ({journal}) and can be put back.",
};
pub(crate) static JOURNAL: HelpTopic = HelpTopic {
    title: "The journal",
    context: KeyContext::Journal,
    about: &[
        "It lists what was done in this session and what came of it. Enter on a change of oom_score_adj \
         reverts it, or makes it again.",
    ],
    undo: "Signals cannot be taken back.",
};
pub(crate) static PERSIST: HelpTopic = HelpTopic {
    title: "The ways to make a value persistent",
    context: KeyContext::Persist,
    about: &[
        "oom_score_adj is lost when a process ends. These are the ways to set it at each start, for the \
         service or the container that the process is in. y copies the selected one, w writes it to a new \
         file.",
    ],
    undo: "doomtop writes only the file that you name, and never over an existing one.",
};
pub(crate) static ALARMS: HelpTopic = HelpTopic {
    title: "The page of the alarms",
    context: KeyContext::Alarms,
    about: &[
        "An alarm watches a value or an event, and is raised when the value crosses its threshold. It is raised \
         again only after the value moved back by a tenth of the threshold.",
        "A raised alarm flashes at the top. The bell and the command of --on-alarm can be switched on and off.",
    ],
    undo: "The alarms end with doomtop. Save in Setup ({columns}) keeps them; y copies the flags that set them.",
};
