use std::cmp::Ordering;

use super::report::{SampleOverlap, Shares, ratio};
use super::side::ComparedProfile;
use crate::stats::CountStats;
use crate::{BodyRecord, FunctionSamples, LineLocation};

type Inlinee = (LineLocation, FunctionSamples);

/// The comparison of the locations of a function in both profiles (LLVM: `computeSampleFunctionInternalOverlap`).
pub(super) struct Comparison<'a> {
    base: &'a ComparedProfile<'a>,
    test: &'a ComparedProfile<'a>,
    /// Sums of counts. The sums over the whole function in each profile are set before the comparison.
    pub(super) samples: SampleOverlap,
    pub(super) hot_blocks: Shares,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(base: &'a ComparedProfile<'a>, test: &'a ComparedProfile<'a>, samples: SampleOverlap) -> Self {
        Self {
            base,
            test,
            samples,
            hot_blocks: Shares::default(),
        }
    }

    /// Computes the similarity of the function in both profiles, from 0 to 1 apart from rounding. A location that one
    /// profile lacks has no samples there.
    pub(super) fn similarity(&mut self, base: &FunctionSamples, test: &FunctionSamples) -> f64 {
        let mut difference = 0.0;
        pair_up(
            &base.body,
            &test.body,
            |a: &BodyRecord, b: &BodyRecord| a.location.cmp(&b.location),
            |base, test| {
                difference += self.location_difference(
                    base.map(|record| record.count.into()),
                    test.map(|record| record.count.into()),
                    1,
                );
            },
        );
        let (base_names, test_names) = (&self.base.profile.names, &self.test.profile.names);
        let order = |a: &Inlinee, b: &Inlinee| {
            a.0.cmp(&b.0)
                .then_with(|| base_names.get(a.1.name).cmp(&test_names.get(b.1.name)))
        };
        pair_up(&base.inlinees, &test.inlinees, order, |base, test| {
            difference += match (base, test) {
                (Some(base), Some(test)) => 2.0 - 2.0 * self.similarity(&base.1, &test.1),
                // An inlined function that one profile lacks is compared as one single location.
                (Some(base), None) => {
                    let stats = CountStats::of(&base.1, self.base.hot_threshold);
                    self.location_difference(Some(stats.sum), None, stats.hot)
                }
                (None, Some(test)) => {
                    let stats = CountStats::of(&test.1, self.test.hot_threshold);
                    self.location_difference(None, Some(stats.sum), stats.hot)
                }
                (None, None) => 0.0,
            };
        });
        (2.0 - difference) / 2.0
    }

    /// Returns the difference between the shares that a location has of the function in both profiles.
    fn location_difference(&mut self, base: Option<u128>, test: Option<u128>, blocks: u64) -> f64 {
        let sums = &mut self.samples;
        match (base, test) {
            (Some(count), None) => sums.base_unique += count,
            (None, Some(count)) => sums.test_unique += count,
            _ => {}
        }
        let (base, test) = (base.unwrap_or(0), test.unwrap_or(0));
        sums.union += base.max(test);
        sums.common += base.min(test);
        self.hot_blocks.count(
            base >= self.base.hot_threshold.into(),
            test >= self.test.hot_threshold.into(),
            blocks,
        );
        // LLVM computes the similarity first, which rounds.
        let similarity = 1.0 - (ratio(base, sums.base) - ratio(test, sums.test)).abs();
        1.0 - similarity
    }
}

/// Visits the elements of two ascending lists in common order, equal ones as a pair.
fn pair_up<'t, T>(
    base: &'t [T],
    test: &'t [T],
    order: impl Fn(&T, &T) -> Ordering,
    mut visit: impl FnMut(Option<&'t T>, Option<&'t T>),
) {
    let (mut base, mut test) = (base.iter().peekable(), test.iter().peekable());
    loop {
        let side = match (base.peek(), test.peek()) {
            (Some(a), Some(b)) => order(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return,
        };
        match side {
            Ordering::Less => visit(base.next(), None),
            Ordering::Greater => visit(None, test.next()),
            Ordering::Equal => visit(base.next(), test.next()),
        }
    }
}
