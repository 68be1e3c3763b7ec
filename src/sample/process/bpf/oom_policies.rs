//! Which BPF programs decide in the place of the kernel's OOM killer: the struct_ops maps of type `bpf_oom_ops` that
//! are attached, by their links.

use std::fs;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use crate::model::{BpfOom, BpfOomPolicy, Reading, Text};
use crate::sample::file_buffer::FileBuffer;
use crate::sample::parse;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::bpf::btf::{Btf, NameKind};
use crate::syscall::bpf::{
    BPF_MAP_TYPE_STRUCT_OPS, BpfObject, first_value, next_id, object_info, open_by_id,
};
use crate::units::Millis;

/// Interval between two readings.
const INTERVAL: Millis = Millis(10_000);
/// Maximum number of objects that are looked at.
const OBJECTS_MAX: usize = 4096;
/// Maximum number of cgroups among which one is searched.
const GROUPS_MAX: usize = 10_000;
/// Maximum number of bytes that are read of a list of mounts, and of BTF.
const MOUNTINFO_MAX: usize = 1 << 20;
const BTF_MAX: u64 = 64 << 20;

const BTF_FILE: &str = "/sys/kernel/btf/vmlinux";
/// The name of the structure in the strings of BTF.
const NAME: &[u8] = b"\0bpf_oom_ops\0";
/// What the maps hold.
const VALUE: &str = "bpf_struct_ops_bpf_oom_ops";

/// `BPF_LINK_TYPE_STRUCT_OPS` of `include/uapi/linux/bpf.h`.
const LINK_TYPE_STRUCT_OPS: u32 = 9;
/// `BPF_STRUCT_OPS_STATE_INUSE` of `include/linux/bpf.h`: attached without a link.
const STATE_IN_USE: u32 = 1;

/// Finds the policies from time to time.
#[derive(Default)]
pub struct BpfOomReader {
    /// Where the parts of a map's value are; not known before the first reading, and never on a kernel without them.
    layout: Option<ValueLayout>,
    read: Option<Millis>,
    last: Arc<BpfOom>,
}

/// Where the parts of a map's value are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ValueLayout {
    type_id: u32,
    state: usize,
    name: usize,
    name_bytes: usize,
}

/// A map of policies.
struct PolicyMap {
    id: u32,
    name: Text,
    in_use: bool,
}

impl BpfOomReader {
    /// The result of the last reading; the same `Arc` as long as nothing changes.
    #[must_use]
    pub fn last(&self) -> &Arc<BpfOom> {
        &self.last
    }

    /// Reads again if the interval is over. On a kernel without such policies only the first reading does anything.
    /// `now` is a time on the snapshot's monotonic clock.
    pub fn read(&mut self, proc: &ProcRoot, now: Millis) {
        let is_first = self.read.is_none();
        if !is_first && !self.last.supported
            || self.read.is_some_and(|read| now.saturating_sub(read) < INTERVAL)
        {
            return;
        }
        self.read = Some(now);
        if is_first {
            if !proc.is_live() || !File::open(BTF_FILE).is_ok_and(|file| has_name(file, NAME)) {
                return;
            }
            self.layout = layout();
        }
        let policies = match self.layout.map(|layout| policies(proc, layout)) {
            Some(Ok(found)) => Reading::Value(found),
            Some(Err(Errno::PERM | Errno::ACCESS)) => Reading::Denied,
            Some(Err(_)) | None => Reading::Missing,
        };
        let found = BpfOom { supported: true, policies };
        if found != *self.last {
            self.last = Arc::new(found);
        }
    }
}

/// Whether a file has these bytes. Reads it in pieces: it is larger than all of doomtop's memory.
fn has_name(file: impl Read, name: &[u8]) -> bool {
    let mut file = file.take(BTF_MAX);
    let mut piece = vec![0_u8; 1 << 16];
    let mut kept = 0;
    while let Ok(more) = file.read(&mut piece[kept..]) {
        if more == 0 {
            break;
        }
        let end = kept + more;
        let read = piece.get(..end).unwrap_or_default();
        if read.windows(name.len()).any(|window| window == name) {
            return true;
        }
        // The name may go on in the next piece.
        kept = name.len().saturating_sub(1).min(end);
        piece.copy_within(end - kept..end, 0);
    }
    false
}

fn layout() -> Option<ValueLayout> {
    let mut bytes = Vec::new();
    File::open(BTF_FILE).ok()?.take(BTF_MAX).read_to_end(&mut bytes).ok()?;
    layout_in(bytes)
}

/// The layout that this BTF describes.
fn layout_in(btf: Vec<u8>) -> Option<ValueLayout> {
    let btf = Btf::new(btf, &[(NameKind::Struct, VALUE)])?;
    let (state, name) = (btf.field(VALUE, "common.state")?, btf.field(VALUE, "data.name")?);
    Some(ValueLayout {
        type_id: btf.id(NameKind::Struct, VALUE)?,
        state: usize::try_from(state.offset).ok()?,
        name: usize::try_from(name.offset).ok()?,
        name_bytes: usize::try_from(name.size).ok()?.min(256),
    })
}

/// The attached policies: those with a link, and those that were registered without.
fn policies(proc: &ProcRoot, layout: ValueLayout) -> Result<Vec<BpfOomPolicy>, Errno> {
    let maps = maps(layout)?;
    let mut found = Vec::new();
    let mut linked = Vec::new();
    for id in ids(BpfObject::Link)? {
        // One that is gone by now is no error.
        let Ok(info) = open_by_id(BpfObject::Link, id).and_then(object_info) else { continue };
        // type, id, prog_id, (padding), struct_ops.map_id, (padding), struct_ops.cgroup_id
        if info[0] != LINK_TYPE_STRUCT_OPS {
            continue;
        }
        let Some(map) = maps.iter().find(|map| map.id == info[4]) else { continue };
        linked.push(map.id);
        let cgroup = u64::from(info[6]) | u64::from(info[7]) << 32;
        let cgroup = if cgroup == 0 { None } else { path_of(proc, cgroup) };
        found.push(BpfOomPolicy { name: map.name.clone(), cgroup });
    }
    let unlinked = maps.into_iter().filter(|map| map.in_use && !linked.contains(&map.id));
    found.extend(unlinked.map(|map| BpfOomPolicy { name: map.name, cgroup: None }));
    Ok(found)
}

/// The maps that hold policies.
fn maps(layout: ValueLayout) -> Result<Vec<PolicyMap>, Errno> {
    let mut found = Vec::new();
    for id in ids(BpfObject::Map)? {
        let Ok(map) = open_by_id(BpfObject::Map, id) else { continue };
        let Ok(info) = object_info(&map) else { continue };
        // type, id, key_size, value_size, max_entries, map_flags, name (16 bytes), ifindex,
        // btf_vmlinux_value_type_id
        if info[0] != BPF_MAP_TYPE_STRUCT_OPS || info[11] != layout.type_id {
            continue;
        }
        let value = first_value(&map, info[3]).unwrap_or_default();
        found.push(policy_map(id, &value, layout));
    }
    Ok(found)
}

/// What the value of a map tells. A value that is too short tells nothing.
fn policy_map(id: u32, value: &[u8], layout: ValueLayout) -> PolicyMap {
    let part = |at: usize, bytes: usize| value.get(at..at.checked_add(bytes)?);
    let state = part(layout.state, 4).and_then(|it| Some(u32::from_ne_bytes(it.try_into().ok()?)));
    let name = part(layout.name, layout.name_bytes).unwrap_or_default();
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    PolicyMap {
        id,
        name: Text::new(name.get(..end).unwrap_or_default()),
        in_use: state == Some(STATE_IN_USE),
    }
}

/// The numbers of all objects of a kind.
fn ids(of: BpfObject) -> Result<Vec<u32>, Errno> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(id) = next_id(of, at)? {
        if id <= at || found.len() >= OBJECTS_MAX {
            break;
        }
        at = id;
        found.push(id);
    }
    Ok(found)
}

/// The path of a cgroup (version 2) by its number, which is that of its directory.
fn path_of(proc: &ProcRoot, id: u64) -> Option<Text> {
    let mut buffer = FileBuffer::new();
    let (bytes, _) = buffer.read_start(proc, c"self/mountinfo", MOUNTINFO_MAX).ok()?;
    let mount = parse::cgroup_mounts(bytes).find(|mount| !mount.v1 && mount.root == b"/")?;
    let top = PathBuf::from(std::ffi::OsStr::from_bytes(&mount.point));
    let mut left = GROUPS_MAX;
    let found = directory_of(&top, id, &mut left)?;
    let below = found.strip_prefix(&top).ok()?;
    Some(Text::new(&[b"/", below.as_os_str().as_bytes()].concat()))
}

fn directory_of(dir: &Path, id: u64, left: &mut usize) -> Option<PathBuf> {
    *left = left.checked_sub(1)?;
    if fs::symlink_metadata(dir).ok()?.ino() == id {
        return Some(dir.to_owned());
    }
    let entries = fs::read_dir(dir).ok()?.flatten();
    let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    below.map(|entry| entry.path()).find_map(|dir| directory_of(&dir, id, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_wherever_a_piece_ends() {
        for at in [0, 1, (1 << 16) - 13, (1 << 16) - 12, (1 << 16) - 1, 1 << 16, 200_000] {
            let mut file = vec![b'x'; at];
            file.extend_from_slice(NAME);
            file.extend_from_slice(&[b'y'; 70_000]);
            assert!(has_name(&*file, NAME), "at {at}");
            file[at + 3] = b'-';
            assert!(!has_name(&*file, NAME));
        }
        assert!(!has_name(&b""[..], NAME));
        assert!(!has_name(&b"\0bpf_struct_ops_bpf_oom_ops\0"[..], NAME), "a longer name");
    }

    #[test]
    fn a_value_tells_name_and_state_and_a_short_one_nothing() {
        let layout = ValueLayout { type_id: 7, state: 4, name: 72, name_bytes: 64 };
        let mut value = vec![0_u8; 136];
        value[4] = 1;
        value[72..81].copy_from_slice(b"largest\x1b\0");
        let map = policy_map(3, &value, layout);
        assert_eq!((map.name.as_str(), map.in_use, map.id), ("largest\\x1b", true, 3));
        value[4] = 3;
        assert!(!policy_map(3, &value, layout).in_use, "ready, but not attached");
        for end in 0..value.len() {
            let map = policy_map(3, &value[..end], layout);
            assert!(map.name.as_str().is_empty(), "at {end}");
        }
        let beyond = ValueLayout { name: usize::MAX, ..layout };
        assert!(policy_map(3, &value, beyond).name.as_str().is_empty());
    }

    #[test]
    fn a_damaged_description_is_no_layout() {
        assert_eq!(layout_in(Vec::new()), None);
        assert_eq!(layout_in(vec![0xff; 64]), None);
    }

    #[test]
    fn a_kernel_without_such_policies_is_asked_once() {
        let proc = ProcRoot::open("/proc").expect("/proc");
        let mut reader = BpfOomReader::default();
        reader.read(&proc, Millis(0));
        if reader.last().supported {
            eprintln!("skipped: this kernel has bpf_oom_ops: {:?}", reader.last().policies);
            return;
        }
        reader.read(&proc, Millis(60_000));
        assert_eq!((reader.read, reader.last().is_default()), (Some(Millis(0)), true));
    }

    #[test]
    fn a_cgroup_is_found_by_its_number() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep = folder.path().join("a/b c");
        fs::create_dir_all(&deep).expect("a folder");
        let id = fs::metadata(&deep).expect("a folder").ino();
        assert_eq!(directory_of(folder.path(), id, &mut 10), Some(deep));
        assert_eq!(directory_of(folder.path(), id, &mut 1), None, "the search is bounded");
        assert_eq!(directory_of(folder.path(), 1, &mut 10), None);
    }
}
