//! Numbers as JavaScript has them.

/// A count as a JavaScript number, clamped to the largest that is exact (2^53 - 1).
pub fn count(value: u64) -> f64 {
    const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
    value.min(MAX_SAFE_INTEGER) as f64
}

/// The same of a sum that may exceed 64 bits.
pub fn large_count(value: u128) -> f64 {
    count(u64::try_from(value).unwrap_or(u64::MAX))
}
