//! `doomtop compare`: two recordings side by side.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::cli::{Cli, CompareArgs};
use super::input::{Input, redactor};
use super::sampling::{self, Sampled};
use crate::app::setup::ThemeName;
use crate::columns::human_size;
use crate::model::{DomainKind, Needs, Scope};
use crate::report::comparison::{
    ComparedRow, ComparedRun, ComparedVerdict, LoadComparison, write_comparison,
};
use crate::report::line::TextStyle;
use crate::report::load_test::{LoadSummariser, RUN_SCOPE_WITHIN, run_scope};
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::guarded_source::ProtectionReport;
use crate::shell::{new_file, stdio};
use crate::source::{Redactor, SourceError};
use crate::ui::comparison::{ComparedMark, ComparisonPicture};
use crate::ui::{self, ColourDepth, Theme, svg};

/// Reads both, and prints how the second differs.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(args: &CompareArgs, cli: &Cli) -> Result<ExitStatus, CommandError> {
    let stdin = Path::new("-");
    if args.first == stdin && args.second == stdin {
        return Err(CommandError::usage("standard input can only be one of the two recordings"));
    }
    if matches!(cli.scope, Some(Scope::Nodes(_))) {
        return Err(CommandError::usage(
            "only the whole machine or a memory cgroup can be compared",
        )
        .hint("--scope takes a memory cgroup, or global"));
    }
    if cli.from.is_some() || cli.demo {
        return Err(CommandError::usage("compare reads the two recordings that it names"));
    }
    // What cannot be written is told before both are read.
    let picture = args.svg.as_deref().map(|path| {
        new_file::create(path)
            .map(|file| (path, file))
            .map_err(|error| CommandError::failure(format!("{}: {error}", path.display())))
    });
    let picture = picture.transpose()?;
    let result = both(args, cli);
    let comparison = match (result, &picture) {
        (Ok(comparison), _) => comparison,
        (Err(error), Some((path, _))) => {
            // Nothing was drawn into it.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        (Err(error), None) => return Err(error),
    };
    if let Some((path, mut file)) = picture {
        let theme = Theme::new(ThemeName::Default, ColourDepth::Ansi, true);
        let text = svg::svg(&ui::comparison::paint(&drawn(&comparison), theme));
        file.write_all(text.as_bytes())
            .map_err(|error| CommandError::failure(format!("{}: {error}", path.display())))?;
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let style = TextStyle { cut: None, ascii: cli.ascii || !stdio::utf8() };
    let result = if args.json {
        writeln!(out, "{}", comparison.json())
    } else {
        write_comparison(&mut out, &comparison, style)
    };
    stdio::written(result.and_then(|()| out.flush()))?;
    Ok(ExitStatus::Success)
}

/// Reads both.
///
/// # Errors
/// One of them cannot be read.
fn both(args: &CompareArgs, cli: &Cli) -> Result<LoadComparison, CommandError> {
    // One name has one token in both.
    let redactor = redactor(cli);
    let first = read(&args.first, cli, redactor.clone())?;
    let second = read(&args.second, cli, redactor)?;
    let whole = |path: &Path| fs::canonicalize(path).ok();
    let same_file = whole(&args.first).is_some() && whole(&args.first) == whole(&args.second);
    Ok(LoadComparison::new([first, second], same_file))
}

/// Reads a recording to its end.
///
/// # Errors
/// It cannot be read, or the scope is not in it.
fn read(path: &Path, cli: &Cli, redactor: Option<Redactor>) -> Result<ComparedRun, CommandError> {
    let named = |error: CommandError| {
        // An error of the end of a recording does not name it.
        let name = path.display().to_string();
        if error.what.iter().any(|line| line.contains(&name)) {
            return error;
        }
        let what = error.what.iter().map(|line| format!("{name}: {line}")).collect();
        CommandError { what, ..error }
    };
    let mut of_file = cli.clone();
    (of_file.from, of_file.command) = (Some(path.to_owned()), None);
    let mut source =
        Input::open_redacted(&of_file, 0, ProtectionReport::OnStandardError, redactor)?.source;
    let needs = Needs { cmdline: false, ..Needs::everything() };
    let mut summariser = LoadSummariser::new(cli.scope.clone().unwrap_or_default());
    let (mut spent, mut samples, mut is_of_command) = (None, 0, false);
    while let Sampled::New(sample) =
        sampling::next(source.as_mut(), &needs, spent.take(), samples).map_err(named)?
    {
        // A scope of the service manager is not there before the command begins.
        if cli.scope.is_none()
            && !is_of_command
            && samples < RUN_SCOPE_WITHIN
            && let Some(scope) = run_scope(&sample)
        {
            (summariser, is_of_command) = (LoadSummariser::new(scope), true);
        }
        samples += 1;
        spent = summariser.take(sample);
        stdio::progress(&format!("{}: {samples} samples", path.display()));
    }
    stdio::progress("");
    let domain = summariser.scene().map(crate::model::Scene::domain);
    let run = ComparedRun::of(path.display().to_string(), &summariser)
        .ok_or_else(|| named(CommandError::failure(SourceError::End)))?;
    if run.summary.samples == 0 {
        let scope = &run.summary.scope;
        let what = format!("{}: {scope} is in none of its {samples} samples", path.display());
        let gone = domain.is_some_and(|it| it.kind == DomainKind::Gone);
        let hint = if gone {
            "--scope takes a path as in /proc/PID/cgroup"
        } else {
            "its use was not recorded"
        };
        return Err(CommandError::failure(what).hint(hint));
    }
    Ok(run)
}

/// What the picture shows.
fn drawn(comparison: &LoadComparison) -> ComparisonPicture {
    let about = |run: &ComparedRun| {
        let limit =
            run.summary.limit.map_or_else(String::new, |it| format!(", limit {}", human_size(it)));
        let file = Path::new(&run.file).file_name().unwrap_or_default().to_string_lossy();
        (format!("{file}: {}{limit}", run.machine.0), run.summary.scope.to_string())
    };
    let row = |row: &ComparedRow| {
        let mark = match row.verdict() {
            Some(ComparedVerdict::Worse) => ComparedMark::Worse,
            Some(ComparedVerdict::Better) => ComparedMark::Better,
            Some(ComparedVerdict::Same) | None => ComparedMark::None,
        };
        ([row.label.to_owned(), row.cell(0), row.cell(1), row.change()], mark)
    };
    let [a, b] = &comparison.runs;
    ComparisonPicture {
        title: comparison.sentence(),
        runs: [about(a), about(b)],
        curves: [a.sizes.clone(), b.sizes.clone()],
        rows: comparison.rows.iter().map(row).collect(),
        notes: comparison.notes.clone(),
    }
}
