//! Times as text.

/// A time in milliseconds since 1970 as RFC 3339, UTC.
#[must_use]
pub(crate) fn rfc3339(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms).unwrap_or_default().to_string()
}
