//! Samples of which nothing matters but which address was sampled, where and when: the short way for recordings that have no more.

use crate::address::{Avma, Moment};
use crate::byte_order::ByteOrder;
use crate::record::{CpuMode, RecordHeader, misc};
use crate::sample::Sample;
use crate::sample_layout::SampleLayout;

/// What most samples without a branch stack and without a call chain are asked for. It is not of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampledAddress {
    /// The process; -1 if the sample says so.
    pub pid: i32,
    /// Its place among the changes of the address spaces.
    pub moment: Moment,
    /// The instruction pointer.
    pub ip: Avma,
    /// Whether `ip` is the very instruction that was sampled.
    pub exact: bool,
}

/// Takes samples.
pub trait SampleSink {
    /// Takes a sample.
    fn sample(&mut self, sample: &Sample<'_>);

    /// Whether [`address`](Self::address) is to be called for samples of this event.
    #[inline]
    fn takes_addresses(&self, _event: u16) -> bool {
        false
    }

    /// Takes a sample that has no more than an address, if it can be taken like this. False: it has to come again, as a whole.
    #[inline]
    fn address(&mut self, _sample: SampledAddress) -> bool {
        false
    }
}

/// Where samples have these fields that begin with the same header and are of the same event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AddressLayout {
    header: RecordHeader,
    /// Where the id of the event is, and which it is, if there are several events.
    id: Option<(usize, u64)>,
    ip: usize,
    pid: usize,
    /// `None`: moments are positions.
    time: Option<usize>,
    exact: bool,
}

impl AddressLayout {
    /// For samples like `record`, which begins with `header`. The event's id is at `id_at`, if there are several events; `timed` says whether
    /// moments are times. `None` if such samples have more than an address, or less.
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

    /// The address of a sample at this position; `None` if it is not like the others.
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
