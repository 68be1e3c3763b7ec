//! What a trial's observer saw, as a file: a changed model can be judged by the same deaths again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use crate::world::Event;

/// A trial that is over.
#[derive(Debug, Serialize, Deserialize)]
pub struct Head {
    /// The pattern.
    pub pattern: String,
    /// Whether somebody was to die.
    pub deadly: bool,
    /// Whether one still grew at its end.
    pub grows: bool,
    /// When it ended.
    pub end: i64,
}

/// Writes one.
pub fn save(dir: &Path, name: &str, head: &Head, events: &[Event]) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    let file = File::create(dir.join(format!("{name}.jsonl.gz")))?;
    let mut out = BufWriter::new(GzEncoder::new(file, Compression::fast()));
    serde_json::to_writer(&mut out, head)?;
    for event in events {
        out.write_all(b"\n")?;
        serde_json::to_writer(&mut out, event)?;
    }
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()?;
    Ok(())
}

/// Reads all in a folder, in the order of their names.
pub fn load(dir: &Path) -> Vec<(Head, Vec<Event>)> {
    let mut files: Vec<_> =
        fs::read_dir(dir).expect("a folder").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let mut lines = BufReader::new(GzDecoder::new(File::open(path).ok()?)).lines();
        let head = serde_json::from_str(&lines.next()?.ok()?).ok()?;
        let events = lines.map_while(Result::ok).filter_map(|it| serde_json::from_str(&it).ok());
        Some((head, events.collect()))
    };
    files.iter().filter_map(read).collect()
}
