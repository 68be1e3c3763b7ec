//! Splits options in a file into words, as a shell or systemd does.

/// Splits a line at blanks that are not quoted. A quote that is not closed ends with the line.
#[must_use]
pub fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut rest = line.iter().copied();
    while let Some(byte) = rest.next() {
        match (byte, quote) {
            (b'\\', Some(b'\'')) => word.get_or_insert_default().push(byte),
            // Between double quotes a backslash escapes only characters that are special there.
            (b'\\', Some(_)) => match rest.next() {
                Some(next) if matches!(next, b'"' | b'\\' | b'$' | b'`') => {
                    word.get_or_insert_default().push(next);
                }
                next => word.get_or_insert_default().extend([byte].into_iter().chain(next)),
            },
            (b'\\', None) => word.get_or_insert_default().extend(rest.next()),
            (_, Some(open)) if byte == open => quote = None,
            (_, Some(_)) => word.get_or_insert_default().push(byte),
            (b'\'' | b'"', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (b' ' | b'\t' | b'\n' | b'\r', None) => found.extend(word.take()),
            (_, None) => word.get_or_insert_default().push(byte),
        }
    }
    found.extend(word);
    found
}

/// The last value of a variable in a file of assignments (`/etc/default`), without quotes.
#[must_use]
pub fn assigned(file: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut last = None;
    let joined: Vec<u8> = {
        // A backslash at the end of a line continues it.
        let mut out = Vec::with_capacity(file.len());
        for line in file.split_inclusive(|&byte| byte == b'\n') {
            match line.strip_suffix(b"\\\n") {
                Some(start) => out.extend_from_slice(start),
                None => out.extend_from_slice(line),
            }
        }
        out
    };
    for line in joined.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii();
        let line = line.strip_prefix(b"export ").unwrap_or(line);
        let Some(value) = line.strip_prefix(name.as_bytes()).and_then(|it| it.strip_prefix(b"="))
        else {
            continue;
        };
        last = Some(words(value).into_iter().next().unwrap_or_default());
    }
    last
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        let split = |line: &str| {
            let found = words(line.as_bytes());
            found.into_iter().map(|it| String::from_utf8(it).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(
            split("-m 5  --avoid '(^|/)(init|X)$'"),
            ["-m", "5", "--avoid", "(^|/)(init|X)$"]
        );
        assert_eq!(
            split(r#"a"b c"d e\ f '' "x\"y" 'a\b' "a\b""#),
            ["ab cd", "e f", "", "x\"y", "a\\b", "a\\b"]
        );
        assert_eq!(split("  "), [""; 0]);
        assert_eq!(split("'open end"), ["open end"]);
    }

    #[test]
    fn the_last_assignment_counts() {
        let file = b"# ARGS=\"x\"\nARGS=\"-m 5\"\nOTHER=1\n  ARGS=\"-m 6 \\\n--avoid 'a b'\"\n";
        assert_eq!(assigned(file, "ARGS").unwrap(), b"-m 6 --avoid 'a b'");
        assert_eq!(assigned(b"ARGSX=1\n", "ARGS"), None);
        assert_eq!(assigned(b"ARGS=\n", "ARGS").unwrap(), b"");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = words(&bytes);
            let _ = assigned(&bytes, "A");
        }
    }
}
