//! The kernel's own description of its types, `/sys/kernel/btf/vmlinux`: where a field of a structure
//! is, and which number a function has. Nothing else of BTF is read. The format is that of
//! `include/uapi/linux/btf.h`.
//!
//! The file comes from the kernel, but a damaged one must not stop doomtop: every position is checked,
//! and every recursion is bounded.

use std::collections::HashMap;

/// `BTF_MAGIC`.
const MAGIC: [u8; 2] = 0xeb9f_u16.to_ne_bytes();

/// `BTF_KIND_*`.
const INT: u32 = 1;
const POINTER: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const FORWARD: u32 = 7;
const TYPEDEF: u32 = 8;
const RESTRICT: u32 = 11;
const FUNC: u32 = 12;
const FUNC_PROTO: u32 = 13;
const VAR: u32 = 14;
const DATASEC: u32 = 15;
const FLOAT: u32 = 16;
const DECL_TAG: u32 = 17;
const TYPE_TAG: u32 = 18;
const ENUM64: u32 = 19;

/// Maximum number of typedefs and qualifiers around a type, and of nested structures.
const NESTING_MAX: u32 = 32;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NameKind {
    /// A structure.
    Struct,
    /// An enumeration.
    Enum,
    /// Another name of a type.
    Typedef,
    /// A function.
    Function,
}

impl NameKind {
    const fn of(kind: u32) -> Option<Self> {
        match kind {
            STRUCT => Some(Self::Struct),
            ENUM => Some(Self::Enum),
            TYPEDEF => Some(Self::Typedef),
            FUNC => Some(Self::Function),
            _ => None,
        }
    }
}

/// A field of a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BtfField {
    /// Bytes from the start of the structure.
    pub(crate) offset: i16,
    /// Bytes; for a bit field, of the part that has it.
    pub(crate) size: u32,
    /// The first bit in the byte at `offset`, for a bit field.
    pub(crate) bit: u32,
    /// Number of its type.
    pub(crate) type_id: u32,
}

/// The types, with an index of the names that were asked for.
#[derive(Debug)]
pub(crate) struct Btf {
    bytes: Vec<u8>,
    strings: usize,
    /// Where each type starts. Type 0 is void.
    starts: Vec<u32>,
    names: HashMap<(NameKind, &'static str), u32>,
}

/// The 4 bytes at a position, as a number.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let found = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(found.try_into().ok()?))
}

/// The text that starts at a position and ends with NUL.
fn text(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    rest.get(..rest.iter().position(|&byte| byte == 0)?)
}

/// Bytes of a type after its first 12. `None` for a kind that is newer than this program.
fn bytes_after(kind: u32, members: usize) -> Option<usize> {
    Some(match kind {
        INT | VAR | DECL_TAG => 4,
        ARRAY => 12,
        STRUCT | UNION | DATASEC | ENUM64 => members * 12,
        ENUM | FUNC_PROTO => members * 8,
        POINTER | FORWARD..=RESTRICT | FUNC | FLOAT | TYPE_TAG => 0,
        _ => return None,
    })
}

/// Kind and number of members of a type.
const fn info(word: u32) -> (u32, usize) {
    (word >> 24 & 0x1f, (word & 0xffff) as usize)
}

impl Btf {
    /// Reads the content of the file, and finds these names. `None` if it is damaged, or has a kind of
    /// type that is newer than this program.
    pub(crate) fn new(bytes: Vec<u8>, wanted: &[(NameKind, &'static str)]) -> Option<Self> {
        if bytes.get(..2)? != MAGIC {
            return None;
        }
        // hdr_len, type_off, type_len, str_off; both offsets count from the end of the header.
        let number = |at| Some(word(&bytes, at)? as usize);
        let header = number(4)?;
        let types = header.checked_add(number(8)?)?;
        let end = types.checked_add(number(12)?)?;
        let strings = header.checked_add(number(16)?)?;
        if end > bytes.len() || strings > bytes.len() {
            return None;
        }
        let mut by_text: HashMap<&[u8], Vec<(NameKind, &'static str)>> = HashMap::new();
        for &(kind, name) in wanted {
            by_text.entry(name.as_bytes()).or_default().push((kind, name));
        }

        let (mut starts, mut names) = (vec![0], HashMap::new());
        let mut at = types;
        while at < end {
            let name = number(at)?;
            let (kind, members) = info(word(&bytes, at + 4)?);
            if let Some(kind) = NameKind::of(kind).filter(|_| name != 0) {
                let found = by_text.get(text(&bytes, strings.checked_add(name)?)?);
                for &(wanted, name) in found.into_iter().flatten() {
                    if wanted == kind {
                        let id = u32::try_from(starts.len()).ok()?;
                        names.entry((kind, name)).or_insert(id);
                    }
                }
            }
            starts.push(u32::try_from(at).ok()?);
            at = at.checked_add(12 + bytes_after(kind, members)?)?;
        }
        (at == end).then_some(Self { bytes, strings, starts, names })
    }

    /// The number of a name that was asked for.
    pub(crate) fn id(&self, kind: NameKind, name: &'static str) -> Option<u32> {
        self.names.get(&(kind, name)).copied()
    }

    /// Where a type starts. `None` for void.
    fn start(&self, id: u32) -> Option<usize> {
        let start = *self.starts.get(id as usize)?;
        (id != 0).then_some(start as usize)
    }

    fn word(&self, at: usize) -> Option<u32> {
        word(&self.bytes, at)
    }

    fn info(&self, id: u32) -> Option<(u32, usize)> {
        Some(info(self.word(self.start(id)? + 4)?))
    }

    fn is_named(&self, name: u32, wanted: &[u8]) -> bool {
        let at = self.strings.checked_add(name as usize);
        name != 0 && at.and_then(|at| text(&self.bytes, at)) == Some(wanted)
    }

    /// The type without typedefs, qualifiers and tags.
    fn resolved(&self, mut id: u32) -> Option<u32> {
        for _ in 0..NESTING_MAX {
            match self.info(id)?.0 {
                TYPEDEF..=RESTRICT | TYPE_TAG => id = self.word(self.start(id)? + 8)?,
                _ => return Some(id),
            }
        }
        None
    }

    /// Bytes of a value of this type.
    fn size(&self, id: u32) -> Option<u32> {
        let (mut id, mut count) = (self.resolved(id)?, 1_u32);
        for _ in 0..NESTING_MAX {
            let start = self.start(id)?;
            match self.info(id)?.0 {
                POINTER => return count.checked_mul(8),
                ARRAY => {
                    count = count.checked_mul(self.word(start + 20)?)?;
                    id = self.resolved(self.word(start + 12)?)?;
                }
                INT | STRUCT | UNION | ENUM | FLOAT | ENUM64 => {
                    return count.checked_mul(self.word(start + 8)?);
                }
                _ => return None,
            }
        }
        None
    }

    /// A member of a structure, or of its parts without a name: offset in bits, width in bits if it is a
    /// bit field and otherwise 0, and type.
    fn member(&self, id: u32, name: &[u8], nesting: u32) -> Option<(u32, u32, u32)> {
        let start = self.start(id)?;
        let (kind, members) = self.info(id)?;
        if !matches!(kind, STRUCT | UNION) || nesting > NESTING_MAX {
            return None;
        }
        let has_bit_fields = self.word(start + 4)? >> 31 == 1;
        for nth in 0..members {
            let at = start + 12 + nth * 12;
            let (label, kind, mut offset) =
                (self.word(at)?, self.word(at + 4)?, self.word(at + 8)?);
            let mut width = 0;
            if has_bit_fields {
                (width, offset) = (offset >> 24, offset & 0xff_ffff);
            }
            if self.is_named(label, name) {
                return Some((offset, width, kind));
            }
            if label == 0
                && let Some(inner) = self.resolved(kind)
                && let Some((more, width, kind)) = self.member(inner, name, nesting + 1)
            {
                return Some((offset.checked_add(more)?, width, kind));
            }
        }
        None
    }

    /// A field of a structure by its path, such as `rss_stat[1].count`.
    pub(crate) fn field(&self, structure: &'static str, path: &str) -> Option<BtfField> {
        let mut id = self.id(NameKind::Struct, structure)?;
        let (mut bits, mut width) = (0_u32, 0);
        for step in path.split('.') {
            let (name, index) = match step.strip_suffix(']').and_then(|it| it.split_once('[')) {
                Some((name, index)) => (name, Some(index.parse::<u32>().ok()?)),
                None => (step, None),
            };
            let (more, wide, kind) = self.member(self.resolved(id)?, name.as_bytes(), 0)?;
            (bits, width, id) = (bits.checked_add(more)?, wide, self.resolved(kind)?);
            if let Some(index) = index {
                if self.info(id)?.0 != ARRAY {
                    return None;
                }
                id = self.resolved(self.word(self.start(id)? + 12)?)?;
                bits = bits.checked_add(index.checked_mul(self.size(id)?)?.checked_mul(8)?)?;
            }
        }
        let size = if width == 0 { self.size(id)? } else { width.div_ceil(8) };
        let offset = i16::try_from(bits / 8).ok()?;
        Some(BtfField { offset, size, bit: bits % 8, type_id: id })
    }

    /// Whether argument `nth` of a tracepoint is a pointer. `tracepoint` is the number of its type
    /// `btf_trace_NAME`: a pointer to a function whose first argument is no argument of the tracepoint.
    pub(crate) fn traced_pointer(&self, tracepoint: u32, nth: usize) -> Option<bool> {
        let pointer = self.resolved(tracepoint)?;
        let prototype = self.resolved(self.word(self.start(pointer)? + 8)?)?;
        let (kind, arguments) = self.info(prototype)?;
        if self.info(pointer)?.0 != POINTER || kind != FUNC_PROTO || nth + 1 >= arguments {
            return None;
        }
        let argument = self.word(self.start(prototype)? + 12 + (nth + 1) * 8 + 4)?;
        Some(self.info(self.resolved(argument)?)?.0 == POINTER)
    }

    /// The value of a constant of an enumeration.
    pub(crate) fn constant(&self, enumeration: &'static str, name: &str) -> Option<u32> {
        let id = self.id(NameKind::Enum, enumeration)?;
        let (start, (_, members)) = (self.start(id)?, self.info(id)?);
        let at = (0..members)
            .map(|nth| start + 12 + nth * 8)
            .find(|&at| self.word(at).is_some_and(|label| self.is_named(label, name.as_bytes())))?;
        self.word(at + 4)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WANTED: &[(NameKind, &str)] = &[
        (NameKind::Struct, "task"),
        (NameKind::Enum, "colour"),
        (NameKind::Typedef, "trace_kill"),
        (NameKind::Function, "walk"),
        (NameKind::Function, "absent"),
    ];

    /// Writes types, and a table of their names.
    #[derive(Default)]
    struct Writer {
        types: Vec<u8>,
        strings: Vec<u8>,
    }

    impl Writer {
        fn name(&mut self, name: &str) -> u32 {
            if self.strings.is_empty() {
                self.strings.push(0);
            }
            if name.is_empty() {
                return 0;
            }
            let at = self.strings.len() as u32;
            self.strings.extend(name.bytes().chain([0]));
            at
        }

        fn add(&mut self, name: &str, kind: u32, members: u32, rest: &[u32]) {
            let name = self.name(name);
            for word in [name, kind << 24 | members].iter().chain(rest) {
                self.types.extend(word.to_ne_bytes());
            }
        }

        fn finish(self) -> Vec<u8> {
            let (types, strings) = (self.types.len() as u32, self.strings.len() as u32);
            let mut out = MAGIC.to_vec();
            out.extend([1, 0]);
            for word in [24, 0, types, types, strings] {
                out.extend(word.to_ne_bytes());
            }
            out.extend(self.types.iter().chain(&self.strings));
            out
        }
    }

    /// ```c
    /// typedef unsigned int u32;
    /// struct task { int pid; struct { char flag : 3; char next : 5; }; u32 numbers[4]; struct task *parent; };
    /// enum colour { RED = 4 };
    /// typedef void (*trace_kill)(void *, struct task *, int);
    /// ```
    fn example() -> Vec<u8> {
        let mut writer = Writer::default();
        let [pid, flag, next, numbers, parent, red] =
            ["pid", "flag", "next", "numbers", "parent", "RED"].map(|name| writer.name(name));
        writer.add("int", INT, 0, &[4, 32]); // 1
        writer.add("u32", TYPEDEF, 0, &[1]); // 2
        let bits = 1 << 7; // the flag of a structure with bit fields
        writer.add("", STRUCT | bits, 2, &[1, flag, 1, 3 << 24, next, 1, 5 << 24 | 3]); // 3
        writer.add("", ARRAY, 0, &[0, 2, 1, 4]); // 4
        writer.add("", POINTER, 0, &[6]); // 5
        #[rustfmt::skip]
        writer.add("task", STRUCT, 4, &[32, pid, 1, 0, 0, 3, 32, numbers, 4, 64, parent, 5, 192]); // 6
        writer.add("colour", ENUM, 1, &[4, red, 4]); // 7
        writer.add("", FUNC_PROTO, 3, &[0, 0, 5, 0, 5, 0, 1]); // 8
        writer.add("", POINTER, 0, &[8]); // 9
        writer.add("trace_kill", TYPEDEF, 0, &[9]); // 10
        writer.add("walk", FUNC, 0, &[8]); // 11
        writer.finish()
    }

    /// Asks everything that can be asked.
    fn ask(btf: &Btf) -> Vec<Option<u32>> {
        let offset = |path| btf.field("task", path).map(|field| field.offset as u32);
        vec![
            offset("pid"),
            offset("flag"),
            offset("next"),
            offset("numbers[3]"),
            offset("parent"),
            offset("parent.pid"),
            offset("numbers[99999999]"),
            btf.constant("colour", "RED"),
            btf.constant("colour", "BLUE"),
            btf.id(NameKind::Typedef, "trace_kill"),
            btf.id(NameKind::Function, "walk"),
            btf.id(NameKind::Function, "absent"),
            btf.id(NameKind::Typedef, "trace_kill")
                .and_then(|id| btf.traced_pointer(id, 0))
                .map(u32::from),
        ]
    }

    #[test]
    fn fields_constants_and_functions_are_found() {
        let btf = Btf::new(example(), WANTED).expect("a BTF");
        let some = |numbers: &[i64]| -> Vec<Option<u32>> {
            numbers.iter().map(|&number| u32::try_from(number).ok()).collect()
        };
        let expected = [0, 4, 4, 20, 24, -1, -1, 4, -1, 10, 11, -1, 1];
        assert_eq!(ask(&btf), some(&expected));
        let field = |path| btf.field("task", path).map(|field| (field.size, field.bit));
        assert_eq!(field("pid"), Some((4, 0)));
        assert_eq!(field("next"), Some((1, 3)));
        assert_eq!(field("numbers"), Some((16, 0)));
        assert_eq!(field("parent"), Some((8, 0)));
        assert_eq!(field("pid[0]"), None, "not an array");
        let argument = |nth| btf.traced_pointer(10, nth);
        assert_eq!([0, 1, 2].map(argument), [Some(true), Some(false), None]);
        assert_eq!(btf.traced_pointer(6, 0), None, "not a tracepoint");
    }

    #[test]
    fn a_type_that_contains_itself_is_refused() {
        let mut writer = Writer::default();
        let [pid, deep] = ["pid", "deep"].map(|name| writer.name(name));
        writer.add("loop", TYPEDEF, 0, &[1]);
        writer.add("", ARRAY, 0, &[0, 2, 1, 2]);
        writer.add("task", STRUCT, 3, &[8, 0, 3, 0, pid, 1, 0, deep, 2, 0]);
        let btf = Btf::new(writer.finish(), WANTED).expect("a BTF");
        assert!(ask(&btf).iter().all(Option::is_none));
        assert_eq!(btf.field("task", "deep"), None);
        assert_eq!(btf.field("task", "absent"), None);
    }

    #[test]
    fn a_file_that_was_cut_off_is_refused_or_says_less() {
        let whole = example();
        let all = ask(&Btf::new(whole.clone(), WANTED).expect("a BTF"));
        for end in 0..whole.len() {
            let Some(btf) = Btf::new(whole[..end].to_vec(), WANTED) else { continue };
            for (cut, full) in ask(&btf).iter().zip(&all) {
                assert!(cut.is_none() || cut == full, "cut off after {end} bytes");
            }
        }
    }

    #[test]
    fn a_kind_of_tomorrow_is_refused() {
        let mut writer = Writer::default();
        writer.add("new", 25, 0, &[0]);
        assert!(Btf::new(writer.finish(), WANTED).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut file = example();
            file.truncate(24);
            file.extend(bytes);
            if let Some(btf) = Btf::new(file, WANTED) {
                ask(&btf);
            }
        }

        #[test]
        fn no_damage_panics(
            flips in proptest::collection::vec((0..10_000_usize, any::<u8>()), 1..6),
        ) {
            let mut file = example();
            for (at, byte) in flips {
                let length = file.len();
                file[at % length] = byte;
            }
            if let Some(btf) = Btf::new(file, WANTED) {
                ask(&btf);
            }
        }
    }
}
