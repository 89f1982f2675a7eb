//! Computes the overlap of two profiles, in the numbers of `llvm-profdata overlap --sample`.

mod function;
mod report;
mod side;

use crate::{FullName, Profile};
use function::Comparison;
use report::ratio;
pub use report::{FunctionOverlap, OverlapError, OverlapReport, SampleOverlap, Shares};
use side::{ComparedProfile, MeasuredFunction};

/// Largest difference of a similarity from 0 or 1 that is taken for an error of rounding.
const EPSILON: f64 = 0.000_005;

/// Compares the profile `test` with the profile `base`.
///
/// # Errors
/// When one of the profiles has no samples, or when the profiles are of different kinds.
pub fn overlap(base: &Profile, test: &Profile) -> Result<OverlapReport, OverlapError> {
    if base.flags.probe_based != test.flags.probe_based {
        return Err(OverlapError::MixedLocations);
    }
    if base.flags.context_sensitive != test.flags.context_sensitive {
        return Err(OverlapError::MixedContexts);
    }
    let base = ComparedProfile::new(base);
    let test = ComparedProfile::new(test);
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

fn add_function(
    report: &mut OverlapReport,
    base_side: &ComparedProfile<'_>,
    test_side: &ComparedProfile<'_>,
    name: FullName<'_>,
    base: Option<MeasuredFunction<'_>>,
    test: Option<MeasuredFunction<'_>>,
) {
    let stats = |measured: Option<MeasuredFunction<'_>>| measured.map(|measured| measured.stats).unwrap_or_default();
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
        // LLVM takes all locations of a function that only one profile has as one location.
        samples.base_unique = samples.base;
        samples.test_unique = samples.test;
        samples.union = samples.base + samples.test;
        let hot_in_base = base_stats.sum >= base_side.hot_threshold.into();
        let hot_in_test = test_stats.sum >= test_side.hot_threshold.into();
        report
            .hot_blocks
            .count(hot_in_base, hot_in_test, base_stats.hot + test_stats.hot);
    }
    report.similarity += similarity * (base_weight / 2.0 + test_weight / 2.0);
    let sums = &mut report.samples;
    sums.base_unique += samples.base_unique;
    sums.test_unique += samples.test_unique;
    sums.common += samples.common;
    sums.union += samples.union;
    report.functions.count(base.is_some(), test.is_some(), 1);
    let hot_in_base = base.is_some() && base_stats.max >= base_side.hot_threshold;
    let hot_in_test = test.is_some() && test_stats.max >= test_side.hot_threshold;
    report.hot_functions.count(hot_in_base, hot_in_test, 1);
    let mut text = Vec::new();
    name.push(&mut text);
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
