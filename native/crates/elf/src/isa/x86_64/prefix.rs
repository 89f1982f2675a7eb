//! What any instruction may begin with, and how long it may get.

/// The longest instruction that a processor executes.
pub(super) const MAX_LENGTH: usize = 15;

/// Segment, operand size, address size, lock, repeat and REX prefixes (AMD64 APM volume 3, 1.2).
pub(super) fn is_legacy_or_rex_prefix(byte: u8) -> bool {
    matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x40..=0x4f | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3)
}
