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
    stream: RecordStream,
    /// Position of the next record.
    position: u64,
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
                let rest = start..range.end;
                let position = base + start;
                let stream = || compressed_stream(&source, rest.clone(), recording.order());
                self.compressed.push_back(CompressedPart {
                    stream: stream(),
                    position,
                });
                let survey = stream();
                survey_compressed(survey, position, recording, cancel, &mut scan.stats, &mut side_records)?;
            }
            // That perf was killed says more than where the records stop.
            if scan.stats.damage.is_none()
                || matches!(
                    damage,
                    Some(Damage {
                        kind: DamageKind::NotFinished,
                        ..
                    })
                )
            {
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

fn compressed_stream(source: &Arc<Source>, range: Range<u64>, order: ByteOrder) -> RecordStream {
    let (offset, len) = (range.start, range.end - range.start);
    let name = source.name().to_owned();
    let reader = SourceReader {
        source: Arc::clone(source),
        range,
    };
    RecordStream::new(Box::new(reader), len, name, order, offset)
}

/// Reads all but the samples of a compressed part.
fn survey_compressed(
    mut stream: RecordStream,
    mut position: u64,
    recording: &mut Recording,
    cancel: Option<&AtomicBool>,
    stats: &mut RecordStats,
    side_records: &mut Vec<SideRecord>,
) -> Result<(), Error> {
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
            if stats.damage.is_none() {
                stats.damage = damage;
            }
            return Ok(());
        }
    }
}

impl CompressedPart {
    /// The next samples; what stands between them was read before.
    fn next_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        let mut bytes = Vec::new();
        let mut chunks = ChunkCutter::default();
        let mut progress = Progress::More;
        while progress == Progress::More && bytes.len() < SEGMENT_SIZE {
            progress = self.stream.advance(cancel, |_, record| {
                chunks.add(bytes.len() as u64, record.len() as u64);
                bytes.extend_from_slice(record);
            })?;
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let position_base = self.position;
        self.position += bytes.len() as u64;
        Ok(Some(Segment::in_memory(
            bytes,
            chunks,
            position_base,
            recording.table(),
        )))
    }
}
