//! The cursor of a list that may be longer than the screen.

/// A cursor, and the part of the list that is on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListCursor {
    /// The line of the cursor, counted from 0.
    pub at: usize,
    /// The first line on the screen.
    pub top: usize,
}

impl ListCursor {
    /// Moves the cursor by `by` lines, not beyond the ends of a list of `count` lines.
    pub fn move_by(&mut self, by: isize, count: usize) {
        self.at = self.at.saturating_add_signed(by).min(count.saturating_sub(1));
    }

    /// Scrolls so that the cursor is on a screen of `rows` lines, and no line below the last is shown.
    pub fn keep_visible(&mut self, count: usize, rows: u16) {
        let rows = usize::from(rows).max(1);
        let last_top = count.saturating_sub(rows);
        self.top = self.top.clamp((self.at + 1).saturating_sub(rows), self.at).min(last_top);
    }

    /// Scrolls by `by` lines. The cursor stays where it is, or at the edge of the screen. Whether it had
    /// to move.
    pub fn scroll_by(&mut self, by: isize, count: usize, rows: u16) -> bool {
        let rows = usize::from(rows).max(1);
        let last_top = count.saturating_sub(rows);
        self.top = self.top.saturating_add_signed(by).min(last_top);
        let visible = self.at.clamp(self.top, self.top + rows - 1);
        if visible == self.at {
            return false;
        }
        self.at = visible.min(count.saturating_sub(1));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_in_the_list_and_on_the_screen() {
        let mut cursor = ListCursor::default();
        cursor.move_by(isize::MAX, 10);
        cursor.keep_visible(10, 4);
        assert_eq!(cursor, ListCursor { at: 9, top: 6 });
        cursor.move_by(-4, 10);
        cursor.keep_visible(10, 4);
        assert_eq!(cursor, ListCursor { at: 5, top: 5 });
        cursor.move_by(1, 0);
        cursor.keep_visible(0, 0);
        assert_eq!(cursor, ListCursor { at: 0, top: 0 });
    }

    #[test]
    fn scrolling_takes_the_cursor_along_only_at_the_edge() {
        let mut cursor = ListCursor { at: 2, top: 0 };
        assert!(!cursor.scroll_by(2, 10, 4));
        assert_eq!(cursor, ListCursor { at: 2, top: 2 });
        assert!(cursor.scroll_by(1, 10, 4));
        assert_eq!(cursor, ListCursor { at: 3, top: 3 });
        assert!(cursor.scroll_by(isize::MAX, 10, 4));
        assert_eq!(cursor, ListCursor { at: 6, top: 6 });
    }
}
