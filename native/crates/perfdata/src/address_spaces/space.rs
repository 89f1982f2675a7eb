//! The address space of one process at one moment.

use super::{AddressSpaces, EventKind, range_of};
use crate::address::{Avma, Moment, Period};
use crate::mapped_range::MappedRange;
use crate::range_tree::Tree;

impl AddressSpaces {
    /// Returns the address space of process `pid` at `moment`.
    #[must_use]
    pub fn space(&self, pid: i32, moment: Moment) -> Space<'_> {
        let mut space = Space {
            spaces: self,
            tree: Tree::EMPTY,
            recent: &[],
            period: Period::ALWAYS,
        };
        let Some(process) = self.processes.get(&pid) else {
            return space;
        };
        let happened = |event: u32| self.events[event as usize].moment <= moment;
        let moment_of = |event: u32| self.events[event as usize].moment;

        let following = process.versions.partition_point(|version| happened(version.event));
        let next_version = process.versions.get(following);
        let mut first_recent = 0;
        if let Some(version) = following.checked_sub(1).map(|current| process.versions[current]) {
            space.tree = version.tree;
            space.period.from = moment_of(version.event);
            first_recent = version.first_recent as usize;
        }
        let end = next_version.map_or(process.maps.len(), |version| version.first_recent as usize);
        let candidates = &process.maps[first_recent..end];
        let (recent, later) = candidates.split_at(candidates.partition_point(|&event| happened(event)));
        space.recent = recent;
        if let Some(&latest) = recent.last() {
            space.period.from = space.period.from.max(moment_of(latest));
        }
        space.period.until = later
            .first()
            .copied()
            .or(next_version.map(|version| version.event))
            .map(moment_of);
        space
    }
}

/// The address space of one process, as it was between two changes.
#[derive(Debug, Clone, Copy)]
pub struct Space<'a> {
    spaces: &'a AddressSpaces,
    tree: Tree,
    /// Map events on top of the tree, oldest first.
    recent: &'a [u32],
    period: Period,
}

impl<'a> Space<'a> {
    /// Returns the period in which the address space does not change.
    #[must_use]
    pub fn period(&self) -> Period {
        self.period
    }

    /// Returns the mapping that is visible at `address`, with the range around `address` in which it is visible.
    ///
    /// In the kernel's half this is a module or else the kernel image. The range of the kernel image is not reliable,
    /// so any address outside of modules may belong to it. The caller must check what the address resolves to.
    #[must_use]
    pub fn find(&self, address: Avma) -> Option<MappedRange> {
        if address.is_kernel() {
            return self.find_kernel(address);
        }
        // Newer maps that do not hold the address still limit the range that is visible around it.
        let (mut low, mut high) = (Avma(0), Avma(u64::MAX));
        let clip = |range: MappedRange, low: Avma, high: Avma| MappedRange {
            start: range.start.max(low),
            end: range.end.min(high),
            ..range
        };
        for range in self.recent_ranges().rev() {
            if address < range.start {
                high = high.min(range.start);
            } else if address >= range.end {
                low = low.max(range.end);
            } else {
                return Some(clip(range, low, high));
            }
        }
        self.spaces
            .forest
            .find(self.tree, address)
            .map(|range| clip(range, low, high))
    }

    fn find_kernel(&self, address: Avma) -> Option<MappedRange> {
        let spaces = self.spaces;
        if let Some(range) = spaces.module_at(address) {
            return Some(range);
        }
        let map = spaces.kernel_image?;
        let before = spaces
            .modules
            .range(..=address)
            .next_back()
            .map(|(_, &map)| range_of(map, spaces.mapping(map)).end);
        let after = spaces.modules.range(address..).next().map(|(&start, _)| start);
        let kernel_half = Avma(1 << 63);
        Some(MappedRange {
            start: before.unwrap_or(kernel_half),
            end: after.unwrap_or(Avma(u64::MAX)),
            map,
        })
    }

    /// Returns all visible ranges of the process, sorted and disjoint.
    #[must_use]
    pub fn ranges(&self) -> Vec<MappedRange> {
        let mut ranges = Vec::new();
        self.spaces.forest.collect(self.tree, &mut ranges);
        for range in self.recent_ranges() {
            put_on_top(&mut ranges, range);
        }
        ranges
    }

    /// Returns the address spaces that this address space belongs to.
    #[must_use]
    pub fn spaces(&self) -> &'a AddressSpaces {
        self.spaces
    }

    fn recent_ranges(&self) -> impl DoubleEndedIterator<Item = MappedRange> + use<'a> {
        let spaces = self.spaces;
        self.recent
            .iter()
            .filter_map(move |&event| match spaces.events[event as usize].kind {
                EventKind::Map(map) => Some(range_of(map, spaces.mapping(map))),
                _ => None,
            })
    }
}

/// Inserts `range` into the sorted `ranges`, and cuts the ranges that it overlaps.
fn put_on_top(ranges: &mut Vec<MappedRange>, range: MappedRange) {
    let first = ranges.partition_point(|old| old.end <= range.start);
    let last = ranges.partition_point(|old| old.start < range.end);
    let mut replacement = Vec::with_capacity(3);
    if let Some(&old) = ranges[first..last].first()
        && old.start < range.start
    {
        replacement.push(MappedRange {
            end: range.start,
            ..old
        });
    }
    replacement.push(range);
    if let Some(&old) = ranges[first..last].last()
        && old.end > range.end
    {
        replacement.push(MappedRange {
            start: range.end,
            ..old
        });
    }
    ranges.splice(first..last, replacement);
}
