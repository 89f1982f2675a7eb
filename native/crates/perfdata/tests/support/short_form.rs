//! Takes samples in the short form, to compare it with the whole form. The fuzz targets use this file, too.

use perfdata::{Sample, SampleSink, SampledAddress};

/// A receiver that takes the addresses of at most `max` consecutive samples, and the next sample as a whole.
pub struct ShortForm<'a> {
    pub max: usize,
    pub found: &'a mut Vec<SampledAddress>,
}

impl SampleSink for ShortForm<'_> {
    fn sample(&mut self, sample: &Sample<'_>) {
        self.found.push(address_of(sample));
    }

    fn takes_addresses(&self, _event: u16) -> bool {
        true
    }

    fn addresses(&mut self, samples: impl Iterator<Item = SampledAddress>) -> u64 {
        let before = self.found.len();
        self.found.extend(samples.take(self.max));
        (self.found.len() - before) as u64
    }
}

/// Returns what the short form has of a sample.
pub fn address_of(sample: &Sample<'_>) -> SampledAddress {
    SampledAddress {
        pid: sample.pid,
        moment: sample.moment,
        ip: sample.ip,
        exact: sample.exact,
    }
}
