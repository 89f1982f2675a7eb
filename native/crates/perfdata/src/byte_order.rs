//! Reads integers in the byte order of the recording machine.

/// The byte order of a perf.data file, which is that of the machine that recorded it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ByteOrder {
    /// Byte order of x86 and of nearly all other machines.
    #[default]
    Little,
    /// Byte order of s390x and older POWER.
    Big,
}

impl ByteOrder {
    /// Returns the number that `bytes` encode.
    #[inline]
    pub(crate) const fn half(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// Returns the number that `bytes` encode.
    #[inline]
    pub(crate) const fn word(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }

    /// Returns the u16 at offset `at`, or `None` past the end.
    #[inline]
    pub(crate) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let raw = *bytes.get(at..)?.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(raw),
            Self::Big => u16::from_be_bytes(raw),
        })
    }

    /// Returns the u32 at offset `at`, or `None` past the end.
    #[inline]
    pub(crate) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        bytes.get(at..)?.first_chunk().map(|raw| self.half(*raw))
    }

    /// Returns the u64 at offset `at`, or `None` past the end.
    #[inline]
    pub(crate) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        bytes.get(at..)?.first_chunk().map(|raw| self.word(*raw))
    }
}

/// A reader of consecutive fields of a record or feature section. Every read is checked against the end.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    order: ByteOrder,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(bytes: &'a [u8], order: ByteOrder) -> Self {
        Self { rest: bytes, order }
    }

    pub(crate) fn bytes(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(count).ok()?)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        let value = self.order.u32(self.rest, 0)?;
        self.rest = &self.rest[4..];
        Some(value)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        let value = self.order.u64(self.rest, 0)?;
        self.rest = &self.rest[8..];
        Some(value)
    }

    /// Reads a string as feature sections store it: u32 length, then `length` bytes with a NUL among them.
    pub(crate) fn string(&mut self) -> Option<String> {
        let len = self.u32()?;
        self.bytes(u64::from(len)).map(nul_terminated)
    }
}

/// Returns the text before the first NUL, or all of it if there is no NUL. Replaces bytes that are not UTF-8.
pub(crate) fn nul_terminated(bytes: &[u8]) -> String {
    String::from_utf8_lossy(before_nul(bytes)).into_owned()
}

/// Returns the bytes before the first NUL, or all bytes if there is no NUL.
pub(crate) fn before_nul(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    &bytes[..end]
}
