//! Converts numbers for JavaScript. Counts of events in a profile cross as `bigint`, with all digits.

/// Converts a number of things to a JavaScript number. The number of things in files or in memory is below 2^53. A
/// damaged file can state a larger number, which is clamped to the largest exact one (2^53 - 1).
pub fn count(value: u64) -> f64 {
    const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
    value.min(MAX_SAFE_INTEGER) as f64
}
