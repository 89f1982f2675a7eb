//! Records that change address spaces, or the content of address spaces.

use std::collections::HashMap;
use std::sync::Arc;

use crate::address::{Avma, Moment};
use crate::build_id::BuildId;
use crate::byte_order::{ByteOrder, before_nul, nul_terminated};
use crate::record::{CpuMode, HEADER_SIZE, RecordHeader, misc, record_type};

/// A change of an address space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideRecord {
    /// Moment of the change.
    pub moment: Moment,
    /// Position of the record in the input.
    pub position: u64,
    /// The change.
    pub change: Change,
}

/// The kinds of changes of an address space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A file or memory was mapped.
    Map(Mapping),
    /// The process began another program, which removes its maps.
    Exec {
        /// Process id.
        pid: i32,
    },
    /// A process began, with a copy of its parent's maps.
    Fork {
        /// Process id of the new process.
        pid: i32,
        /// Process id of the parent.
        parent: i32,
    },
    /// A process began another thread.
    Thread {
        /// Process id.
        pid: i32,
    },
    /// A thread ended. A process ends with its last thread, and its maps stay for samples that come late.
    Exit {
        /// Process id.
        pid: i32,
        /// True for the first thread of the process. Other threads may outlive it.
        first: bool,
    },
    /// The kernel rewrote its own code or the code of a module.
    Poke(TextPoke),
}

/// Code that was rewritten while it ran (PERF_RECORD_TEXT_POKE).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextPoke {
    /// Address of the code.
    pub address: Avma,
    /// The bytes before the change. Empty for code that is new.
    pub old: Box<[u8]>,
    /// The bytes after the change. Empty for code that was removed.
    pub new: Box<[u8]>,
}

/// A mapping of an MMAP or MMAP2 record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Process id; -1 for the kernel.
    pub pid: i32,
    /// Thread id of the thread that made the mapping.
    pub tid: i32,
    /// First address of the mapping.
    pub start: Avma,
    /// Length of the mapping in bytes.
    pub len: u64,
    /// Offset in the file, in bytes. For the kernel image: the run-time address of the symbol in its name.
    pub pgoff: u64,
    /// True if the mapping is executable. False for data.
    pub executable: bool,
    /// Owner of the mapping: kernel or user, host or guest.
    pub cpumode: CpuMode,
    /// The mapped file.
    pub file: Arc<MappedFile>,
}

/// Start of the name that perf gives to the mapping of the kernel image. The symbol by which the image was placed
/// follows, such as `_text`.
pub const KERNEL_IMAGE: &str = "[kernel.kallsyms]";

/// Returns the name of the mapped file in tables of build ids: the name in the mapping, but one name for the kernel
/// image, whatever symbol it was placed by.
#[must_use]
pub fn image_name(name: &str) -> &str {
    if name.starts_with(KERNEL_IMAGE) {
        KERNEL_IMAGE
    } else {
        name
    }
}

/// A mapped file, shared by all mappings of the same file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MappedFile {
    /// Path of the file, or a name such as `//anon` or `[kernel.kallsyms]_text`.
    pub name: String,
    /// Build id of the file, if the record has one.
    pub build_id: Option<BuildId>,
}

/// Keeps one copy of each file name.
#[derive(Debug, Default)]
pub(crate) struct FileNames {
    known: HashMap<(Vec<u8>, Option<BuildId>), Arc<MappedFile>>,
}

/// Largest number of names that are kept, so that programs which give every mapping a new name do not fill the memory.
const MAX_KNOWN_NAMES: usize = 1 << 16;

impl FileNames {
    fn intern(&mut self, name: &[u8], build_id: Option<BuildId>) -> Arc<MappedFile> {
        if self.known.len() >= MAX_KNOWN_NAMES {
            self.known.clear();
        }
        let entry = self.known.entry((name.to_vec(), build_id));
        Arc::clone(entry.or_insert_with(|| {
            Arc::new(MappedFile {
                name: nul_terminated(name),
                build_id,
            })
        }))
    }
}

/// Reads the change that a record describes. Returns `Ok(None)` if the record changes nothing, and `Err` if it is too
/// short.
pub(crate) fn parse_change(
    header: RecordHeader,
    record: &[u8],
    order: ByteOrder,
    names: &mut FileNames,
) -> Result<Option<Change>, Malformed> {
    match header.record_type {
        record_type::MMAP | record_type::MMAP2 => {
            parse_mapping(header, record, order, names).map(|mapping| Some(Change::Map(mapping)))
        }
        record_type::COMM => parse_comm(header, record, order),
        record_type::FORK => parse_fork(header, record, order),
        record_type::EXIT => parse_exit(record, order).map(Some),
        record_type::TEXT_POKE => parse_poke(record, order).map(|poke| Some(Change::Poke(poke))),
        _ => Some(None),
    }
    .ok_or(Malformed)
}

/// The error for a record that is too short for its type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

fn parse_mapping(header: RecordHeader, record: &[u8], order: ByteOrder, names: &mut FileNames) -> Option<Mapping> {
    const MMAP_NAME: usize = 40;
    const MMAP2_BUILD_ID_SIZE: usize = 40;
    const MMAP2_BUILD_ID: usize = 44;
    const MMAP2_PROT: usize = 64;
    const MMAP2_NAME: usize = 72;
    const PROT_EXEC: u32 = 4;

    let cpumode = CpuMode::of(header.misc);
    let (name, executable, build_id) = if header.record_type == record_type::MMAP {
        (record.get(MMAP_NAME..)?, header.misc & misc::MMAP_DATA == 0, None)
    } else {
        let build_id = if header.misc & misc::MMAP_BUILD_ID != 0 {
            let len = usize::from(*record.get(MMAP2_BUILD_ID_SIZE)?).min(MMAP2_PROT - MMAP2_BUILD_ID);
            BuildId::new(record.get(MMAP2_BUILD_ID..MMAP2_BUILD_ID + len)?)
        } else {
            None
        };
        (
            record.get(MMAP2_NAME..)?,
            order.u32(record, MMAP2_PROT)? & PROT_EXEC != 0,
            build_id,
        )
    };
    Some(Mapping {
        pid: order.u32(record, 8)? as i32,
        tid: order.u32(record, 12)? as i32,
        start: Avma(order.u64(record, 16)?),
        len: order.u64(record, 24)?,
        pgoff: order.u64(record, 32)?,
        // perf leaves `prot` zero when it synthesizes the kernel's maps as MMAP2.
        executable: executable || matches!(cpumode, CpuMode::Kernel | CpuMode::GuestKernel),
        cpumode,
        file: names.intern(before_nul(name), build_id),
    })
}

fn parse_poke(record: &[u8], order: ByteOrder) -> Option<TextPoke> {
    const BYTES: usize = 20;
    let (old, new) = (usize::from(order.u16(record, 16)?), usize::from(order.u16(record, 18)?));
    let (old, rest) = record.get(BYTES..)?.split_at_checked(old)?;
    Some(TextPoke {
        address: Avma(order.u64(record, HEADER_SIZE)?),
        old: old.into(),
        new: rest.get(..new)?.into(),
    })
}

fn parse_comm(header: RecordHeader, record: &[u8], order: ByteOrder) -> Option<Option<Change>> {
    let pid = order.u32(record, HEADER_SIZE)? as i32;
    Some((header.misc & misc::COMM_EXEC != 0).then_some(Change::Exec { pid }))
}

fn parse_exit(record: &[u8], order: ByteOrder) -> Option<Change> {
    let pid = order.u32(record, 8)? as i32;
    let tid = order.u32(record, 16)? as i32;
    Some(Change::Exit { pid, first: pid == tid })
}

fn parse_fork(header: RecordHeader, record: &[u8], order: ByteOrder) -> Option<Option<Change>> {
    let pid = order.u32(record, 8)? as i32;
    let parent = order.u32(record, 12)? as i32;
    if pid == parent {
        return Some(Some(Change::Thread { pid }));
    }
    // For a process that ran before, perf synthesizes the maps.
    let copies = header.misc & misc::FORK_EXEC == 0;
    Some(copies.then_some(Change::Fork { pid, parent }))
}
