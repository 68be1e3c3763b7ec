//! The part of HTTP/1.1 that a scrape needs: one request head, parsed strictly, and one answer.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::report::metrics::MetricsFormat;

/// Maximum size of the head of a request, in bytes.
const MAX_HEAD: usize = 8 << 10;

/// Maximum time for a request to arrive, and for its answer to be taken.
pub(super) const TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum time and number of bytes to read after the answer. Closing a connection with unread bytes in it
/// resets it, and the client would lose the answer.
const LINGER: (Duration, usize) = (Duration::from_millis(200), 64 << 10);

/// Why a request is not answered with metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpRefusal {
    /// Not an HTTP request.
    Malformed,
    /// For another host: a web page in a browser can reach the loopback under a name of its own (DNS
    /// rebinding).
    Misdirected,
    /// Not for `/metrics`.
    NotFound,
    /// Not a GET.
    Method,
    /// It did not arrive in time.
    TooLate,
    /// Its head is too long.
    TooLong,
    /// Not HTTP/1.0 or HTTP/1.1.
    Version,
    /// There is no current sample.
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

/// Whether a Host is the loopback of this machine.
fn is_own(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(name, _)| name),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Maximum number of header fields in a request.
const MAX_HEADERS: usize = 100;

/// The format that a complete request asks for, by its Accept field.
///
/// # Errors
/// Why it is refused.
fn requested_format(head: &[u8]) -> Result<MetricsFormat, HttpRefusal> {
    // httparse accepts a line feed alone as the end of a line.
    if !head.ends_with(b"\r\n\r\n") || has_bare_line_feed(head) {
        return Err(HttpRefusal::Malformed);
    }
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::Version) if is_other_version(head) => {
            return Err(HttpRefusal::Version);
        }
        Err(httparse::Error::TooManyHeaders) => return Err(HttpRefusal::TooLong),
        _ => return Err(HttpRefusal::Malformed),
    }
    let (host, format) = check_fields(request.headers)?;
    match host {
        // HTTP/1.0 has no Host.
        None if request.version != Some(0) => return Err(HttpRefusal::Malformed),
        Some(host) if !is_own(host) => return Err(HttpRefusal::Misdirected),
        _ => {}
    }
    match (request.method, request.path) {
        (Some("GET"), Some("/metrics")) => Ok(format),
        (Some("GET"), _) => Err(HttpRefusal::NotFound),
        _ => Err(HttpRefusal::Method),
    }
}

fn has_bare_line_feed(head: &[u8]) -> bool {
    let mut before = 0;
    head.iter().any(|&byte| {
        let is_bare = byte == b'\n' && before != b'\r';
        before = byte;
        is_bare
    })
}

/// Whether the request line is complete but for its version, which is not one of HTTP/1.
fn is_other_version(head: &[u8]) -> bool {
    let line = head.split(|&byte| byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|&byte| byte == b' ').skip(2);
    matches!((words.next(), words.next()), (Some(version), None) if version.starts_with(b"HTTP/"))
}

/// The Host of a request, and the format that it accepts.
///
/// # Errors
/// There is a second Host, or a body: a GET has none.
fn check_fields<'a>(
    fields: &[httparse::Header<'a>],
) -> Result<(Option<&'a str>, MetricsFormat), HttpRefusal> {
    let (mut host, mut format) = (None, MetricsFormat::Prometheus);
    for field in fields {
        let value = std::str::from_utf8(field.value).map_err(|_| HttpRefusal::Malformed)?;
        match field.name.to_ascii_lowercase().as_str() {
            "host" if host.is_some() => return Err(HttpRefusal::Malformed),
            "host" => host = Some(value),
            "transfer-encoding" => return Err(HttpRefusal::Malformed),
            "content-length" if value != "0" => return Err(HttpRefusal::Malformed),
            "accept" if value.contains("application/openmetrics-text") => {
                format = MetricsFormat::OpenMetrics;
            }
            _ => {}
        }
    }
    Ok((host, format))
}

/// Reads a request.
///
/// # Errors
/// Why it is refused; `None` where the client has closed the connection.
pub(crate) fn read(stream: &mut TcpStream) -> Result<MetricsFormat, Option<HttpRefusal>> {
    let end = Instant::now() + TIMEOUT;
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
            if end > MAX_HEAD {
                return Err(Some(HttpRefusal::TooLong));
            }
            // A second request is not answered.
            return requested_format(&head[..end]).map_err(Some);
        }
        if head.len() > MAX_HEAD {
            return Err(Some(HttpRefusal::TooLong));
        }
    }
}

/// Answers and closes the connection. A client that does not take the answer in time loses it.
pub(crate) fn answer(mut stream: TcpStream, with: Result<(MetricsFormat, &str), HttpRefusal>) {
    let (status, media, body) = match with {
        Ok((format, text)) => ("200 OK", format.media_type(), text),
        Err(refusal) => (refusal.status(), "text/plain; charset=utf-8", refusal.status()),
    };
    let allow = if with == Err(HttpRefusal::Method) { "Allow: GET\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n{allow}Cache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let whole = [head.as_bytes(), body.as_bytes()].concat();
    let _ = write(&mut stream, &whole).and_then(|()| linger(&mut stream));
}

fn write(stream: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    let end = Instant::now() + TIMEOUT;
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

fn linger(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    let end = Instant::now() + LINGER.0;
    let (mut taken, mut portion) = (0, [0; 1024]);
    while taken < LINGER.1 {
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
        requested_format(head.as_bytes())
    }

    #[test]
    fn a_request_gets_the_format_that_it_accepts() {
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
    fn everything_else_is_refused() {
        let many = "X: a\r\n".repeat(MAX_HEADERS) + "Host:";
        for (from, to, refusal) in [
            ("GET", "POST", HttpRefusal::Method),
            ("GET", "HEAD", HttpRefusal::Method),
            ("GET", "G\u{e9}T", HttpRefusal::Malformed),
            ("/metrics", "/", HttpRefusal::NotFound),
            ("/metrics", "/metrics/../x", HttpRefusal::NotFound),
            ("/metrics", "/metrics x", HttpRefusal::Malformed),
            ("1.1", "2.0", HttpRefusal::Version),
            ("HTTP/1.1", "1.1", HttpRefusal::Malformed),
            ("HTTP/1.1", "HTTP/1.2", HttpRefusal::Version),
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
            ("Host:", "X: a\nHost:", HttpRefusal::Malformed),
            ("\r\nHost", "\nHost", HttpRefusal::Malformed),
            ("Host:", many.as_str(), HttpRefusal::TooLong),
        ] {
            assert_eq!(ask(&GOOD.replacen(from, to, 1)), Err(refusal), "{to:?} for {from:?}");
        }
        for cut in 0..GOOD.len() {
            assert_eq!(ask(&GOOD[..cut]), Err(HttpRefusal::Malformed), "cut at {cut}");
        }
    }
}
