//! How many colours the terminal shows.

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourDepth {
    /// None: bold, dim, underlined and reversed only.
    Mono,
    /// The 16 colours, which the user may have set.
    #[default]
    Ansi,
    /// 256 colours.
    Indexed,
    /// 24 bits.
    True,
}

impl ColourDepth {
    /// The depth by the variables of the environment: `COLORTERM` says 24 bits (`truecolor`, `24bit`), `TERM` the
    /// rest. GNU screen passes `COLORTERM` of the terminal around it on, but shows 256 colours at most; its
    /// `STY` is set then, and not the `TMUX` of a tmux inside it.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| get(name).unwrap_or_default();
        let term = get("TERM");
        let base = term.split('-').next().unwrap_or_default();
        if term.is_empty() || base == "dumb" || base.starts_with("vt") || term.ends_with("-m") {
            return Self::Mono;
        }
        let in_screen = !get("STY").is_empty() && get("TMUX").is_empty();
        let says_true = matches!(get("COLORTERM").as_str(), "truecolor" | "24bit");
        if base == "linux" {
            // The console maps everything to its 16 colours.
            Self::Ansi
        } else if (says_true || term.ends_with("-direct")) && !in_screen {
            Self::True
        } else if says_true
            || term.contains("256color")
            || matches!(term.as_str(), "xterm-kitty" | "xterm-ghostty")
            || matches!(base, "alacritty" | "foot" | "wezterm" | "contour")
        {
            Self::Indexed
        } else {
            Self::Ansi
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ColourDepth::{self, Ansi, Indexed, Mono, True};

    #[test]
    fn depth_follows_what_the_terminal_says() {
        for (variables, depth) in [
            (&[][..], Mono),
            (&[("TERM", "dumb"), ("COLORTERM", "truecolor")], Mono),
            (&[("TERM", "vt220")], Mono),
            (&[("TERM", "xterm-m")], Mono),
            (&[("TERM", "xterm")], Ansi),
            (&[("TERM", "screen")], Ansi),
            (&[("TERM", "linux"), ("COLORTERM", "truecolor")], Ansi),
            (&[("TERM", "xterm-256color")], Indexed),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "yes")], Indexed),
            (&[("TERM", "foot")], Indexed),
            (&[("TERM", "alacritty"), ("COLORTERM", "truecolor")], True),
            (&[("TERM", "xterm"), ("COLORTERM", "24bit")], True),
            (&[("TERM", "xterm-direct")], True),
            (&[("TERM", "screen-256color"), ("COLORTERM", "truecolor"), ("STY", "1.pts")], Indexed),
            (
                &[
                    ("TERM", "tmux-256color"),
                    ("COLORTERM", "truecolor"),
                    ("STY", "1"),
                    ("TMUX", "1"),
                ],
                True,
            ),
        ] {
            let get = |name: &str| {
                let found = variables.iter().find(|(it, _)| *it == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(ColourDepth::of(get), depth, "{variables:?}");
        }
    }
}
