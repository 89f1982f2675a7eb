use rustc_hash::FxHashMap;

use crate::{FunctionSamples, Profile, attribute};

/// Shares of all counts, in parts per million, for which a detailed summary has an entry (LLVM:
/// `ProfileSummaryBuilder::DefaultCutoffs`).
pub const DEFAULT_CUTOFFS: [u32; 16] = [
    10_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000, 700_000, 800_000, 900_000, 950_000, 990_000, 999_000,
    999_900, 999_990, 999_999,
];

/// Scale of the cut-offs: a cut-off of one million stands for all counts.
const SCALE: u128 = 1_000_000;

/// The hottest counts that together make up a given share of all counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SummaryEntry {
    /// The share of all counts, in parts per million.
    pub cutoff: u32,
    /// The smallest of the hottest counts.
    pub min_count: u64,
    /// Number of the hottest counts.
    pub num_counts: u64,
}

/// The distribution of counts in a profile. Compilers tell hot code from cold code by this summary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileSummary {
    /// Sum of all body counts, modulo 2^64, as in LLVM.
    pub total_count: u64,
    /// The largest count of a body record.
    pub max_count: u64,
    /// The largest head count of a function that is not inlined.
    pub max_function_count: u64,
    /// Number of body records, including those of inlined code and those with a count of zero.
    pub num_counts: u64,
    /// Number of functions that are not inlined.
    pub num_functions: u64,
    /// One entry for each of [`DEFAULT_CUTOFFS`].
    pub entries: Vec<SummaryEntry>,
}

impl ProfileSummary {
    /// Computes the summary that LLVM's writers put into the file.
    ///
    /// Adds up the contexts of each function first. Contexts are so many that each has few samples, and hot counts
    /// would not stand out (LLVM: `computeSummaryForProfiles`).
    #[must_use]
    pub fn compute(profile: &Profile) -> Self {
        if profile.flags.context_sensitive {
            let mut flat = profile.clone();
            flat.flatten();
            return Self::compute(&flat);
        }
        let mut counts = Counts::default();
        for function in &profile.functions {
            counts.summary.num_functions += 1;
            counts.summary.max_function_count = counts.summary.max_function_count.max(function.head);
            counts.add(function);
        }
        counts.finish()
    }

    /// Returns the smallest count that belongs to the hottest `cutoff` millionths: the count of the first entry whose
    /// cut-off is at least `cutoff`. Returns `None` if `cutoff` exceeds the cut-offs of all entries.
    #[must_use]
    pub fn count_at_cutoff(&self, cutoff: u32) -> Option<u64> {
        self.entries
            .iter()
            .find(|entry| entry.cutoff >= cutoff)
            .map(|entry| entry.min_count)
    }
}

#[derive(Default)]
struct Counts {
    summary: ProfileSummary,
    frequencies: FxHashMap<u64, u64>,
}

impl Counts {
    fn add(&mut self, function: &FunctionSamples) {
        self.summary.num_counts += function.body.len() as u64;
        for record in &function.body {
            self.summary.total_count = self.summary.total_count.wrapping_add(record.count);
            self.summary.max_count = self.summary.max_count.max(record.count);
            *self.frequencies.entry(record.count).or_default() += 1;
        }
        for (_, inlinee) in &function.inlinees {
            if inlinee.attributes & attribute::DUPLICATED_INTO_BASE == 0 {
                self.add(inlinee);
            }
        }
    }

    fn finish(self) -> ProfileSummary {
        let Self {
            mut summary,
            frequencies,
        } = self;
        let mut frequencies: Vec<_> = frequencies.into_iter().collect();
        frequencies.sort_unstable_by(|a, b| b.cmp(a));
        let mut hottest = frequencies.into_iter();
        let mut reached = SummaryEntry {
            cutoff: 0,
            min_count: 0,
            num_counts: 0,
        };
        let mut sum = 0u64;
        for cutoff in DEFAULT_CUTOFFS {
            let wanted = (u128::from(summary.total_count) * u128::from(cutoff) / SCALE) as u64;
            while sum < wanted {
                let Some((count, frequency)) = hottest.next() else {
                    break;
                };
                // The sum wraps in LLVM too, when the total exceeds 2^64.
                sum = sum.wrapping_add(count.wrapping_mul(frequency));
                reached.min_count = count;
                reached.num_counts += frequency;
            }
            reached.cutoff = cutoff;
            summary.entries.push(reached);
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{BodyRecord, LineLocation};

    fn profile_of(counts: &[u64]) -> Profile {
        let mut profile = Profile::new();
        let mut function = FunctionSamples::new(profile.names.intern(b"f"));
        for (line, &count) in (0..).zip(counts) {
            function.body.push(BodyRecord {
                location: LineLocation::new(line, 0),
                count,
                targets: Vec::new(),
            });
        }
        profile.functions.push(function);
        profile
    }

    /// Computes the entry of one cut-off the slow way, by adding the counts from the largest on for this cut-off
    /// alone.
    fn naive_entry(counts: &[u64], cutoff: u32) -> SummaryEntry {
        let total: u128 = counts.iter().map(|&count| u128::from(count)).sum();
        let mut distinct = counts.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let mut entry = SummaryEntry {
            cutoff,
            min_count: 0,
            num_counts: 0,
        };
        let mut sum = 0;
        while sum < total * u128::from(cutoff) / SCALE {
            let count = distinct.pop().unwrap();
            let same = counts.iter().filter(|&&other| other == count).count() as u64;
            sum += u128::from(count) * u128::from(same);
            entry.min_count = count;
            entry.num_counts += same;
        }
        entry
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_walk(counts in prop::collection::vec(prop_oneof![0u64..20, any::<u32>().prop_map(u64::from)], 0..60)) {
            let summary = ProfileSummary::compute(&profile_of(&counts));
            let naive: Vec<_> = DEFAULT_CUTOFFS.iter().map(|&cutoff| naive_entry(&counts, cutoff)).collect();
            prop_assert_eq!(summary.entries, naive);
        }
    }

    #[test]
    fn threshold_is_that_of_the_first_entry_reaching_the_cutoff() {
        let summary = ProfileSummary::compute(&profile_of(&[100, 50, 1]));
        assert_eq!(summary.count_at_cutoff(10_000), Some(100));
        // The product 151 * 0.999999 is rounded down to 150, which two counts reach.
        assert_eq!(summary.count_at_cutoff(999_999), Some(50));
        assert_eq!(summary.count_at_cutoff(1_000_000), None);
    }

    #[test]
    fn functions_that_were_duplicated_into_their_base_count_once() {
        let mut profile = profile_of(&[5]);
        let mut inlinee = profile.functions[0].clone();
        inlinee.attributes = attribute::DUPLICATED_INTO_BASE;
        profile.functions[0]
            .inlinees
            .push((LineLocation::new(1, 0), inlinee.clone()));
        assert_eq!(ProfileSummary::compute(&profile).num_counts, 1);
        inlinee.attributes = 0;
        profile.functions[0].inlinees[0].1 = inlinee;
        assert_eq!(ProfileSummary::compute(&profile).num_counts, 2);
    }
}
