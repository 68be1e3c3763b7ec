//! The lines of a recording, plain or compressed, and the way behind damage: the next place where a
//! member of gzip may begin.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use flate2::bufread::GzDecoder;

/// How a member begins (RFC 1952): the magic number, and deflate, the one method that there is.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// So many compressed bytes of the present member are kept, to be searched again where it is damaged:
/// what is unpacked of damaged bytes runs on over the next member's beginning. A minute of the largest
/// machine takes less.
const KEPT: usize = 16 << 20;

/// So many places are tried in all. By chance one in 16 million bytes looks like a beginning.
const TRIES: u32 = 4096;

/// Why there is no line.
pub(crate) enum BrokenRecording {
    /// There is no more.
    End,
    /// It ends in the middle of a member.
    Cut(io::Error),
    /// What is there cannot be unpacked; [`RecordingLines::resume`] may find a way on.
    Damaged(io::Error),
    /// The line is longer than was asked for; the rest of it is passed over.
    TooLong,
    /// It cannot be read at all.
    Failed(io::Error),
}

/// The compressed bytes, with those of the present member kept.
struct Raw {
    from: Box<dyn BufRead + Send>,
    kept: Vec<u8>,
    at: usize,
    /// The member's beginning is no longer among them.
    forgot: bool,
    failed: bool,
}

impl Raw {
    fn new(from: Box<dyn BufRead + Send>) -> Self {
        Self { from, kept: Vec::new(), at: 0, forgot: false, failed: false }
    }

    /// A member begins here: what came before is not needed any more.
    fn begin(&mut self) {
        self.kept.drain(..self.at);
        self.at = 0;
        self.forgot = false;
    }

    /// Reads on into what is kept. Whether there was anything.
    fn read_on(&mut self) -> io::Result<bool> {
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

    /// Goes to the next place behind the present member's beginning that looks like one.
    fn seek(&mut self) -> bool {
        self.at = usize::from(!self.forgot).min(self.kept.len());
        loop {
            let rest = self.kept.get(self.at..).unwrap_or_default();
            if let Some(found) = rest.windows(MAGIC.len()).position(|bytes| bytes == MAGIC) {
                self.at += found;
                self.begin();
                return true;
            }
            // The beginning of a beginning may stand at the end.
            self.at = self.at.max(self.kept.len().saturating_sub(MAGIC.len() - 1));
            self.begin();
            match self.read_on() {
                Ok(true) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => return false,
            }
        }
    }
}

impl Read for Raw {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(room)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Raw {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.kept.len() {
            if self.kept.len() > KEPT {
                self.kept.clear();
                self.at = 0;
                self.forgot = true;
            }
            self.read_on()?;
        }
        Ok(self.kept.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, length: usize) {
        self.at = (self.at + length).min(self.kept.len());
    }
}

enum Place {
    Plain(Box<dyn BufRead + Send>),
    /// Before a member, or at the end.
    Between(Raw),
    Member(Box<BufReader<GzDecoder<Raw>>>),
    Over,
}

/// The lines.
pub(crate) struct RecordingLines {
    place: Place,
    packed: bool,
    /// The rest of a line that is too long comes first.
    skipping: bool,
    tries: u32,
}

impl RecordingLines {
    /// Those of `from`, compressed or not.
    pub(crate) fn new(mut from: Box<dyn BufRead + Send>) -> Self {
        // One damaged byte does not make it plain text; what cannot be read says so at the first line.
        let packed = from.fill_buf().is_ok_and(|bytes| {
            bytes.len() >= 2
                && bytes.iter().zip(MAGIC).filter(|(byte, is)| *byte == is).count() >= 2
        });
        let place = if packed { Place::Between(Raw::new(from)) } else { Place::Plain(from) };
        Self { place, packed, skipping: false, tries: TRIES }
    }

    /// Whether they are compressed.
    pub(crate) const fn packed(&self) -> bool {
        self.packed
    }

    /// The next line into `text`, with its end, where it has one.
    pub(crate) fn next(&mut self, text: &mut Vec<u8>, longest: u64) -> Result<(), BrokenRecording> {
        text.clear();
        loop {
            self.enter()?;
            let reader: &mut dyn BufRead = match &mut self.place {
                Place::Plain(reader) => reader,
                Place::Member(reader) => reader,
                // Nothing, or nothing any more: a last line may lack its end.
                Place::Between(_) | Place::Over if text.is_empty() => {
                    return Err(BrokenRecording::End);
                }
                Place::Between(_) | Place::Over => return Ok(()),
            };
            let read = if self.skipping {
                reader.skip_until(b'\n')
            } else {
                let room = longest.saturating_sub(text.len() as u64);
                reader.take(room).read_until(b'\n', text)
            };
            match read {
                Err(error) => return Err(self.judge(error)),
                Ok(1..) if std::mem::take(&mut self.skipping) => continue,
                Ok(_) => {}
            }
            if text.ends_with(b"\n") {
                return Ok(());
            }
            if text.len() as u64 >= longest {
                self.skipping = true;
                return Err(BrokenRecording::TooLong);
            }
            self.leave();
        }
    }

    /// Into the next member, where there is one.
    fn enter(&mut self) -> Result<(), BrokenRecording> {
        let Place::Between(raw) = &mut self.place else { return Ok(()) };
        match raw.fill_buf() {
            Ok([]) => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(self.judge(error)),
        }
        if let Place::Between(mut raw) = std::mem::replace(&mut self.place, Place::Over) {
            raw.begin();
            self.place = Place::Member(Box::new(BufReader::new(GzDecoder::new(raw))));
        }
        Ok(())
    }

    /// Nothing more comes from here.
    fn leave(&mut self) {
        self.place = match std::mem::replace(&mut self.place, Place::Over) {
            Place::Member(member) => Place::Between(member.into_inner().into_inner()),
            _ => Place::Over,
        };
    }

    fn judge(&mut self, error: io::Error) -> BrokenRecording {
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

    /// Goes on behind damage. Whether there is a place where a member may begin.
    pub(crate) fn resume(&mut self) -> bool {
        let mut raw = match std::mem::replace(&mut self.place, Place::Over) {
            Place::Between(raw) => raw,
            Place::Member(member) => member.into_inner().into_inner(),
            other => {
                self.place = other;
                return false;
            }
        };
        self.tries = self.tries.saturating_sub(1);
        let found = self.tries > 0 && raw.seek();
        if found {
            self.place = Place::Between(raw);
        }
        found
    }
}
