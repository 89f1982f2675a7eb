//! Address spaces as types, so that the compiler refuses an address of one space in the place of another.

use std::fmt;

/// An address as the ELF file states it ("stated virtual memory address"). Symbols, segments and DWARF use these
/// addresses. In a PIE or shared object they count from the zero address of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Svma(pub u64);

/// A position in a file, in bytes from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct FileOffset(pub u64);

impl Svma {
    /// Returns the address that lies `bytes` bytes after this one, modulo 2^64.
    #[must_use]
    pub fn wrapping_add(self, bytes: u64) -> Self {
        Self(self.0.wrapping_add(bytes))
    }
}

impl fmt::LowerHex for Svma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

impl fmt::LowerHex for FileOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}
