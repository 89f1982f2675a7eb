//! A short way to read samples that have no branch stack and no call chain: only the sampled address, the process and
//! the moment.

use crate::address::{Avma, Moment};
use crate::byte_order::ByteOrder;
use crate::record::{CpuMode, HEADER_SIZE, RecordHeader, misc};
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

    /// Returns true if [`addresses`](Self::addresses) is to be called for samples of this event.
    #[inline]
    fn takes_addresses(&self, _event: u16) -> bool {
        false
    }

    /// Receives consecutive samples that have no more than an address. Returns the number of samples that it took, from
    /// the first one on. The next sample is passed again, as a whole.
    #[inline]
    fn addresses(&mut self, _samples: impl Iterator<Item = SampledAddress>) -> u64 {
        0
    }
}

/// Offsets of these fields in samples that have the same header and belong to the same event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AddressLayout {
    pub(crate) header: RecordHeader,
    /// Offset and value of the event's id. `None` if there is only one event.
    id: Option<(usize, u64)>,
    /// Offset of the address. The process id follows the address, and the time follows process and thread id.
    ip: usize,
    /// True if moments are times. False if moments are positions.
    timed: bool,
    exact: bool,
}

/// Number of bytes from the start of the address to the time.
const TO_TIME: usize = 16;

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
        let ip = layout.ip?;
        let follow = layout.tid == Some(ip + 8) && (!timed || layout.time == Some(ip + TO_TIME));
        if !is_short || !follow || CpuMode::of(header.misc).is_guest() {
            return None;
        }
        let id = match id_at {
            Some(at) => Some((at, order.u64(record, at)?)),
            None => None,
        };
        Some(Self {
            header,
            id,
            ip,
            timed,
            exact: header.misc & misc::EXACT_IP != 0,
        })
    }

    /// Passes the samples at the beginning of `bytes` to the sink, the first of them at this position, up to the first
    /// record that has another layout. Returns the number of samples that the sink took.
    #[inline]
    pub(crate) fn pass<S: SampleSink>(&self, bytes: &[u8], position: u64, order: ByteOrder, sink: &mut S) -> u64 {
        match order {
            ByteOrder::Little => sink.addresses(self.read::<false>(bytes, position)),
            ByteOrder::Big => sink.addresses(self.read::<true>(bytes, position)),
        }
    }

    /// Reads the samples. The byte order is a constant, so that the loop over the samples need not ask for it.
    #[inline]
    fn read<const BIG: bool>(self, bytes: &[u8], position: u64) -> impl Iterator<Item = SampledAddress> {
        let order = if BIG { ByteOrder::Big } else { ByteOrder::Little };
        let size = usize::from(self.header.size);
        let header = bytes.first_chunk::<HEADER_SIZE>();
        let records = bytes.chunks_exact(size).enumerate();
        records.map_while(move |(index, record)| {
            if record.first_chunk() != header {
                return None;
            }
            if let Some((at, id)) = self.id
                && order.u64(record, at)? != id
            {
                return None;
            }
            let (fields, behind) = record.get(self.ip..)?.split_first_chunk::<TO_TIME>()?;
            let &[ip, process] = fields.as_chunks::<8>().0 else {
                return None;
            };
            let [a, b, c, d, ..] = process;
            Some(SampledAddress {
                pid: order.half([a, b, c, d]).cast_signed(),
                moment: Moment(if self.timed {
                    order.word(*behind.first_chunk()?)
                } else {
                    position + (index * size) as u64
                }),
                ip: Avma(order.word(ip)),
                exact: self.exact,
            })
        })
    }
}
