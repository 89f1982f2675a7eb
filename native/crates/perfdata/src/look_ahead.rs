//! Reads one segment ahead of the segment that is handed out.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::deferred_chains::DeferredChains;
use crate::error::Error;
use crate::event_table::EventTable;
use crate::recording::Recording;
use crate::segment::Segment;

/// A source that can be read segment by segment.
pub(crate) trait ReadSegment {
    /// Reads the next segment, with the side records that it holds. Returns `None` at the end.
    fn read_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error>;
}

/// Hands a segment out only when the next one has been read. Records of different CPUs are in order only within a
/// round of perf's buffers, so the next segment may hold maps that the samples of this one need.
#[derive(Debug)]
pub(crate) struct LookAhead<R> {
    pub(crate) reader: R,
    held: Option<Segment>,
    /// The event table of the first segment. It is kept, so that the recording cannot change it in place.
    first_table: Option<Arc<EventTable>>,
    /// User parts of call chains: of the segment that was handed out last, of the one to hand out, and of the one that
    /// is held.
    deferred: [Arc<DeferredChains>; 3],
}

impl<R: ReadSegment> LookAhead<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            held: None,
            first_table: None,
            deferred: Default::default(),
        }
    }

    /// Returns the next segment, with the side records of the segment after it.
    pub(crate) fn next_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        if self.held.is_none() {
            self.read_on(recording, cancel)?;
        }
        let Some(mut segment) = self.held.take() else {
            return Ok(None);
        };
        self.read_on(recording, cancel)?;
        if let Some(following) = &mut self.held {
            segment.side_records.append(&mut following.side_records);
        }
        segment.deferred = self
            .deferred
            .iter()
            .filter(|chains| !chains.is_empty())
            .cloned()
            .collect();
        segment.table = recording.table();
        let first = self.first_table.get_or_insert_with(|| Arc::clone(&segment.table));
        segment.events_changed = !Arc::ptr_eq(first, &segment.table);
        Ok(Some(segment))
    }

    /// Reads another segment, which is held until the next call.
    fn read_on(&mut self, recording: &mut Recording, cancel: Option<&AtomicBool>) -> Result<(), Error> {
        self.held = self.reader.read_segment(recording, cancel)?;
        self.deferred.rotate_left(1);
        self.deferred[2] = recording.take_deferred();
        Ok(())
    }
}
