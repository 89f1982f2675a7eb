//! The beginning of the binary forms.

/// Returns the magic number of a format: `SPROF42` in the upper seven bytes, the format in the lowest byte (LLVM:
/// `SPMagic`).
pub(crate) const fn magic(format: u8) -> u64 {
    u64::from_be_bytes([b'S', b'P', b'R', b'O', b'F', b'4', b'2', format])
}

/// `SPF_Binary`.
pub(crate) const MAGIC: u64 = magic(0xff);

/// The only version of the binary forms (LLVM: `SPVersion`).
pub(crate) const VERSION: u64 = 103;
