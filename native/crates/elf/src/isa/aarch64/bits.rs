//! Reads fields of instruction words.

/// Returns the bits `high` down to `low` of `word`.
pub(super) fn field(word: u32, high: u32, low: u32) -> u32 {
    (word >> low) & (u32::MAX >> (31 - (high - low)))
}

/// Returns true if bit `index` of `word` is set.
pub(super) fn bit(word: u32, index: u32) -> bool {
    (word >> index) & 1 != 0
}
