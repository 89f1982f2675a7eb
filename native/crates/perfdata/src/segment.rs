//! Segments: stretches of the input whose samples many threads decode at once.

use std::ops::Range;
use std::sync::Arc;

use crate::address::Moment;
use crate::buffer::Buffer;
use crate::byte_order::ByteOrder;
use crate::chunks::ChunkCutter;
use crate::deferred_chains::DeferredChains;
use crate::error::Error;
use crate::event_table::{EventTable, LastEvent};
use crate::record::{RecordHeader, record_type};
use crate::sample::Sample;
use crate::sampled_address::{AddressLayout, SampleSink};
use crate::side_record::SideRecord;
use crate::source::Source;
use crate::stats::{Damage, DamageKind, RecordStats, TraceStats};
use crate::trace::TraceToCome;
use crate::trace_chunk::TraceChunk;
use crate::walk::{Stretch, WalkEnd, walk_records};

/// A stretch of the input: all plain files, or the next few MiB of a stream.
#[derive(Debug)]
pub struct Segment {
    pub(crate) bytes: SegmentBytes,
    pub(crate) chunks: Vec<Chunk>,
    /// Samples of a raw trace. Their chunks follow the chunks of records.
    pub(crate) traces: Vec<TraceChunk>,
    pub(crate) trace_to_come: Option<TraceToCome>,
    pub(crate) table: Arc<EventTable>,
    pub(crate) side_records: Vec<SideRecord>,
    pub(crate) stats: RecordStats,
    pub(crate) events_changed: bool,
    /// User parts of call chains that stand near the segment's samples, or anywhere in the input if all of it has been
    /// read.
    pub(crate) deferred: Vec<Arc<DeferredChains>>,
}

/// Records that one thread decodes at a time.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    /// Index of the file or buffer.
    pub(crate) file: usize,
    /// Range in the file or buffer from the start of the first record to the end of the last one.
    pub(crate) range: Range<u64>,
}

/// The place of a segment's records.
#[derive(Debug)]
pub(crate) enum SegmentBytes {
    /// The records are in files and have to be read again.
    Files(Vec<Arc<Source>>),
    /// The records are in memory.
    Memory(Vec<Buffer>),
}

/// Returns the number that is added to offsets in a file, so that records of different files have different positions.
pub(crate) fn position_base(file: usize) -> u64 {
    (file as u64) << 48
}

/// Returns the index of the file, and the offset in it, that a position stands for.
pub(crate) fn file_of(position: u64) -> (usize, u64) {
    ((position >> 48) as usize, position & ((1 << 48) - 1))
}

/// Memory that a thread uses again for each chunk.
#[derive(Debug, Default)]
pub struct ChunkBuffer {
    block: Vec<u8>,
    entries: Vec<u8>,
}

/// Counts of the samples of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChunkStats {
    /// Number of samples handed out.
    pub samples: u64,
    /// Number of samples whose id belongs to no event.
    pub unknown_event: u64,
    /// Number of samples that are too short for the fields of their event.
    pub malformed: u64,
    /// Number of samples whose call chains lack the user part, which the kernel wrote apart from them. These samples
    /// are handed out.
    pub incomplete_call_chains: u64,
    /// Counts of the records of a raw trace. The samples made of these records are not among the counts above.
    pub trace: TraceStats,
}

impl ChunkStats {
    /// Adds the counts of another chunk.
    pub fn add(&mut self, other: Self) {
        self.samples += other.samples;
        self.unknown_event += other.unknown_event;
        self.malformed += other.malformed;
        self.incomplete_call_chains += other.incomplete_call_chains;
        self.trace.add(other.trace);
    }
}

impl Segment {
    pub(crate) fn in_memory(buffer: Buffer, chunks: ChunkCutter, table: Arc<EventTable>) -> Self {
        let chunks = chunks.finish().into_iter();
        Self {
            bytes: SegmentBytes::Memory(vec![buffer]),
            chunks: chunks.map(|range| Chunk { file: 0, range }).collect(),
            ..Self::empty(table)
        }
    }

    pub(crate) fn empty(table: Arc<EventTable>) -> Self {
        Self {
            bytes: SegmentBytes::Memory(Vec::new()),
            chunks: Vec::new(),
            traces: Vec::new(),
            trace_to_come: None,
            table,
            side_records: Vec::new(),
            stats: RecordStats::default(),
            events_changed: false,
            deferred: Vec::new(),
        }
    }

    /// Returns the records that change address spaces, in the order of the input.
    #[must_use]
    pub fn side_records(&self) -> &[SideRecord] {
        &self.side_records
    }

    /// Returns facts about the samples in later segments that are made of a raw trace, which a CPU may deliver long
    /// after it was written. Returns `None` if there is no raw trace, and for the records of a file.
    #[must_use]
    pub fn trace_to_come(&self) -> Option<TraceToCome> {
        self.trace_to_come
    }

    /// Returns true if a record after the first segment changed how samples are decoded.
    #[must_use]
    pub fn events_changed(&self) -> bool {
        self.events_changed
    }

    /// Returns the number of chunks. Each chunk can be decoded by itself.
    #[must_use]
    pub fn chunk_count(&self) -> usize {
        self.chunks.len() + self.traces.len()
    }

    /// Returns the number of bytes of records in a chunk.
    ///
    /// # Panics
    /// If there is no chunk of this number.
    #[must_use]
    pub fn chunk_bytes(&self, chunk: usize) -> u64 {
        match self.chunks.get(chunk) {
            Some(Chunk { range, .. }) => range.end - range.start,
            None => self.traces[chunk - self.chunks.len()].bytes(),
        }
    }

    /// Returns counts of the records of the segment, and the reason why the input ends early, if it does.
    #[must_use]
    pub fn stats(&self) -> &RecordStats {
        &self.stats
    }

    /// Decodes the samples of a chunk in the order of the input.
    ///
    /// # Errors
    /// If the file cannot be read any more, or has changed since it was scanned.
    ///
    /// # Panics
    /// If there is no chunk of this number.
    pub fn decode_chunk<F: FnMut(&Sample<'_>)>(
        &self,
        chunk: usize,
        buffer: &mut ChunkBuffer,
        sink: F,
    ) -> Result<ChunkStats, Error> {
        self.decode_chunk_into(chunk, buffer, Whole(sink))
    }

    /// Decodes the samples of a chunk in the order of the input, for a receiver that takes some samples in a shorter
    /// form.
    ///
    /// # Errors
    /// If the file cannot be read any more, or has changed since it was scanned.
    ///
    /// # Panics
    /// If there is no chunk of this number.
    pub fn decode_chunk_into<S: SampleSink>(
        &self,
        chunk: usize,
        buffer: &mut ChunkBuffer,
        mut sink: S,
    ) -> Result<ChunkStats, Error> {
        let Some(Chunk {
            file,
            range: Range { start, end },
        }) = self.chunks.get(chunk).cloned()
        else {
            return Ok(ChunkStats {
                trace: self.traces[chunk - self.chunks.len()].decode(|sample| sink.sample(sample)),
                ..ChunkStats::default()
            });
        };
        let ChunkBuffer { block, entries } = buffer;
        let order = self.table.order;
        let mut decoder = Decoder {
            table: &self.table,
            deferred: &self.deferred,
            entries,
            last_event: LastEvent::NONE,
            addresses: None,
            stats: ChunkStats::default(),
            sink,
        };
        match &self.bytes {
            SegmentBytes::Memory(buffers) => {
                let records = &buffers[file].from(start)[..(end - start) as usize];
                decode_slice(records, start, order, &mut decoder);
            }
            SegmentBytes::Files(sources) => {
                let source = &sources[file];
                let base = position_base(file);
                let stretch = Stretch {
                    start,
                    stop: end,
                    limit: end,
                };
                let walked = walk_records(source, order, stretch, block, |position, run| {
                    decode_slice(run.bytes, base + position, order, &mut decoder);
                })?;
                // Trace data after the last record does not belong to the chunk.
                let whole = match walked {
                    WalkEnd::Reached(position) => position == end,
                    WalkEnd::Damaged(Damage {
                        offset,
                        kind: DamageKind::PayloadCutOff { .. },
                    }) => offset == end,
                    _ => false,
                };
                if !whole {
                    return Err(Error::FileChanged {
                        name: source.name().to_owned(),
                        offset: start,
                    });
                }
            }
        }
        Ok(decoder.stats)
    }
}

/// Visits the records in `bytes`, which begins and ends at record boundaries.
fn decode_slice<S: SampleSink>(bytes: &[u8], mut position: u64, order: ByteOrder, decoder: &mut Decoder<'_, S>) {
    let mut rest = bytes;
    while let Some(header) = RecordHeader::parse(rest, order) {
        let counted = decoder.visit_addresses(position, header, rest);
        if counted > 0 {
            position += counted as u64;
            rest = &rest[counted..];
            continue;
        }
        let Some((record, after)) = rest
            .split_at_checked(usize::from(header.size))
            .filter(|(r, _)| !r.is_empty())
        else {
            break;
        };
        decoder.visit(position, header, record);
        position += u64::from(header.size);
        rest = after;
    }
}

/// A receiver that takes all samples as a whole.
struct Whole<F>(F);

impl<F: FnMut(&Sample<'_>)> SampleSink for Whole<F> {
    #[inline]
    fn sample(&mut self, sample: &Sample<'_>) {
        (self.0)(sample);
    }
}

/// Decodes records into samples for the sink.
struct Decoder<'a, S> {
    table: &'a EventTable,
    deferred: &'a [Arc<DeferredChains>],
    /// Entries of big-endian files, converted to little-endian.
    entries: &'a mut Vec<u8>,
    last_event: LastEvent,
    /// Layout of the latest sample, if the sink may want only the addresses of samples like it.
    addresses: Option<AddressLayout>,
    stats: ChunkStats,
    sink: S,
}

impl<S: SampleSink> Decoder<'_, S> {
    /// Lets the sink take samples at the beginning of `bytes`, which begins with this header, in the short form.
    /// Returns the number of bytes of the samples that the sink took.
    #[inline]
    fn visit_addresses(&mut self, position: u64, header: RecordHeader, bytes: &[u8]) -> usize {
        let Some(layout) = self.addresses.as_ref().filter(|layout| layout.header == header) else {
            return 0;
        };
        let taken = layout.pass(bytes, position, self.table.order, &mut self.sink);
        self.stats.samples += taken;
        usize::from(header.size) * taken as usize
    }

    #[inline]
    fn visit(&mut self, position: u64, header: RecordHeader, record: &[u8]) {
        if header.record_type != record_type::SAMPLE {
            return;
        }
        let Some((event, layout)) = self.table.of_sample(record, &mut self.last_event) else {
            self.stats.unknown_event += 1;
            return;
        };
        if self.sink.takes_addresses(event) {
            let (id_at, timed) = (self.table.telling_id_at(), self.table.timed);
            self.addresses = AddressLayout::of(header, record, layout, id_at, timed, self.table.order);
        }
        match Sample::decode(record, header, event, layout, self.table.order, self.entries) {
            Some(mut sample) => {
                sample.moment = match (self.table.timed, layout.time) {
                    (false, _) => Moment(position),
                    (true, Some(_)) => Moment(sample.time),
                    // The event has no times and the recording has, so the sample uses the final state of the address
                    // spaces.
                    (true, None) => Moment::END,
                };
                self.stats.samples += 1;
                if let Some(cookie) = sample.call_chain.cookie() {
                    let mut found = self
                        .deferred
                        .iter()
                        .filter_map(|chains| chains.find(sample.tid, cookie));
                    sample.call_chain = match found.next() {
                        Some(later) => sample.call_chain.joined(later),
                        None => {
                            self.stats.incomplete_call_chains += 1;
                            sample.call_chain.cut(sample.ip.0)
                        }
                    };
                }
                self.sink.sample(&sample);
            }
            None => self.stats.malformed += 1,
        }
    }
}
