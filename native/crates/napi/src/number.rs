//! Numbers as JavaScript has them.

/// A count as a JavaScript number, clamped to the largest that is exact (2^53 - 1).
pub fn count(value: u64) -> f64 {
    const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
    value.min(MAX_SAFE_INTEGER) as f64
}
