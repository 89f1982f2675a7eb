//! A position in a byte slice; every read is checked.

/// Reads little-endian values from a slice.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// Where the next value stands.
    pub position: usize,
}

impl<'a> Reader<'a> {
    /// Reads from this position on.
    #[must_use]
    pub fn new(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.position >= self.bytes.len()
    }

    /// So many bytes.
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.position.checked_add(len)?;
        let taken = self.bytes.get(self.position..end)?;
        self.position = end;
        Some(taken)
    }

    /// What is still to be read.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// Moves on without looking; reads beyond the end fail, skips do not.
    pub fn skip(&mut self, len: usize) {
        self.position = self.position.saturating_add(len);
    }

    /// One byte.
    #[inline]
    pub fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.position)?;
        self.position += 1;
        Some(byte)
    }

    /// An unsigned number of `len` bytes, at most 8.
    pub fn unsigned(&mut self, len: usize) -> Option<u64> {
        let mut bytes = [0; 8];
        bytes.get_mut(..len)?.copy_from_slice(self.take(len)?);
        Some(u64::from_le_bytes(bytes))
    }

    /// ULEB128 (DWARF 5 section 7.6); bits beyond the 64th are dropped.
    #[inline]
    pub fn uleb(&mut self) -> Option<u64> {
        let first = *self.bytes.get(self.position)?;
        self.position += 1;
        if first < 0x80 {
            return Some(u64::from(first));
        }
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        loop {
            let byte = *self.bytes.get(self.position)?;
            self.position += 1;
            if shift < 64 {
                value |= u64::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte < 0x80 {
                return Some(value);
            }
        }
    }

    /// Two ULEB128 numbers, which are mostly a byte each.
    #[inline]
    pub fn two_ulebs(&mut self) -> Option<(u64, u64)> {
        match self.bytes.get(self.position..)? {
            &[first, second, ..] if (first | second) < 0x80 => {
                self.position += 2;
                Some((u64::from(first), u64::from(second)))
            }
            _ => Some((self.uleb()?, self.uleb()?)),
        }
    }

    /// SLEB128 (DWARF 5 section 7.6).
    pub fn sleb(&mut self) -> Option<i64> {
        let mut value = 0;
        let mut shift = 0u32;
        loop {
            let byte = *self.bytes.get(self.position)?;
            self.position += 1;
            if shift < 64 {
                value |= i64::from(byte & 0x7f) << shift;
            }
            shift += 7;
            if byte < 0x80 {
                if shift < 64 && byte & 0x40 != 0 {
                    value |= -1 << shift;
                }
                return Some(value);
            }
        }
    }

    /// Moves past a LEB128 number.
    #[inline]
    pub fn skip_leb(&mut self) -> Option<()> {
        loop {
            let byte = *self.bytes.get(self.position)?;
            self.position += 1;
            if byte < 0x80 {
                return Some(());
            }
        }
    }

    /// A string up to its NUL, which is read too.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.position..)?;
        let len = memchr::memchr(0, rest)?;
        self.position += len + 1;
        Some(&rest[..len])
    }
}
