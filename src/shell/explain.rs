//! `doomtop explain`: what happened and why, from a saved kernel log; on any machine, without root.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::Path;

use super::cli::Explain;
use crate::events::{Reader, Report};
use crate::policy::Policy;
use crate::report::explain::{Common, Explained};
use crate::report::text::Manner;

/// Longer lines are cut: the kernel's own never are.
const LONGEST: u64 = 64 << 10;

/// Explains every report of the capture.
///
/// # Errors
/// What could not be read or written, in one line.
pub(super) fn run(order: &Explain, policy: Option<&'static dyn Policy>) -> Result<u8, String> {
    let name = if order.file == Path::new("-") {
        "standard input".to_owned()
    } else {
        order.file.display().to_string()
    };
    let failed = |error: io::Error| format!("{name}: {error}");
    let (reports, lines) = if order.file == Path::new("-") {
        read(io::stdin().lock()).map_err(failed)?
    } else {
        let file = File::open(&order.file).map_err(failed)?;
        if file.metadata().is_ok_and(|about| about.is_dir()) {
            return Err(format!("{name}: this is a folder, not a kernel log"));
        }
        read(BufReader::new(file)).map_err(failed)?
    };
    if reports.is_empty() {
        return Err(format!(
            "{name}: no report of the OOM killer in its {lines} lines; it reads dmesg, journalctl -k \
             and /dev/kmsg"
        ));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let written = write(&mut out, &reports, order, policy).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}"))
        }
        _ => Ok(0),
    }
}

/// The reports, and how many lines there were.
fn read(mut capture: impl BufRead) -> io::Result<(Vec<Report>, u64)> {
    let mut reader = Reader::default();
    let (mut line, mut lines) = (Vec::new(), 0);
    loop {
        line.clear();
        if capture.by_ref().take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok((reader.finish(), lines));
        }
        lines += 1;
        // What is cut off is no line of its own.
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST {
            skip_line(&mut capture)?;
        }
        reader.take(&String::from_utf8_lossy(&line));
    }
}

/// Leaves out what is left of a line.
fn skip_line(capture: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = capture.fill_buf()?;
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        if taken == 0 {
            return Ok(());
        }
        capture.consume(taken);
        if end.is_some() {
            return Ok(());
        }
    }
}

fn write(
    out: &mut dyn Write,
    reports: &[Report],
    order: &Explain,
    policy: Option<&'static dyn Policy>,
) -> io::Result<()> {
    let common = Common::of(reports);
    let manner = Manner { cut: width(), ascii: !super::tui::utf8() };
    for (nth, report) in (1..).zip(reports) {
        let explained = Explained::new(report, &common, policy);
        if order.json {
            writeln!(out, "{}", explained.json())?;
            continue;
        }
        if nth > 1 {
            writeln!(out)?;
        }
        writeln!(out, "OOM {nth} of {}", reports.len())?;
        explained.write(out, order.rows, manner)?;
    }
    Ok(())
}

/// The terminal's width, where there is one.
fn width() -> Option<usize> {
    let is_terminal = io::stdout().is_terminal();
    is_terminal.then(crossterm::terminal::size)?.ok().map(|(width, _)| usize::from(width))
}
