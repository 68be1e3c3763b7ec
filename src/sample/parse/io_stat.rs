//! `io.stat` of a version 2 cgroup: one line per device
//! (`Documentation/admin-guide/cgroup-v2.rst`).

use crate::model::IoStat;

/// Parses `8:0` to the major and minor number of a device.
#[must_use]
pub fn device(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// I/O by device. Unknown members, and lines without a device, are left out.
#[must_use]
pub fn io_stat(bytes: &[u8]) -> Vec<IoStat> {
    let text = String::from_utf8_lossy(bytes);
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let mut used = IoStat { device: device(words.next()?)?, ..IoStat::default() };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            let Ok(value) = value.parse() else { continue };
            match key {
                "rios" => used.read_ios = value,
                "rbytes" => used.read_bytes = value,
                "wios" => used.write_ios = value,
                "wbytes" => used.write_bytes = value,
                "dios" => used.trim_ios = value,
                "dbytes" => used.trim_bytes = value,
                _ => {}
            }
        }
        Some(used)
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_device() {
        let found = io_stat(
            b"8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=3 dios=4 cost.usage=9\n254:1 rios=7\n",
        );
        assert_eq!(
            found,
            [
                IoStat {
                    device: (8, 0),
                    read_ios: 1,
                    read_bytes: 4096,
                    write_ios: 2,
                    write_bytes: 8192,
                    trim_ios: 4,
                    trim_bytes: 3,
                },
                IoStat { device: (254, 1), read_ios: 7, ..IoStat::default() },
            ]
        );
    }

    #[test]
    fn invalid_lines_are_left_out() {
        for bytes in [&b""[..], b"8:\n", b"x:0 rios=1\n", b"\xff\xfe", b" \n\n", b"8:0:1 rios=1"] {
            assert_eq!(io_stat(bytes), [], "{bytes:?}");
        }
        assert_eq!(io_stat(b"8:0 rios=x wios wios=2 =3\n")[0].write_ios, 2);
    }
}
