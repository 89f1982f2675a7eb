//! A priority queue. Candidates that tie leave it in the order in which they leave libstdc++'s queue, because
//! that order decides which of them still fits.

use std::cmp::Ordering;

/// The queue. The greatest item leaves first.
pub(super) struct Heap<T> {
    items: Vec<T>,
}

impl<T: Copy> Heap<T> {
    pub(super) const fn new() -> Self {
        Self { items: Vec::new() }
    }

    /// Adds an item as `std::push_heap` does.
    pub(super) fn push(&mut self, item: T, compare: impl Fn(&T, &T) -> Ordering) {
        self.items.push(item);
        let hole = self.items.len() - 1;
        self.rise(hole, item, compare);
    }

    /// Removes the greatest item as `std::pop_heap` does: the hole that it leaves moves down to the end of
    /// the heap, and the last item is put there and rises.
    pub(super) fn pop(&mut self, compare: impl Fn(&T, &T) -> Ordering) -> Option<T> {
        let last = self.items.pop()?;
        let Some(&first) = self.items.first() else {
            return Some(last);
        };
        let length = self.items.len();
        let mut hole = 0;
        while 2 * hole + 2 < length {
            let (left, right) = (2 * hole + 1, 2 * hole + 2);
            let greater = if compare(&self.items[right], &self.items[left]).is_lt() {
                left
            } else {
                right
            };
            self.items[hole] = self.items[greater];
            hole = greater;
        }
        if 2 * hole + 2 == length {
            self.items[hole] = self.items[length - 1];
            hole = length - 1;
        }
        self.rise(hole, last, compare);
        Some(first)
    }

    fn rise(&mut self, mut hole: usize, item: T, compare: impl Fn(&T, &T) -> Ordering) {
        while hole > 0 {
            let parent = (hole - 1) / 2;
            if !compare(&self.items[parent], &item).is_lt() {
                break;
            }
            self.items[hole] = self.items[parent];
            hole = parent;
        }
        self.items[hole] = item;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_first(a: &(u8, u32), b: &(u8, u32)) -> Ordering {
        a.0.cmp(&b.0)
    }

    proptest! {
        #[test]
        fn the_greatest_leaves_first(items in prop::collection::vec(0u8..6, 0..60)) {
            let mut heap = Heap::new();
            for (number, &item) in items.iter().enumerate() {
                heap.push((item, number as u32), by_first);
            }
            let left: Vec<u8> = std::iter::from_fn(|| heap.pop(by_first)).map(|(item, _)| item).collect();
            let mut sorted = items;
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            prop_assert_eq!(left, sorted);
        }
    }

    /// The expected order is the output of a program with `std::priority_queue` of GCC 12.
    #[test]
    fn ties_leave_as_in_libstdcxx() {
        let mut heap = Heap::new();
        for (number, item) in [3, 1, 3, 2, 3, 1, 2, 3, 3].into_iter().enumerate() {
            heap.push((item, number as u32), by_first);
        }
        let left: Vec<u32> = std::iter::from_fn(|| heap.pop(by_first))
            .map(|(_, number)| number)
            .collect();
        assert_eq!(left, [0, 2, 8, 4, 7, 6, 3, 1, 5]);
    }
}
