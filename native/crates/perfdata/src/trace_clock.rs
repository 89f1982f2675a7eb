//! Converts the CPU's timer to the time of the recording.

use crate::byte_order::ByteOrder;
use crate::record::HEADER_SIZE;

/// The conversion that a TIME_CONV record states (perf: struct perf_record_time_conv; Linux: struct
/// perf_event_mmap_page, `time_zero`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceClock {
    shift: u32,
    multiplier: u64,
    zero: u64,
    /// For a timer of fewer than 64 bits: one value of the timer, and the mask of its bits.
    short: Option<(u64, u64)>,
}

impl TraceClock {
    /// Reads a TIME_CONV record. Returns `None` if the kernel gave no conversion, or an impossible one.
    pub(crate) fn parse(record: &[u8], order: ByteOrder) -> Option<Self> {
        const HAS_ZERO: usize = HEADER_SIZE + 40;
        const IS_SHORT: usize = HEADER_SIZE + 41;
        let word = |number: usize| order.u64(record, HEADER_SIZE + 8 * number);
        // Before Linux 5.10 the record ends with the field `time_zero`.
        let has_zero = record.get(HAS_ZERO).is_none_or(|flag| *flag != 0);
        let short = match record.get(IS_SHORT) {
            Some(flag) if *flag != 0 => word(3).zip(word(4)),
            _ => None,
        };
        Some(Self {
            shift: u32::try_from(word(0)?)
                .ok()
                .filter(|shift| *shift < u64::BITS && has_zero)?,
            multiplier: word(1)?,
            zero: word(2)?,
            short,
        })
    }

    /// Returns the time in nanoseconds of the recording's clock.
    pub(crate) fn time(&self, timer: u64) -> u64 {
        let timer = match self.short {
            Some((known, mask)) => known.wrapping_add(timer.wrapping_sub(known) & mask),
            None => timer,
        };
        let scaled = (u128::from(timer) * u128::from(self.multiplier)) >> self.shift;
        self.zero.wrapping_add(scaled as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(words: [u64; 5], flags: &[u8]) -> Option<TraceClock> {
        let words = words.iter().flat_map(|word| word.to_le_bytes());
        let record: Vec<u8> = [0; HEADER_SIZE]
            .into_iter()
            .chain(words)
            .chain(flags.iter().copied())
            .collect();
        TraceClock::parse(&record, ByteOrder::Little)
    }

    #[test]
    fn a_timer_of_25_megahertz() {
        // The factor 40 << 10 means 40 ns for each tick.
        let clock = clock([10, 40 << 10, 1_000_000, 0, 0], &[1, 0, 0, 0, 0, 0, 0, 0]).expect("a clock");
        assert_eq!(clock.time(0), 1_000_000);
        assert_eq!(clock.time(25), 1_001_000);
        assert_eq!(clock.time(u64::MAX / 80), 1_000_000 + u64::MAX / 80 * 40);
    }

    #[test]
    fn a_timer_that_wraps_around() {
        let mask = (1 << 32) - 1;
        let clock = clock([0, 1, 0, 5 << 32, mask], &[1, 1, 0, 0, 0, 0, 0, 0]).expect("a clock");
        assert_eq!(clock.time(7), (5 << 32) + 7);
    }

    #[test]
    fn no_conversion() {
        assert_eq!(clock([10, 1, 0, 0, 0], &[0; 8]), None);
        assert_eq!(clock([64, 1, 0, 0, 0], &[1; 8]), None);
        assert_eq!(TraceClock::parse(&[0; HEADER_SIZE + 23], ByteOrder::Little), None);
    }
}
