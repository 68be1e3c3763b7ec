//! The lines of the tree before a command.

use crate::rows::arrange::{TreeBranch, TreeLines};
use crate::ui::paint::canvas::{Canvas, cells};

/// So many levels are drawn; deeper ones hang on a mark.
const LEVELS: u16 = 16;

/// Paints the stem of a row into at most half of the room; gives back the cells it took.
pub fn paint(stem: TreeLines, x: u16, y: u16, room: u16, pen: &mut Canvas<'_>) -> u16 {
    let [child, last_child, through, nothing] = pen.look.tree();
    let style = pen.look.dim();
    let limit = (room / 2).min(LEVELS * 2);
    let mut taken = 0;
    let levels = limit / 2;
    let first = if stem.depth > levels { stem.depth - levels + 1 } else { 1 };
    if first > 1 && limit > 0 {
        taken += pen.text(x, y, 1, pen.look.cut(), style);
    }
    for level in first..=stem.depth {
        let glyph = if level == stem.depth {
            if stem.last { last_child } else { child }
        } else if stem.more >> level.min(63) & 1 == 1 {
            through
        } else {
            nothing
        };
        if taken + cells(glyph) > limit {
            break;
        }
        taken += pen.text(x + taken, y, room - taken, glyph, style);
    }
    let branch = match stem.branch {
        TreeBranch::Leaf => return if stem.depth > 0 { (taken + 1).min(room) } else { taken },
        TreeBranch::Open => "-",
        TreeBranch::Closed => "+",
    };
    if taken + 2 <= room {
        pen.text(x + taken, y, 1, branch, pen.look.strong());
        taken += 2;
    }
    taken
}
