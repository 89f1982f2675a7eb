use std::cmp::Reverse;

use crate::{FunctionSamples, LineLocation, Profile, ProfileSummary};

/// Share of all counts, in millionths, that hot counts make up: the largest counts that together reach this share are
/// hot (LLVM: `-profile-summary-cutoff-hot`).
pub const HOT_CUTOFF: u32 = 990_000;

impl FunctionSamples {
    /// Estimates the number of times that the function was entered from the count at the first location that has one.
    /// Unlike [`FunctionSamples::head`], this works for inlined functions too. The estimate is at least 1 if there are
    /// any samples (LLVM: `FunctionSamples::getHeadSamplesEstimate`).
    #[must_use]
    pub fn head_estimate(&self) -> u64 {
        let first_call: Option<LineLocation> = self.inlinees.first().map(|(location, _)| *location);
        let count = match (self.body.first(), first_call) {
            (Some(record), None) => record.count,
            (Some(record), Some(call)) if record.location < call => record.count,
            (_, Some(call)) => {
                // A compiler may have turned one indirect call into several inlined calls at one location.
                let callees = self.inlinees.iter().take_while(|(location, _)| *location == call);
                callees.fold(0, |sum: u64, (_, callee)| sum.wrapping_add(callee.head_estimate()))
            }
            (None, None) => 0,
        };
        if count == 0 { u64::from(self.total > 0) } else { count }
    }
}

/// Counts of a function together with the counts of everything that is inlined into the function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CountStats {
    /// Sum of the body counts.
    pub(crate) sum: u128,
    /// The largest body count.
    pub(crate) max: u64,
    /// Number of body counts that reach the threshold.
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
    /// Functions with a hot count, by total descending, then by name.
    pub functions: Vec<HotFunction>,
    /// Sum of the totals of `functions`, modulo 2^64.
    pub hot_samples: u64,
    /// Sum of the totals of all functions, modulo 2^64.
    pub total_samples: u64,
    /// Number of functions in the profile.
    pub function_count: usize,
}

/// A function with a hot count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HotFunction {
    /// Position of the function in [`Profile::functions`].
    pub position: usize,
    /// Value of [`FunctionSamples::total`].
    pub total: u64,
    /// The largest body count in the function, inlined code included.
    pub max: u64,
    /// Number of times that the function was entered: in a context-sensitive profile [`FunctionSamples::head`], if
    /// that is known, else [`FunctionSamples::head_estimate`].
    pub entries: u64,
}

/// Returns the functions that `llvm-profdata show --hot-func-list` reports.
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
