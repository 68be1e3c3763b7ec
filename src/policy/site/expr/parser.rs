//! Parses an expression: the grammar of CEL, the Common Expression Language, as far as a rule over one
//! process needs it. Recursion is limited to [`DEPTH`] levels, and no input causes a panic.

use crate::policy::site::diagnostic::ExprDiagnostic;
use crate::policy::site::expr::lexer::{Lexer, Token};
use crate::policy::site::expr::syntax::{Operator, SyntaxNode, SyntaxTree};

/// Maximum length of an expression, in bytes.
pub const LONGEST: usize = 4096;
/// Maximum depth of the tree, and of nested brackets.
pub const DEPTH: u16 = 48;

/// Parses an expression.
///
/// # Errors
/// The first error in the text.
pub(crate) fn parse(text: &str) -> Result<SyntaxTree, ExprDiagnostic> {
    if text.len() > LONGEST {
        return Err(ExprDiagnostic::new(
            0,
            format!("this expression has {} bytes; {LONGEST} are allowed", text.len()),
        ));
    }
    let tokens = Lexer::new(text).all()?;
    let mut parser = Parser { tokens, next: 0, depth: 0 };
    let tree = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(tree),
        Token::Sign("=") => Err(parser.error("= is not an operator; write == to compare")),
        other => {
            let what = format!("expected an operator before {}", other.words());
            Err(parser.error(what))
        }
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

    /// Takes this sign if it comes next, and says whether it did.
    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Token::Sign(other) if *other == sign);
        self.next += usize::from(is);
        is
    }

    fn error(&self, what: impl Into<String>) -> ExprDiagnostic {
        ExprDiagnostic::new(self.at(), what)
    }

    fn closing(&mut self, sign: &str, opened: usize) -> Result<(), ExprDiagnostic> {
        if self.sign(sign) {
            return Ok(());
        }
        let what = format!("expected {sign}, but found {}", self.peek().words());
        Err(if *self.peek() == Token::End {
            ExprDiagnostic::new(opened, what)
        } else {
            self.error(what)
        })
    }

    fn too_deep(at: usize) -> ExprDiagnostic {
        ExprDiagnostic::new(at, format!("this is nested more than {DEPTH} levels deep; flatten it"))
    }

    fn tree(at: usize, node: SyntaxNode, below: &[u16]) -> Result<SyntaxTree, ExprDiagnostic> {
        let height = below.iter().max().map_or(0, |below| below.saturating_add(1));
        if height > DEPTH {
            return Err(Self::too_deep(at));
        }
        Ok(SyntaxTree { at, node, height })
    }

    /// Parses one level deeper, up to [`DEPTH`].
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

    fn expression(&mut self) -> Result<SyntaxTree, ExprDiagnostic> {
        self.deeper(|parser| {
            let condition = parser.chain(false)?;
            let at = parser.at();
            if !parser.sign("?") {
                return Ok(condition);
            }
            let then = parser.chain(false)?;
            if !parser.sign(":") {
                return Err(parser.error("expected the : of a ? b : c"));
            }
            let other = parser.expression()?;
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
        parts.pop().ok_or_else(|| self.error("expected an expression"))
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

    /// Binary operators of at least this precedence, left-associative.
    fn binary(&mut self, least: u8) -> Result<SyntaxTree, ExprDiagnostic> {
        let mut left = self.unary()?;
        while let Some(operator) = self.operator().filter(|next| next.precedence() >= least) {
            let at = self.at();
            self.next += 1;
            let right = self.binary(operator.precedence() + 1)?;
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
            // -2^63 has no positive counterpart.
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

    /// The fields and calls behind a value: `.name`, `.name(…)`.
    fn members(&mut self, mut tree: SyntaxTree) -> Result<SyntaxTree, ExprDiagnostic> {
        loop {
            let at = self.at();
            if self.sign("[") {
                return Err(ExprDiagnostic::new(at, "indexing with [ ] is not supported"));
            }
            if !self.sign(".") {
                return Ok(tree);
            }
            if self.sign("?") {
                return Err(ExprDiagnostic::new(
                    at,
                    "optional fields are not supported; test has(p.name) first",
                ));
            }
            let named = self.at();
            let Token::Word(name) = self.take() else {
                return Err(ExprDiagnostic::new(named, "expected a name after the dot"));
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
            all.push(self.expression()?);
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
                "in" => return Err(ExprDiagnostic::new(at, "expected a value before in")),
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
                let inner = self.expression()?;
                self.closing(")", at)?;
                return Ok(inner);
            }
            Token::Sign("[") => {
                let all = self.list("]", at)?;
                let below: Vec<u16> = all.iter().map(|one| one.height).collect();
                return Self::tree(at, SyntaxNode::List(all), &below);
            }
            Token::Sign("{") => return Err(ExprDiagnostic::new(at, "maps { } are not supported")),
            Token::End => return Err(ExprDiagnostic::new(at, "expected a value at the end")),
            other => {
                return Err(ExprDiagnostic::new(
                    at,
                    format!("expected a value before {}", other.words()),
                ));
            }
        };
        Self::tree(at, node, &[])
    }
}
