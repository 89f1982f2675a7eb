//! What two profiles have in common, as numbers.

use thiserror::Error;

/// Counts of things that are in both profiles, or in one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// In both.
    pub common: u64,
    /// Only in the base profile.
    pub base_only: u64,
    /// Only in the test profile.
    pub test_only: u64,
}

impl Shares {
    pub(super) fn count(&mut self, in_base: bool, in_test: bool, number: u64) {
        match (in_base, in_test) {
            (true, true) => self.common += number,
            (true, false) => self.base_only += number,
            (false, true) => self.test_only += number,
            (false, false) => {}
        }
    }

    /// The part that is in both, from 0 to 1.
    #[must_use]
    pub fn overlap(&self) -> f64 {
        ratio(
            self.common.into(),
            (self.common + self.base_only + self.test_only).into(),
        )
    }
}

/// Sums of body counts. LLVM has them modulo 2^64, and similarities of less than 0 where they exceed that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampleOverlap {
    /// All of the base profile.
    pub base: u128,
    /// All of the test profile.
    pub test: u128,
    /// Those at places that only the base profile has.
    pub base_unique: u128,
    /// Those at places that only the test profile has.
    pub test_unique: u128,
    /// The smaller count at every place.
    pub common: u128,
    /// The larger count at every place.
    pub union: u128,
}

impl SampleOverlap {
    /// The common part of the union, from 0 to 1.
    #[must_use]
    pub fn overlap(&self) -> f64 {
        ratio(self.common, self.union)
    }

    /// The part of the base profile at places that only it has.
    #[must_use]
    pub fn base_unique_share(&self) -> f64 {
        ratio(self.base_unique, self.base)
    }

    /// The part of the test profile at places that only it has.
    #[must_use]
    pub fn test_unique_share(&self) -> f64 {
        ratio(self.test_unique, self.test)
    }
}

/// One function of either profile.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionOverlap {
    /// The name, in a context-sensitive profile with its callers, as text profiles have it.
    pub name: Vec<u8>,
    /// Whether the base profile has it.
    pub in_base: bool,
    /// Whether the test profile has it.
    pub in_test: bool,
    /// From 0, nothing in common, to 1.
    pub similarity: f64,
    /// The function's share of all base samples.
    pub base_weight: f64,
    /// The function's share of all test samples.
    pub test_weight: f64,
    /// Samples, inlined code included.
    pub samples: SampleOverlap,
    /// The largest count in the test profile.
    pub test_max: u64,
}

/// The comparison of a test profile with a base profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverlapReport {
    /// Similarity of the functions, each weighted by its share of the samples, from 0 to 1.
    pub similarity: f64,
    /// Samples.
    pub samples: SampleOverlap,
    /// Functions that are not inlined.
    pub functions: Shares,
    /// Those with a count that is hot in their profile.
    pub hot_functions: Shares,
    /// Places with a count that is hot in their profile.
    pub hot_blocks: Shares,
    /// Every function, by base weight descending, then test weight, then name.
    pub details: Vec<FunctionOverlap>,
}

/// Why two profiles cannot be compared.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverlapError {
    /// Their locations mean different things.
    #[error("only one of the profiles is based on pseudo probes; they cannot be compared")]
    MixedLocations,
    /// Functions of one profile would have to be compared with many of the other.
    #[error("only one of the profiles is context-sensitive; they cannot be compared")]
    MixedContexts,
    /// Shares of nothing.
    #[error("the sum of the counts is 0 in {}", match (base, test) {
        (true, true) => "both profiles",
        (true, false) => "the base profile",
        _ => "the test profile",
    })]
    NoSamples {
        /// The base profile has none.
        base: bool,
        /// The test profile has none.
        test: bool,
    },
}

/// 0 when there is nothing to divide by.
pub(super) fn ratio(part: u128, whole: u128) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
