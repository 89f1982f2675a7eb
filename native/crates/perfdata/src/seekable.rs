//! Reads files and directories. Everything except the samples is read first, from all files, before any sample is
//! handed out.
//!
//! Records are ordered only within the buffer of one CPU, and maps may be written after the samples that need them
//! (`perf record --tail-synthesize`). So samples can be placed only after all maps are known. Compressed parts are
//! therefore decompressed twice: keeping the decompressed bytes would take memory that grows with the file.
//! [`crate::once`] is faster. It is for callers that notice when a record came too late, and then read the file this
//! way.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::buffer::{SEGMENT_SIZE, SpareMemory};
use crate::byte_order::ByteOrder;
use crate::chunks::ChunkCutter;
use crate::deferred_chains::DeferredChains;
use crate::error::Error;
use crate::record::record_type;
use crate::record_stream::{Progress, RecordStream};
use crate::recording::Recording;
use crate::scan::{ScanEnd, Scanner};
use crate::segment::{Chunk, Segment, SegmentBytes, file_of, position_base};
use crate::side_record::SideRecord;
use crate::source::{Source, SourceReader};
use crate::stats::{Damage, DamageKind, RecordStats};
use crate::trace::{PayloadPlace, TraceBytes, Wanted};

/// The records of one file.
#[derive(Debug, Clone)]
pub(crate) struct FilePart {
    pub(crate) source: Arc<Source>,
    pub(crate) range: Range<u64>,
    /// The reason why records are missing, as the header shows. `None` if nothing is missing.
    pub(crate) damage: Option<Damage>,
}

/// Files whose samples are still to be handed out.
#[derive(Debug)]
pub(crate) struct Seekable {
    unscanned: Vec<FilePart>,
    compressed: VecDeque<CompressedPart>,
    sources: Vec<Arc<Source>>,
    /// User parts of the call chains of all files, after the files have been scanned.
    deferred: Arc<DeferredChains>,
}

/// Compressed records, whose samples are still to be read.
#[derive(Debug)]
struct CompressedPart {
    part: FilePart,
    /// Offset in the file of the first compressed record.
    start: u64,
    /// Position of the next record.
    position: u64,
    /// The stream of the records. It is opened when these records are next, so that many files do not take memory at
    /// once.
    stream: Option<RecordStream>,
}

impl Seekable {
    pub(crate) fn new(files: Vec<FilePart>) -> Self {
        Self {
            unscanned: files,
            compressed: VecDeque::new(),
            sources: Vec::new(),
            deferred: Arc::default(),
        }
    }

    /// Returns the number of bytes of records in all files, or `None` after the files have been scanned.
    pub(crate) fn size(&self) -> Option<u64> {
        let sizes = self.unscanned.iter().map(|part| part.range.end - part.range.start);
        (!self.unscanned.is_empty()).then(|| sizes.sum())
    }

    /// Takes the records of the only file. Returns `None` if there are several files, or if the file was scanned.
    pub(crate) fn take_single(&mut self) -> Option<FilePart> {
        if self.unscanned.len() == 1 {
            self.unscanned.pop()
        } else {
            None
        }
    }

    pub(crate) fn next_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        if !self.unscanned.is_empty() {
            let files = std::mem::take(&mut self.unscanned);
            return self.scan_all(files, recording, cancel).map(Some);
        }
        while let Some(part) = self.compressed.front_mut() {
            if let Some(mut segment) = part.next_segment(recording, cancel)? {
                segment.deferred = vec![Arc::clone(&self.deferred)];
                return Ok(Some(segment));
            }
            self.compressed.pop_front();
        }
        recording.take_trace(TraceBytes::Files(&self.sources), Wanted::All)
    }

    /// Reads everything except the samples from all files.
    fn scan_all(
        &mut self,
        files: Vec<FilePart>,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Segment, Error> {
        let mut chunks = Vec::new();
        let mut side_records = Vec::new();
        let mut stats = RecordStats::default();
        let mut sources = Vec::new();
        let mut spare = SpareMemory::default();
        for (index, part) in files.into_iter().enumerate() {
            let base = position_base(index);
            let mut scanner = Scanner::new(Arc::clone(&part.source), part.range.clone(), base);
            let mut found = RecordStats::default();
            while let Some(wave) = scanner.next_wave(recording, &mut spare, cancel)? {
                chunks.extend(wave.chunks.into_iter().map(|(_, range)| Chunk { file: index, range }));
                side_records.extend(wave.side_records);
                found.add(&wave.stats);
                spare.give(wave.buffers);
            }
            if let Some(ScanEnd::Compressed(start)) = scanner.end() {
                recording.metadata.compressed = true;
                let compressed = CompressedPart {
                    part: part.clone(),
                    start,
                    position: base + start,
                    stream: None,
                };
                compressed.survey(recording, cancel, &mut found, &mut side_records)?;
                self.compressed.push_back(compressed);
            }
            // The fact that perf was killed tells more than the place where the records stop.
            let never_finished = part.damage.filter(|damage| damage.kind == DamageKind::NotFinished);
            if found.damage.is_none() || never_finished.is_some() {
                found.damage = part.damage;
            }
            stats.add(&found);
            sources.push(part.source);
        }
        self.sources.clone_from(&sources);
        self.deferred = recording.take_deferred();
        Ok(Segment {
            bytes: SegmentBytes::Files(sources),
            chunks,
            side_records,
            stats,
            deferred: vec![Arc::clone(&self.deferred)],
            ..Segment::empty(recording.table())
        })
    }
}

impl FilePart {
    /// Opens the records from offset `start` on, which are compressed, as a stream.
    pub(crate) fn stream(&self, start: u64, order: ByteOrder) -> RecordStream {
        let end = self.range.end;
        let reader = SourceReader {
            source: Arc::clone(&self.source),
            range: start..end,
        };
        let name = self.source.name().to_owned();
        RecordStream::new(Box::new(reader), end - start, name, order, start)
    }
}

impl CompressedPart {
    /// Reads everything except the samples.
    fn survey(
        &self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
        stats: &mut RecordStats,
        side_records: &mut Vec<SideRecord>,
    ) -> Result<(), Error> {
        let mut stream = self.part.stream(self.start, recording.order());
        let mut buffer = stream.buffer(self.position, Vec::new());
        loop {
            let progress = stream.advance(&mut buffer, cancel, |position, header, record, behind| {
                stats.count_record(header);
                stats.bytes += record.len() as u64;
                if Recording::wants(header) {
                    recording.absorb(position, header, record, stats, side_records);
                }
                if header.record_type == record_type::AUXTRACE {
                    let place = PayloadPlace {
                        file: file_of(position).0,
                        at: behind,
                        end: self.part.range.end,
                    };
                    recording.absorb_trace(position, place, record, stats);
                }
                false
            })?;
            buffer.let_go();
            if let Progress::End(damage) = progress {
                stats.damage = stats.damage.or(damage);
                return Ok(());
            }
        }
    }

    /// Reads the next samples. The records between them were read before.
    fn next_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.part.stream(self.start, recording.order()),
        };
        let mut buffer = stream.buffer(self.position, Vec::new());
        let mut chunks = ChunkCutter::default();
        let mut progress = Progress::More;
        while progress == Progress::More && buffer.bytes().len() < SEGMENT_SIZE {
            progress = stream.advance(&mut buffer, cancel, |position, _, record, _| {
                chunks.add(position, record.len() as u64);
                false
            })?;
        }
        stream.keep_begun(&mut buffer);
        self.stream = Some(stream);
        if buffer.bytes().is_empty() {
            return Ok(None);
        }
        self.position = buffer.end();
        Ok(Some(Segment::in_memory(buffer, chunks, recording.table())))
    }
}
