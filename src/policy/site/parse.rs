//! The text of an expression to a tree: the grammar of CEL (the Common Expression Language), as far
//! as a rule over one process needs it. Nothing a text can say makes it recurse further than
//! [`DEPTH`], and nothing makes it panic.

use crate::policy::site::diagnostic::ExprDiagnostic;

/// The longest expression, in bytes.
pub const LONGEST: usize = 4096;
/// The deepest tree, and the deepest nesting of brackets.
pub const DEPTH: u16 = 48;

/// One node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SyntaxTree {
    /// The byte that it begins at, or that its operator stands at.
    pub at: usize,
    /// What it is.
    pub node: SyntaxNode,
    /// How many levels hang below it.
    height: u16,
}

/// What a node of the tree is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SyntaxNode {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    Null,
    Name(String),
    Field(Box<SyntaxTree>, String),
    Call {
        on: Option<Box<SyntaxTree>>,
        name: String,
        arguments: Vec<SyntaxTree>,
    },
    List(Vec<SyntaxTree>),
    Not(Box<SyntaxTree>),
    Negative(Box<SyntaxTree>),
    /// A chain of `&&`, or of `||`.
    Chain {
        and: bool,
        parts: Vec<SyntaxTree>,
    },
    Binary(Operator, Box<SyntaxTree>, Box<SyntaxTree>),
    If(Box<SyntaxTree>, Box<SyntaxTree>, Box<SyntaxTree>),
}

/// An operator between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
}

impl Operator {
    /// As it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::In => "in",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }

    /// Which binds tighter.
    const fn binds(self) -> u8 {
        match self {
            Self::Plus | Self::Minus => 4,
            Self::Times | Self::Divide | Self::Modulo => 5,
            _ => 3,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Int(u64),
    Double(f64),
    Text(String),
    Sign(&'static str),
    End,
}

impl Token {
    fn words(&self) -> String {
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

/// Reads an expression.
///
/// # Errors
/// What is wrong first.
pub(crate) fn parse(text: &str) -> Result<SyntaxTree, ExprDiagnostic> {
    if text.len() > LONGEST {
        return Err(ExprDiagnostic::new(
            0,
            format!("this expression has {} bytes; {LONGEST} are allowed", text.len()),
        ));
    }
    let tokens = Lexer { text, at: 0 }.all()?;
    let mut parser = Parser { tokens, next: 0, depth: 0 };
    let tree = parser.whole()?;
    match parser.peek() {
        Token::End => Ok(tree),
        Token::Sign("=") => Err(parser.slip("one = compares nothing; write ==")),
        other => {
            let what = format!("an operator is missing before {}", other.words());
            Err(parser.slip(what))
        }
    }
}

const SIGNS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",",
    "(", ")", "[", "]", "{", "}", "=",
];

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn all(mut self) -> Result<Vec<(Token, usize)>, ExprDiagnostic> {
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
        Err(ExprDiagnostic::new(self.at, format!("{shown} means nothing here{help}")))
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
                "unsigned numbers are not needed here; leave out the u",
            ));
        }
        if self.rest().starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            let help = "; sizes are in pages, without a suffix";
            return Err(ExprDiagnostic::new(at, format!("this is no number{help}")));
        }
        token.ok_or_else(|| ExprDiagnostic::new(at, "this number is too large for 64 bits"))
    }

    /// The letters before the quotes, where a text begins here.
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
            return Err(ExprDiagnostic::new(at, "bytes are not needed here; leave out the b"));
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
                    format!("this text has no end; {quote} closes it"),
                ));
            };
            if next == '\n' && quote.len() == 1 {
                return Err(ExprDiagnostic::new(
                    at,
                    format!("this text ends at no {quote} on its line"),
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

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    depth: u16,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |(token, _)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).or_else(|| self.tokens.last()).map_or(0, |&(_, at)| at)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    /// Whether this sign comes next; if so it is taken.
    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Token::Sign(other) if *other == sign);
        self.next += usize::from(is);
        is
    }

    fn slip(&self, what: impl Into<String>) -> ExprDiagnostic {
        ExprDiagnostic::new(self.at(), what)
    }

    fn closing(&mut self, sign: &str, opened: usize) -> Result<(), ExprDiagnostic> {
        if self.sign(sign) {
            return Ok(());
        }
        let what = format!("{sign} is missing; {} stands there", self.peek().words());
        Err(if *self.peek() == Token::End {
            ExprDiagnostic::new(opened, what)
        } else {
            self.slip(what)
        })
    }

    fn too_deep(at: usize) -> ExprDiagnostic {
        ExprDiagnostic::new(
            at,
            format!("this is nested more than {DEPTH} levels deep; make it flatter"),
        )
    }

    fn tree(at: usize, node: SyntaxNode, below: &[u16]) -> Result<SyntaxTree, ExprDiagnostic> {
        let height = below.iter().max().map_or(0, |below| below.saturating_add(1));
        if height > DEPTH {
            return Err(Self::too_deep(at));
        }
        Ok(SyntaxTree { at, node, height })
    }

    /// One level deeper, where that is allowed.
    fn deeper<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, ExprDiagnostic>,
    ) -> Result<T, ExprDiagnostic> {
        if self.depth >= DEPTH {
            return Err(Self::too_deep(self.at()));
        }
        self.depth += 1;
        let out = inside(self);
        self.depth -= 1;
        out
    }

    fn whole(&mut self) -> Result<SyntaxTree, ExprDiagnostic> {
        self.deeper(|parser| {
            let condition = parser.chain(false)?;
            let at = parser.at();
            if !parser.sign("?") {
                return Ok(condition);
            }
            let then = parser.chain(false)?;
            if !parser.sign(":") {
                return Err(parser.slip("the : of a ? b : c is missing"));
            }
            let other = parser.whole()?;
            let below = [condition.height, then.height, other.height];
            Self::tree(at, SyntaxNode::If(condition.into(), then.into(), other.into()), &below)
        })
    }

    /// `a || b || c`, of chains of `&&`.
    fn chain(&mut self, and: bool) -> Result<SyntaxTree, ExprDiagnostic> {
        let at = self.at();
        let part = |parser: &mut Self| if and { parser.binary(3) } else { parser.chain(true) };
        let mut parts = vec![part(self)?];
        while self.sign(if and { "&&" } else { "||" }) {
            parts.push(part(self)?);
        }
        if parts.len() > 1 {
            let below: Vec<u16> = parts.iter().map(|part| part.height).collect();
            return Self::tree(at, SyntaxNode::Chain { and, parts }, &below);
        }
        parts.pop().ok_or_else(|| self.slip("an expression is missing"))
    }

    fn operator(&self) -> Option<Operator> {
        Some(match self.peek() {
            Token::Sign("==") => Operator::Equal,
            Token::Sign("!=") => Operator::Unequal,
            Token::Sign("<") => Operator::Less,
            Token::Sign("<=") => Operator::AtMost,
            Token::Sign(">") => Operator::More,
            Token::Sign(">=") => Operator::AtLeast,
            Token::Sign("+") => Operator::Plus,
            Token::Sign("-") => Operator::Minus,
            Token::Sign("*") => Operator::Times,
            Token::Sign("/") => Operator::Divide,
            Token::Sign("%") => Operator::Modulo,
            Token::Word(word) if word == "in" => Operator::In,
            _ => return None,
        })
    }

    /// Operators that bind at least so tight; equals from left to right.
    fn binary(&mut self, least: u8) -> Result<SyntaxTree, ExprDiagnostic> {
        let mut left = self.unary()?;
        while let Some(operator) = self.operator().filter(|next| next.binds() >= least) {
            let at = self.at();
            self.next += 1;
            let right = self.binary(operator.binds() + 1)?;
            let below = [left.height, right.height];
            left = Self::tree(at, SyntaxNode::Binary(operator, left.into(), right.into()), &below)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<SyntaxTree, ExprDiagnostic> {
        let at = self.at();
        if self.sign("!") {
            let inner = self.deeper(Self::unary)?;
            let below = [inner.height];
            return Self::tree(at, SyntaxNode::Not(inner.into()), &below);
        }
        if self.sign("-") {
            // The most negative number has no positive twin.
            if let Token::Int(number) = *self.peek() {
                self.next += 1;
                let number = 0_i64.checked_sub_unsigned(number);
                let number =
                    number.ok_or_else(|| ExprDiagnostic::new(at, "this number is too small"))?;
                let tree = Self::tree(at, SyntaxNode::Int(number), &[])?;
                return self.members(tree);
            }
            let inner = self.deeper(Self::unary)?;
            let below = [inner.height];
            return Self::tree(at, SyntaxNode::Negative(inner.into()), &below);
        }
        let first = self.primary()?;
        self.members(first)
    }

    /// What hangs on it by dots.
    fn members(&mut self, mut tree: SyntaxTree) -> Result<SyntaxTree, ExprDiagnostic> {
        loop {
            let at = self.at();
            if self.sign("[") {
                return Err(ExprDiagnostic::new(at, "nothing here can be indexed with [ ]"));
            }
            if !self.sign(".") {
                return Ok(tree);
            }
            if self.sign("?") {
                return Err(ExprDiagnostic::new(
                    at,
                    "optional fields are not known; ask has(p.name) first",
                ));
            }
            let named = self.at();
            let Token::Word(name) = self.take() else {
                return Err(ExprDiagnostic::new(named, "after the dot a name is missing"));
            };
            let opened = self.at();
            let height = tree.height;
            if self.sign("(") {
                let arguments = self.list(")", opened)?;
                let mut below: Vec<u16> = arguments.iter().map(|one| one.height).collect();
                below.push(height);
                let node = SyntaxNode::Call { on: Some(tree.into()), name, arguments };
                tree = Self::tree(named, node, &below)?;
            } else {
                let at = tree.at;
                tree = Self::tree(at, SyntaxNode::Field(tree.into(), name), &[height])?;
            }
        }
    }

    fn list(&mut self, end: &str, opened: usize) -> Result<Vec<SyntaxTree>, ExprDiagnostic> {
        let mut all = Vec::new();
        while !self.sign(end) {
            all.push(self.whole()?);
            if !self.sign(",") {
                self.closing(end, opened)?;
                break;
            }
        }
        Ok(all)
    }

    fn primary(&mut self) -> Result<SyntaxTree, ExprDiagnostic> {
        let at = self.at();
        let node = match self.take() {
            Token::Int(number) => {
                let number = i64::try_from(number);
                SyntaxNode::Int(
                    number.map_err(|_| {
                        ExprDiagnostic::new(at, "this number is too large for 64 bits")
                    })?,
                )
            }
            Token::Double(number) => SyntaxNode::Double(number),
            Token::Text(text) => SyntaxNode::Text(text),
            Token::Word(word) => match word.as_str() {
                "true" => SyntaxNode::Bool(true),
                "false" => SyntaxNode::Bool(false),
                "null" => SyntaxNode::Null,
                "in" => return Err(ExprDiagnostic::new(at, "before in a value is missing")),
                _ => {
                    let opened = self.at();
                    if self.sign("(") {
                        let arguments = self.list(")", opened)?;
                        let below: Vec<u16> = arguments.iter().map(|one| one.height).collect();
                        let call = SyntaxNode::Call { on: None, name: word, arguments };
                        return Self::tree(at, call, &below);
                    }
                    SyntaxNode::Name(word)
                }
            },
            Token::Sign("(") => {
                let inner = self.whole()?;
                self.closing(")", at)?;
                return Ok(inner);
            }
            Token::Sign("[") => {
                let all = self.list("]", at)?;
                let below: Vec<u16> = all.iter().map(|one| one.height).collect();
                return Self::tree(at, SyntaxNode::List(all), &below);
            }
            Token::Sign("{") => return Err(ExprDiagnostic::new(at, "maps { } are not known here")),
            Token::End => return Err(ExprDiagnostic::new(at, "a value is missing at the end")),
            other => {
                return Err(ExprDiagnostic::new(
                    at,
                    format!("a value is missing before {}", other.words()),
                ));
            }
        };
        Self::tree(at, node, &[])
    }
}
