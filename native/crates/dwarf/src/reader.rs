//! Reads values from a byte slice. Every read is checked.

/// Reads little-endian values from a slice.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// Offset of the next value in the slice.
    pub position: usize,
}

impl<'a> Reader<'a> {
    /// Makes a reader at `position`.
    #[must_use]
    pub fn new(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    /// Returns true if no byte is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.position >= self.bytes.len()
    }

    /// Reads the next `len` bytes.
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.position.checked_add(len)?;
        let taken = self.bytes.get(self.position..end)?;
        self.position = end;
        Some(taken)
    }

    /// Returns the bytes that are still to be read.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// Skips `len` bytes without a check. Reads beyond the end fail, skips do not.
    pub fn skip(&mut self, len: usize) {
        self.position = self.position.saturating_add(len);
    }

    /// Reads one byte.
    #[inline]
    pub fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.position)?;
        self.position += 1;
        Some(byte)
    }

    /// Reads an unsigned number of `len` bytes, at most 8.
    pub fn unsigned(&mut self, len: usize) -> Option<u64> {
        let mut bytes = [0; 8];
        bytes.get_mut(..len)?.copy_from_slice(self.take(len)?);
        Some(u64::from_le_bytes(bytes))
    }

    /// Reads a ULEB128 number (DWARF 5 section 7.6). Drops bits beyond the 64th.
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

    /// Reads two ULEB128 numbers, which are usually one byte long each.
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

    /// Reads an SLEB128 number (DWARF 5 section 7.6).
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

    /// Skips a LEB128 number.
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

    /// Reads a string up to its NUL, and skips the NUL.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.position..)?;
        let len = memchr::memchr(0, rest)?;
        self.position += len + 1;
        Some(&rest[..len])
    }
}
