//! The layout of the fields of one event's samples, computed once for each event.

use crate::attr::{EventAttr, branch_sample_type, read_format, sample_type};
use crate::byte_order::ByteOrder;
use crate::call_chain::CallChain;
use crate::record::HEADER_SIZE;

/// Offsets of fields from the start of a SAMPLE record, and the fields before the branch stack.
///
/// Field order (Linux: include/uapi/linux/perf_event.h, PERF_RECORD_SAMPLE): IDENTIFIER, IP, TID, TIME, ADDR, ID,
/// STREAM_ID, CPU, PERIOD, READ, CALLCHAIN, RAW, BRANCH_STACK. All fields up to PERIOD have a fixed size, so their
/// offsets are constants of the event. The fields after the branch stack are not read.
#[derive(Debug, Clone)]
pub(crate) struct SampleLayout {
    pub(crate) ip: Option<usize>,
    pub(crate) tid: Option<usize>,
    pub(crate) time: Option<usize>,
    pub(crate) cpu: Option<usize>,
    pub(crate) period: Option<usize>,
    /// Period of samples that do not have a period of their own.
    pub(crate) default_period: u64,
    /// Smallest size in bytes of a record that holds every fixed field.
    pub(crate) fixed_end: usize,
    pub(crate) branch_stack: bool,
    pub(crate) hw_index: bool,
    /// True if the event asks for no kind of branch: perf made the branch stacks from a trace.
    pub(crate) made_of_trace: bool,
    /// `read_format` if samples have the field READ, whose size may vary.
    read: Option<u64>,
    callchain: bool,
    raw: bool,
    /// Offsets of the trailer's fields from the end of records other than samples, in bytes.
    trailer_tid: Option<usize>,
    trailer_time: Option<usize>,
    trailer_cpu: Option<usize>,
}

impl SampleLayout {
    pub(crate) fn of(attr: &EventAttr) -> Self {
        use sample_type::{
            ADDR, BRANCH_STACK, CALLCHAIN, CPU, ID, IDENTIFIER, IP, PERIOD, RAW, READ, STREAM_ID, TID, TIME,
        };
        let fields = attr.sample_type;
        let mut end = HEADER_SIZE;
        let mut field = |bit| {
            (fields & bit != 0).then(|| {
                end += 8;
                end - 8
            })
        };
        field(IDENTIFIER);
        let (ip, tid, time) = (field(IP), field(TID), field(TIME));
        field(ADDR);
        field(ID);
        field(STREAM_ID);
        let (cpu, period) = (field(CPU), field(PERIOD));
        // The trailer has those of TID, TIME, ID, STREAM_ID, CPU, IDENTIFIER that are set, in this order.
        let trailer = |field: u64, behind: u64| {
            let from_field = fields & (field | behind);
            (attr.sample_id_all() && fields & field != 0).then(|| 8 * from_field.count_ones() as usize)
        };
        Self {
            ip,
            tid,
            time,
            cpu,
            period,
            default_period: attr.sample_period,
            fixed_end: end,
            branch_stack: fields & BRANCH_STACK != 0,
            hw_index: attr.branch_sample_type & branch_sample_type::HW_INDEX != 0,
            made_of_trace: attr.branch_sample_type & !branch_sample_type::HW_INDEX == 0,
            read: (fields & READ != 0).then_some(attr.read_format),
            callchain: fields & CALLCHAIN != 0,
            raw: fields & RAW != 0,
            trailer_tid: trailer(TID, TIME | ID | STREAM_ID | CPU | IDENTIFIER),
            trailer_time: trailer(TIME, ID | STREAM_ID | CPU | IDENTIFIER),
            trailer_cpu: trailer(CPU, IDENTIFIER),
        }
    }

    /// Returns true if samples have neither a branch stack nor a call chain.
    pub(crate) fn has_no_more_than_fixed_fields(&self) -> bool {
        !self.branch_stack && !self.callchain
    }

    /// Returns the offset of the branch stack in this sample. Returns `None` if the sample ends before.
    #[inline]
    pub(crate) fn branch_stack_at(&self, record: &[u8], order: ByteOrder) -> Option<usize> {
        if self.read.is_none() && !self.callchain && !self.raw {
            return Some(self.fixed_end);
        }
        self.skip_variable_fields(record, order)
    }

    /// Returns the call chain of this sample, which is empty if the event has none. Returns `None` if the sample ends
    /// before.
    pub(crate) fn call_chain<'r>(&self, record: &'r [u8], order: ByteOrder) -> Option<CallChain<'r>> {
        if !self.callchain {
            return Some(CallChain::default());
        }
        let at = self.behind_read(record, order)?;
        let end = behind_call_chain(record, at, order)?;
        Some(CallChain::new(record.get(at + 8..end)?, order))
    }

    fn skip_variable_fields(&self, record: &[u8], order: ByteOrder) -> Option<usize> {
        let mut at = self.behind_read(record, order)?;
        if self.callchain {
            at = behind_call_chain(record, at, order)?;
        }
        if self.raw {
            let size = order.u32(record, at)?;
            at = skip(record, at, 1, 4)?;
            at = skip(record, at, u64::from(size), 1)?;
        }
        Some(at)
    }

    /// Returns the offset after the counter values that stand before the call chain.
    fn behind_read(&self, record: &[u8], order: ByteOrder) -> Option<usize> {
        let at = self.fixed_end;
        let Some(format) = self.read else { return Some(at) };
        let set = |mask: u64| (format & mask).count_ones() as usize;
        let once = set(read_format::ENABLED | read_format::RUNNING);
        let each = 1 + set(read_format::ID | read_format::LOST);
        if format & read_format::GROUP == 0 {
            return skip(record, at, 1, 8 * (once + each));
        }
        let members = order.u64(record, at)?;
        let at = skip(record, at, 1, 8 + 8 * once)?;
        skip(record, at, members, 8 * each)
    }

    /// Returns the time in the trailer of a record other than a sample.
    pub(crate) fn trailer_time(&self, record: &[u8], order: ByteOrder) -> Option<u64> {
        order.u64(record, in_trailer(record, self.trailer_time)?)
    }

    /// Returns all fields in the trailer of a record other than a sample.
    pub(crate) fn trailer(&self, record: &[u8], order: ByteOrder) -> Trailer {
        let half = |distance, half| order.u32(record, in_trailer(record, distance)? + half);
        Trailer {
            pid: half(self.trailer_tid, 0).unwrap_or(u32::MAX).cast_signed(),
            tid: half(self.trailer_tid, 4).unwrap_or(u32::MAX).cast_signed(),
            time: self.trailer_time(record, order).unwrap_or(0),
            cpu: half(self.trailer_cpu, 0).unwrap_or(u32::MAX),
        }
    }
}

/// Returns the offset in a record of a trailer field that begins `distance` bytes before the end.
fn in_trailer(record: &[u8], distance: Option<usize>) -> Option<usize> {
    record.len().checked_sub(distance?).filter(|&at| at >= HEADER_SIZE)
}

/// The trailer at the end of records other than samples: the process, thread and CPU that wrote the record, and the
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// Process id; -1 if not recorded.
    pub(crate) pid: i32,
    /// Thread id; -1 if not recorded.
    pub(crate) tid: i32,
    /// Time in nanoseconds of the recording's clock; 0 if not recorded.
    pub(crate) time: u64,
    /// Number of the CPU; `u32::MAX` if not recorded.
    pub(crate) cpu: u32,
}

/// Returns the offset after a call chain, whose length stands at offset `at`.
fn behind_call_chain(record: &[u8], at: usize, order: ByteOrder) -> Option<usize> {
    let frames = order.u64(record, at)?;
    skip(record, skip(record, at, 1, 8)?, frames, 8)
}

/// Returns the offset after `count` fields of `each` bytes, if the record can hold them. The count is checked before
/// it is multiplied.
fn skip(record: &[u8], at: usize, count: u64, each: usize) -> Option<usize> {
    let room = record.len().checked_sub(at)?;
    let count = usize::try_from(count)
        .ok()
        .filter(|&count| each == 0 || count <= room / each)?;
    Some(at + count * each)
}
