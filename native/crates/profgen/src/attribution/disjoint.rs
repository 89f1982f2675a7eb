//! Overlapping ranges to disjoint ones, each with the sum of the counts that cover it.

use crate::counting::counter::Counter;
use elf::Svma;

/// What begins or ends at an address. `zero` says that a range of count 0 does, which a sum cannot show.
#[derive(Clone, Copy, Default)]
struct Edge {
    sum: Option<u64>,
    zero: bool,
}

impl Edge {
    fn add(&mut self, count: u64) {
        self.sum = Some(self.sum.unwrap_or(0).wrapping_add(count));
        self.zero |= count == 0;
    }
}

/// Splits inclusive ranges at each other's borders. `ranges` may come in any order; the result is ascending.
///
/// A stretch that only zero-count ranges cover is kept with count 0: "known and never executed". At one address any number of zero
/// ranges counts as a single one, as in llvm-profgen, whose output depends on it.
#[must_use]
pub fn disjoint_ranges(ranges: &[Counter]) -> Vec<Counter> {
    let mut borders: Vec<(Svma, Edge, Edge)> = Vec::with_capacity(ranges.len() * 2);
    for range in ranges {
        let mut edge = Edge::default();
        edge.add(range.count);
        borders.push((range.first, edge, Edge::default()));
        borders.push((range.second, Edge::default(), edge));
    }
    borders.sort_unstable_by_key(|border| border.0);
    borders.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            merge(&mut kept.1, next.1);
            merge(&mut kept.2, next.2);
        }
        same
    });

    let mut out = Vec::new();
    let mut begin: Option<u64> = None;
    let mut count = 0u64;
    let mut zero_depth = 0i64;
    for (Svma(address), begins, ends) in borders {
        if let Some(sum) = begins.sum {
            if let Some(begin) = begin.filter(|&begin| begin < address) {
                out.push(Counter {
                    first: Svma(begin),
                    second: Svma(address - 1),
                    count,
                });
            }
            count = count.wrapping_add(sum);
            begin = Some(address);
            zero_depth += i64::from(begins.zero);
        }
        if let Some(sum) = ends.sum {
            if let Some(begin) = begin.filter(|&begin| begin <= address) {
                out.push(Counter {
                    first: Svma(begin),
                    second: Svma(address),
                    count,
                });
            }
            count = count.wrapping_sub(sum);
            zero_depth -= i64::from(ends.zero);
            begin = if count == 0 && zero_depth == 0 {
                None
            } else {
                address.checked_add(1)
            };
        }
    }
    out
}

fn merge(edge: &mut Edge, other: Edge) {
    if let Some(sum) = other.sum {
        edge.sum = Some(edge.sum.unwrap_or(0).wrapping_add(sum));
    }
    edge.zero |= other.zero;
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
    fn the_last_address_of_all_is_no_overflow() {
        assert_eq!(
            disjoint_ranges(&[range(u64::MAX, u64::MAX, 1)]),
            [range(u64::MAX, u64::MAX, 1)]
        );
    }

    proptest! {
        /// The slow twin: add up, address by address.
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
