//! A key as it was pressed, whatever the terminal, and its name.

use std::fmt;

/// A key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyCode {
    /// A character as typed: a shifted letter is its capital.
    Char(char),
    /// A function key.
    F(u8),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Tab with Shift.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

impl KeyCode {
    /// The key of a name, whatever the case of its letters; a single character is itself.
    fn named(text: &str) -> Option<Self> {
        let mut letters = text.chars();
        if let (Some(letter), None) = (letters.next(), letters.next()) {
            return (!letter.is_control()).then_some(Self::Char(letter));
        }
        let name = text.to_ascii_lowercase();
        if let Some(number) = name.strip_prefix('f').and_then(|number| number.parse().ok()) {
            return (1..=24).contains(&number).then_some(Self::F(number));
        }
        Some(match name.as_str() {
            "space" => Self::Char(' '),
            "enter" | "return" => Self::Enter,
            "esc" | "escape" => Self::Esc,
            "tab" => Self::Tab,
            "backspace" => Self::Backspace,
            "del" | "delete" => Self::Delete,
            "up" => Self::Up,
            "down" => Self::Down,
            "left" => Self::Left,
            "right" => Self::Right,
            "home" => Self::Home,
            "end" => Self::End,
            "pgup" | "pageup" => Self::PageUp,
            "pgdn" | "pagedown" => Self::PageDown,
            _ => return None,
        })
    }
}

/// A key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// With Control.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
    /// With Shift, where the code does not show it.
    pub shift: bool,
}

impl Key {
    /// Without modifiers.
    #[must_use]
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// A character.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    /// A character with Control.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// A character with Alt.
    #[must_use]
    pub const fn alt(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: false, alt: true, shift: false }
    }

    /// With Shift.
    #[must_use]
    pub const fn shift(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false, shift: true }
    }

    /// Reads the name of a key as it is shown (`F5`, `^A`, `Alt-c`, `S-Up`, `Space`), or spelled out (`Ctrl-a`,
    /// `Shift-Up`, `Escape`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut key = Self::plain(KeyCode::Esc);
        let mut rest = text;
        loop {
            let lower = rest.to_ascii_lowercase();
            let (length, modifier) = match () {
                () if rest.chars().nth(1).is_none() => break,
                () if lower.starts_with('^') => (1, &mut key.ctrl),
                () if lower.starts_with("ctrl-") => (5, &mut key.ctrl),
                () if lower.starts_with("c-") => (2, &mut key.ctrl),
                () if lower.starts_with("alt-") => (4, &mut key.alt),
                () if lower.starts_with("m-") => (2, &mut key.alt),
                () if lower.starts_with("shift-") => (6, &mut key.shift),
                () if lower.starts_with("s-") => (2, &mut key.shift),
                () => break,
            };
            if std::mem::replace(modifier, true) {
                return None;
            }
            rest = &rest[length..];
        }
        key.code = KeyCode::named(rest)?;
        match key.code {
            // A terminal sends these as Tab, Enter and Esc.
            KeyCode::Char('i' | 'm' | '[') if key.ctrl => return None,
            KeyCode::Char(c) if key.ctrl => key.code = KeyCode::Char(c.to_ascii_lowercase()),
            KeyCode::Char(_) if key.shift => return None,
            KeyCode::Tab if key.shift => {
                key.code = KeyCode::BackTab;
                key.shift = false;
            }
            _ => {}
        }
        Some(key)
    }

    /// The digit, if it is a plain one.
    #[must_use]
    pub fn digit(self) -> Option<char> {
        match self {
            Self { code: KeyCode::Char(c), ctrl: false, alt: false, .. } if c.is_ascii_digit() => {
                Some(c)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("^")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if self.shift {
            f.write_str("S-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(c) if self.ctrl => write!(f, "{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::Enter => f.write_str("Enter"),
            KeyCode::Esc => f.write_str("Esc"),
            KeyCode::Tab => f.write_str("Tab"),
            KeyCode::BackTab => f.write_str("S-Tab"),
            KeyCode::Backspace => f.write_str("Backspace"),
            KeyCode::Delete => f.write_str("Del"),
            KeyCode::Up => f.write_str("Up"),
            KeyCode::Down => f.write_str("Down"),
            KeyCode::Left => f.write_str("Left"),
            KeyCode::Right => f.write_str("Right"),
            KeyCode::Home => f.write_str("Home"),
            KeyCode::End => f.write_str("End"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
        }
    }
}
