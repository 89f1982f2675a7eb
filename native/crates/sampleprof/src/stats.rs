use std::cmp::Reverse;

use crate::{FunctionSamples, LineLocation, Profile, ProfileSummary};

/// Counts that are among those which make up this share of all, in millionths, are hot
/// (LLVM: `-profile-summary-cutoff-hot`).
pub const HOT_CUTOFF: u32 = 990_000;

impl FunctionSamples {
    /// How often the function was entered, judged by the first thing in it that was counted. Unlike
    /// [`FunctionSamples::head`] it can tell for inlined functions too, and is at least 1 if there are any samples
    /// (LLVM: `FunctionSamples::getHeadSamplesEstimate`).
    #[must_use]
    pub fn head_estimate(&self) -> u64 {
        let first_call: Option<LineLocation> = self.inlinees.first().map(|(location, _)| *location);
        let count = match (self.body.first(), first_call) {
            (Some(record), None) => record.count,
            (Some(record), Some(call)) if record.location < call => record.count,
            (_, Some(call)) => {
                // An indirect call may have been turned into several inlined ones.
                let callees = self.inlinees.iter().take_while(|(location, _)| *location == call);
                callees.fold(0, |sum: u64, (_, callee)| sum.wrapping_add(callee.head_estimate()))
            }
            (None, None) => 0,
        };
        if count == 0 { u64::from(self.total > 0) } else { count }
    }
}

/// Counts of a function with all that is inlined into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CountStats {
    /// Sum of the body counts.
    pub(crate) sum: u128,
    /// The largest.
    pub(crate) max: u64,
    /// How many reach the threshold.
    pub(crate) hot: u64,
}

impl CountStats {
    pub(crate) fn of(function: &FunctionSamples, hot_threshold: u64) -> Self {
        let mut stats = Self::default();
        function.walk(&mut |part| {
            for record in &part.body {
                stats.sum += u128::from(record.count);
                stats.max = stats.max.max(record.count);
                stats.hot += u64::from(record.count >= hot_threshold);
            }
        });
        stats
    }
}

/// The functions that have a hot count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotFunctions {
    /// The smallest hot count.
    pub threshold: u64,
    /// By total descending, then name.
    pub functions: Vec<HotFunction>,
    /// Sum of their totals, modulo 2^64.
    pub hot_samples: u64,
    /// Sum of the totals of all functions, modulo 2^64.
    pub total_samples: u64,
    /// How many functions there are.
    pub function_count: usize,
}

/// A function with a hot count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotFunction {
    /// Its position in [`Profile::functions`].
    pub position: usize,
    /// [`FunctionSamples::total`].
    pub total: u64,
    /// The largest body count in it, inlined code included.
    pub max: u64,
    /// How often it was entered: in a context-sensitive profile [`FunctionSamples::head`], if it is known, else
    /// [`FunctionSamples::head_estimate`].
    pub entries: u64,
}

/// What `llvm-profdata show --hot-func-list` reports.
#[must_use]
pub fn hot_functions(profile: &Profile) -> HotFunctions {
    let threshold = ProfileSummary::compute(profile)
        .count_at_cutoff(HOT_CUTOFF)
        .unwrap_or(0);
    let mut hot = HotFunctions {
        threshold,
        functions: Vec::new(),
        hot_samples: 0,
        total_samples: 0,
        function_count: profile.functions.len(),
    };
    for (position, function) in profile.functions.iter().enumerate() {
        hot.total_samples = hot.total_samples.wrapping_add(function.total);
        let max = CountStats::of(function, threshold).max;
        if max >= threshold {
            hot.hot_samples = hot.hot_samples.wrapping_add(function.total);
            let entries = match function.head {
                head if profile.flags.context_sensitive && head > 0 => head,
                _ => function.head_estimate(),
            };
            hot.functions.push(HotFunction {
                position,
                total: function.total,
                max,
                entries,
            });
        }
    }
    hot.functions.sort_by_key(|function| {
        let full_name = profile.full_name(&profile.functions[function.position]);
        (Reverse(function.total), full_name)
    });
    hot
}
