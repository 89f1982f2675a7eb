//! A short way to read samples that have no branch stack and no call chain: only the sampled address, the process and
//! the moment.

use crate::address::{Avma, Moment};
use crate::byte_order::ByteOrder;
use crate::record::{CpuMode, RecordHeader, misc};
use crate::sample::Sample;
use crate::sample_layout::SampleLayout;

/// The fields that most callers need of a sample without a branch stack and without a call chain. The sample is not of
/// a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampledAddress {
    /// Process id; -1 if the sample states -1.
    pub pid: i32,
    /// Place of the sample among the changes of the address spaces.
    pub moment: Moment,
    /// The instruction pointer.
    pub ip: Avma,
    /// True if `ip` is the sampled instruction itself.
    pub exact: bool,
}

/// A receiver of samples.
pub trait SampleSink {
    /// Receives a whole sample.
    fn sample(&mut self, sample: &Sample<'_>);

    /// Returns true if [`address`](Self::address) is to be called for samples of this event.
    #[inline]
    fn takes_addresses(&self, _event: u16) -> bool {
        false
    }

    /// Receives a sample that has no more than an address. Returns false if the sample has to be passed again, as a
    /// whole.
    #[inline]
    fn address(&mut self, _sample: SampledAddress) -> bool {
        false
    }
}

/// Offsets of these fields in samples that have the same header and belong to the same event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AddressLayout {
    header: RecordHeader,
    /// Offset and value of the event's id. `None` if there is only one event.
    id: Option<(usize, u64)>,
    ip: usize,
    pid: usize,
    /// Offset of the time. `None` if moments are positions.
    time: Option<usize>,
    exact: bool,
}

impl AddressLayout {
    /// Makes the layout of samples like `record`, which begins with `header`. The event's id is at `id_at`, if there
    /// are several events. `timed` is true if moments are times. Returns `None` if samples like this one have more
    /// fields than an address needs, or fewer.
    pub(crate) fn of(
        header: RecordHeader,
        record: &[u8],
        layout: &SampleLayout,
        id_at: Option<usize>,
        timed: bool,
        order: ByteOrder,
    ) -> Option<Self> {
        let is_short = layout.has_no_more_than_fixed_fields() && record.len() >= layout.fixed_end;
        if !is_short || CpuMode::of(header.misc).is_guest() {
            return None;
        }
        let id = match id_at {
            Some(at) => Some((at, order.u64(record, at)?)),
            None => None,
        };
        Some(Self {
            header,
            id,
            ip: layout.ip?,
            pid: layout.tid?,
            time: if timed { Some(layout.time?) } else { None },
            exact: header.misc & misc::EXACT_IP != 0,
        })
    }

    /// Reads the address of a sample at this position. Returns `None` if the sample has another layout.
    #[inline]
    pub(crate) fn read(
        &self,
        header: RecordHeader,
        record: &[u8],
        position: u64,
        order: ByteOrder,
    ) -> Option<SampledAddress> {
        if header != self.header {
            return None;
        }
        if let Some((at, id)) = self.id
            && order.u64(record, at)? != id
        {
            return None;
        }
        Some(SampledAddress {
            pid: order.u32(record, self.pid)?.cast_signed(),
            moment: Moment(match self.time {
                Some(at) => order.u64(record, at)?,
                None => position,
            }),
            ip: Avma(order.u64(record, self.ip)?),
            exact: self.exact,
        })
    }
}
