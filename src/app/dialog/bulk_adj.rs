//! One adj for many processes: the dialog that lists them before anything is written.

use crate::app::dialog::adjust::AdjustDialog;
use crate::app::dialog::bulk_confirm::{BulkConsent, BulkDialog, BulkItem};
use crate::app::session::journal::{AdjChange, Journal};
use crate::intent::Intent;
use crate::model::{ProcId, Process, Scene};
use crate::plan::adj_rights::WriteRights;
use crate::plan::protection::{Protection, protection};
use crate::plan::targets::Targets;
use crate::units::Adj;

/// Maximum number of processes that Enter confirms. For more, the count must be typed.
const MAX_BY_ENTER: usize = 12;

/// The dialog before the editor's value is written to all its targets.
#[must_use]
pub fn dialog(
    edit: &AdjustDialog,
    to: Adj,
    scene: &Scene,
    (own, journal): (ProcId, &Journal),
) -> BulkDialog {
    let mut doubts: Vec<&'static str> = Vec::new();
    let found = edit.reached.iter().filter_map(|&id| scene.find(id));
    let items = found.map(|process| {
        let item = item(edit, process, to, scene, (own, journal));
        if item.intent.is_some()
            && let Some(from) = process.adj.value()
        {
            doubts.extend(rights(process, from, scene, journal).warning(from, to));
        }
        item
    });
    let items: Vec<BulkItem> = items.collect();
    let notes =
        doubts.first().map(|why| format!("! {} of them may be refused: {why}", doubts.len()));
    let title = format!("Set oom_score_adj to {to}: {}?", targets_text(edit.reach, &items));
    confirm(title, items, notes.into_iter().collect())
}

/// The dialog before the changes of a bulk act are reverted, or made again.
#[must_use]
pub fn back(changes: &[&AdjChange], again: bool, scene: &Scene) -> BulkDialog {
    let items = changes.iter().map(|change| {
        let (from, to) = change.way(again);
        let gone = scene.find(change.who).is_none();
        let what = if gone { "gone".to_owned() } else { format!("{from} -> {to}") };
        let intent = (!gone).then(|| Intent::SetAdj {
            who: change.who,
            name: change.name.clone(),
            from,
            to,
            revert: !again,
        });
        BulkItem { who: change.who, name: change.name.clone(), what, intent }
    });
    let items: Vec<BulkItem> = items.collect();
    let title = if again {
        format!("Redo the change of oom_score_adj for these {}?", items.len())
    } else {
        format!("Revert oom_score_adj of these {}?", items.len())
    };
    confirm(title, items, Vec::new())
}

fn confirm(title: String, items: Vec<BulkItem>, notes: Vec<String>) -> BulkDialog {
    let touched = items.iter().filter(|item| item.intent.is_some()).count();
    let consent =
        if touched > MAX_BY_ENTER { BulkConsent::Count(String::new()) } else { BulkConsent::Enter };
    BulkDialog { destructive: false, notes, ..BulkDialog::new(title, items, consent) }
}

/// `3 of this name (chrome)`.
fn targets_text(reach: Targets, items: &[BulkItem]) -> String {
    let count = items.len();
    match (reach, items.first()) {
        (Targets::Name, Some(first)) => format!("{count} of this name ({})", first.name),
        _ => format!("{count} {}", reach.words()),
    }
}

fn rights(process: &Process, from: Adj, scene: &Scene, journal: &Journal) -> WriteRights {
    WriteRights::of(process, from, journal.refused(process.id), scene)
}

/// What happens to one of them, or why it is left alone.
fn item(
    edit: &AdjustDialog,
    process: &Process,
    to: Adj,
    scene: &Scene,
    (own, journal): (ProcId, &Journal),
) -> BulkItem {
    let (who, name): (ProcId, String) = (process.id, process.comm.to_string());
    let alone = |why: &str| BulkItem {
        who,
        name: name.clone(),
        what: format!("skipped: {why}"),
        intent: None,
    };
    let Some(from) = process.adj.value() else { return alone("its value cannot be read") };
    if scene.is_global_init(process) {
        return alone("the OOM killer never chooses init, and every service would inherit it");
    }
    if from == to {
        return alone(&format!("it has {to} already"));
    }
    if let WriteRights::Nothing(why) = rights(process, from, scene, journal) {
        return alone(why);
    }
    // A protected process is exposed only where the user named it.
    let named = who == edit.who || edit.reach == Targets::Tagged;
    if to > from
        && !named
        && let Protection::TypePid(why) | Protection::Never(why) = protection(process, own, scene)
    {
        return alone(&format!("{why} (tag it, or change it alone)"));
    }
    let intent = Intent::SetAdj { who, name: name.clone(), from, to, revert: false };
    BulkItem { who, name, what: format!("{from} -> {to}"), intent: Some(intent) }
}
