//! Tells the event that a record belongs to, and the layout of the event's samples.

use std::collections::HashMap;

use crate::attr::{EventAttr, sample_type};
use crate::byte_order::ByteOrder;
use crate::record::HEADER_SIZE;
use crate::sample_layout::SampleLayout;

/// Everything that is needed to decode records, made from the attrs known so far.
#[derive(Debug, Clone)]
pub(crate) struct EventTable {
    pub(crate) order: ByteOrder,
    layouts: Vec<SampleLayout>,
    // Index of the event by counter id. The standard hasher has a random key, so a file cannot be made to collide.
    by_id: HashMap<u64, u16>,
    /// Offset of the event's id in a SAMPLE record, in bytes from the start of the record.
    sample_id_at: Option<usize>,
    /// Offset of the event's id in other records, in bytes from the end of the record.
    other_id_from_end: Option<usize>,
    /// True if every record has a time, so that times order the changes of address spaces.
    pub(crate) timed: bool,
}

impl EventTable {
    pub(crate) fn new(order: ByteOrder) -> Self {
        Self {
            order,
            layouts: Vec::new(),
            by_id: HashMap::new(),
            sample_id_at: None,
            other_id_from_end: None,
            timed: false,
        }
    }

    /// Adds the next event. The first event decides where records have their ids, and whether they have times. No
    /// reader can read a file whose events disagree about that.
    pub(crate) fn add(&mut self, attr: &EventAttr) {
        let Ok(event) = u16::try_from(self.layouts.len()) else {
            return;
        };
        if event == 0 {
            self.sample_id_at = sample_id_at(attr.sample_type);
            self.other_id_from_end = attr
                .sample_id_all()
                .then(|| other_id_from_end(attr.sample_type))
                .flatten();
            self.timed = attr.sample_id_all() && attr.sample_type & sample_type::TIME != 0;
        }
        self.layouts.push(SampleLayout::of(attr));
        self.add_ids(event, &attr.ids);
    }

    /// Adds ids of an event that the file stores apart from the attr.
    pub(crate) fn add_ids(&mut self, event: u16, ids: &[u64]) {
        self.by_id.extend(ids.iter().map(|&id| (id, event)));
    }

    /// Returns the index of the event with this counter id.
    pub(crate) fn event_of_id(&self, id: u64) -> Option<u16> {
        self.by_id.get(&id).copied()
    }

    /// Returns the offset in samples of the id that tells their event. Returns `None` if all samples belong to one
    /// event.
    #[inline]
    pub(crate) fn telling_id_at(&self) -> Option<usize> {
        self.sample_id_at.filter(|_| self.layouts.len() > 1)
    }

    /// Returns the event that a SAMPLE belongs to and the layout of its fields. Returns `None` if no event has its id.
    #[inline]
    pub(crate) fn of_sample(&self, record: &[u8], last: &mut LastEvent) -> Option<(u16, &SampleLayout)> {
        let event = match self.telling_id_at() {
            Some(at) => {
                let id = self.order.u64(record, at)?;
                if id == last.id {
                    last.event
                } else {
                    let event = self.lookup(id)?;
                    *last = LastEvent { id, event };
                    event
                }
            }
            None => 0,
        };
        self.layouts.get(usize::from(event)).map(|layout| (event, layout))
    }

    /// Returns the layout that tells where a record other than a sample has its trailer. The events of one recording
    /// agree on that, so the first event serves for unknown ids.
    pub(crate) fn of_other(&self, record: &[u8]) -> Option<&SampleLayout> {
        let id = self.other_id_from_end.and_then(|from_end| {
            let at = record.len().checked_sub(from_end).filter(|&at| at >= HEADER_SIZE)?;
            self.order.u64(record, at)
        });
        let event = id.and_then(|id| self.lookup(id)).unwrap_or(0);
        self.layouts.get(usize::from(event))
    }

    /// Records that perf synthesizes have the id 0 and belong to the first event. If there are no ids at all, all
    /// records belong to the first event.
    fn lookup(&self, id: u64) -> Option<u16> {
        if id == 0 || self.by_id.is_empty() {
            Some(0)
        } else {
            self.event_of_id(id)
        }
    }
}

/// The event of the latest sample. Further samples of the same event need no look-up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastEvent {
    id: u64,
    event: u16,
}

impl LastEvent {
    /// Id 0 always belongs to the first event.
    pub(crate) const NONE: Self = Self { id: 0, event: 0 };
}

/// Returns the offset of the id in samples (perf: evsel__calc_id_pos).
fn sample_id_at(fields: u64) -> Option<usize> {
    if fields & sample_type::IDENTIFIER != 0 {
        return Some(HEADER_SIZE);
    }
    if fields & sample_type::ID == 0 {
        return None;
    }
    let before = fields & (sample_type::IP | sample_type::TID | sample_type::TIME | sample_type::ADDR);
    Some(HEADER_SIZE + 8 * before.count_ones() as usize)
}

/// Returns the offset of the id from the end of other records (perf: evsel__calc_is_pos).
fn other_id_from_end(fields: u64) -> Option<usize> {
    if fields & sample_type::IDENTIFIER != 0 {
        return Some(8);
    }
    if fields & sample_type::ID == 0 {
        return None;
    }
    Some(8 + 8 * (fields & (sample_type::CPU | sample_type::STREAM_ID)).count_ones() as usize)
}
