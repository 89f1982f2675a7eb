//! Streams that can be read only once: the output of `perf record -o -`, or a file that comes through a pipe.

use std::io::Read;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::error::Error;
use crate::file_container;
use crate::header::FileHeader;
use crate::look_ahead::ReadSegment;
use crate::record_stream::{Progress, RecordStream};
use crate::recording::Recording;
use crate::segment::Segment;
use crate::source::Source;
use crate::spool::Spool;
use crate::stats::{Damage, DamageKind, RecordStats};
use crate::trace::{TraceBytes, Wanted};

/// A stream, and the segments that were read ahead.
#[derive(Debug)]
pub(crate) struct Pipe {
    /// The stream. `None` after it has ended.
    stream: Option<RecordStream>,
    position: u64,
    file: Option<FileInPipe>,
    /// The copied trace data, after the stream has ended.
    trace: Spool,
}

/// The header of a file that comes through a pipe. Its features follow the records.
#[derive(Debug)]
pub(crate) struct FileInPipe {
    pub(crate) name: String,
    pub(crate) header: FileHeader,
}

impl Pipe {
    pub(crate) fn new(stream: RecordStream, file: Option<FileInPipe>) -> Self {
        Self {
            // The features of a file, which follow the records, have the build ids.
            stream: Some(stream.spooling(file.is_none())),
            position: 0,
            file,
            trace: Spool::default(),
        }
    }

    /// Ends segments after `patience`, even if they are not full.
    pub(crate) fn set_patience(&mut self, patience: Duration) -> Result<(), Error> {
        match &mut self.stream {
            // The stream of a file ends by itself.
            Some(stream) if self.file.is_some() => stream.set_patience(patience),
            Some(stream) => stream.set_patience_with_input(patience)?,
            None => {}
        }
        Ok(())
    }

    /// Returns true if the stream ends when it is cancelled, and hands out what was read.
    pub(crate) fn is_kept_when_cancelled(&self) -> bool {
        self.stream.as_ref().is_some_and(RecordStream::ends_when_cancelled)
    }

    /// Ends the records. For a file, reads the features, which follow the records.
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
        let io_error = |error| Error::of_read(error, &name);
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

impl ReadSegment for Pipe {
    fn read_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        let Some(stream) = &mut self.stream else {
            let segment = recording.take_trace(TraceBytes::Copied(&self.trace), Wanted::All)?;
            self.trace
                .forget_before(recording.first_trace_byte().unwrap_or(u64::MAX));
            return Ok(segment);
        };
        if let Some(segment) = stream.ripe_trace(recording)? {
            return Ok(Some(segment));
        }
        let (mut segment, progress) = stream.read_segment(self.position, Vec::new(), recording, cancel)?;
        recording.metadata.compressed |= stream.is_compressed();
        self.position += segment.stats.bytes;
        if let Progress::End(_) = progress {
            self.trace = stream.take_spool();
            self.trace.end_part()?;
            self.end(recording, &mut segment.stats)?;
        }
        Ok(Some(segment))
    }
}
