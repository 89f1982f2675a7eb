//! Facts about the raw trace that stands between the records: the place of its bytes, the buffers that they come from,
//! and the threads that ran at each time.
//!
//! A CPU writes its trace into a buffer of its own (the AUX area). The kernel writes an AUX record for each stretch of
//! the buffer that was filled. perf copies the bytes behind AUXTRACE records (perf: tools/perf/util/auxtrace.h; Linux:
//! include/uapi/linux/perf_event.h).

use std::collections::HashMap;
use std::sync::Arc;

use crate::byte_order::ByteOrder;
use crate::record::{HEADER_SIZE, RecordHeader, misc, record_type};
use crate::sample_layout::Trailer;
use crate::source::Source;
use crate::stats::RecordStats;
use crate::trace_clock::TraceClock;
use crate::trace_stream::{TraceContext, TracePart, TraceSection, TraceStream};

/// Bits of an AUX record's flags.
mod aux_flag {
    pub(super) const TRUNCATED: u64 = 1 << 0;
    pub(super) const PARTIAL: u64 = 1 << 2;
    pub(super) const COLLISION: u64 = 1 << 3;
}

/// Number in AUXTRACE records that stands for "no CPU" and for "no thread".
const NONE: i32 = -1;

/// The owner of a buffer: a CPU, or a thread on any CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Owner {
    Cpu(u32),
    Thread(i32),
}

impl Owner {
    fn of(cpu: u32, tid: i32) -> Self {
        if cpu.cast_signed() == NONE {
            Self::Thread(tid)
        } else {
            Self::Cpu(cpu)
        }
    }
}

/// The bytes behind an AUXTRACE record.
#[derive(Debug, Clone, Copy)]
struct Piece {
    owner: Owner,
    /// Index of the file with the bytes; the next field is the offset in that file.
    file: usize,
    at: u64,
    size: u64,
    /// Offset of the bytes in the buffer.
    offset: u64,
    /// Position of the AUXTRACE record.
    position: u64,
}

/// The place of the bytes behind a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PayloadPlace {
    /// Index of the file with the bytes.
    pub(crate) file: usize,
    /// Offset in the file of the first byte.
    pub(crate) at: u64,
    /// Largest possible offset in the file of the end of the bytes.
    pub(crate) end: u64,
}

/// All known facts about a trace.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pieces: Vec<Piece>,
    /// Stretches of the buffer that were written, by CPU.
    sections: Vec<(u32, TraceSection)>,
    /// CPU, time, and the thread that began to run.
    switches: Vec<(u32, u64, i32)>,
    /// Process id by thread id, for threads that are not the first thread of their process.
    processes: HashMap<i32, i32>,
    clock: Option<TraceClock>,
}

impl Trace {
    /// Returns true for the records that are about a trace and about nothing else.
    pub(crate) fn wants(header: RecordHeader) -> bool {
        use record_type::{AUX, AUXTRACE, AUXTRACE_INFO, ITRACE_START, SWITCH, SWITCH_CPU_WIDE, TIME_CONV};
        matches!(
            header.record_type,
            AUX | AUXTRACE | AUXTRACE_INFO | ITRACE_START | SWITCH | SWITCH_CPU_WIDE | TIME_CONV
        )
    }

    /// Reads a record about threads or about the trace. Returns `None` if the record is too short.
    pub(crate) fn absorb(
        &mut self,
        header: RecordHeader,
        record: &[u8],
        trailer: Trailer,
        order: ByteOrder,
        stats: &mut RecordStats,
    ) -> Option<()> {
        let id = |at: usize| order.u32(record, at).map(u32::cast_signed);
        match header.record_type {
            // All these records begin with the process id.
            record_type::MMAP2 | record_type::COMM | record_type::ITRACE_START => self.note_thread(id(8)?, id(12)?),
            record_type::FORK => self.note_thread(id(8)?, id(16)?),
            record_type::TIME_CONV => self.clock = TraceClock::parse(record, order),
            record_type::AUX => {
                let flags = order.u64(record, 24)?;
                stats.traces_truncated += u64::from(flags & aux_flag::TRUNCATED != 0);
                stats.trace_collisions += u64::from(flags & aux_flag::COLLISION != 0);
                let start = order.u64(record, 8)?;
                let section = TraceSection {
                    start,
                    end: start.saturating_add(order.u64(record, 16)?),
                    has_gap: flags & aux_flag::PARTIAL != 0,
                    pid: trailer.pid,
                    tid: trailer.tid,
                };
                self.sections.push((trailer.cpu, section));
            }
            _ => {}
        }
        let begins = match header.record_type {
            record_type::SWITCH | record_type::SWITCH_CPU_WIDE => header.misc & misc::SWITCH_OUT == 0,
            record_type::ITRACE_START => true,
            _ => false,
        };
        if begins && trailer.time != 0 {
            self.note_thread(trailer.pid, trailer.tid);
            self.switches.push((trailer.cpu, trailer.time, trailer.tid));
        }
        Some(())
    }

    fn note_thread(&mut self, pid: i32, tid: i32) {
        if pid == tid {
            self.processes.remove(&tid);
        } else if tid > 0 {
            self.processes.insert(tid, pid);
        }
    }

    /// Adds an AUXTRACE record at a position, and the place of the bytes behind it. Returns `None` if the record is
    /// too short.
    pub(crate) fn add_piece(
        &mut self,
        position: u64,
        place: PayloadPlace,
        record: &[u8],
        order: ByteOrder,
    ) -> Option<()> {
        let PayloadPlace { file, at, end } = place;
        let size = order.u64(record, HEADER_SIZE)?.min(end.saturating_sub(at));
        let piece = Piece {
            owner: Owner::of(order.u32(record, 40)?, order.u32(record, 36)?.cast_signed()),
            file,
            at,
            size,
            offset: order.u64(record, 16)?,
            position,
        };
        self.pieces.push(piece);
        Some(())
    }

    /// Returns the buffers, each with all of its bytes, for samples of the event `event`.
    pub(crate) fn into_streams(
        self,
        sources: &[Arc<Source>],
        event: u16,
        period: u64,
        timed: bool,
    ) -> Vec<TraceStream> {
        let Self {
            mut pieces,
            mut sections,
            mut switches,
            processes,
            clock,
        } = self;
        // A stream that was cut off earlier may have none of the bytes.
        pieces.retain(|piece| piece.file < sources.len());
        // The sort is stable, so pieces of one buffer stay in the order of the file.
        pieces.sort_by_key(|piece| piece.owner);
        sections.sort_by_key(|(_, section)| section.start);
        let mut sections_of: HashMap<Owner, Vec<TraceSection>> = HashMap::new();
        for (cpu, section) in sections {
            // Only the AUXTRACE records tell whether the buffer belongs to a CPU or to a thread.
            for owner in [Owner::Cpu(cpu), Owner::Thread(section.tid)] {
                sections_of.entry(owner).or_default().push(section);
            }
        }
        switches.sort_unstable();
        let context = Arc::new(TraceContext {
            switches,
            processes,
            clock,
            event,
            period,
            timed,
        });
        let streams = pieces.chunk_by(|a, b| a.owner == b.owner).map(|pieces| {
            let owner = pieces[0].owner;
            let parts = pieces.iter().map(|piece| TracePart {
                source: Arc::clone(&sources[piece.file]),
                at: piece.at,
                // Damaged records state more bytes than there are.
                size: piece.size.min(sources[piece.file].size().saturating_sub(piece.at)),
                offset: piece.offset,
            });
            TraceStream {
                parts: parts.collect(),
                sections: sections_of.remove(&owner).unwrap_or_default(),
                cpu: match owner {
                    Owner::Cpu(cpu) => cpu,
                    Owner::Thread(_) => u32::MAX,
                },
                tid: match owner {
                    Owner::Cpu(_) => None,
                    Owner::Thread(tid) => Some(tid).filter(|tid| *tid >= 0),
                },
                position: pieces[0].position,
                context: Arc::clone(&context),
            }
        });
        streams.collect()
    }
}
