//! Reading one segment ahead of the one that is handed out.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::error::Error;
use crate::event_table::EventTable;
use crate::recording::Recording;
use crate::segment::Segment;

/// What can be read segment by segment.
pub(crate) trait ReadSegment {
    /// The next segment, with the side records that it holds itself; `None` at the end.
    fn read_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error>;
}

/// Hands a segment out only when the next has been read: records of different CPUs are in order only within a round of
/// perf's buffers, so the next segment may hold maps that this one's samples need.
#[derive(Debug)]
pub(crate) struct LookAhead<R> {
    pub(crate) reader: R,
    held: Option<Segment>,
    /// What the first segment was decoded with. Kept, so that the recording cannot change it in place.
    first_table: Option<Arc<EventTable>>,
}

impl<R: ReadSegment> LookAhead<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            held: None,
            first_table: None,
        }
    }

    /// The next segment, with the side records of the one after it.
    pub(crate) fn next_segment(
        &mut self,
        recording: &mut Recording,
        cancel: Option<&AtomicBool>,
    ) -> Result<Option<Segment>, Error> {
        if self.held.is_none() {
            self.held = self.reader.read_segment(recording, cancel)?;
        }
        let Some(mut segment) = self.held.take() else {
            return Ok(None);
        };
        self.held = self.reader.read_segment(recording, cancel)?;
        if let Some(following) = &mut self.held {
            segment.side_records.append(&mut following.side_records);
        }
        segment.table = recording.table();
        let first = self.first_table.get_or_insert_with(|| Arc::clone(&segment.table));
        segment.events_changed = !Arc::ptr_eq(first, &segment.table);
        Ok(Some(segment))
    }
}
