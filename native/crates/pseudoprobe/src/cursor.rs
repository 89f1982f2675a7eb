//! Reads numbers from bytes that may be malformed.

use crate::error::Problem;

/// Reads the numbers of both sections. After an error, the position is the start of the malformed number.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.position == self.bytes.len()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Problem> {
        Ok(self.take(1)?[0])
    }

    /// Reads a number of eight bytes, little-endian.
    pub(crate) fn fixed64(&mut self) -> Result<u64, Problem> {
        let bytes = self.take(8)?.first_chunk().ok_or(Problem::Truncated)?;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Reads the next `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Problem> {
        let rest = &self.bytes[self.position..];
        let taken = rest.get(..length).ok_or(Problem::Truncated)?;
        self.position += length;
        Ok(taken)
    }

    /// Reads a ULEB128 number of at most 32 bits (DWARF 5 section 7.6). Accepts padding, as LLVM's `decodeULEB128`
    /// does.
    #[inline]
    pub(crate) fn number32(&mut self) -> Result<u32, Problem> {
        let mut value = 0u64;
        for (place, &byte) in self.bytes[self.position..].iter().enumerate() {
            let group = u64::from(byte & 0x7f);
            // 2^35 exceeds the limit already, so all higher groups must be padding.
            if place < 5 {
                value |= group << (7 * place);
            } else if group != 0 {
                return Err(Problem::NumberTooLarge(u32::BITS));
            }
            if byte < 0x80 {
                let value = u32::try_from(value).map_err(|_| Problem::NumberTooLarge(u32::BITS))?;
                self.position += place + 1;
                return Ok(value);
            }
        }
        Err(Problem::Truncated)
    }

    /// Reads an SLEB128 number, modulo 2^64. Bits beyond the 64th only repeat the sign.
    #[inline]
    pub(crate) fn signed(&mut self) -> Result<i64, Problem> {
        let mut value = 0u64;
        for (place, &byte) in self.bytes[self.position..].iter().enumerate() {
            let group = u64::from(byte & 0x7f);
            match place {
                0..=8 => value |= group << (7 * place),
                9 if group == 0 || group == 0x7f => value |= group << 63,
                _ if group == 0 || group == 0x7f => {}
                _ => return Err(Problem::NumberTooLarge(u64::BITS)),
            }
            if byte < 0x80 {
                let bits = 7 * (place as u32 + 1);
                if byte & 0x40 != 0 && bits < u64::BITS {
                    value |= u64::MAX << bits;
                }
                self.position += place + 1;
                return Ok(value.cast_signed());
            }
        }
        Err(Problem::Truncated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leb(mut value: u64, padding: usize) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
            if value == 0 {
                break;
            }
        }
        out.extend(std::iter::repeat_n(0x80, padding));
        *out.last_mut().expect("a group") &= 0x7f;
        out
    }

    fn sleb(mut value: i64) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            let group = (value & 0x7f) as u8;
            value >>= 7;
            if value == i64::from(group & 0x40 != 0).wrapping_neg() {
                out.push(group);
                return out;
            }
            out.push(group | 0x80);
        }
    }

    #[test]
    fn numbers_too_large_are_refused_where_they_start() {
        let bytes = [1, 0xff, 0xff, 0xff, 0xff, 0x10];
        let mut cursor = Cursor::new(&bytes);
        assert_eq!(cursor.number32(), Ok(1));
        assert_eq!(cursor.number32(), Err(Problem::NumberTooLarge(32)));
        assert_eq!(cursor.position(), 1);
        assert_eq!(Cursor::new(&[0x80, 0x80]).number32(), Err(Problem::Truncated));
        assert_eq!(Cursor::new(&[0xff; 12]).signed(), Err(Problem::Truncated));
        assert_eq!(Cursor::new(&[1; 7]).fixed64(), Err(Problem::Truncated));
    }

    proptest! {
        #[test]
        fn unsigned_numbers_come_back(value: u32, padding in 0usize..9) {
            let bytes = leb(value.into(), padding);
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(cursor.number32(), Ok(value));
            prop_assert!(cursor.is_at_end());
        }

        #[test]
        fn signed_numbers_come_back(value: i64, shift in 0u32..64) {
            let bytes = sleb(value >> shift);
            let mut cursor = Cursor::new(&bytes);
            prop_assert_eq!(cursor.signed(), Ok(value >> shift));
            prop_assert!(cursor.is_at_end());
        }
    }
}
