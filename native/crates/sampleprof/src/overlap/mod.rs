//! How much two profiles have in common, in the numbers of `llvm-profdata overlap --sample`.

mod function;

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::stats::{CountStats, HOT_CUTOFF};
use crate::{FunctionSamples, Name, Profile, ProfileSummary};
use function::Comparison;

/// Similarities that differ from 0 or 1 by less than this do so because of rounding.
const EPSILON: f64 = 0.000_005;

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
    fn count(&mut self, in_base: bool, in_test: bool, number: u64) {
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
        ratio(self.common, self.common + self.base_only + self.test_only)
    }
}

/// Sums of body counts. All are modulo 2^64, as in LLVM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SampleOverlap {
    /// All of the base profile.
    pub base: u64,
    /// All of the test profile.
    pub test: u64,
    /// Those at places that only the base profile has.
    pub base_unique: u64,
    /// Those at places that only the test profile has.
    pub test_unique: u64,
    /// The smaller count at every place.
    pub common: u64,
    /// The larger count at every place.
    pub union: u64,
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
    /// The name, as text profiles have it.
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

/// Compares `test` with `base`.
///
/// # Errors
/// When one of them has no samples, or they are of different kinds.
pub fn overlap(base: &Profile, test: &Profile) -> Result<OverlapReport, OverlapError> {
    if base.flags.probe_based != test.flags.probe_based {
        return Err(OverlapError::MixedLocations);
    }
    let base = Side::new(base);
    let test = Side::new(test);
    if base.samples == 0 || test.samples == 0 {
        return Err(OverlapError::NoSamples {
            base: base.samples == 0,
            test: test.samples == 0,
        });
    }
    let mut report = OverlapReport::default();
    report.samples.base = base.samples;
    report.samples.test = test.samples;
    for (name, in_base, in_test) in base.pair_up(&test) {
        add_function(&mut report, &base, &test, name, in_base, in_test);
    }
    if (report.similarity - 1.0).abs() < EPSILON {
        report.similarity = 1.0;
    }
    report.details.sort_by(|a, b| {
        let weights = b
            .base_weight
            .total_cmp(&a.base_weight)
            .then(b.test_weight.total_cmp(&a.test_weight));
        weights.then_with(|| a.name.cmp(&b.name))
    });
    Ok(report)
}

/// One of the two profiles.
struct Side<'a> {
    profile: &'a Profile,
    samples: u64,
    hot_threshold: u64,
    functions: FxHashMap<Name<'a>, Measured<'a>>,
}

#[derive(Clone, Copy)]
struct Measured<'a> {
    function: &'a FunctionSamples,
    stats: CountStats,
}

type Pair<'a> = (Name<'a>, Option<Measured<'a>>, Option<Measured<'a>>);

impl<'a> Side<'a> {
    fn new(profile: &'a Profile) -> Self {
        let hot_threshold = ProfileSummary::compute(profile)
            .count_at_cutoff(HOT_CUTOFF)
            .unwrap_or(0);
        let mut samples = 0u64;
        let functions = profile.functions.iter().map(|function| {
            let stats = CountStats::of(function, hot_threshold);
            samples = samples.wrapping_add(stats.sum);
            (profile.names.get(function.name), Measured { function, stats })
        });
        let functions = functions.collect();
        Self {
            profile,
            samples,
            hot_threshold,
            functions,
        }
    }

    /// Every function of either side once, by name: sums of floating point numbers depend on the order.
    fn pair_up(&self, test: &Side<'a>) -> Vec<Pair<'a>> {
        let base_only = self
            .functions
            .iter()
            .filter(|(name, _)| !test.functions.contains_key(*name));
        let mut pairs: Vec<Pair<'a>> = base_only
            .map(|(name, measured)| (*name, Some(*measured), None))
            .collect();
        let in_test = test.functions.iter();
        pairs.extend(in_test.map(|(name, measured)| (*name, self.functions.get(name).copied(), Some(*measured))));
        pairs.sort_unstable_by_key(|pair| pair.0);
        pairs
    }
}

fn add_function(
    report: &mut OverlapReport,
    base_side: &Side<'_>,
    test_side: &Side<'_>,
    name: Name<'_>,
    base: Option<Measured<'_>>,
    test: Option<Measured<'_>>,
) {
    let stats = |measured: Option<Measured<'_>>| measured.map(|measured| measured.stats).unwrap_or_default();
    let (base_stats, test_stats) = (stats(base), stats(test));
    let mut samples = SampleOverlap {
        base: base_stats.sum,
        test: test_stats.sum,
        ..SampleOverlap::default()
    };
    let base_weight = ratio(base_stats.sum, base_side.samples);
    let test_weight = ratio(test_stats.sum, test_side.samples);
    let mut similarity = 0.0;
    if let (Some(base), Some(test)) = (base, test) {
        let mut comparison = Comparison::new(base_side, test_side, samples);
        similarity = comparison.similarity(base.function, test.function);
        if similarity.abs() < EPSILON {
            similarity = 0.0;
        }
        similarity *= 1.0 - (base_weight - test_weight).abs();
        samples = comparison.samples;
        report.hot_blocks.common += comparison.hot_blocks.common;
        report.hot_blocks.base_only += comparison.hot_blocks.base_only;
        report.hot_blocks.test_only += comparison.hot_blocks.test_only;
    } else {
        // Of a function in one profile only, LLVM takes all places as one.
        samples.base_unique = samples.base;
        samples.test_unique = samples.test;
        samples.union = samples.base.wrapping_add(samples.test);
        let hot_in_base = base_stats.sum >= base_side.hot_threshold;
        let hot_in_test = test_stats.sum >= test_side.hot_threshold;
        report
            .hot_blocks
            .count(hot_in_base, hot_in_test, base_stats.hot + test_stats.hot);
    }
    report.similarity += similarity * (base_weight / 2.0 + test_weight / 2.0);
    let sums = &mut report.samples;
    sums.base_unique = sums.base_unique.wrapping_add(samples.base_unique);
    sums.test_unique = sums.test_unique.wrapping_add(samples.test_unique);
    sums.common = sums.common.wrapping_add(samples.common);
    sums.union = sums.union.wrapping_add(samples.union);
    report.functions.count(base.is_some(), test.is_some(), 1);
    let hot_in_base = base.is_some() && base_stats.max >= base_side.hot_threshold;
    let hot_in_test = test.is_some() && test_stats.max >= test_side.hot_threshold;
    report.hot_functions.count(hot_in_base, hot_in_test, 1);
    let mut text = Vec::new();
    crate::text::push_name(&mut text, name);
    report.details.push(FunctionOverlap {
        name: text,
        in_base: base.is_some(),
        in_test: test.is_some(),
        similarity,
        base_weight,
        test_weight,
        samples,
        test_max: test_stats.max,
    });
}

/// 0 when there is nothing to divide by.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
