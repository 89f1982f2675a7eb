//! The overlap of two profiles, as numbers.

use thiserror::Error;

/// Numbers of things that both profiles have, or only one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shares {
    /// Number of things that both profiles have.
    pub common: u64,
    /// Number of things that only the base profile has.
    pub base_only: u64,
    /// Number of things that only the test profile has.
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

    /// Returns the share of the things that both profiles have, from 0 to 1.
    #[must_use]
    pub fn overlap(&self) -> f64 {
        ratio(
            self.common.into(),
            (self.common + self.base_only + self.test_only).into(),
        )
    }
}

/// Sums of body counts. LLVM computes these sums modulo 2^64, and prints similarities below 0 if a sum exceeds that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampleOverlap {
    /// Sum of all counts of the base profile.
    pub base: u128,
    /// Sum of all counts of the test profile.
    pub test: u128,
    /// Sum of the counts at locations that only the base profile has.
    pub base_unique: u128,
    /// Sum of the counts at locations that only the test profile has.
    pub test_unique: u128,
    /// Sum over all locations of the smaller of both counts.
    pub common: u128,
    /// Sum over all locations of the larger of both counts.
    pub union: u128,
}

impl SampleOverlap {
    /// Returns the share of `common` in `union`, from 0 to 1.
    #[must_use]
    pub fn overlap(&self) -> f64 {
        ratio(self.common, self.union)
    }

    /// Returns the share of the base profile's counts at locations that only the base profile has, from 0 to 1.
    #[must_use]
    pub fn base_unique_share(&self) -> f64 {
        ratio(self.base_unique, self.base)
    }

    /// Returns the share of the test profile's counts at locations that only the test profile has, from 0 to 1.
    #[must_use]
    pub fn test_unique_share(&self) -> f64 {
        ratio(self.test_unique, self.test)
    }
}

/// The comparison of one function that at least one of the profiles has.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionOverlap {
    /// Name of the function, in a context-sensitive profile with its callers, as text profiles spell it.
    pub name: Vec<u8>,
    /// True if the base profile has the function.
    pub in_base: bool,
    /// True if the test profile has the function.
    pub in_test: bool,
    /// Similarity of the function in both profiles, from 0 (nothing in common) to 1.
    pub similarity: f64,
    /// The function's share of all samples of the base profile, from 0 to 1.
    pub base_weight: f64,
    /// The function's share of all samples of the test profile, from 0 to 1.
    pub test_weight: f64,
    /// Samples of the function, inlined code included.
    pub samples: SampleOverlap,
    /// The largest count of the function in the test profile.
    pub test_max: u64,
}

/// The comparison of a test profile with a base profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverlapReport {
    /// Similarity of the profiles, from 0 to 1: the similarities of the functions, each weighted by the function's
    /// share of the samples.
    pub similarity: f64,
    /// Sums of the samples of both profiles.
    pub samples: SampleOverlap,
    /// Numbers of functions that are not inlined.
    pub functions: Shares,
    /// Numbers of functions with a count that is hot in their profile.
    pub hot_functions: Shares,
    /// Numbers of locations with a count that is hot in their profile.
    pub hot_blocks: Shares,
    /// All functions of both profiles, by base weight descending, then by test weight descending, then by name.
    pub details: Vec<FunctionOverlap>,
}

/// The reason why two profiles cannot be compared.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverlapError {
    /// One profile is based on pseudo probes and the other is not, so locations mean different things.
    #[error("only one of the profiles is based on pseudo probes; they cannot be compared")]
    MixedLocations,
    /// One profile is context-sensitive and the other is not, so one function would have to be compared with many.
    #[error("only one of the profiles is context-sensitive; they cannot be compared")]
    MixedContexts,
    /// The sum of the counts of a profile is 0, so its functions have no shares.
    #[error("the sum of the counts is 0 in {}", match (base, test) {
        (true, true) => "both profiles",
        (true, false) => "the base profile",
        _ => "the test profile",
    })]
    NoSamples {
        /// True if the counts of the base profile sum to 0.
        base: bool,
        /// True if the counts of the test profile sum to 0.
        test: bool,
    },
}

/// Returns `part` divided by `whole`, or 0 if `whole` is 0.
pub(super) fn ratio(part: u128, whole: u128) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
