//! Splits a recording, plain or compressed, into lines. After damage it finds the next place where a gzip
//! member may begin.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::bufread::GzDecoder;

/// The first bytes of a gzip member (RFC 1952): the magic number, and deflate, the only method.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// Maximum number of compressed bytes of the present member that are kept, to search them again after
/// damage: decompressing damaged bytes may read past the beginning of the next member. One minute of
/// the largest machine takes less.
const MAX_KEPT: usize = 16 << 20;

/// Maximum number of places to try. By chance one place in 16 million bytes looks like a member.
const MAX_RESUMES: u32 = 4096;

/// Why there is no next line.
pub(crate) enum BrokenRecording {
    /// The end.
    End,
    /// The file ends inside a member.
    Cut(io::Error),
    /// The bytes cannot be decompressed; [`RecordingLines::resume`] may find the next member.
    Damaged(io::Error),
    /// The line is longer than the maximum; the rest of it is skipped.
    TooLong,
    /// The file cannot be read.
    Failed(io::Error),
}

/// The compressed bytes. Those of the present member are kept to be searched again.
struct Compressed {
    from: Box<dyn BufRead + Send>,
    kept: Vec<u8>,
    at: usize,
    /// Whether the beginning of the member is no longer kept.
    dropped: bool,
    /// Whether reading the file failed.
    failed: bool,
}

impl Compressed {
    fn new(from: Box<dyn BufRead + Send>) -> Self {
        Self { from, kept: Vec::new(), at: 0, dropped: false, failed: false }
    }

    /// A member begins here: the bytes before are not needed any more.
    fn begin(&mut self) {
        self.kept.drain(..self.at);
        self.at = 0;
        self.dropped = false;
    }

    /// Reads more bytes; `false` at the end of the file.
    fn read_more(&mut self) -> io::Result<bool> {
        let more = match self.from.fill_buf() {
            Ok(more) => more,
            Err(error) => {
                self.failed |= error.kind() != ErrorKind::Interrupted;
                return Err(error);
            }
        };
        let length = more.len();
        self.kept.extend_from_slice(more);
        self.from.consume(length);
        Ok(length > 0)
    }

    /// Goes to the next place after the beginning of the present member that looks like a member.
    fn seek(&mut self) -> bool {
        self.at = usize::from(!self.dropped).min(self.kept.len());
        loop {
            let rest = self.kept.get(self.at..).unwrap_or_default();
            if let Some(found) = rest.windows(MAGIC.len()).position(|bytes| bytes == MAGIC) {
                self.at += found;
                self.begin();
                return true;
            }
            // The first bytes of a member may stand at the end.
            self.at = self.at.max(self.kept.len().saturating_sub(MAGIC.len() - 1));
            self.begin();
            match self.read_more() {
                Ok(true) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return false,
            }
        }
    }
}

impl Read for Compressed {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(room)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Compressed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.kept.len() {
            if self.kept.len() > MAX_KEPT {
                self.kept.clear();
                self.at = 0;
                self.dropped = true;
            }
            self.read_more()?;
        }
        Ok(self.kept.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, length: usize) {
        self.at = (self.at + length).min(self.kept.len());
    }
}

enum Place {
    Plain(Box<dyn BufRead + Send>),
    /// Before a member, or at the end of the file.
    Between(Compressed),
    Member(Box<BufReader<GzDecoder<Compressed>>>),
    Over,
}

/// The lines of a recording.
pub(crate) struct RecordingLines {
    place: Place,
    compressed: bool,
    /// Whether the rest of a line that is too long has to be skipped first.
    skipping: bool,
    /// Places that may still be tried after damage.
    resumes_left: u32,
}

impl RecordingLines {
    /// The lines of `from`, which may be compressed.
    pub(crate) fn new(mut from: Box<dyn BufRead + Send>) -> Self {
        // Two of three bytes are enough, so that one damaged byte does not make it plain text. A read error
        // comes again at the first line.
        let compressed = from.fill_buf().is_ok_and(|bytes| {
            bytes.len() >= 2
                && bytes.iter().zip(MAGIC).filter(|(byte, is)| *byte == is).count() >= 2
        });
        let place =
            if compressed { Place::Between(Compressed::new(from)) } else { Place::Plain(from) };
        Self { place, compressed, skipping: false, resumes_left: MAX_RESUMES }
    }

    /// Whether the recording is compressed.
    pub(crate) const fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Reads the next line into `text`, with its line end if it has one.
    pub(crate) fn next(
        &mut self,
        text: &mut Vec<u8>,
        max_length: u64,
    ) -> Result<(), BrokenRecording> {
        text.clear();
        loop {
            self.enter()?;
            let reader: &mut dyn BufRead = match &mut self.place {
                Place::Plain(reader) => reader,
                Place::Member(reader) => reader,
                // At the end of the file. The last line may have no line end.
                Place::Between(_) | Place::Over if text.is_empty() => {
                    return Err(BrokenRecording::End);
                }
                Place::Between(_) | Place::Over => return Ok(()),
            };
            let read = if self.skipping {
                reader.skip_until(b'\n')
            } else {
                let room = max_length.saturating_sub(text.len() as u64);
                reader.take(room).read_until(b'\n', text)
            };
            match read {
                Err(error) => return Err(self.classify(error)),
                Ok(1..) if std::mem::take(&mut self.skipping) => continue,
                Ok(_) => {}
            }
            if text.ends_with(b"\n") {
                return Ok(());
            }
            if text.len() as u64 >= max_length {
                self.skipping = true;
                return Err(BrokenRecording::TooLong);
            }
            self.leave();
        }
    }

    /// Enters the next member, if there is one.
    fn enter(&mut self) -> Result<(), BrokenRecording> {
        let Place::Between(raw) = &mut self.place else { return Ok(()) };
        match raw.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(self.classify(error)),
        }
        if let Place::Between(mut raw) = std::mem::replace(&mut self.place, Place::Over) {
            raw.begin();
            self.place = Place::Member(Box::new(BufReader::new(GzDecoder::new(raw))));
        }
        Ok(())
    }

    /// Leaves a member, or the plain file, at its end.
    fn leave(&mut self) {
        self.place = match std::mem::replace(&mut self.place, Place::Over) {
            Place::Member(member) => Place::Between(member.into_inner().into_inner()),
            _ => Place::Over,
        };
    }

    fn classify(&mut self, error: io::Error) -> BrokenRecording {
        let failed = match &self.place {
            Place::Between(raw) => raw.failed,
            Place::Member(member) => member.get_ref().get_ref().failed,
            Place::Plain(_) | Place::Over => true,
        };
        if failed {
            self.place = Place::Over;
            return BrokenRecording::Failed(error);
        }
        self.skipping = false;
        match error.kind() {
            ErrorKind::UnexpectedEof => BrokenRecording::Cut(error),
            _ => BrokenRecording::Damaged(error),
        }
    }

    /// Continues after damage; `false` if no further member was found.
    pub(crate) fn resume(&mut self) -> bool {
        let mut raw = match std::mem::replace(&mut self.place, Place::Over) {
            Place::Between(raw) => raw,
            Place::Member(member) => member.into_inner().into_inner(),
            other => {
                self.place = other;
                return false;
            }
        };
        self.resumes_left = self.resumes_left.saturating_sub(1);
        let found = self.resumes_left > 0 && raw.seek();
        if found {
            self.place = Place::Between(raw);
        }
        found
    }
}
