//! `/proc/PID/fdinfo/FD` of a graphics device (`Documentation/gpu/drm-usage-stats.rst`).

use super::unsigned;
use crate::units::{Bytes, Kib};

/// What one client of a graphics device holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrmClient {
    /// `drm-pdev` and `drm-client-id`: two descriptors with the same are one client. Empty where the driver does not
    /// tell.
    pub id: Vec<u8>,
    /// RAM of the machine.
    pub ram: Kib,
    /// Memory of the device.
    pub device: Kib,
}

/// The prefixes of the sizes of a region, the best first: what is in memory now, the older name of the same, and
/// what the buffers would take.
const SIZES: [&str; 3] = ["drm-resident-", "drm-memory-", "drm-total-"];

/// The client of a descriptor; nothing where it is of no graphics device, or where the driver tells no sizes.
#[must_use]
pub fn drm_fdinfo(bytes: &[u8]) -> Option<DrmClient> {
    let lines = || {
        bytes.split(|&byte| byte == b'\n').filter_map(|line| {
            let at = line.iter().position(|&byte| byte == b':')?;
            Some((line.get(..at)?, line.get(at + 1..)?.trim_ascii()))
        })
    };
    let find = |key: &str| lines().find(|(it, _)| *it == key.as_bytes()).map(|(_, value)| value);
    find("drm-driver")?;
    // A driver may print one of them for some regions only.
    let prefix = SIZES.iter().find(|it| lines().any(|(key, _)| key.starts_with(it.as_bytes())))?;
    let mut client = DrmClient::default();
    for (key, value) in lines() {
        let Some(region) = key.strip_prefix(prefix.as_bytes()) else { continue };
        let Some(size) = size(value) else { continue };
        if is_ram(region) {
            client.ram += size;
        } else {
            client.device += size;
        }
    }
    if let Some(id) = find("drm-client-id") {
        client.id = [find("drm-pdev").unwrap_or_default(), b" ", id].concat();
    }
    Some(client)
}

/// Whether a region is RAM of the machine: `system` (i915, xe), `gtt` and `cpu` (amdgpu), `memory` (drivers of
/// devices without memory of their own). The others are `vram` and `stolen`, which the machine does not have.
fn is_ram(region: &[u8]) -> bool {
    [&b"system"[..], b"gtt", b"cpu", b"memory"].iter().any(|name| region.starts_with(name))
}

/// `4096`, `4 KiB` or `4 MiB`.
fn size(value: &[u8]) -> Option<Kib> {
    let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let number = unsigned(words.next()?)?;
    match words.next() {
        None => Some(Kib(Bytes(number).0 / 1024)),
        Some(b"KiB") => Some(Kib(number)),
        Some(b"MiB") => number.checked_mul(1024).map(Kib),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AMDGPU: &[u8] = b"pos:\t0\nflags:\t02100002\ndrm-driver:\tamdgpu\ndrm-client-id:\t7\n\
        drm-pdev:\t0000:03:00.0\ndrm-memory-vram:\t90 KiB\ndrm-resident-vram:\t2 MiB\n\
        drm-resident-gtt:\t512 KiB\ndrm-resident-cpu:\t4096\ndrm-total-gtt:\t999 MiB\n";

    #[test]
    fn ram_and_memory_of_the_device_are_told_apart() {
        let is = DrmClient { id: b"0000:03:00.0 7".to_vec(), ram: Kib(516), device: Kib(2048) };
        assert_eq!(drm_fdinfo(AMDGPU), Some(is));
        let old = b"drm-driver: i915\ndrm-total-system0: 3 MiB\ndrm-total-stolen-system0: 1 MiB\n";
        let is = DrmClient { id: Vec::new(), ram: Kib(3072), device: Kib(1024) };
        assert_eq!(drm_fdinfo(old), Some(is), "only totals, and no client");
    }

    #[test]
    fn other_descriptors_and_drivers_without_sizes_are_nothing() {
        for none in
            [&b"pos: 0\nflags: 0\n"[..], b"drm-driver: nouveau\n", b"drm-total-vram: 1 KiB\n", b""]
        {
            assert_eq!(drm_fdinfo(none), None);
        }
        let odd =
            b"drm-driver: x\ndrm-total-memory: 18446744073709551615 MiB\ndrm-total-system: 1 GB\n";
        assert_eq!(drm_fdinfo(odd), Some(DrmClient::default()), "sizes that make no sense");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = drm_fdinfo(&bytes);
        }
    }
}
