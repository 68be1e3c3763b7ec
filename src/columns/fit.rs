//! Which columns fit into a terminal: wide terminals show more, narrow ones drop some by priority.

use crate::columns::column::Column;
use crate::columns::table::COLUMNS;
use crate::format::SizeUnit;

/// The columns that a terminal of this width shows.
///
/// By default these are the columns whose `min_width` fits, or those `chosen` with `--columns`.
/// `switched` turns single columns on (`Some(true)`) or off. Then columns are dropped by priority until
/// the column COMMAND has `command` cells; those that the user switched on go last.
pub fn fitting(
    width: u16,
    scale: SizeUnit,
    command: u16,
    chosen: Option<&[&'static Column]>,
    switched: &dyn Fn(&str) -> Option<bool>,
) -> Vec<&'static Column> {
    let by_default = |column: &Column| match chosen {
        Some(columns) => columns.iter().any(|other| other.id == column.id),
        None => column.min_width <= width,
    };
    let on = |column: &&Column| switched(column.id).unwrap_or_else(|| by_default(column));
    let mut shown: Vec<&'static Column> = match chosen {
        // In the order of `--columns`.
        Some(columns) => {
            let more = COLUMNS.iter().filter(|column| !by_default(column));
            columns.iter().copied().chain(more).filter(on).collect()
        }
        None => COLUMNS.iter().filter(on).collect(),
    };
    let cells = |column: &Column| match column.id {
        "command" => column.width.max(command),
        _ => column.cells(scale, width),
    };
    // One cell for the marks behind the rank, and one between columns.
    let taken = |shown: &[&Column]| {
        2 + shown.iter().map(|column| usize::from(cells(column)) + 1).sum::<usize>()
    };
    while taken(&shown) > usize::from(width) + 1 {
        let droppable = shown.iter().filter(|column| column.drop_priority > 0);
        let first = droppable
            .min_by_key(|column| (switched(column.id) == Some(true), column.drop_priority));
        let Some(id) = first.map(|column| column.id) else { break };
        shown.retain(|column| column.id != id);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_terminals_drop_columns_in_order_and_keep_the_command() {
        let ids = |width| {
            fitting(width, SizeUnit::Auto, 0, None, &|_| None)
                .iter()
                .map(|c| c.id)
                .collect::<Vec<_>>()
        };
        let at_80 = [
            "rank",
            "pid",
            "user",
            "badness",
            "parts",
            "oom_score",
            "oom_score_adj",
            "rss",
            "swap",
            "command",
        ];
        assert_eq!(ids(80), at_80);
        assert!(ids(120).contains(&"cgroup") && ids(120).contains(&"growth"));
        let last = ["pgtables", "oom_adj", "nice", "caps"];
        assert!(last.iter().all(|id| !ids(200).contains(id)), "the command goes before them");
        let by_default = COLUMNS.iter().filter(|it| it.min_width < u16::MAX).count();
        assert_eq!(ids(240).len(), by_default);
        assert!(!ids(60).contains(&"swap") && ids(60).contains(&"command"));
        assert!(ids(40).contains(&"command"));
        for width in 80..250 {
            let units = [SizeUnit::Auto, SizeUnit::Kib, SizeUnit::Gib, SizeUnit::Permille];
            for (unit, command) in units.into_iter().flat_map(|unit| [(unit, 0), (unit, width / 4)])
            {
                let shown = fitting(width, unit, command, None, &|_| None);
                assert!(
                    shown.iter().any(|it| it.id == "oom_score"),
                    "at {width} in {}",
                    unit.word()
                );
            }
        }
    }
}
