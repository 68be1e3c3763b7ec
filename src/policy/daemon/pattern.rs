//! The regular expressions in the options of userspace killers, compiled once for each reading of the
//! options.
//!
//! The killers use other engines (`regcomp` of the C library, Python's `re`). The engine here supports
//! neither look-around nor back-references. An expression that it cannot compile matches no process, and
//! is reported.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use regex::bytes::{Regex, RegexBuilder};

use crate::model::{InstalledKillers, NohangOptions, Text, unescape};

/// A compiled expression, or why it cannot be compiled.
type Pattern = Result<Regex, String>;

/// The compiled expressions of all killers.
#[derive(Default)]
pub(crate) struct CompiledPatterns {
    /// `earlyoom --prefer`.
    pub(crate) prefer: Option<Pattern>,
    /// `--avoid`.
    pub(crate) avoid: Option<Pattern>,
    /// `--ignore`.
    pub(crate) ignore: Option<Pattern>,
    /// The rules of `nohang`, in their order.
    pub(crate) nohang: Vec<Pattern>,
    /// The rules of `nohang-desktop`.
    pub(crate) nohang_desktop: Vec<Pattern>,
}

/// Whether an expression is given and matches.
pub(crate) fn matches(pattern: Option<&Pattern>, bytes: &[u8]) -> bool {
    matches!(pattern, Some(Ok(regex)) if regex.is_match(bytes))
}

/// Why an expression could not be compiled, if so.
pub(crate) fn compile_error(pattern: Option<&Pattern>) -> Option<&str> {
    pattern?.as_ref().err().map(String::as_str)
}

thread_local! {
    /// The last result, because options seldom change.
    static LAST: RefCell<(Weak<InstalledKillers>, Rc<CompiledPatterns>)> = RefCell::default();
}

/// The expressions of these options.
pub(crate) fn compiled(killers: &Arc<InstalledKillers>) -> Rc<CompiledPatterns> {
    LAST.with_borrow_mut(|(of, last)| {
        if !std::ptr::eq(of.as_ptr(), Arc::as_ptr(killers)) {
            *of = Arc::downgrade(killers);
            *last = Rc::new(compile(killers));
        }
        Rc::clone(last)
    })
}

fn compile(killers: &InstalledKillers) -> CompiledPatterns {
    let earlyoom = &killers.earlyoom.options;
    let posix = |pattern: &Option<Text>| pattern.as_ref().map(posix_extended);
    let rules =
        |options: &NohangOptions| options.rules.iter().map(|it| python(&it.pattern)).collect();
    CompiledPatterns {
        prefer: posix(&earlyoom.prefer),
        avoid: posix(&earlyoom.avoid),
        ignore: posix(&earlyoom.ignore),
        nohang: rules(&killers.nohang.options),
        nohang_desktop: rules(&killers.nohang_desktop.options),
    }
}

/// Maximum size of a compiled expression, in bytes.
const MAX_SIZE: usize = 1 << 20;

fn build(pattern: &str, shown: &Text, dots_match_all: bool) -> Pattern {
    RegexBuilder::new(pattern)
        .dot_matches_new_line(dots_match_all)
        .size_limit(MAX_SIZE)
        .build()
        .map_err(|_| format!("doomtop cannot compile the expression {shown}"))
}

fn source(text: &Text) -> Option<String> {
    String::from_utf8(unescape(text.as_str())).ok()
}

/// A Python expression, for `re.search`.
fn python(text: &Text) -> Pattern {
    let source = source(text).ok_or_else(|| format!("{text} is not valid UTF-8"))?;
    build(&source, text, false)
}

/// A POSIX extended expression, as `regcomp(REG_EXTENDED)` of the C library takes it.
fn posix_extended(text: &Text) -> Pattern {
    let source = source(text).ok_or_else(|| format!("{text} is not valid UTF-8"))?;
    build(&from_posix(&source), text, true)
}

/// Converts a POSIX expression to the syntax of the engine here. Inside brackets a backslash is literal and
/// there are no set operations. Outside, a backslash makes a letter literal, except for the few escapes
/// of the C library.
fn from_posix(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 8);
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some(known) if "wWsSbB<>".contains(known) => out.extend(['\\', known]),
                Some(letter) if letter.is_ascii_alphabetic() => out.push(letter),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' => {
                out.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // A closing bracket in first position is literal.
                if rest.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
                while let Some(member) = rest.next() {
                    match member {
                        ']' => {
                            out.push(']');
                            break;
                        }
                        '[' if rest.peek() == Some(&':') => {
                            out.push('[');
                            for inner in rest.by_ref() {
                                out.push(inner);
                                if inner == ']' {
                                    break;
                                }
                            }
                        }
                        '[' | '\\' | '&' | '~' => out.extend(['\\', member]),
                        _ => out.push(member),
                    }
                }
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn posix(pattern: &str, name: &str) -> bool {
        matches(Some(&posix_extended(&Text::new(pattern.as_bytes()))), name.as_bytes())
    }

    #[test]
    fn posix_brackets_and_backslashes_match_as_in_the_c_library() {
        for (pattern, name, is) in [
            ("^(init|X|sshd)$", "sshd", true),
            ("^(init|X|sshd)$", "sshd2", false),
            (r"a\.b", "a.b", true),
            (r"a\.b", "axb", false),
            (r"[\.]", "\\", true),
            (r"[]x]", "]", true),
            (r"[^]x]", "]", false),
            ("[[:digit:]]+$", "cpu7", true),
            ("[a&&b]", "&", true),
            (r"\d", "d", true),
            (r"\d", "7", false),
            (r"\<java\>", "my java", true),
            (r"\(", "a(b", true),
        ] {
            assert_eq!(posix(pattern, name), is, "{pattern} on {name}");
        }
    }

    #[test]
    fn an_expression_that_cannot_be_compiled_is_reported() {
        let bad = python(&Text::new(b"^(?!sshd)"));
        assert!(compile_error(Some(&bad)).is_some_and(|words| words.contains("(?!sshd)")));
        assert!(!matches(Some(&bad), b"x"));
        assert!(compile_error(Some(&posix_extended(&Text::new(b"(a")))).is_some());
        assert!(python(&Text::new(b"\xff")).is_err());
    }

    proptest! {
        #[test]
        fn no_expression_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40), name: Vec<u8>) {
            let text = Text::new(&bytes);
            matches(Some(&posix_extended(&text)), &name);
            matches(Some(&python(&text)), &name);
        }
    }
}
