//! Text for `man`: the macros of man(7), with lines that are short enough for every reader of them.

/// Maximum length of a line.
const WIDTH: usize = 78;

/// A page that is being written.
#[derive(Debug, Default)]
pub(super) struct Roff {
    text: String,
    /// The last line begins a block: a paragraph needs no macro of its own.
    at_begin: bool,
}

impl Roff {
    /// A page with its head and its name.
    pub(super) fn page(name: &str, section: u8, about: &str) -> Self {
        let (date, version) = (super::super::version::RELEASED, super::super::version::PACKAGE);
        let title = name.to_uppercase();
        let text = format!(
            ".TH {} {section} {date} \"doomtop {version}\" \"doomtop manual\"\n",
            escape(&title)
        );
        let mut roff = Self { text, at_begin: true };
        roff.section("NAME");
        roff.text.push_str(&format!("{} \\- {}\n", escape(name), escape(about)));
        roff
    }

    /// Begins a section.
    pub(super) fn section(&mut self, title: &str) {
        self.text.push_str(&format!(".SH \"{}\"\n", escape(&title.to_uppercase())));
        self.at_begin = true;
    }

    /// Begins a part of a section.
    pub(super) fn subsection(&mut self, title: &str) {
        self.text.push_str(&format!(".SS \"{}\"\n", escape(title)));
        self.at_begin = true;
    }

    /// A paragraph of Markdown.
    pub(super) fn paragraph(&mut self, words: &str) {
        if !std::mem::take(&mut self.at_begin) {
            self.text.push_str(".PP\n");
        }
        self.filled(words);
    }

    /// A term, and what it is, in Markdown.
    pub(super) fn term(&mut self, term: &str, words: &str) {
        self.text.push_str(".TP\n");
        self.text.push_str(&format!("{}\n", inline(&format!("**{term}**"))));
        self.filled(if words.trim().is_empty() { "-" } else { words });
        self.at_begin = false;
    }

    /// An item of a list, in Markdown.
    pub(super) fn item(&mut self, mark: &str, words: &str) {
        self.text.push_str(&format!(".IP \"{}\" 4\n", escape(mark)));
        self.filled(words);
        self.at_begin = false;
    }

    /// Lines that stay as they are.
    pub(super) fn literal(&mut self, lines: &[&str]) {
        if !std::mem::take(&mut self.at_begin) {
            self.text.push_str(".PP\n");
        }
        self.text.push_str(".RS 4\n.nf\n");
        for line in lines {
            self.text.push_str(&guarded(&escape(line)));
            self.text.push('\n');
        }
        self.text.push_str(".fi\n.RE\n");
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn filled(&mut self, words: &str) {
        let mut line = String::new();
        for word in inline(words).split(' ').filter(|word| !word.is_empty()) {
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                self.text.push_str(&guarded(&line));
                self.text.push('\n');
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.text.push_str(&guarded(&line));
        self.text.push('\n');
    }
}

/// A line that no macro is seen in.
fn guarded(line: &str) -> String {
    if line.starts_with(['.', '\'']) || line.starts_with("\\(aq") {
        return format!("\\&{line}");
    }
    line.to_owned()
}

/// Characters that roff would take for something else.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '`' => out.push_str("\\(ga"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            '"' => out.push_str("\\(dq"),
            '\t' => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// The inline forms of Markdown that the documents use: code, bold text and links.
fn inline(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*', '[', '\\']) {
        let (before, from) = rest.split_at(at);
        out.push_str(&escape(before));
        let bold = |inner: &str| format!("\\fB{}\\fR", escape(inner));
        if let Some((inner, after)) = from.strip_prefix('`').and_then(|it| it.split_once('`')) {
            out.push_str(&bold(&inner.replace("\\|", "|")));
            rest = after;
        } else if let Some((inner, after)) =
            from.strip_prefix("**").and_then(|it| it.split_once("**"))
        {
            out.push_str(&bold(&inner.replace('`', "").replace("\\|", "|")));
            rest = after;
        } else if let Some((name, target, after)) = link(from) {
            out.push_str(&inline(name));
            if target.starts_with("http") {
                out.push_str(&format!(" ({})", escape(target)));
            }
            rest = after;
        } else {
            let is_escaped_bar = from.starts_with("\\|");
            out.push_str(&if is_escaped_bar { "|".to_owned() } else { escape(&from[..1]) });
            rest = &from[if is_escaped_bar { 2 } else { 1 }..];
        }
    }
    out + &escape(rest)
}

/// A link at the begin of a text: its words, its target, and what follows.
fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.strip_prefix('[')?.split_once("](")?;
    let (target, rest) = rest.split_once(')')?;
    (!name.contains(['[', ']'])).then_some((name, target, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_roff_would_take_for_something_else_is_escaped() {
        assert_eq!(inline("a `-x` **b** [c](d.html) \\e"), "a \\fB\\-x\\fR \\fBb\\fR c \\ee");
        assert_eq!(inline("[CEL](https://cel.dev)"), "CEL (https://cel.dev)");
        assert_eq!(guarded(&inline(".TH it's")), "\\&.TH it\\(aqs");
        assert_eq!(inline("[1] 1? * a ` b"), "[1] 1? * a \\(ga b");
        let mut roff = Roff::page("x", 1, "y");
        roff.paragraph(&"word ".repeat(100));
        assert!(roff.finish().lines().all(|line| line.len() <= WIDTH));
    }
}
