//! An opened recording.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Lookalike};
use crate::file_container::{DataSection, open_file};
use crate::header::Magic;
use crate::metadata::Metadata;
use crate::recording::Recording;
use crate::scan::scan;
use crate::segment::{Segment, SegmentBytes};
use crate::source::Source;
use crate::stats::{Damage, DamageKind};

/// A recording that is being read: a file, a directory or a stream.
#[derive(Debug)]
pub struct PerfData {
    recording: Recording,
    parts: VecDeque<Part>,
    /// Bytes of the parts that have been read, so that positions go on from part to part.
    position_base: u64,
    cancel: Option<Arc<AtomicBool>>,
}

/// What is still to be read.
#[derive(Debug)]
enum Part {
    File {
        source: Arc<Source>,
        range: Range<u64>,
        damage: Option<Damage>,
    },
}

impl PerfData {
    /// Opens a file, a FIFO, or a directory that `perf record --threads` or `--kcore` wrote.
    ///
    /// # Errors
    /// If it cannot be read or is not perf.data.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let io_error = |source| Error::Io {
            name: name.clone(),
            source,
        };
        let file = File::open(path).map_err(io_error)?;
        let source = Arc::new(Source::new(file, name.clone())?);
        let mut start = [0; 24];
        let start = &mut start[..source.size().min(24) as usize];
        source.read_exact_at(start, 0)?;
        let Some(magic) = Magic::parse(start) else {
            return Err(Error::NotPerfData {
                name,
                found: Lookalike::of(start),
            });
        };
        let mut recording = Recording::new(magic.order, magic.pipe);
        let DataSection { range, damage } = open_file(&source, &mut recording)?;
        let parts = VecDeque::from([Part::File { source, range, damage }]);
        Ok(Self {
            recording,
            parts,
            position_base: 0,
            cancel: None,
        })
    }

    /// Reads a stream; `name` is for messages.
    ///
    /// # Errors
    /// If its beginning cannot be read or is not perf.data.
    pub fn from_reader(reader: Box<dyn Read + Send>, name: &str) -> Result<Self, Error> {
        drop(reader);
        Err(Error::NotPerfData {
            name: name.to_owned(),
            found: Lookalike::Empty,
        })
    }

    /// What the recording says about itself; of a stream, what has been read so far.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.recording.metadata
    }

    /// Makes [`PerfData::next_segment`] end with [`Error::Cancelled`] soon after `flag` is set.
    pub fn set_cancel(&mut self, flag: Arc<AtomicBool>) {
        self.cancel = Some(flag);
    }

    /// Reads the next stretch of the input; `None` at its end.
    ///
    /// # Errors
    /// If reading fails or is cancelled. Damage is no error: it ends the segment and stands in its statistics.
    pub fn next_segment(&mut self) -> Result<Option<Segment>, Error> {
        check_cancelled(self.cancel.as_deref())?;
        let Some(part) = self.parts.pop_front() else {
            return Ok(None);
        };
        match part {
            Part::File { source, range, damage } => self.file_segment(source, range, damage).map(Some),
        }
    }

    fn file_segment(
        &mut self,
        source: Arc<Source>,
        range: Range<u64>,
        damage: Option<Damage>,
    ) -> Result<Segment, Error> {
        let position_base = self.position_base;
        let mut scan = scan(
            &source,
            range.clone(),
            position_base,
            &mut self.recording,
            self.cancel.as_deref(),
        )?;
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
        self.position_base += source.size();
        Ok(Segment {
            bytes: SegmentBytes::File(source),
            chunks: scan.chunks,
            position_base,
            table: self.recording.table(),
            side_records: scan.side_records,
            stats: scan.stats,
        })
    }
}

/// Ends work that nobody waits for any more.
pub(crate) fn check_cancelled(cancel: Option<&AtomicBool>) -> Result<(), Error> {
    match cancel {
        Some(flag) if flag.load(Ordering::Relaxed) => Err(Error::Cancelled),
        _ => Ok(()),
    }
}
