//! The bytes of a saved log, unpacked: gzip, zstd, UTF-16.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

/// Maximum number of bytes that a compressed log is unpacked to: a small file may hold endless zeros.
const BUDGET: u64 = 1 << 30;

/// Whether a compressed log was read to its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Unpacking(Rc<Cell<Option<&'static str>>>);

impl Unpacking {
    /// Why the log was not read to its end.
    pub(super) fn cut(&self) -> Option<&'static str> {
        self.0.get()
    }
}

/// Reads at most [`BUDGET`] bytes; damage ends the log, and both are noted.
struct Bounded<R> {
    inner: R,
    left: u64,
    cut: Unpacking,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            let more = self.inner.read(&mut [0]).is_ok_and(|count| count > 0);
            if more {
                self.cut.0.set(Some("only the first 1.0G of what it unpacks to was read"));
            }
            return Ok(0);
        }
        let most = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        match self.inner.read(&mut out[..most]) {
            Ok(count) => {
                self.left -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(_) => {
                self.cut.0.set(Some(
                    "the compressed data is damaged or cut: only its beginning was read",
                ));
                Ok(0)
            }
        }
    }
}

/// UTF-16 as UTF-8.
struct FromUtf16<R> {
    inner: R,
    is_big: bool,
    /// What was decoded and not read yet.
    ready: Vec<u8>,
    at: usize,
    /// A unit that was cut, and the first half of a pair.
    odd: Option<u8>,
    high: Option<u16>,
}

impl<R: Read> FromUtf16<R> {
    fn fill(&mut self) -> io::Result<bool> {
        let mut raw = [0; 8192];
        let count = self.inner.read(&mut raw)?;
        self.ready.clear();
        self.at = 0;
        let bytes = self.odd.take().into_iter().chain(raw[..count].iter().copied());
        let bytes: Vec<u8> = bytes.collect();
        let pairs = bytes.chunks_exact(2);
        self.odd = pairs.remainder().first().copied();
        let is_big = self.is_big;
        let unit = |pair: &[u8]| {
            let pair = [pair[0], pair[1]];
            if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
        };
        let mut units: Vec<u16> = self.high.take().into_iter().chain(pairs.map(unit)).collect();
        self.high = units.pop_if(|last| (0xd800..0xdc00).contains(last));
        let chars = char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER));
        let text: String = chars.filter(|&it| it != '\u{feff}').collect();
        self.ready = text.into_bytes();
        Ok(count > 0)
    }
}

impl<R: Read> Read for FromUtf16<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.ready.len() {
            if !self.fill()? {
                return Ok(0);
            }
        }
        let part = &self.ready[self.at..];
        let count = part.len().min(out.len());
        out[..count].copy_from_slice(&part[..count]);
        self.at += count;
        Ok(count)
    }
}

/// The log as UTF-8, or nearly so, whatever it is packed in.
///
/// # Errors
/// It cannot be read, or is packed in a form that is not known.
pub(super) fn unpacked<'a>(
    log: impl BufRead + 'a,
) -> io::Result<(Box<dyn BufRead + 'a>, Unpacking)> {
    let cut = Unpacking::default();
    let plain = unzipped(log, &cut)?;
    let mut plain = BufReader::with_capacity(1 << 16, plain);
    let head = plain.fill_buf()?;
    let zeros =
        |odd: usize| head.iter().skip(odd).step_by(2).take(64).filter(|&&it| it == 0).count();
    let is_big = match head {
        [0xff, 0xfe, ..] => Some(false),
        [0xfe, 0xff, ..] => Some(true),
        // Without a mark: every second byte of ASCII is zero.
        [_, _, _, _, ..] if zeros(1) > 16.min(head.len() / 4) && zeros(0) == 0 => Some(false),
        [_, _, _, _, ..] if zeros(0) > 16.min(head.len() / 4) && zeros(1) == 0 => Some(true),
        _ => None,
    };
    let log: Box<dyn BufRead + 'a> = match is_big {
        None => Box::new(plain),
        Some(is_big) => Box::new(BufReader::new(FromUtf16 {
            inner: plain,
            is_big,
            ready: Vec::new(),
            at: 0,
            odd: None,
            high: None,
        })),
    };
    Ok((log, cut))
}

fn unzipped<'a>(mut log: impl BufRead + 'a, cut: &Unpacking) -> io::Result<Box<dyn Read + 'a>> {
    let head = log.fill_buf()?;
    let unknown = |what: &str, tool: &str| {
        Err(io::Error::other(format!("compressed with {what}: unpack it first ({tool} -dc FILE)")))
    };
    match head {
        [0x1f, 0x8b, ..] => {
            let inner = MultiGzDecoder::new(log);
            Ok(Box::new(Bounded { inner, left: BUDGET, cut: cut.clone() }))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let inner = ruzstd::decoding::StreamingDecoder::new(log)
                .map_err(|error| io::Error::other(error.to_string()))?;
            Ok(Box::new(Bounded { inner, left: BUDGET, cut: cut.clone() }))
        }
        [0xfd, b'7', b'z', b'X', b'Z', ..] => unknown("xz", "xz"),
        [b'B', b'Z', b'h', ..] => unknown("bzip2", "bzip2"),
        [0x04, 0x22, 0x4d, 0x18, ..] => unknown("lz4", "lz4"),
        _ => Ok(Box::new(log)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn text_of(bytes: &[u8]) -> (String, Option<&'static str>) {
        let (mut log, cut) = unpacked(bytes).expect("it opens");
        let mut text = String::new();
        log.read_to_string(&mut text).expect("it reads");
        (text, cut.cut())
    }

    #[test]
    fn packed_logs_are_unpacked() {
        let text = "Out of memory: März 𝄞\n".repeat(3000);
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(text.as_bytes()).expect("a vector");
        let gz = gz.finish().expect("a vector");
        assert_eq!(text_of(&gz), (text.clone(), None));
        let (cut, why) = text_of(&gz[..gz.len() - 12]);
        assert!(text.starts_with(&cut) && why.is_some());
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = [&[0xff, 0xfe], &little[..]].concat();
        for bytes in [little, big, marked, text.clone().into_bytes()] {
            assert_eq!(text_of(&bytes).0, text);
        }
        assert!(unpacked(&b"\xfd7zXZ\0"[..]).is_err());
    }

    #[test]
    fn a_compressed_log_has_a_budget() {
        let inner = io::repeat(b'x');
        let cut = Unpacking::default();
        let mut bounded = Bounded { inner, left: 5, cut: cut.clone() };
        let mut text = String::new();
        bounded.read_to_string(&mut text).expect("it ends");
        assert_eq!((text.as_str(), cut.cut().is_some()), ("xxxxx", true));
    }
}
