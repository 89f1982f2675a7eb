//! The state that records other than samples build up: events, features, names.

use std::sync::Arc;

use crate::address::Moment;
use crate::attr::{EventAttr, MIN_ATTR_SIZE, declared_size};
use crate::build_id::BuildIdEntry;
use crate::byte_order::{ByteOrder, nul_terminated};
use crate::deferred_chains::DeferredChains;
use crate::error::Error;
use crate::event_names::EventNames;
use crate::event_table::EventTable;
use crate::feature::absorb_feature;
use crate::metadata::{Metadata, TraceFormat};
use crate::record::{HEADER_SIZE, RecordHeader, misc, record_type};
use crate::segment::Segment;
use crate::side_record::{FileNames, SideRecord, parse_change};
use crate::stats::RecordStats;
use crate::trace::{PayloadPlace, Trace, TraceBytes, TraceEvent, TraceToCome, Wanted};

/// Number of the EVENT_UPDATE kind that has a name.
const EVENT_UPDATE_NAME: u64 = 2;

/// Facts about a recording, which its records add to.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) metadata: Metadata,
    pub(crate) names: EventNames,
    /// The event table, shared with the segments that were cut while it was current.
    table: Arc<EventTable>,
    files: FileNames,
    /// Facts about a raw trace that can be decoded.
    trace: Trace,
    /// User parts of call chains that were read since they were last taken.
    deferred: DeferredChains,
}

impl Recording {
    pub(crate) fn new(order: ByteOrder, pipe: bool) -> Self {
        Self {
            metadata: Metadata::new(order, pipe),
            names: EventNames::default(),
            table: Arc::new(EventTable::new(order)),
            files: FileNames::default(),
            trace: Trace::default(),
            deferred: DeferredChains::default(),
        }
    }

    pub(crate) fn order(&self) -> ByteOrder {
        self.metadata.byte_order
    }

    pub(crate) fn add_attr(&mut self, attr: EventAttr) {
        Arc::make_mut(&mut self.table).add(&attr);
        self.metadata.attrs.push(attr);
        self.names.attr_added();
    }

    /// Returns the table of the events known now, after names and late ids were applied.
    pub(crate) fn table(&mut self) -> Arc<EventTable> {
        for index in self.names.apply(&mut self.metadata.attrs) {
            let Ok(event) = u16::try_from(index) else { break };
            Arc::make_mut(&mut self.table).add_ids(event, &self.metadata.attrs[index].ids);
        }
        Arc::clone(&self.table)
    }

    /// Returns true for the records that [`Recording::absorb`] needs. It would ignore the others.
    pub(crate) fn wants(header: RecordHeader) -> bool {
        use record_type::{
            CALLCHAIN_DEFERRED, COMM, EVENT_UPDATE, EXIT, FORK, HEADER_ATTR, HEADER_BUILD_ID, HEADER_EVENT_TYPE,
            HEADER_FEATURE, LOST, LOST_SAMPLES, MMAP, MMAP2, TEXT_POKE,
        };
        matches!(
            header.record_type,
            MMAP | MMAP2
                | COMM
                | EXIT
                | FORK
                | TEXT_POKE
                | LOST
                | LOST_SAMPLES
                | CALLCHAIN_DEFERRED
                | HEADER_ATTR
                | HEADER_EVENT_TYPE
                | HEADER_BUILD_ID
                | EVENT_UPDATE
                | HEADER_FEATURE
        ) || Trace::wants(header)
    }

    /// Reads a record other than a sample. Appends changes of address spaces to `side_records`.
    pub(crate) fn absorb(
        &mut self,
        position: u64,
        header: RecordHeader,
        record: &[u8],
        stats: &mut RecordStats,
        side_records: &mut Vec<SideRecord>,
    ) {
        let order = self.order();
        if self.has_arm_spe() {
            let trailer = self.table.of_other(record).map(|layout| layout.trailer(record, order));
            let told = trailer.and_then(|trailer| self.trace.facts.absorb(header, record, trailer, order, stats));
            if told.is_none() && Trace::wants(header) {
                stats.malformed_records += 1;
                return;
            }
        }
        match parse_change(header, record, order, &mut self.files) {
            Ok(None) => {}
            Ok(Some(change)) => {
                side_records.push(SideRecord {
                    moment: self.moment(position, record),
                    position,
                    change,
                });
                return;
            }
            Err(_) => {
                stats.malformed_records += 1;
                return;
            }
        }
        if self.absorb_other(header, record, stats).is_none() {
            stats.malformed_records += 1;
        }
    }

    fn absorb_other(&mut self, header: RecordHeader, record: &[u8], stats: &mut RecordStats) -> Option<()> {
        let order = self.order();
        match header.record_type {
            record_type::LOST => {
                stats.lost_records = stats.lost_records.saturating_add(order.u64(record, 16)?);
            }
            record_type::LOST_SAMPLES if header.misc & misc::LOST_SAMPLES_BPF == 0 => {
                stats.lost_samples = stats.lost_samples.saturating_add(order.u64(record, 8)?);
            }
            record_type::CALLCHAIN_DEFERRED => {
                let tid = self
                    .table
                    .of_other(record)
                    .map_or(-1, |layout| layout.trailer(record, order).tid);
                self.deferred.absorb(record, tid, order)?;
            }
            record_type::HEADER_ATTR => self.absorb_attr(record)?,
            // perf writes the conversion of the timer before the record that names the kind of trace.
            record_type::TIME_CONV => self.trace.facts.set_clock(record, order),
            record_type::AUXTRACE_INFO => self.metadata.trace = Some(TraceFormat::parse(record, order)?),
            record_type::HEADER_EVENT_TYPE => {
                let name = nul_terminated(record.get(16..)?);
                self.names.event_type(order.u64(record, HEADER_SIZE)?, name);
            }
            record_type::HEADER_BUILD_ID => {
                self.metadata.build_ids.push(BuildIdEntry::from_record(record, order)?);
            }
            record_type::EVENT_UPDATE if order.u64(record, HEADER_SIZE)? == EVENT_UPDATE_NAME => {
                self.names
                    .update(order.u64(record, 16)?, nul_terminated(record.get(24..)?));
            }
            record_type::HEADER_FEATURE => {
                let number = u32::try_from(order.u64(record, HEADER_SIZE)?).unwrap_or(u32::MAX);
                absorb_feature(number, record.get(16..)?, &mut self.metadata, &mut self.names);
            }
            _ => {}
        }
        Some(())
    }

    /// Takes the user parts of call chains that were read since the last call.
    pub(crate) fn take_deferred(&mut self) -> Arc<DeferredChains> {
        Arc::new(std::mem::take(&mut self.deferred))
    }

    fn has_arm_spe(&self) -> bool {
        matches!(self.metadata.trace, Some(TraceFormat::ArmSpe { .. }))
    }

    /// Stores the place of the bytes after an AUXTRACE record. Returns false if these bytes are not needed.
    pub(crate) fn absorb_trace(
        &mut self,
        position: u64,
        place: PayloadPlace,
        record: &[u8],
        stats: &mut RecordStats,
    ) -> bool {
        let order = self.order();
        if !self.has_arm_spe() {
            return false;
        }
        let added = self.trace.add_piece(position, place, record, order);
        stats.malformed_records += u64::from(added.is_none());
        added.is_some()
    }

    /// Notes the end of a round of a stream, which makes parts of the raw trace ripe.
    pub(crate) fn end_round(&mut self) {
        self.trace.end_round();
    }

    /// Forgets what no later part of the raw trace needs.
    pub(crate) fn forget_past_of_trace(&mut self) {
        self.trace.forget_past();
    }

    /// Returns true if there is enough of the raw trace to be decoded although the stream goes on.
    pub(crate) fn has_trace_batch(&self) -> bool {
        self.trace.has_batch()
    }

    /// Returns the offset in the copy of a stream of the first byte of the raw trace that is still needed.
    pub(crate) fn first_trace_byte(&self) -> Option<u64> {
        self.trace.first_byte()
    }

    /// Returns a segment with the next part of the raw trace. Returns `None` if there is no such part.
    pub(crate) fn take_trace(&mut self, bytes: TraceBytes<'_>, wanted: Wanted) -> Result<Option<Segment>, Error> {
        let table = self.table();
        let found = self.metadata.arm_spe_event();
        let Some((index, event)) = found.and_then(|event| Some((event, u16::try_from(event).ok()?))) else {
            self.trace.pass_over_ripe();
            return Ok(None);
        };
        let attr = &self.metadata.attrs[index];
        if attr.has_own_clock() {
            self.trace.facts.forget_clock();
        }
        let event = TraceEvent {
            event,
            period: attr.sample_period,
            timed: table.timed,
        };
        let decoded = self.trace.decode_batch(bytes, wanted, event)?;
        Ok(decoded.map(|traces| Segment {
            traces,
            trace_to_come: self.trace_to_come(),
            ..Segment::empty(table)
        }))
    }

    /// Returns facts about the rest of the raw trace. Returns `None` if there is no raw trace that can be decoded.
    pub(crate) fn trace_to_come(&self) -> Option<TraceToCome> {
        self.has_arm_spe().then(|| self.trace.to_come(self.table.timed))
    }

    /// Reads HEADER_ATTR: an attr of the size that it states, then u64 ids to the end of the record.
    fn absorb_attr(&mut self, record: &[u8]) -> Option<()> {
        let order = self.order();
        let body = &record[HEADER_SIZE..];
        let size = declared_size(body, order).filter(|&size| size >= MIN_ATTR_SIZE)?;
        let (attr, ids) = body.split_at_checked(size as usize)?;
        let mut attr = EventAttr::parse(attr, order)?;
        attr.ids = ids.chunks_exact(8).filter_map(|id| order.u64(id, 0)).collect();
        self.add_attr(attr);
        Some(())
    }

    /// Returns the moment of a record. Records without a time come first: perf synthesizes them for the state before
    /// the recording, and some perf versions write them last.
    fn moment(&self, position: u64, record: &[u8]) -> Moment {
        if !self.table.timed {
            return Moment(position);
        }
        let layout = self.table.of_other(record);
        match layout.and_then(|layout| layout.trailer_time(record, self.order())) {
            None | Some(0 | u64::MAX) => Moment::START,
            Some(time) => Moment(time),
        }
    }
}
