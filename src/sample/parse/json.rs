//! JSON as far as options files need it, with the comments that they may have: no crate's reader
//! passes those by.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonValue {
    /// `null`, `true`, `false`.
    Word,
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<JsonValue>),
    /// Names and values, in their order.
    Object(Vec<(String, JsonValue)>),
}

/// So deep may lists and objects lie in each other.
const DEEPEST: usize = 32;

impl JsonValue {
    /// The value of this name in an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(pairs) => pairs.iter().find(|(key, _)| key == name).map(|(_, it)| it),
            _ => None,
        }
    }

    /// The members of a list; of anything else none.
    #[must_use]
    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(members) => members,
            _ => &[],
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, or the text that is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok().filter(|it: &f64| it.is_finite()),
            _ => None,
        }
    }
}

/// Reads one value; nothing else may stand around it. `None` where it is no JSON.
#[must_use]
pub fn json(bytes: &[u8]) -> Option<JsonValue> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.skip();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Passes by blanks and comments.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if let Some(comment) = self.rest.strip_prefix("//") {
                self.rest = comment.find('\n').map_or("", |at| &comment[at..]);
            } else if let Some(comment) = self.rest.strip_prefix("/*") {
                self.rest = comment.find("*/").map_or("", |at| &comment[at + 2..]);
            } else {
                return;
            }
        }
    }

    /// Takes a sign, if it comes next.
    fn takes(&mut self, sign: char) -> bool {
        self.skip();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<JsonValue> {
        self.skip();
        if depth > DEEPEST {
            return None;
        }
        match self.rest.chars().next()? {
            '{' => self.object(depth),
            '[' => {
                self.takes('[');
                let mut members = Vec::new();
                while !self.takes(']') {
                    if !members.is_empty() && !self.takes(',') {
                        return None;
                    }
                    members.push(self.value(depth + 1)?);
                }
                Some(JsonValue::List(members))
            }
            '"' => self.string().map(JsonValue::Text),
            _ => {
                let end =
                    self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
                let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                self.rest = rest;
                match word {
                    "null" | "true" | "false" => Some(JsonValue::Word),
                    _ => word.parse().ok().filter(|it: &f64| it.is_finite()).map(JsonValue::Number),
                }
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<JsonValue> {
        self.takes('{');
        let mut pairs = Vec::new();
        while !self.takes('}') {
            if !pairs.is_empty() && !self.takes(',') {
                return None;
            }
            self.skip();
            let name = self.string()?;
            if !self.takes(':') {
                return None;
            }
            pairs.push((name, self.value(depth + 1)?));
        }
        Some(JsonValue::Object(pairs))
    }

    fn string(&mut self) -> Option<String> {
        let mut rest = self.rest.strip_prefix('"')?.chars();
        let mut out = String::new();
        loop {
            match rest.next()? {
                '"' => break,
                '\\' => match rest.next()? {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    'b' => out.push('\u{8}'),
                    'f' => out.push('\u{c}'),
                    'u' => {
                        let digits: String = rest.by_ref().take(4).collect();
                        let code = u32::from_str_radix(&digits, 16).ok()?;
                        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    other => out.push(other),
                },
                other => out.push(other),
            }
        }
        self.rest = rest.as_str();
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_read_past_comments() {
        let read = json(
            b"// c\n{ \"a\": [1, -2.5e1, /* x */ \"b\\n\\u0041\"], \"c\" : {}, \"d\":true }\n",
        );
        let read = read.unwrap();
        let list = read.get("a").unwrap().list();
        assert_eq!(list[1].number(), Some(-25.0));
        assert_eq!(list[2].text(), Some("b\nA"));
        assert_eq!(read.get("c"), Some(&JsonValue::Object(Vec::new())));
        assert_eq!(JsonValue::Text(" 60 ".to_owned()).number(), Some(60.0));
    }

    #[test]
    fn what_is_none_is_none() {
        for bad in ["", "{", "[1 2]", "{\"a\" 1}", "{a:1}", "1 2", "\"open", "nope", "[1,]", "inf"]
        {
            assert_eq!(json(bad.as_bytes()), None, "{bad}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(json(deep.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>, text in "[\\[\\]{}\",:/*0-9a-u\\\\ ]{0,60}") {
            let _ = json(&bytes);
            let _ = json(text.as_bytes());
        }
    }
}
