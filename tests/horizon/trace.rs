//! What a trial's observer saw, as a file: a changed model can be judged by the same deaths again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

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

/// The folders in this one, each of one machine, with their names; or this one, where there are none.
pub fn machines(dir: &Path) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = entries(dir)
        .into_iter()
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path))
        .collect();
    if found.is_empty() {
        found.push((String::new(), dir.to_owned()));
    }
    found
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(dir).expect("a folder").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Reads all in a folder, in the order of their names.
pub fn replay(dir: &Path, mut take: impl FnMut(Head, Vec<Event>)) {
    for path in entries(dir) {
        let Ok(file) = File::open(path) else { continue };
        let mut lines = BufReader::new(GzDecoder::new(file)).lines();
        let Some(Ok(head)) = lines.next() else { continue };
        let Ok(head) = serde_json::from_str(&head) else { continue };
        let events = lines.map_while(Result::ok).filter_map(|it| serde_json::from_str(&it).ok());
        take(head, events.collect());
    }
}
