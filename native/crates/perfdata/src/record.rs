//! Record headers, and the record types that a reader must know.
//!
//! Types below 64 come from the kernel (Linux: include/uapi/linux/perf_event.h), the others from perf itself (perf:
//! tools/lib/perf/include/perf/event.h).

use crate::byte_order::ByteOrder;

/// Numbers of record types.
pub mod record_type {
    #![allow(missing_docs, reason = "the names are the kernel's and perf's own")]
    pub const MMAP: u32 = 1;
    pub const LOST: u32 = 2;
    pub const COMM: u32 = 3;
    pub const EXIT: u32 = 4;
    pub const THROTTLE: u32 = 5;
    pub const FORK: u32 = 7;
    pub const SAMPLE: u32 = 9;
    pub const MMAP2: u32 = 10;
    pub const AUX: u32 = 11;
    pub const ITRACE_START: u32 = 12;
    pub const LOST_SAMPLES: u32 = 13;
    pub const SWITCH: u32 = 14;
    pub const SWITCH_CPU_WIDE: u32 = 15;
    pub const KSYMBOL: u32 = 17;
    pub const TEXT_POKE: u32 = 20;
    pub const CALLCHAIN_DEFERRED: u32 = 22;
    /// The highest kernel type that is known here.
    pub const KERNEL_LAST: u32 = CALLCHAIN_DEFERRED;
    /// The lowest type of perf's own records.
    pub const USER_FIRST: u32 = 64;
    pub const HEADER_ATTR: u32 = 64;
    pub const HEADER_EVENT_TYPE: u32 = 65;
    pub const HEADER_TRACING_DATA: u32 = 66;
    pub const HEADER_BUILD_ID: u32 = 67;
    pub const FINISHED_ROUND: u32 = 68;
    pub const AUXTRACE_INFO: u32 = 70;
    pub const AUXTRACE: u32 = 71;
    pub const EVENT_UPDATE: u32 = 78;
    pub const TIME_CONV: u32 = 79;
    pub const HEADER_FEATURE: u32 = 80;
    pub const COMPRESSED: u32 = 81;
    pub const COMPRESSED2: u32 = 83;
    /// The highest of perf's own types that is known here (BPF_METADATA).
    pub const USER_LAST: u32 = 84;
}

/// Bits of a record's `misc` field. Some bits mean different things in different records.
pub(crate) mod misc {
    /// SAMPLE: the address is that of the sampled instruction itself.
    pub(crate) const EXACT_IP: u16 = 1 << 14;
    /// COMM: the name of the process changed because of an exec.
    pub(crate) const COMM_EXEC: u16 = 1 << 13;
    /// MMAP: the mapping is not executable.
    pub(crate) const MMAP_DATA: u16 = 1 << 13;
    /// FORK: the record was synthesized for a process whose maps follow.
    pub(crate) const FORK_EXEC: u16 = 1 << 13;
    /// SWITCH: the thread stopped running.
    pub(crate) const SWITCH_OUT: u16 = 1 << 13;
    /// MMAP2: the record has a build id in place of the inode.
    pub(crate) const MMAP_BUILD_ID: u16 = 1 << 14;
    /// HEADER_BUILD_ID: the record has the size of the build id.
    pub(crate) const BUILD_ID_SIZE: u16 = 1 << 15;
    /// LOST_SAMPLES: a BPF filter left the samples out, so nothing was lost.
    pub(crate) const LOST_SAMPLES_BPF: u16 = 1 << 15;
}

/// The part of the machine that a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CpuMode {
    /// The record does not tell.
    Unknown = 0,
    /// The host's kernel.
    Kernel = 1,
    /// A process.
    User = 2,
    /// A hypervisor.
    Hypervisor = 3,
    /// The kernel of a guest.
    GuestKernel = 4,
    /// A process in a guest.
    GuestUser = 5,
}

impl CpuMode {
    /// Makes a mode of the low three bits of `misc`.
    #[inline]
    pub(crate) fn of(misc: u16) -> Self {
        match misc & 7 {
            1 => Self::Kernel,
            2 => Self::User,
            3 => Self::Hypervisor,
            4 => Self::GuestKernel,
            5 => Self::GuestUser,
            _ => Self::Unknown,
        }
    }

    /// Returns true for the two guest modes, whose addresses are not addresses of the host.
    #[must_use]
    pub fn is_guest(self) -> bool {
        matches!(self, Self::GuestKernel | Self::GuestUser)
    }
}

/// Size of a record header in bytes, which is also the smallest size of a record.
pub(crate) const HEADER_SIZE: usize = 8;

/// The first eight bytes of every record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) record_type: u32,
    pub(crate) misc: u16,
    /// Size of the record in bytes, this header included.
    pub(crate) size: u16,
}

impl RecordHeader {
    /// Reads the header at the start of `bytes`. Returns `None` if `bytes` is too short.
    #[inline]
    pub(crate) fn parse(bytes: &[u8], order: ByteOrder) -> Option<Self> {
        let word = order.u64(bytes, 0)?;
        // The three fields are taken from one aligned word, which is cheaper than three reads in the scan's hot loop.
        Some(match order {
            ByteOrder::Little => Self {
                record_type: word as u32,
                misc: (word >> 32) as u16,
                size: (word >> 48) as u16,
            },
            ByteOrder::Big => Self {
                record_type: (word >> 32) as u32,
                misc: (word >> 16) as u16,
                size: word as u16,
            },
        })
    }

    /// Returns true for records that hold compressed records.
    #[inline]
    pub(crate) fn is_compressed(&self) -> bool {
        matches!(self.record_type, record_type::COMPRESSED | record_type::COMPRESSED2)
    }

    /// Returns true for types that some perf up to 6.18 writes.
    #[inline]
    pub(crate) fn is_known_type(&self) -> bool {
        use record_type::{KERNEL_LAST, MMAP, USER_FIRST, USER_LAST};
        matches!(self.record_type, MMAP..=KERNEL_LAST | USER_FIRST..=USER_LAST)
    }
}

/// Consecutive records with equal headers: several samples, or one record of another type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) header: RecordHeader,
    /// Number of the records, at least 1.
    pub(crate) count: u64,
    /// The bytes of the records.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Run<'a> {
    /// Makes a run of one record.
    #[inline]
    pub(crate) fn of_one(header: RecordHeader, record: &'a [u8]) -> Self {
        Self {
            header,
            count: 1,
            bytes: record,
        }
    }

    /// Finds the longest run of whole records at the beginning of `bytes`. The first record has this header, at least
    /// [`HEADER_SIZE`] bytes, and lies in `bytes` as a whole. All records begin before the offset `stop` in `bytes`.
    #[inline]
    pub(crate) fn at_start(header: RecordHeader, bytes: &'a [u8], stop: u64) -> Self {
        let size = usize::from(header.size);
        let first = bytes.first_chunk::<HEADER_SIZE>();
        let last = (bytes.len() - size).min(usize::try_from(stop).unwrap_or(usize::MAX).saturating_sub(1));
        let (mut count, mut end) = (1, size);
        while end <= last && bytes[end..].first_chunk() == first {
            count += 1;
            end += size;
        }
        Self {
            header,
            count,
            bytes: &bytes[..end],
        }
    }
}

/// First bytes of the data after a TRACING_DATA record, in every byte order (perf: tracing_data_header()).
const TRACING_MAGIC: &[u8] = b"\x17\x08\x44tracing";

/// Number of bytes after a record that show whether its trace data is there.
pub(crate) const TRAILER_PEEK: usize = TRACING_MAGIC.len();

/// Returns the number of bytes that follow a record and are not counted in its size: the trace data of AUXTRACE and
/// TRACING_DATA.
///
/// `behind` holds at least [`TRAILER_PEEK`] bytes after the record, or all bytes that are left. `perf inject -i PIPE
/// -o FILE` (6.1 and 6.12) copies TRACING_DATA without its data, so that the next record follows at once.
pub(crate) fn trailing_payload(header: RecordHeader, record: &[u8], behind: &[u8], order: ByteOrder) -> u64 {
    match header.record_type {
        record_type::AUXTRACE => order.u64(record, HEADER_SIZE).unwrap_or(0),
        record_type::HEADER_TRACING_DATA => {
            let peeked = &behind[..behind.len().min(TRAILER_PEEK)];
            if peeked.is_empty() || !TRACING_MAGIC.starts_with(peeked) {
                return 0;
            }
            // perf pads the data of TRACING_DATA to a multiple of 8 bytes.
            order
                .u32(record, HEADER_SIZE)
                .map_or(0, |size| u64::from(size).next_multiple_of(8))
        }
        _ => 0,
    }
}

/// Returns true if the length of the data after a record can only be told from that data.
pub(crate) fn peeks_behind(header: RecordHeader) -> bool {
    header.record_type == record_type::HEADER_TRACING_DATA
}
