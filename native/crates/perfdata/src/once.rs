//! Reads a file once, as if it came through a pipe, but on all cores: records are handed out while they are in memory.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::buffer::SpareMemory;
use crate::error::Error;
use crate::look_ahead::ReadSegment;
use crate::record_stream::{Progress, RecordStream};
use crate::recording::Recording;
use crate::scan::{ScanEnd, Scanner, Wave};
use crate::seekable::FilePart;
use crate::segment::{Chunk, Segment, SegmentBytes};
use crate::stats::DamageKind;
use crate::trace::{TraceBytes, Wanted};

/// The records of a file that have not been read.
#[derive(Debug)]
pub(crate) struct Once {
    part: FilePart,
    scanner: Scanner,
    /// The compressed records, after the first of them was reached, and the position of the next record.
    compressed: Option<(RecordStream, u64)>,
    state: State,
    spare: SpareMemory,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    New,
    Reading,
    Ended,
}

impl Once {
    pub(crate) fn new(part: FilePart) -> Self {
        Self {
            scanner: Scanner::new(Arc::clone(&part.source), part.range.clone(), 0),
            part,
            compressed: None,
            state: State::New,
            spare: SpareMemory::default(),
        }
    }

    /// Returns the number of bytes of records in the file.
    pub(crate) fn size(&self) -> u64 {
        self.part.range.end - self.part.range.start
    }

    /// Takes back the memory of a segment.
    pub(crate) fn reuse(&mut self, segment: Segment) {
        if let SegmentBytes::Memory(buffers) = segment.bytes {
            self.spare.give(buffers);
        }
    }

    fn read_plain(&mut self, recording: &mut Recording, cancel: Option<&AtomicBool>) -> Result<Option<Segment>, Error> {
        let Some(wave) = self.scanner.next_wave(recording, &mut self.spare, cancel)? else {
            return Ok(None);
        };
        let Wave {
            buffers,
            chunks,
            side_records,
            stats,
        } = wave;
        Ok(Some(Segment {
            bytes: SegmentBytes::Memory(buffers),
            chunks: chunks.into_iter().map(|(file, range)| Chunk { file, range }).collect(),
            side_records,
            stats,
            ..Segment::empty(recording.table())
        }))
    }

    fn read_compressed(
        &mut self,
        start: u64,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        let (stream, position) = match &mut self.compressed {
            Some(compressed) => compressed,
            unopened => {
                recording.metadata.compressed = true;
                unopened.insert((self.part.stream(start, recording.order()), start))
            }
        };
        let (segment, progress) = stream.read_segment(*position, self.spare.take(), recording, cancel)?;
        *position += segment.stats.bytes;
        if let Progress::End(_) = progress {
            self.state = State::Ended;
        }
        Ok(Some(segment))
    }
}

impl ReadSegment for Once {
    fn read_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        if self.state == State::Ended {
            let source = std::slice::from_ref(&self.part.source);
            return recording.take_trace(TraceBytes::Files(source), Wanted::All);
        }
        let segment = match self.scanner.end() {
            None => self.read_plain(recording, cancel)?,
            Some(ScanEnd::Compressed(start)) => self.read_compressed(start, recording, cancel)?,
            Some(ScanEnd::Done) => None,
        };
        let is_first = self.state == State::New;
        if is_first {
            self.state = State::Reading;
        }
        if matches!(self.scanner.end(), Some(ScanEnd::Done)) {
            self.state = State::Ended;
        }
        let mut segment = match segment {
            // Even an empty file has one segment, because the segment holds the statistics and the damage.
            None if is_first => Segment::empty(recording.table()),
            None => return Ok(None),
            Some(segment) => segment,
        };
        // The fact that perf was killed tells more than the place where the records stop.
        let never_finished = self.part.damage.filter(|damage| damage.kind == DamageKind::NotFinished);
        if is_first && never_finished.is_some() {
            segment.stats.damage = never_finished;
        } else if self.state == State::Ended {
            segment.stats.damage = segment.stats.damage.or(self.part.damage);
        }
        Ok(Some(segment))
    }
}
