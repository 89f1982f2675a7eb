//! One of the two profiles that are compared.

use rustc_hash::FxHashMap;

use crate::stats::{CountStats, HOT_CUTOFF};
use crate::{FullName, FunctionSamples, Profile, ProfileSummary};

/// One of the two profiles that are compared, with its sums.
pub(super) struct ComparedProfile<'a> {
    pub(super) profile: &'a Profile,
    pub(super) samples: u128,
    pub(super) hot_threshold: u64,
    pub(super) functions: FxHashMap<FullName<'a>, MeasuredFunction<'a>>,
}

/// A function of a profile, and its counts.
#[derive(Clone, Copy)]
pub(super) struct MeasuredFunction<'a> {
    pub(super) function: &'a FunctionSamples,
    pub(super) stats: CountStats,
}

/// The name of a function, and the function in the base profile and in the test profile.
pub(super) type Pair<'a> = (FullName<'a>, Option<MeasuredFunction<'a>>, Option<MeasuredFunction<'a>>);

impl<'a> ComparedProfile<'a> {
    pub(super) fn new(profile: &'a Profile) -> Self {
        let hot_threshold = ProfileSummary::compute(profile)
            .count_at_cutoff(HOT_CUTOFF)
            .unwrap_or(0);
        let mut samples = 0;
        let functions = profile.functions.iter().map(|function| {
            let stats = CountStats::of(function, hot_threshold);
            samples += stats.sum;
            (profile.full_name(function), MeasuredFunction { function, stats })
        });
        let functions = functions.collect();
        Self {
            profile,
            samples,
            hot_threshold,
            functions,
        }
    }

    /// Pairs up the functions of both profiles, in the order of their names. The order matters, because sums of
    /// floating point numbers depend on it.
    pub(super) fn pair_up(&self, test: &ComparedProfile<'a>) -> Vec<Pair<'a>> {
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
