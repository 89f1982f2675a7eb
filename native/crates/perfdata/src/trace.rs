//! What the records of a recording tell of the raw trace that stands between them: where its bytes are, whose buffer they come from, and
//! which thread ran when.
//!
//! A CPU writes its trace into a buffer of its own (the AUX area). The kernel tells with an AUX record of each stretch that was written, and perf
//! copies the bytes behind AUXTRACE records (perf: tools/perf/util/auxtrace.h; Linux: include/uapi/linux/perf_event.h).

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

/// Stands for "no CPU" and "no thread" in AUXTRACE records.
const NONE: i32 = -1;

/// Whose buffer: that of a CPU, or that of a thread on any CPU.
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
    /// Which of several files, and where in it the bytes are.
    file: usize,
    at: u64,
    size: u64,
    /// Where in the buffer they were.
    offset: u64,
    /// Position of the record.
    position: u64,
}

/// Where the bytes behind a record are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PayloadPlace {
    /// Which of several files.
    pub(crate) file: usize,
    /// Where in it they begin.
    pub(crate) at: u64,
    /// Where they end at the latest.
    pub(crate) end: u64,
}

/// All that is known of a trace.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pieces: Vec<Piece>,
    /// By CPU: stretches that were written.
    sections: Vec<(u32, TraceSection)>,
    /// By CPU: when which thread began to run.
    switches: Vec<(u32, u64, i32)>,
    /// By thread, if it is not the first one of its process.
    processes: HashMap<i32, i32>,
    clock: Option<TraceClock>,
}

impl Trace {
    /// True for the records that tell of a trace and of nothing else.
    pub(crate) fn wants(header: RecordHeader) -> bool {
        use record_type::{AUX, AUXTRACE, AUXTRACE_INFO, ITRACE_START, SWITCH, SWITCH_CPU_WIDE, TIME_CONV};
        matches!(
            header.record_type,
            AUX | AUXTRACE | AUXTRACE_INFO | ITRACE_START | SWITCH | SWITCH_CPU_WIDE | TIME_CONV
        )
    }

    /// Takes in a record that tells of threads or of the trace; `None` if it is too short.
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
            // All begin with the number of the process.
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

    /// Takes in an AUXTRACE record at a position, and where the bytes behind it are; `None` if it is too short.
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

    /// The buffers, each with all of its bytes, for samples of an event.
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
        // Of a stream that was cut off before, there may be no bytes at all.
        pieces.retain(|piece| piece.file < sources.len());
        // Pieces of one buffer stay in the order of the file.
        pieces.sort_by_key(|piece| piece.owner);
        sections.sort_by_key(|(_, section)| section.start);
        let mut sections_of: HashMap<Owner, Vec<TraceSection>> = HashMap::new();
        for (cpu, section) in sections {
            // Nothing but the AUXTRACE records tells which kind of buffer it is in.
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
                // Damaged records promise more than there is.
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
