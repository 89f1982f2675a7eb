//! Build ids: the hash that a linker stores in an ELF file. Recordings name files by this hash.

use std::fmt;

use crate::byte_order::{ByteOrder, nul_terminated};
use crate::record::{CpuMode, misc};

/// Number of bytes of the longest build id that perf stores (a SHA-1).
const MAX_LEN: usize = 20;

/// A build id of at most 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId {
    bytes: [u8; MAX_LEN],
    len: u8,
}

impl BuildId {
    /// Makes a build id of `bytes`, cut to 20 bytes as perf does. Returns `None` if `bytes` is empty or all zero,
    /// which means "unknown".
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let len = bytes.len().min(MAX_LEN);
        let mut id = [0; MAX_LEN];
        id[..len].copy_from_slice(&bytes[..len]);
        id.iter().any(|&b| b != 0).then_some(Self {
            bytes: id,
            len: len as u8,
        })
    }

    /// Returns the bytes of the build id.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Returns true if both build ids name the same file. Older perf fills every build id with zeros to 20 bytes, so
    /// trailing zeros do not count.
    #[must_use]
    pub fn matches(&self, other: &[u8]) -> bool {
        let other = &other[..other.len().min(MAX_LEN)];
        let common = other.len().min(usize::from(self.len));
        self.as_bytes()[..common] == other[..common]
            && self.as_bytes()[common..].iter().all(|&b| b == 0)
            && other[common..].iter().all(|&b| b == 0)
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildId({self})")
    }
}

/// One entry of the BUILD_ID feature section, or one HEADER_BUILD_ID record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildIdEntry {
    /// Process id: -1 for the host's kernel and files, else the process id of the guest.
    pub pid: i32,
    /// Owner of the file: kernel or user, host or guest.
    pub cpumode: CpuMode,
    /// Build id of the file.
    pub id: BuildId,
    /// Path of the file, or a name such as `[kernel.kallsyms]`.
    pub name: String,
}

impl BuildIdEntry {
    /// Reads an entry, record header included (perf: struct perf_record_header_build_id). Returns `None` if the entry
    /// is too short.
    fn parse(entry: &[u8], order: ByteOrder) -> Option<Self> {
        let flags = order.u16(entry, 4)?;
        let pid = order.u32(entry, 8)? as i32;
        let raw = entry.get(12..32)?;
        let len = if flags & misc::BUILD_ID_SIZE != 0 {
            usize::from(*entry.get(32)?).min(MAX_LEN)
        } else {
            MAX_LEN
        };
        let name = nul_terminated(entry.get(36..)?);
        Some(Self {
            pid,
            cpumode: CpuMode::of(flags),
            id: BuildId::new(&raw[..len])?,
            name,
        })
    }

    /// Reads an entry of perf before 2.6.35, which has no process id.
    fn parse_without_pid(entry: &[u8], order: ByteOrder) -> Option<Self> {
        let cpumode = CpuMode::of(order.u16(entry, 4)?);
        let id = BuildId::new(entry.get(8..28)?)?;
        Some(Self {
            pid: -1,
            cpumode,
            id,
            name: nul_terminated(entry.get(32..)?),
        })
    }

    /// Reads one HEADER_BUILD_ID record. Returns `None` if the record is too short.
    pub(crate) fn from_record(record: &[u8], order: ByteOrder) -> Option<Self> {
        Self::parse(record, order)
    }

    /// Reads a whole BUILD_ID section. Leaves out entries that cannot be read.
    pub(crate) fn parse_section(section: &[u8], order: ByteOrder) -> Vec<Self> {
        let mut entries = Vec::new();
        let mut rest = section;
        while let Some(size) = order.u16(rest, 6) {
            let Some((entry, after)) = rest.split_at_checked(usize::from(size)).filter(|(e, _)| e.len() >= 8) else {
                break;
            };
            entries.push(entry);
            rest = after;
        }
        // perf recognises the old layout in the same way (perf: perf_header__read_build_ids_abi_quirk).
        let old = entries
            .iter()
            .any(|e| e.get(36..).is_some_and(|name| name.starts_with(b"nel.kallsyms]")));
        let parse = if old { Self::parse_without_pid } else { Self::parse };
        entries.into_iter().filter_map(|entry| parse(entry, order)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(before_id: &[u8], id: &[u8], after_id: &[u8], name: &str) -> Vec<u8> {
        let size = (8 + before_id.len() + id.len() + after_id.len() + 24) as u16;
        let mut entry = [
            [0; 4].as_slice(),
            &2_u16.to_le_bytes(),
            &size.to_le_bytes(),
            before_id,
            id,
            after_id,
        ]
        .concat();
        entry.extend_from_slice(name.as_bytes());
        entry.resize(usize::from(size), 0);
        entry
    }

    #[test]
    fn ids_without_pid_are_recognised() {
        // perf before 2.6.35 writes no process id, so the kernel's name begins four bytes earlier.
        let section = [
            entry(&[], &[1; 20], &[0; 4], "[kernel.kallsyms]"),
            entry(&[], &[2; 20], &[0; 4], "/bin/old"),
        ]
        .concat();
        let entries = BuildIdEntry::parse_section(&section, ByteOrder::Little);
        let found: Vec<_> = entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.id.as_bytes()[0]))
            .collect();
        assert_eq!(found, [("[kernel.kallsyms]", 1), ("/bin/old", 2)]);
    }

    #[test]
    fn sections_that_end_early_keep_what_is_whole() {
        let section = entry(&[0xff; 4], &[3; 20], &[0; 4], "/bin/a");
        assert_eq!(BuildIdEntry::parse_section(&section, ByteOrder::Little).len(), 1);
        assert_eq!(
            BuildIdEntry::parse_section(&section.repeat(2)[..section.len() + 30], ByteOrder::Little).len(),
            1
        );
        assert!(BuildIdEntry::parse_section(&[0; 8], ByteOrder::Little).is_empty());
    }

    #[test]
    fn zero_filled_ids_match_short_ones() {
        let short = [0xab; 8];
        let mut filled = [0; 20];
        filled[..8].copy_from_slice(&short);
        let id = |bytes: &[u8]| BuildId::new(bytes).expect("not zero");
        assert!(id(&filled).matches(&short) && id(&short).matches(&filled) && id(&short).matches(&short));
        assert!(!id(&short).matches(&[0xab; 9]) && !id(&[0xab; 9]).matches(&short));
        assert!(!id(&short).matches(&[]));
        assert_eq!(BuildId::new(&[0; 20]), None);
        assert_eq!(id(&short).to_string(), "abababababababab");
    }
}
