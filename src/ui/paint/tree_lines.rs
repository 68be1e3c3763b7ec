//! The tree lines before a command.

use crate::rows::arrange::{TreeBranch, TreeLines};
use crate::ui::paint::canvas::{Canvas, cells};

/// Maximum number of levels drawn; a mark replaces the others.
const LEVELS: u16 = 16;

/// Paints the tree lines of a row into at most half of the room; gives back the cells it took.
pub fn paint(tree_lines: TreeLines, x: u16, y: u16, room: u16, canvas: &mut Canvas<'_>) -> u16 {
    let [child, last_child, through, nothing] = canvas.theme.tree();
    let style = canvas.theme.dim();
    let limit = (room / 2).min(LEVELS * 2);
    let mut taken = 0;
    let levels = limit / 2;
    let first = if tree_lines.depth > levels { tree_lines.depth - levels + 1 } else { 1 };
    if first > 1 && limit > 0 {
        taken += canvas.text(x, y, 1, canvas.theme.cut(), style);
    }
    for level in first..=tree_lines.depth {
        let glyph = if level == tree_lines.depth {
            if tree_lines.last { last_child } else { child }
        } else if tree_lines.more >> level.min(63) & 1 == 1 {
            through
        } else {
            nothing
        };
        if taken + cells(glyph) > limit {
            break;
        }
        taken += canvas.text(x + taken, y, room - taken, glyph, style);
    }
    let branch = match tree_lines.branch {
        TreeBranch::Leaf => {
            return if tree_lines.depth > 0 { (taken + 1).min(room) } else { taken };
        }
        TreeBranch::Open => "-",
        TreeBranch::Closed => "+",
    };
    if taken + 2 <= room {
        canvas.text(x + taken, y, 1, branch, canvas.theme.strong());
        taken += 2;
    }
    taken
}
