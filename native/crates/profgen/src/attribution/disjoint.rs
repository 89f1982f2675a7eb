//! Splits overlapping ranges into disjoint ranges, each with the sum of the counts that cover it.

use crate::counting::counter::Counter;
use elf::Svma;

/// The sum of the counts of the ranges that begin or end at an address. `zero` is true if a range of count 0
/// does, which a sum cannot show.
struct Edge {
    sum: u64,
    zero: bool,
}

/// Borders of ranges, in ascending order, each with a count.
struct Borders(std::iter::Peekable<std::vec::IntoIter<(u64, u64)>>);

impl Borders {
    fn new(borders: impl Iterator<Item = (u64, u64)>) -> Self {
        let mut borders: Vec<_> = borders.collect();
        // A stable sort is fast where the addresses ascend already.
        borders.sort_by_key(|border| border.0);
        Self(borders.into_iter().peekable())
    }

    fn next_address(&mut self) -> Option<u64> {
        self.0.peek().map(|border| border.0)
    }

    /// Takes all borders at `address`, which is the next border or lies before it. Returns `None` if there
    /// are none.
    fn take(&mut self, address: u64) -> Option<Edge> {
        let mut edge: Option<Edge> = None;
        while let Some((_, count)) = self.0.next_if(|border| border.0 == address) {
            let edge = edge.get_or_insert(Edge { sum: 0, zero: false });
            edge.sum = edge.sum.wrapping_add(count);
            edge.zero |= count == 0;
        }
        edge
    }
}

/// Splits inclusive ranges at each other's borders. `ranges` may come in any order; the result is ascending.
///
/// A stretch that only zero-count ranges cover is kept with count 0: it is known to be never executed. At one
/// address any number of zero ranges counts as a single one, as in llvm-profgen, whose output depends on
/// this.
#[must_use]
pub fn disjoint_ranges(ranges: &[Counter]) -> Vec<Counter> {
    let (mut first, mut last) = rayon::join(
        || Borders::new(ranges.iter().map(|range| (range.first.0, range.count))),
        || Borders::new(ranges.iter().map(|range| (range.second.0, range.count))),
    );
    let mut out = Vec::new();
    let mut begin: Option<u64> = None;
    let mut count = 0u64;
    let mut zero_depth = 0i64;
    while let Some(address) = first.next_address().into_iter().chain(last.next_address()).min() {
        if let Some(Edge { sum, zero }) = first.take(address) {
            if let Some(begin) = begin.filter(|&begin| begin < address) {
                out.push(Counter {
                    first: Svma(begin),
                    second: Svma(address - 1),
                    count,
                });
            }
            count = count.wrapping_add(sum);
            begin = Some(address);
            zero_depth += i64::from(zero);
        }
        if let Some(Edge { sum, zero }) = last.take(address) {
            if let Some(begin) = begin.filter(|&begin| begin <= address) {
                out.push(Counter {
                    first: Svma(begin),
                    second: Svma(address),
                    count,
                });
            }
            count = count.wrapping_sub(sum);
            zero_depth -= i64::from(zero);
            begin = if count == 0 && zero_depth == 0 {
                None
            } else {
                address.checked_add(1)
            };
        }
    }
    // A list that grows doubles its room, and this list may be large.
    out.shrink_to_fit();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(first: u64, second: u64, count: u64) -> Counter {
        Counter {
            first: Svma(first),
            second: Svma(second),
            count,
        }
    }

    #[test]
    fn splits_at_each_border() {
        let got = disjoint_ranges(&[range(10, 20, 5), range(15, 30, 2), range(12, 12, 1)]);
        let want = [
            range(10, 11, 5),
            range(12, 12, 6),
            range(13, 14, 5),
            range(15, 20, 7),
            range(21, 30, 2),
        ];
        assert_eq!(got, want);
    }

    #[test]
    fn zero_ranges_fill_the_gaps_only() {
        let got = disjoint_ranges(&[range(10, 12, 4), range(0, 20, 0)]);
        assert_eq!(got, [range(0, 9, 0), range(10, 12, 4), range(13, 20, 0)]);
    }

    #[test]
    fn the_last_address_does_not_overflow() {
        assert_eq!(
            disjoint_ranges(&[range(u64::MAX, u64::MAX, 1)]),
            [range(u64::MAX, u64::MAX, 1)]
        );
    }

    proptest! {
        /// Checks the result against a slow twin, which adds up the counts address by address.
        #[test]
        fn equals_counting_each_address(
            raw in prop::collection::vec((0u64..60, 0u64..12, 1u64..9), 0..40),
        ) {
            let ranges: Vec<_> = raw.iter().map(|&(first, length, count)| range(first, first + length, count)).collect();
            let mut slow = [0u64; 80];
            for range in &ranges {
                for address in range.first.0..=range.second.0 {
                    slow[address as usize] += range.count;
                }
            }
            let mut fast = [0u64; 80];
            let mut previous_end = None;
            for range in disjoint_ranges(&ranges) {
                prop_assert!(range.first <= range.second);
                prop_assert!(previous_end < Some(range.first.0));
                previous_end = Some(range.second.0);
                for address in range.first.0..=range.second.0 {
                    fast[address as usize] = range.count;
                }
            }
            prop_assert_eq!(slow, fast);
        }
    }
}
