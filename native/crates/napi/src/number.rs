//! Numbers of things as JavaScript has them. What was counted crosses as a `bigint`, with all its digits.

/// How many things there are, as a JavaScript number. What is in files or in memory is fewer than 2^53; a number that a damaged file states
/// is clamped to the largest that is exact (2^53 - 1).
pub fn count(value: u64) -> f64 {
    const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
    value.min(MAX_SAFE_INTEGER) as f64
}
