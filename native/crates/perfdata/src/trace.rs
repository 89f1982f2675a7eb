//! The raw trace that stands between the records: the queue of its pieces, and the state of each buffer.
//!
//! A CPU writes its trace into a buffer of its own (the AUX area). The kernel writes an AUX record for each stretch of
//! the buffer that was filled. perf copies the bytes after AUXTRACE records (perf: tools/perf/util/auxtrace.h; Linux:
//! include/uapi/linux/perf_event.h).
//!
//! A piece can be decoded when all records about its time have been read. Of a file, these are all records. A stream is
//! written in rounds: perf copies the records of each CPU and then the CPU's trace, one CPU after the other, and ends
//! the round with a FINISHED_ROUND record (perf: builtin-record.c, `record__mmap_read_evlist`). The trace of a CPU may
//! be newer than the records that were copied before it. These were in their buffers when the trace was copied, so they
//! come in this round or in the next one. Then the piece is ripe.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use rayon::prelude::*;

use crate::address::Moment;
use crate::byte_order::ByteOrder;
use crate::error::Error;
use crate::record::{HEADER_SIZE, RecordHeader, record_type};
use crate::source::Source;
use crate::spool::Spool;
use crate::stats::TraceStats;
use crate::trace_buffer::{Decoding, TraceBuffer, TracePart};
use crate::trace_chunk::{ChunkFacts, TraceChunk};
use crate::trace_facts::TraceFacts;
use crate::trace_sections::Owner;

/// Number of bytes of a trace that are decoded at a time, for each thread, and for any number of threads.
const BATCH_A_THREAD: u64 = 2 << 20;
const MOST_BATCH: u64 = 32 << 20;

/// Number of bytes that a piece counts for at least, so that the pieces of a batch are bounded, too.
const LEAST_PIECE: u64 = 1 << 10;

/// Largest number of buffers that are open. Machines have fewer CPUs.
const MOST_BUFFERS: usize = 1 << 16;

/// Number of ends of rounds after which a piece is ripe: the end of its own round, and that of the next one.
const RIPE_AFTER: u64 = 2;

/// The bytes after an AUXTRACE record.
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
    /// Number of rounds that had ended before.
    round: u64,
    /// False if a part of the bytes was decoded.
    begins: bool,
}

/// The place of the bytes after a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PayloadPlace {
    /// Index of the file with the bytes.
    pub(crate) file: usize,
    /// Offset in the file of the first byte.
    pub(crate) at: u64,
    /// Largest possible offset in the file of the end of the bytes.
    pub(crate) end: u64,
}

/// Where the bytes of pieces are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TraceBytes<'a> {
    /// In files, by their numbers.
    Files(&'a [Arc<Source>]),
    /// In the copy of a stream, whose file has the number 0.
    Copied(&'a Spool),
}

/// The pieces that may be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Pieces whose records have been read, although the stream goes on.
    Ripe,
    /// All pieces, because all records have been read.
    All,
}

/// The part of a raw trace that is not decoded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceToCome {
    /// Earliest moment of its samples, as far as it is known.
    pub earliest: Moment,
    /// True if the whole trace is decoded when all records have been read: the records have no rounds.
    pub in_the_end: bool,
}

/// How samples are made of a trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceEvent {
    /// Index of the event that the samples belong to.
    pub(crate) event: u16,
    pub(crate) period: u64,
    /// True if times order the changes of address spaces.
    pub(crate) timed: bool,
}

/// A trace that is not decoded yet, and everything that is known about it.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Pieces in the order of the input.
    pieces: VecDeque<Piece>,
    /// Number of pieces, from the first one on, that are ripe, and the bytes of them.
    ripe: usize,
    ripe_bytes: u64,
    /// Number of rounds that have ended.
    rounds: u64,
    pub(crate) facts: TraceFacts,
    buffers: HashMap<Owner, TraceBuffer>,
}

impl TraceBytes<'_> {
    /// Returns the source with the byte at `at` of a file, and the offset of this byte in the source.
    fn find(&self, file: usize, at: u64) -> Option<(&Source, u64)> {
        match self {
            Self::Files(sources) => sources.get(file).map(|source| (&**source, at)),
            Self::Copied(spool) => spool.find(at).map(|(source, at)| (&**source, at)),
        }
    }

    /// Returns the number of bytes from `at` on. Damaged records state more bytes than there are.
    fn available(&self, file: usize, at: u64) -> u64 {
        let size = match self {
            Self::Files(sources) => sources.get(file).map_or(0, |source| source.size()),
            Self::Copied(spool) => spool.size(),
        };
        size.saturating_sub(at)
    }

    /// Returns the bytes of a piece.
    fn parts(&self, piece: Piece) -> Vec<TracePart<'_>> {
        let mut parts: Vec<TracePart<'_>> = Vec::new();
        let mut done = 0;
        while done < piece.size
            && let Some((source, at)) = self.find(piece.file, piece.at.saturating_add(done))
            && at < source.size()
        {
            let size = (piece.size - done).min(source.size() - at);
            parts.push(TracePart {
                source,
                at,
                size,
                offset: piece.offset.saturating_add(done),
            });
            done += size;
        }
        parts
    }
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

    /// Adds an AUXTRACE record at a position, and the place of the bytes after it. Returns `None` if the record is
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
            round: self.rounds,
            begins: true,
        };
        self.pieces.push_back(piece);
        Some(())
    }

    /// Notes the end of a round of a stream.
    pub(crate) fn end_round(&mut self) {
        self.rounds += 1;
        while let Some(piece) = self.pieces.get(self.ripe)
            && piece.round + RIPE_AFTER <= self.rounds
        {
            self.ripe += 1;
            self.ripe_bytes = self.ripe_bytes.saturating_add(piece.size);
        }
    }

    /// Returns true if there is enough of the trace to be decoded.
    pub(crate) fn has_batch(&self) -> bool {
        self.ripe_bytes >= batch_size()
    }

    /// Leaves out the pieces that are ripe.
    pub(crate) fn pass_over_ripe(&mut self) {
        self.pieces.drain(..std::mem::take(&mut self.ripe));
        self.ripe_bytes = 0;
    }

    /// Returns the offset in the copy of a stream of the first byte that is not decoded.
    pub(crate) fn first_byte(&self) -> Option<u64> {
        self.pieces.iter().find(|piece| piece.size > 0).map(|piece| piece.at)
    }

    /// Decodes the next pieces. Returns `None` if there are none. After the last piece, the buffers are ended.
    pub(crate) fn decode_batch(
        &mut self,
        bytes: TraceBytes<'_>,
        wanted: Wanted,
        event: TraceEvent,
    ) -> Result<Option<Vec<TraceChunk>>, Error> {
        let is_end = wanted == Wanted::All;
        let pieces = self.take_pieces(bytes, wanted);
        if pieces.is_empty() && (!is_end || self.buffers.is_empty()) {
            return Ok(None);
        }
        let mut chunks = self.decode(&pieces, bytes, event)?;
        let is_done = is_end && self.pieces.is_empty();
        if is_done || self.buffers.len() > MOST_BUFFERS {
            for (owner, buffer) in self.buffers.drain() {
                let mut stats = TraceStats::default();
                buffer.end(&mut stats);
                if stats != TraceStats::default() {
                    let facts = chunk_facts(owner, event, 0, stats);
                    chunks.extend(TraceChunk::of(Default::default(), facts));
                }
            }
        }
        Ok(Some(chunks))
    }

    /// Takes the next pieces out of the queue, or the beginning of a long one.
    fn take_pieces(&mut self, bytes: TraceBytes<'_>, wanted: Wanted) -> Vec<Piece> {
        let mut room = batch_size();
        let mut taken = Vec::new();
        while room > 0
            && (wanted == Wanted::All || self.ripe > 0)
            && let Some(piece) = self.pieces.front_mut()
        {
            let stated = piece.size;
            piece.size = stated.min(bytes.available(piece.file, piece.at));
            let now = Piece {
                size: piece.size.min(room),
                ..*piece
            };
            taken.push(now);
            room = room.saturating_sub(now.size.max(LEAST_PIECE));
            piece.size -= now.size;
            piece.at = piece.at.saturating_add(now.size);
            piece.offset = piece.offset.saturating_add(now.size);
            piece.begins = false;
            let (left, is_ripe) = (piece.size, self.ripe > 0);
            if is_ripe {
                self.ripe_bytes = self.ripe_bytes.saturating_sub(stated - left);
            }
            if left == 0 {
                self.pieces.pop_front();
                self.ripe -= usize::from(is_ripe);
            }
        }
        taken
    }

    /// Decodes pieces, those of different buffers on different threads.
    fn decode(&mut self, pieces: &[Piece], bytes: TraceBytes<'_>, event: TraceEvent) -> Result<Vec<TraceChunk>, Error> {
        let mut parts_of: BTreeMap<Owner, (TraceBuffer, Vec<TracePart<'_>>, TraceStats)> = BTreeMap::new();
        for piece in pieces {
            let (_, parts, stats) = parts_of.entry(piece.owner).or_insert_with(|| {
                let known = self.buffers.remove(&piece.owner);
                let buffer = known.unwrap_or_else(|| TraceBuffer::new(piece.position));
                (buffer, Vec::new(), TraceStats::default())
            });
            parts.extend(bytes.parts(*piece));
            stats.pieces += u64::from(piece.begins);
        }
        let jobs: Vec<_> = parts_of.into_iter().collect();
        let facts = &self.facts;
        let decoded: Vec<_> = jobs
            .into_par_iter()
            .map(|(owner, (mut buffer, parts, mut stats))| {
                let timed = event.timed;
                let branches = buffer.decode(&parts, Decoding { owner, facts, timed }, &mut stats)?;
                let bytes = parts.iter().fold(0, |sum: u64, part| sum.saturating_add(part.size));
                let chunks = TraceChunk::of(branches, chunk_facts(owner, event, bytes, stats));
                Ok((owner, buffer, chunks))
            })
            .collect::<Result<_, Error>>()?;
        let mut chunks = Vec::new();
        for (owner, buffer, of_buffer) in decoded {
            self.buffers.insert(owner, buffer);
            chunks.extend(of_buffer);
        }
        Ok(chunks)
    }

    pub(crate) fn to_come(&self, timed: bool) -> TraceToCome {
        TraceToCome {
            earliest: self.earliest(timed),
            in_the_end: self.rounds == 0,
        }
    }

    fn earliest(&self, timed: bool) -> Moment {
        let of_buffers = self.buffers.values().map(|buffer| buffer.earliest(timed));
        let has_threads = self.buffers.keys().any(|owner| matches!(owner, Owner::Thread(_)));
        // These CPUs have not delivered a trace yet.
        let begun = self
            .facts
            .begins
            .iter()
            .filter(|(cpu, _)| timed && !has_threads && !self.buffers.contains_key(&Owner::Cpu(**cpu)));
        let of_others = begun.map(|(_, begin)| Moment(*begin));
        of_buffers.chain(of_others).min().unwrap_or(Moment::START)
    }

    /// Forgets what no later part of the trace needs.
    pub(crate) fn forget_past(&mut self) {
        let reached = self.buffers.iter().filter_map(|(owner, buffer)| match owner {
            Owner::Cpu(cpu) => Some((*cpu, buffer.reached)),
            Owner::Thread(_) => None,
        });
        let reached: HashMap<u32, u64> = reached.collect();
        let all_reached = self.earliest(true).0;
        let of_cpus = self.buffers.is_empty() || !reached.is_empty();
        let of_threads = self.buffers.is_empty() || reached.len() < self.buffers.len();
        let buffers = &self.buffers;
        self.facts.forget_past(&reached, all_reached, |owner, end| {
            let may_be = match owner {
                Owner::Cpu(_) => of_cpus,
                Owner::Thread(_) => of_threads,
            };
            may_be && buffers.get(&owner).is_none_or(|buffer| buffer.next < end)
        });
    }
}

fn batch_size() -> u64 {
    (rayon::current_num_threads() as u64)
        .saturating_mul(BATCH_A_THREAD)
        .clamp(2 * BATCH_A_THREAD, MOST_BATCH)
}

fn chunk_facts(owner: Owner, event: TraceEvent, bytes: u64, stats: TraceStats) -> ChunkFacts {
    ChunkFacts {
        cpu: match owner {
            Owner::Cpu(cpu) => cpu,
            Owner::Thread(_) => u32::MAX,
        },
        event: event.event,
        period: event.period,
        bytes,
        stats,
    }
}
