//! Splits the text of an expression into tokens.

use crate::policy::site::diagnostic::ExprDiagnostic;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Word(String),
    Int(u64),
    Double(f64),
    Text(String),
    Sign(&'static str),
    End,
}

impl Token {
    /// The token as an error message shows it.
    pub fn words(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Int(number) => number.to_string(),
            Self::Double(number) => number.to_string(),
            Self::Text(_) => "a text".to_owned(),
            Self::Sign(sign) => (*sign).to_owned(),
            Self::End => "the end of the expression".to_owned(),
        }
    }
}

const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}", "=",
];

/// A text, and the position of the next token in it.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// All tokens with their positions in bytes; the last one is [`Token::End`].
    pub fn all(mut self) -> Result<Vec<(Token, usize)>, ExprDiagnostic> {
        let mut tokens = Vec::new();
        loop {
            self.skip_blanks();
            let at = self.at;
            let token = self.token()?;
            let last = token == Token::End;
            tokens.push((token, at));
            if last {
                return Ok(tokens);
            }
        }
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blank =
                rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']).len();
            let comment = match rest[blank..].strip_prefix("//") {
                Some(line) => 2 + line.find('\n').unwrap_or(line.len()),
                None => 0,
            };
            self.at += blank + comment;
            if comment == 0 {
                return;
            }
        }
    }

    fn token(&mut self) -> Result<Token, ExprDiagnostic> {
        let Some(first) = self.rest().chars().next() else { return Ok(Token::End) };
        let after_dot = self.rest()[first.len_utf8()..].starts_with(|c: char| c.is_ascii_digit());
        if first.is_ascii_digit() || (first == '.' && after_dot) {
            return self.number();
        }
        if let Some(prefix) = self.text_prefix() {
            return self.quoted(prefix);
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = self.rest().find(|c| !inside(c)).unwrap_or(self.rest().len());
            let word = self.rest()[..end].to_owned();
            self.at += end;
            return Ok(Token::Word(word));
        }
        if let Some(sign) = SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) {
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        let help = match first {
            '&' => "; write && for and".to_owned(),
            '|' => "; write || for or".to_owned(),
            _ => String::new(),
        };
        let mut shown = String::new();
        crate::model::escape_bytes(first.to_string().as_bytes(), &mut shown);
        Err(ExprDiagnostic::new(self.at, format!("unexpected character {shown}{help}")))
    }

    fn number(&mut self) -> Result<Token, ExprDiagnostic> {
        let at = self.at;
        let rest = self.rest();
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let hexadecimal = rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X"));
        let (token, length) = if let Some(hex) = hexadecimal {
            let end = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
            (u64::from_str_radix(&hex[..end], 16).ok().map(Token::Int), 2 + end)
        } else {
            let whole = digits(rest);
            let mut end = whole;
            if rest[end..].starts_with('.') && digits(&rest[end + 1..]) > 0 {
                end += 1 + digits(&rest[end + 1..]);
            }
            if rest[end..].starts_with(['e', 'E']) {
                let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
                let power = digits(&rest[end + 1 + sign..]);
                end += if power > 0 { 1 + sign + power } else { 0 };
            }
            if end == whole {
                (rest[..end].parse().ok().map(Token::Int), end)
            } else {
                let number = rest[..end].parse().ok().filter(|number: &f64| number.is_finite());
                (number.map(Token::Double), end)
            }
        };
        self.at += length;
        if self.rest().starts_with(['u', 'U']) {
            return Err(ExprDiagnostic::new(
                at,
                "unsigned numbers are not supported; remove the u",
            ));
        }
        if self.rest().starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            let help = "; sizes are in pages, without a suffix";
            return Err(ExprDiagnostic::new(at, format!("invalid number{help}")));
        }
        token.ok_or_else(|| ExprDiagnostic::new(at, "this number is too large for 64 bits"))
    }

    /// The number of letters before the quotes, if a text begins here.
    fn text_prefix(&self) -> Option<usize> {
        let letters = self.rest().find(['"', '\''])?;
        let prefix = &self.rest()[..letters];
        let is_prefix = prefix.len() <= 2 && prefix.chars().all(|c| "rRbB".contains(c));
        is_prefix.then_some(letters)
    }

    fn quoted(&mut self, prefix: usize) -> Result<Token, ExprDiagnostic> {
        let at = self.at;
        let letters = self.rest()[..prefix].to_ascii_lowercase();
        if letters.contains('b') {
            return Err(ExprDiagnostic::new(at, "byte strings are not supported; remove the b"));
        }
        let raw = letters.contains('r');
        self.at += prefix;
        let one = if self.rest().starts_with('"') { "\"" } else { "'" };
        let three = one.repeat(3);
        let quote = if self.rest().starts_with(&three) { three.as_str() } else { one };
        self.at += quote.len();
        let mut out = String::new();
        loop {
            if self.rest().starts_with(quote) {
                self.at += quote.len();
                return Ok(Token::Text(out));
            }
            let Some(next) = self.rest().chars().next() else {
                return Err(ExprDiagnostic::new(
                    at,
                    format!("this text is not closed; add {quote}"),
                ));
            };
            if next == '\n' && quote.len() == 1 {
                return Err(ExprDiagnostic::new(
                    at,
                    format!("this text is not closed on its line; add {quote}"),
                ));
            }
            if next == '\\' && !raw {
                out.push(self.escape()?);
            } else {
                out.push(next);
                self.at += next.len_utf8();
            }
        }
    }

    fn escape(&mut self) -> Result<char, ExprDiagnostic> {
        let at = self.at;
        let mut rest = self.rest()[1..].chars();
        let kind = rest.next().unwrap_or(' ');
        let (found, length) = match kind {
            'a' => (Some('\u{7}'), 2),
            'b' => (Some('\u{8}'), 2),
            'f' => (Some('\u{c}'), 2),
            'n' => (Some('\n'), 2),
            'r' => (Some('\r'), 2),
            't' => (Some('\t'), 2),
            'v' => (Some('\u{b}'), 2),
            '\\' | '?' | '"' | '\'' | '`' => (Some(kind), 2),
            'x' | 'X' | 'u' | 'U' | '0'..='3' => {
                let (from, count, radix) = match kind {
                    'x' | 'X' => (2, 2, 16),
                    'u' => (2, 4, 16),
                    'U' => (2, 8, 16),
                    _ => (1, 3, 8),
                };
                let digits = self.rest().get(from..from + count).unwrap_or_default();
                let all = digits.len() == count && digits.chars().all(|c| c.is_digit(radix));
                let number = u32::from_str_radix(digits, radix).ok().filter(|_| all);
                (number.and_then(char::from_u32), from + count)
            }
            _ => (None, 0),
        };
        let Some(found) = found else {
            let help = "this escape is unknown; a backslash itself is \\\\, or write r'…'";
            return Err(ExprDiagnostic::new(at, help));
        };
        self.at += length;
        Ok(found)
    }
}
