//! Streams that can be read once only: `perf record -o - |`, or a file that comes through a pipe.

use std::io::Read;
use std::sync::atomic::AtomicBool;

use crate::chunks::ChunkCutter;
use crate::error::Error;
use crate::file_container;
use crate::header::FileHeader;
use crate::record_stream::{Progress, RecordStream};
use crate::recording::Recording;
use crate::segment::{SEGMENT_SIZE, Segment};
use crate::source::Source;
use crate::stats::{Damage, DamageKind, RecordStats};

/// A stream, and what of it was read ahead.
#[derive(Debug)]
pub(crate) struct Pipe {
    /// `None` once it has ended.
    stream: Option<RecordStream>,
    position: u64,
    /// Read, but not handed out: records of different CPUs are in order only within a round of perf's buffers, so
    /// the next segment may hold maps that this one's samples need.
    held: Option<Segment>,
    file: Option<FileInPipe>,
}

/// What to do at the end of the records of a file that comes through a pipe.
#[derive(Debug)]
pub(crate) struct FileInPipe {
    pub(crate) name: String,
    pub(crate) header: FileHeader,
}

impl Pipe {
    pub(crate) fn new(stream: RecordStream, file: Option<FileInPipe>) -> Self {
        Self {
            stream: Some(stream),
            position: 0,
            held: None,
            file,
        }
    }

    pub(crate) fn next_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        if self.held.is_none() {
            self.held = self.read_segment(recording, cancel)?;
        }
        let Some(mut segment) = self.held.take() else {
            return Ok(None);
        };
        self.held = self.read_segment(recording, cancel)?;
        if let Some(following) = &mut self.held {
            segment.side_records.append(&mut following.side_records);
        }
        segment.table = recording.table();
        Ok(Some(segment))
    }

    fn read_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        let Some(stream) = &mut self.stream else {
            return Ok(None);
        };
        let first = self.position;
        let mut bytes = Vec::new();
        let mut chunks = ChunkCutter::default();
        let mut stats = RecordStats::default();
        let mut side_records = Vec::new();
        let mut progress = Progress::More;
        while progress == Progress::More && bytes.len() < SEGMENT_SIZE {
            progress = stream.advance(cancel, |header, record| {
                stats.count_record(header);
                if Recording::wants(header) {
                    recording.absorb(
                        first + bytes.len() as u64,
                        header,
                        record,
                        &mut stats,
                        &mut side_records,
                    );
                }
                chunks.add(bytes.len() as u64, record.len() as u64);
                bytes.extend_from_slice(record);
            })?;
        }
        recording.metadata.compressed |= stream.is_compressed();
        if let Progress::End(damage) = progress {
            stats.damage = damage;
            self.end(recording, &mut stats)?;
        }
        self.position += bytes.len() as u64;
        stats.bytes = bytes.len() as u64;
        let mut segment = Segment::in_memory(bytes, chunks, first, recording.table());
        segment.side_records = side_records;
        segment.stats = stats;
        Ok(Some(segment))
    }

    /// The records have ended; of a file, the features follow.
    fn end(&mut self, recording: &mut Recording, stats: &mut RecordStats) -> Result<(), Error> {
        let Some(stream) = self.stream.take() else {
            return Ok(());
        };
        let Some(FileInPipe { name, header }) = self.file.take() else {
            return Ok(());
        };
        let data = header.data;
        if data.size == 0 {
            stats.damage = Some(Damage {
                offset: data.offset,
                kind: DamageKind::NotFinished,
            });
            return Ok(());
        }
        let io_error = |source| Error::Io {
            name: name.clone(),
            source,
        };
        let (missing, input) = stream.into_rest().map_err(io_error)?;
        if missing > 0 && stats.damage.is_none() {
            let offset = data.end().saturating_sub(missing);
            stats.damage = Some(Damage {
                offset,
                kind: DamageKind::FileCutOff { missing },
            });
        }
        let mut rest = Vec::new();
        input
            .take(file_container::MAX_FEATURE_BYTES)
            .read_to_end(&mut rest)
            .map_err(io_error)?;
        if missing == 0 {
            let source = Source::memory(data.end(), rest, name);
            let damage = file_container::read_features(&source, &header, recording)?;
            stats.damage = stats.damage.or(damage);
        }
        Ok(())
    }
}
