//! The part of HTTP/1.1 that a scrape needs: one request head, read strictly; one answer.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::report::metrics::MetricsFormat;

/// A request's head is no longer than this, in bytes.
const LARGEST: usize = 8 << 10;

/// A request has to be there this soon, whole, and its answer taken this soon.
const PATIENCE: Duration = Duration::from_secs(2);

/// So long, and so many bytes, are waited for what the other side still says after its answer: closing
/// before would take the answer away from it.
const FAREWELL: (Duration, usize) = (Duration::from_millis(200), 64 << 10);

/// Why a request is not answered with metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpRefusal {
    /// It is no request of HTTP.
    Malformed,
    /// It asks for another host: a page in a browser, by a name of its own for this address.
    Misdirected,
    /// There is nothing else here than `/metrics`.
    NotFound,
    /// Nothing but GET.
    Method,
    /// It was not there in time.
    TooLate,
    /// Its head is too long.
    TooLong,
    /// No version of HTTP 1.
    Version,
    /// There is nothing to tell at this moment.
    Unavailable,
}

impl HttpRefusal {
    const fn status(self) -> &'static str {
        match self {
            Self::Malformed => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::Method => "405 Method Not Allowed",
            Self::TooLate => "408 Request Timeout",
            Self::Misdirected => "421 Misdirected Request",
            Self::TooLong => "431 Request Header Fields Too Large",
            Self::Unavailable => "503 Service Unavailable",
            Self::Version => "505 HTTP Version Not Supported",
        }
    }
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|&b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether a Host names this machine's own loopback.
fn is_own(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(name, _)| name),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a whole head asks for: the text that its Accept takes.
///
/// # Errors
/// Why it gets none.
pub(crate) fn asked(head: &[u8]) -> Result<MetricsFormat, HttpRefusal> {
    let head = head.strip_suffix(b"\r\n\r\n").ok_or(HttpRefusal::Malformed)?;
    let head = std::str::from_utf8(head).map_err(|_| HttpRefusal::Malformed)?;
    let mut lines = head.split("\r\n");
    let mut request = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (request.next(), request.next(), request.next(), request.next())
    else {
        return Err(HttpRefusal::Malformed);
    };
    if !is_token(method.as_bytes()) || !version.starts_with("HTTP/") {
        return Err(HttpRefusal::Malformed);
    }
    if version != "HTTP/1.1" && version != "HTTP/1.0" {
        return Err(HttpRefusal::Version);
    }
    let (mut host, mut form) = (None, MetricsFormat::Prometheus);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(HttpRefusal::Malformed)?;
        let value = value.trim_matches([' ', '\t']);
        if !is_token(name.as_bytes()) || value.chars().any(|c| c.is_control() && c != '\t') {
            return Err(HttpRefusal::Malformed);
        }
        match name.to_ascii_lowercase().as_str() {
            "host" if host.is_some() => return Err(HttpRefusal::Malformed),
            "host" => host = Some(value),
            // A GET has no body.
            "transfer-encoding" => return Err(HttpRefusal::Malformed),
            "content-length" if value != "0" => return Err(HttpRefusal::Malformed),
            "accept" if value.contains("application/openmetrics-text") => {
                form = MetricsFormat::OpenMetrics
            }
            _ => {}
        }
    }
    match host {
        None if version == "HTTP/1.1" => return Err(HttpRefusal::Malformed),
        Some(host) if !is_own(host) => return Err(HttpRefusal::Misdirected),
        _ => {}
    }
    match (method, target) {
        ("GET", "/metrics") => Ok(form),
        ("GET", _) => Err(HttpRefusal::NotFound),
        _ => Err(HttpRefusal::Method),
    }
}

/// Reads a head from the other side.
///
/// # Errors
/// What is wrong with it, or nothing where the other side went away.
pub(crate) fn read(stream: &mut TcpStream) -> Result<MetricsFormat, Option<HttpRefusal>> {
    let end = Instant::now() + PATIENCE;
    let (mut head, mut portion) = (Vec::new(), [0; 1024]);
    loop {
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Err(Some(HttpRefusal::TooLate));
        }
        stream.set_read_timeout(Some(rest)).map_err(|_| None)?;
        let count = match stream.read(&mut portion) {
            Ok(0) if head.is_empty() => return Err(None),
            Ok(0) => return Err(Some(HttpRefusal::Malformed)),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                return Err(Some(HttpRefusal::TooLate));
            }
            Err(_) => return Err(None),
        };
        let from = head.len().saturating_sub(3);
        head.extend_from_slice(&portion[..count]);
        if let Some(at) = head[from..].windows(4).position(|four| four == b"\r\n\r\n") {
            let end = from + at + 4;
            if end > LARGEST {
                return Err(Some(HttpRefusal::TooLong));
            }
            // What follows a GET is no body, and a second request is not answered.
            return asked(&head[..end]).map_err(Some);
        }
        if head.len() > LARGEST {
            return Err(Some(HttpRefusal::TooLong));
        }
    }
}

/// The answer and the end. Whoever does not take it goes without.
pub(crate) fn answer(mut stream: TcpStream, with: Result<(MetricsFormat, &str), HttpRefusal>) {
    let (status, media, body) = match with {
        Ok((form, text)) => ("200 OK", form.media_type(), text),
        Err(refusal) => (refusal.status(), "text/plain; charset=utf-8", refusal.status()),
    };
    let allow = if with == Err(HttpRefusal::Method) { "Allow: GET\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n{allow}Cache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let whole = [head.as_bytes(), body.as_bytes()].concat();
    let _ = write(&mut stream, &whole).and_then(|()| farewell(&mut stream));
}

fn write(stream: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    while !bytes.is_empty() {
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_write_timeout(Some(rest))?;
        match stream.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn farewell(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    let end = Instant::now() + FAREWELL.0;
    let (mut taken, mut portion) = (0, [0; 1024]);
    while taken < FAREWELL.1 {
        let rest = end.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            break;
        }
        stream.set_read_timeout(Some(rest))?;
        match stream.read(&mut portion)? {
            0 => break,
            count => taken += count,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9753\r\n\r\n";

    fn ask(head: &str) -> Result<MetricsFormat, HttpRefusal> {
        asked(head.as_bytes())
    }

    #[test]
    fn one_request_is_answered_in_the_text_that_it_takes() {
        assert_eq!(ask(GOOD), Ok(MetricsFormat::Prometheus));
        let accept =
            "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2\r\n\r\n";
        let open = format!("{}{accept}", &GOOD[..GOOD.len() - 2]);
        assert_eq!(ask(&open), Ok(MetricsFormat::OpenMetrics));
        for host in ["localhost", "LocalHost:1", "[::1]:9753", "127.0.0.2"] {
            assert_eq!(
                ask(&GOOD.replace("127.0.0.1:9753", host)),
                Ok(MetricsFormat::Prometheus),
                "{host}"
            );
        }
        assert_eq!(ask("GET /metrics HTTP/1.0\r\n\r\n"), Ok(MetricsFormat::Prometheus));
    }

    #[test]
    fn whatever_else_is_refused() {
        for (from, to, refusal) in [
            ("GET", "POST", HttpRefusal::Method),
            ("GET", "HEAD", HttpRefusal::Method),
            ("GET", "G\u{e9}T", HttpRefusal::Malformed),
            ("/metrics", "/", HttpRefusal::NotFound),
            ("/metrics", "/metrics/../x", HttpRefusal::NotFound),
            ("/metrics", "/metrics x", HttpRefusal::Malformed),
            ("1.1", "2.0", HttpRefusal::Version),
            ("HTTP/1.1", "1.1", HttpRefusal::Malformed),
            ("127.0.0.1:9753", "evil.example", HttpRefusal::Misdirected),
            ("127.0.0.1:9753", "127.0.0.1.evil.example", HttpRefusal::Misdirected),
            ("127.0.0.1:9753", "", HttpRefusal::Misdirected),
            ("Host: 127.0.0.1:9753\r\n", "", HttpRefusal::Malformed),
            ("Host:", "Host :", HttpRefusal::Malformed),
            ("Host:", " Host:", HttpRefusal::Malformed),
            ("Host:", "Host: localhost\r\nhost:", HttpRefusal::Malformed),
            ("Host:", "Content-Length: 3\r\nHost:", HttpRefusal::Malformed),
            ("Host:", "Transfer-Encoding: chunked\r\nHost:", HttpRefusal::Malformed),
            ("Host:", "X: a\nb\r\nHost:", HttpRefusal::Malformed),
            ("Host:", "X: a\0\r\nHost:", HttpRefusal::Malformed),
        ] {
            assert_eq!(ask(&GOOD.replacen(from, to, 1)), Err(refusal), "{to:?} for {from:?}");
        }
        for cut in 0..GOOD.len() {
            assert_eq!(ask(&GOOD[..cut]), Err(HttpRefusal::Malformed), "cut at {cut}");
        }
    }
}
