//! Maps addresses to the DIEs of subroutines within a unit.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Half-open ranges with numbers of DIEs. From its start on, a later range wins over an earlier one.
#[derive(Debug, Default)]
pub struct DieMap {
    /// Start of each interval, with its end and its DIE.
    intervals: BTreeMap<u64, (u64, u32)>,
}

/// Returns true if any of `spans` (ascending, disjoint) has an address in common with the range.
pub fn overlaps(spans: &[(u64, u64)], low: u64, high: u64) -> bool {
    let first = spans.partition_point(|span| span.1 <= low);
    spans.get(first).is_some_and(|span| span.0 < high)
}

impl DieMap {
    /// Builds the map of `ranges`, in the order in which they are to be added, for the addresses in `pieces`
    /// (ascending, disjoint).
    ///
    /// Ranges that neither overlap nor touch, and that no other ranges connect, do not influence each other. So
    /// most functions of a unit can be left out.
    pub fn of(ranges: &[(u64, u64, u32)], pieces: &[(u64, u64)]) -> Self {
        let mut spans: Vec<_> = ranges.iter().map(|&(low, high, _)| (low, high)).collect();
        spans.retain(|(low, high)| low < high);
        spans.sort_unstable();
        spans.dedup_by(|next, last| {
            let joins = next.0 <= last.1;
            if joins {
                last.1 = last.1.max(next.1);
            }
            joins
        });
        spans.retain(|(low, high)| overlaps(pieces, *low, *high));
        let mut map = Self::default();
        for &(low, high, die) in ranges {
            if overlaps(&spans, low, high) {
                map.insert(low, high, die);
            }
        }
        map
    }

    /// Adds the range of a DIE. Parents are added before their children. As in LLVM, the interval in which the
    /// range starts is cut at that start, and its part after the range stays. Intervals inside of the new one
    /// stay.
    fn insert(&mut self, low: u64, high: u64, die: u32) {
        if low >= high {
            return;
        }
        if let Some((&start, &(end, outer))) = self.intervals.range(..=low).next_back()
            && low < end
        {
            if high < end {
                self.intervals.insert(high, (end, outer));
            }
            if start < low {
                self.intervals.insert(start, (low, outer));
            }
        }
        self.intervals.insert(low, (high, die));
    }

    /// Calls `found` for each part of `[low, high)` with the DIE that the part belongs to: the DIE of the interval
    /// with the greatest start at or below the address, if this interval contains the address.
    pub fn for_each(&self, low: u64, high: u64, mut found: impl FnMut(u64, u64, u32)) {
        let first = self.intervals.range(..=low).next_back();
        let rest = (Bound::Excluded(low), Bound::Excluded(high));
        let rest = (low < high).then(|| self.intervals.range(rest));
        let mut intervals = first.into_iter().chain(rest.into_iter().flatten()).peekable();
        while let Some((&start, &(end, die))) = intervals.next() {
            // A start hides the intervals below it, whether or not its own interval contains the address.
            let next = intervals.peek().map_or(high, |(start, _)| **start);
            let (start, end) = (start.max(low), end.min(next).min(high));
            if start < end {
                found(start, end, die);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(map: &DieMap, address: u64) -> Option<u32> {
        let mut found = None;
        map.for_each(address, address + 1, |_, _, die| found = Some(die));
        found
    }

    #[test]
    fn a_nested_range_cuts_the_outer_one_and_leaves_its_tail() {
        let mut map = DieMap::default();
        map.insert(0, 100, 0);
        map.insert(10, 20, 1);
        map.insert(12, 14, 2);
        let mut pieces = Vec::new();
        map.for_each(5, 50, |start, end, die| pieces.push((start, end, die)));
        assert_eq!(pieces, [(5, 10, 0), (10, 12, 1), (12, 14, 2), (14, 20, 1), (20, 50, 0)]);
    }

    #[test]
    fn an_earlier_short_range_hides_the_later_one_around_it() {
        let mut map = DieMap::default();
        map.insert(50, 60, 0);
        map.insert(0, 100, 1);
        assert_eq!(at(&map, 49), Some(1));
        assert_eq!(at(&map, 55), Some(0));
        assert_eq!(at(&map, 60), None);
    }

    #[test]
    fn an_inner_range_that_leaves_the_outer_one_takes_its_tail() {
        let mut map = DieMap::default();
        map.insert(0, 100, 0);
        map.insert(90, 120, 1);
        assert_eq!(at(&map, 89), Some(0));
        assert_eq!(at(&map, 110), Some(1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn pieces_agree_with_single_look_ups(
            ranges in prop::collection::vec((0u64..60, 0u64..60), 0..20),
            low in 0u64..60,
            len in 0u64..60,
        ) {
            let wanted = [(low, low + len), (low + len + 3, low + len + 9)];
            let numbered: Vec<_> = (0u32..).zip(&ranges).map(|(die, &(low, high))| (low, high, die)).collect();
            let map = DieMap::of(&numbered, &wanted);
            let mut starts: Vec<(u64, u64, u32)> = Vec::new();
            for (low, high, die) in numbered {
                if low >= high { continue }
                // This is the same rule, on a list.
                let outer = starts.iter().copied().filter(|i| i.0 <= low).max();
                if let Some((start, end, outer)) = outer.filter(|i| low < i.1) {
                    let mut set = |low, high, die| {
                        starts.retain(|i| i.0 != low);
                        starts.push((low, high, die));
                    };
                    if high < end { set(high, end, outer) }
                    if start < low { set(start, low, outer) }
                }
                starts.retain(|i| i.0 != low);
                starts.push((low, high, die));
            }
            let mut pieces = Vec::new();
            for (low, high) in wanted {
                map.for_each(low, high, |start, end, die| pieces.push((start, end, die)));
            }
            for address in wanted.into_iter().flat_map(|(low, high)| low..high) {
                let rule = starts.iter().copied().filter(|i| i.0 <= address).max();
                let rule = rule.filter(|i| address < i.1).map(|i| i.2);
                let piece = pieces.iter().find(|p| p.0 <= address && address < p.1);
                prop_assert_eq!(piece.map(|p| p.2), rule, "at {}", address);
            }
        }
    }
}
