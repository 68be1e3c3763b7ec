//! The verdict of a load test as JUnit XML, which CI systems read.

use std::fmt::Write;

use super::text::verdict_lines;
use super::verdict::LoadVerdict;

/// A text as XML: characters with a meaning are escaped, and those that XML 1.0 does not allow are replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The verdict as a test suite: a case for the command, and one for each expectation.
#[must_use]
pub fn junit(verdict: &LoadVerdict) -> String {
    let command: Vec<&str> = verdict.command.iter().map(|it| it.as_str()).collect();
    let command = escaped(&command.join(" "));
    let seconds = verdict.ran_for.0 as f64 / 1000.0;
    let text = escaped(&verdict_lines(verdict).join("\n"));
    let unmet = verdict.answers.iter().filter(|it| !it.is_met()).count();
    let lost = verdict.lost_limit();
    let failures = unmet + usize::from(!verdict.succeeded()) + usize::from(lost.is_some());
    let tests = verdict.answers.len() + 1 + usize::from(lost.is_some());
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">\n\
         <testsuite name=\"doomtop run\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" \
         skipped=\"0\" time=\"{seconds:.3}\">\n"
    );
    let mut case = |name: &str, failure: Option<String>| {
        let _ = write!(
            xml,
            "<testcase classname=\"doomtop run: {command}\" name=\"{}\" time=\"{seconds:.3}\"",
            escaped(name)
        );
        let _ = match failure {
            None => xml.write_str("/>\n"),
            Some(why) => {
                // The whole verdict is told once, behind the cases.
                let why = escaped(&why);
                writeln!(xml, "><failure message=\"{why}\">{why}</failure></testcase>")
            }
        };
    };
    let status = verdict.end.code();
    let failed = (!verdict.succeeded()).then(|| format!("the command ended with status {status}"));
    case("the command succeeds", failed);
    if let Some(why) = lost {
        case("the limit is in force to the end", Some(why.to_owned()));
    }
    for it in &verdict.answers {
        let failed = (!it.is_met()).then(|| format!("{}: {}", it.expectation, it.shown));
        case(&it.expectation, failed);
    }
    let _ = writeln!(xml, "<system-out>{text}</system-out>\n</testsuite>\n</testsuites>");
    xml
}
