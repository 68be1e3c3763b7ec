//! `/etc/passwd` (`passwd(5)`): the names of users.

use std::collections::BTreeMap;

use super::unsigned;
use crate::model::Text;

/// The names by uid. If two names share a uid, the first counts. Lines that cannot be parsed are left out.
#[must_use]
pub fn passwd(bytes: &[u8]) -> BTreeMap<u32, Text> {
    let mut names = BTreeMap::new();
    for line in bytes.split(|&byte| byte == b'\n') {
        let mut fields = line.split(|&byte| byte == b':');
        let (Some(name), Some(uid)) = (fields.next(), fields.nth(1).and_then(unsigned)) else {
            continue;
        };
        if let Ok(uid) = u32::try_from(uid)
            && !name.is_empty()
            && !name.starts_with(b"#")
        {
            names.entry(uid).or_insert_with(|| Text::new(name));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_found_and_neutral() {
        let file = b"root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n\
            second:x:1000:1000::/:/bin/sh\n#no:x:7:7::/:/\n+nis\n:x:8:8::/:/\nbig:x:4294967296:1::/:/\n\
            \x1b[31m:x:9:9::/:/bin/sh";
        let names: Vec<_> =
            passwd(file).into_iter().map(|(uid, name)| (uid, name.to_string())).collect();
        let is = [(0, "root"), (9, "\\x1b[31m"), (1000, "alice")];
        assert_eq!(names, is.map(|(uid, name)| (uid, name.to_owned())));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = passwd(&bytes);
        }
    }
}
