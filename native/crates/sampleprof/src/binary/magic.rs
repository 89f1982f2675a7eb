//! How the binary forms begin.

/// `SPROF42` as the upper seven bytes, the format as the lowest (LLVM: `SPMagic`).
pub(crate) const fn magic(format: u8) -> u64 {
    u64::from_be_bytes([b'S', b'P', b'R', b'O', b'F', b'4', b'2', format])
}

/// `SPF_Binary`.
pub(crate) const MAGIC: u64 = magic(0xff);

/// The one version there is (LLVM: `SPVersion`).
pub(crate) const VERSION: u64 = 103;
