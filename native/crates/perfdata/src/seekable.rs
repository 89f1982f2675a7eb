//! Files and directories: everything but the samples is read first, from all files, before any sample is handed out.
//!
//! Records are ordered only within one CPU's buffer, and maps may be written after the samples they explain
//! (`perf record --tail-synthesize`), so samples can be placed only once all maps are known. Compressed
//! parts are therefore decompressed twice: keeping what comes out would take memory that grows with the file.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::byte_order::ByteOrder;
use crate::chunks::ChunkCutter;
use crate::error::Error;
use crate::record_stream::{Progress, RecordStream};
use crate::recording::Recording;
use crate::scan::scan;
use crate::segment::{Chunk, SEGMENT_SIZE, Segment, SegmentBytes, position_base};
use crate::side_record::SideRecord;
use crate::source::{Source, SourceReader};
use crate::stats::{Damage, DamageKind, RecordStats};

/// The records of one file.
#[derive(Debug)]
pub(crate) struct FilePart {
    pub(crate) source: Arc<Source>,
    pub(crate) range: Range<u64>,
    /// What the header says is missing.
    pub(crate) damage: Option<Damage>,
}

/// Files whose samples are still to be handed out.
#[derive(Debug)]
pub(crate) struct Seekable {
    unscanned: Vec<FilePart>,
    compressed: VecDeque<CompressedPart>,
}

/// Compressed records, all but whose samples have been read.
#[derive(Debug)]
struct CompressedPart {
    source: Arc<Source>,
    range: Range<u64>,
    /// Position of the next record.
    position: u64,
    /// Opened when it is this part's turn, so that many files do not take memory at once.
    stream: Option<RecordStream>,
}

impl Seekable {
    pub(crate) fn new(files: Vec<FilePart>) -> Self {
        Self {
            unscanned: files,
            compressed: VecDeque::new(),
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
            if let Some(segment) = part.next_segment(recording, cancel)? {
                return Ok(Some(segment));
            }
            self.compressed.pop_front();
        }
        Ok(None)
    }

    /// Reads all but the samples of all files.
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
        for (index, FilePart { source, range, damage }) in files.into_iter().enumerate() {
            let base = position_base(index);
            let mut scan = scan(&source, range.clone(), base, recording, cancel)?;
            chunks.extend(scan.chunks.into_iter().map(|range| Chunk { file: index, range }));
            side_records.append(&mut scan.side_records);
            if let Some(start) = scan.compressed_from {
                recording.metadata.compressed = true;
                let part = CompressedPart {
                    source: Arc::clone(&source),
                    range: start..range.end,
                    position: base + start,
                    stream: None,
                };
                part.survey(recording, cancel, &mut scan.stats, &mut side_records)?;
                self.compressed.push_back(part);
            }
            // That perf was killed says more than where the records stop.
            let never_finished = damage.filter(|damage| damage.kind == DamageKind::NotFinished);
            if scan.stats.damage.is_none() || never_finished.is_some() {
                scan.stats.damage = damage;
            }
            stats.add(&scan.stats);
            sources.push(source);
        }
        Ok(Segment {
            bytes: SegmentBytes::Files(sources),
            chunks,
            table: recording.table(),
            side_records,
            stats,
        })
    }
}

impl CompressedPart {
    fn open(&self, order: ByteOrder) -> RecordStream {
        let reader = SourceReader {
            source: Arc::clone(&self.source),
            range: self.range.clone(),
        };
        let Range { start, end } = self.range;
        RecordStream::new(
            Box::new(reader),
            end - start,
            self.source.name().to_owned(),
            order,
            start,
        )
    }

    /// Reads all but the samples.
    fn survey(
        &self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
        stats: &mut RecordStats,
        side_records: &mut Vec<SideRecord>,
    ) -> Result<(), Error> {
        let mut stream = self.open(recording.order());
        let mut position = self.position;
        loop {
            let progress = stream.advance(cancel, |header, record| {
                stats.count_record(header);
                stats.bytes += record.len() as u64;
                if Recording::wants(header) {
                    recording.absorb(position, header, record, stats, side_records);
                }
                position += record.len() as u64;
            })?;
            if let Progress::End(damage) = progress {
                stats.damage = stats.damage.or(damage);
                return Ok(());
            }
        }
    }

    /// The next samples; what stands between them was read before.
    fn next_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.open(recording.order()),
        };
        let mut bytes = Vec::new();
        let mut chunks = ChunkCutter::default();
        let mut progress = Progress::More;
        while progress == Progress::More && bytes.len() < SEGMENT_SIZE {
            progress = stream.advance(cancel, |_, record| {
                chunks.add(bytes.len() as u64, record.len() as u64);
                bytes.extend_from_slice(record);
            })?;
        }
        self.stream = Some(stream);
        if bytes.is_empty() {
            return Ok(None);
        }
        let position = self.position;
        self.position += bytes.len() as u64;
        Ok(Some(Segment::in_memory(bytes, chunks, position, recording.table())))
    }
}
