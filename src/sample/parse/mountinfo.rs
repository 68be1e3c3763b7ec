//! `/proc/PID/mountinfo`: where cgroup hierarchies and tmpfs are mounted.

use std::borrow::Cow;

/// A mount of a cgroup hierarchy that may account memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CgroupMount {
    /// Version 1 with the memory controller; otherwise version 2, whose controllers are in
    /// `cgroup.controllers`.
    pub v1: bool,
    /// The cgroup at the mount point, as seen from the cgroup namespace of the reader: `/` for the
    /// root of the namespace, `/..` and so on for a cgroup above it.
    pub root: Vec<u8>,
    /// The mount point, in the mount namespace of the reader.
    pub point: Vec<u8>,
}

/// The mounts of type `cgroup` with `memory` among their options, and those of type `cgroup2`, in
/// the order of the file. Other lines, and a line that was cut off, are skipped.
pub fn cgroup_mounts(bytes: &[u8]) -> impl Iterator<Item = CgroupMount> {
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(&bytes[..0], |end| &bytes[..end]);
    whole.split(|&b| b == b'\n').filter_map(mount)
}

/// `ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPEROPTIONS`.
fn mount(line: &[u8]) -> Option<CgroupMount> {
    let mut words = line.split(|&b| b == b' ');
    let (root, point) = (words.nth(3)?, words.next()?);
    words.find(|&word| word == b"-")?;
    let (kind, _source, options) = (words.next()?, words.next()?, words.next()?);
    let v1 = match kind {
        b"cgroup" => {
            options.split(|&b| b == b',').any(|option| option == b"memory").then_some(true)
        }
        b"cgroup2" => Some(false),
        _ => None,
    }?;
    if !root.starts_with(b"/") || !point.starts_with(b"/") {
        return None;
    }
    Some(CgroupMount {
        v1,
        root: unescaped(root).into_owned(),
        point: unescaped(point).into_owned(),
    })
}

/// A mount point of a tmpfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TmpfsPoint {
    /// `MAJOR:MINOR` of the filesystem: the same for all its mounts.
    pub device: Vec<u8>,
    /// The mount point, in the mount namespace of the reader.
    pub point: Vec<u8>,
}

/// Filesystems whose server may be gone: a path that leads through one can block for ever.
const REMOTE: &[&[u8]] = &[
    b"9p",
    b"afs",
    b"autofs",
    b"ceph",
    b"cifs",
    b"gfs2",
    b"lustre",
    b"nfs",
    b"nfs4",
    b"ocfs2",
    b"smb3",
    b"smbfs",
    b"virtiofs",
];

/// The first mount point of each tmpfs (and devtmpfs), in the order of the file. Left out are those below a
/// filesystem that is not on this machine, and lines that were cut off.
#[must_use]
pub fn tmpfs_points(bytes: &[u8]) -> Vec<TmpfsPoint> {
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(&bytes[..0], |end| &bytes[..end]);
    let (mut found, mut remote): (Vec<TmpfsPoint>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    for line in whole.split(|&b| b == b'\n') {
        let mut words = line.split(|&b| b == b' ');
        let (Some(device), Some(point)) = (words.nth(2), words.nth(1)) else { continue };
        let Some(kind) = words.find(|&word| word == b"-").and(words.next()) else { continue };
        let point = unescaped(point).into_owned();
        if REMOTE.contains(&kind) || kind.starts_with(b"fuse") {
            // Of what doomtop itself was started from, the names that lead to mount points are cached.
            remote.extend(Some(point).filter(|point| point != b"/"));
        } else if matches!(kind, b"tmpfs" | b"devtmpfs" | b"rootfs")
            && point.starts_with(b"/")
            && found.iter().all(|it| it.device != device)
        {
            found.push(TmpfsPoint { device: device.to_vec(), point });
        }
    }
    let below = |point: &[u8], of: &[u8]| {
        let rest = point.strip_prefix(of.strip_suffix(b"/").unwrap_or(of));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    };
    found.retain(|it| !remote.iter().any(|remote| below(&it.point, remote)));
    found
}

/// Decodes the kernel's octal escapes (`\040` is a blank).
fn unescaped(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'\\') {
        return Cow::Borrowed(name);
    }
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, after @ ..] = rest {
        (rest, _) = match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                (after, out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0')))
            }
            _ => (after, out.push(*first)),
        };
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HYBRID: &[u8] = b"31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
        32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n\
        35 31 0:32 /docker/a\\040b /sys/fs/cgroup/me\\134m rw shared:7 master:1 - cgroup cgroup rw,cpu,memory\n\
        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=memory\n\
        41 31 0:38 /../.. /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

    fn mounts(bytes: &[u8]) -> Vec<CgroupMount> {
        cgroup_mounts(bytes).collect()
    }

    fn hybrid() -> [CgroupMount; 2] {
        let of = |v1, root: &[u8], point: &[u8]| CgroupMount {
            v1,
            root: root.to_vec(),
            point: point.to_vec(),
        };
        [
            of(true, b"/docker/a b", b"/sys/fs/cgroup/me\\m"),
            of(false, b"/../..", b"/sys/fs/cgroup/unified"),
        ]
    }

    #[test]
    fn the_hierarchies_are_found() {
        assert_eq!(mounts(HYBRID), hybrid());
        assert_eq!(mounts(b""), []);
        assert_eq!(mounts(b"1 2 0:3 / - rw - cgroup2 none rw\n"), [], "no path");
        let dash = b"1 2 0:3 / /- rw - cgroup2 - rw,nsdelegate\n";
        assert_eq!(mounts(dash).len(), 1, "a source may be called anything");
    }

    #[test]
    fn escapes_are_decoded_once() {
        for (name, means) in [
            (&b"/a\\040b"[..], &b"/a b"[..]),
            (b"/\\134040", b"/\\040"),
            (b"/\\777\\04", b"/\\777\\04"),
            (b"/\\377\\", b"/\xff\\"),
        ] {
            assert_eq!(&*unescaped(name), means);
        }
    }

    #[test]
    fn a_truncated_line_is_not_a_mount() {
        for end in 0..HYBRID.len() {
            let found = mounts(&HYBRID[..end]);
            assert!(hybrid().starts_with(&found), "{found:?} at {end}");
        }
    }

    #[test]
    fn a_tmpfs_is_found_once_and_not_behind_a_server() {
        let file = b"22 1 0:20 / / rw - ext4 /dev/sda rw\n23 22 0:21 / /run rw,nosuid shared:5 - tmpfs tmpfs rw\n\
            24 22 0:22 / /dev rw - devtmpfs udev rw\n25 22 0:21 /x /mnt/bound rw - tmpfs tmpfs rw\n\
            26 22 0:30 / /home/a\\040b rw - nfs4 server:/ rw\n27 26 0:31 / /home/a\\040b/tmp rw - tmpfs t rw\n\
            28 22 0:32 / /home/a\\040bc rw - tmpfs t rw\n29 22 0:33 / /srv rw - fuse.sshfs x rw\n\
            30 29 0:34 / /srv/t rw - tmpfs t rw\n31 22 0:35 / /cut rw - tmp";
        let points: Vec<_> = tmpfs_points(file).into_iter().map(|it| it.point).collect();
        assert_eq!(points, [b"/run".to_vec(), b"/dev".to_vec(), b"/home/a bc".to_vec()]);
        let root = b"1 1 0:1 / / rw - nfs x rw\n2 1 0:2 / /run rw - tmpfs t rw\n";
        assert_eq!(tmpfs_points(root).len(), 1, "doomtop runs from there");
        // Where the initramfs is never left, all programs are in it: a tmpfs, unless there is none (then a ramfs).
        let initramfs = b"0 0 0:2 / / rw - rootfs rootfs rw,size=1014460k\n";
        assert_eq!(tmpfs_points(initramfs).len(), 1);
        assert_eq!(tmpfs_points(b""), []);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_as_tmpfs(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            assert!(tmpfs_points(&bytes).len() <= bytes.len());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = mounts(&bytes);
        }

        #[test]
        fn no_damage_panics(at in 0..HYBRID.len(), byte: u8) {
            let mut bytes = HYBRID.to_vec();
            bytes[at] = byte;
            prop_assert!(mounts(&bytes).len() <= 3);
        }
    }
}
