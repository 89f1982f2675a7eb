//! ULEB128 (DWARF 5 section 7.6), the integer encoding of LLVM's binary profiles.

/// Number of bytes of the longest encoding of 64 bits: ten groups of seven bits.
pub(crate) const MAX_BYTES: usize = 10;

/// Appends the shortest encoding of `value` to `out`.
#[inline]
pub(crate) fn push(out: &mut Vec<u8>, mut value: u64) {
    if value < 0x80 {
        out.push(value as u8);
        return;
    }
    let mut buffer = [0; MAX_BYTES];
    let mut len = 0;
    while value >= 0x80 {
        buffer[len] = value as u8 | 0x80;
        value >>= 7;
        len += 1;
    }
    buffer[len] = value as u8;
    out.extend_from_slice(&buffer[..=len]);
}

/// The reason why no number could be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leb128Error {
    /// The bytes end before the last byte of the number.
    Truncated,
    /// The number needs more than 64 bits.
    TooLarge,
}

/// Decodes the number at the start of `bytes`, and returns the number and the count of its bytes.
///
/// Like LLVM's `decodeULEB128`, accepts padding (`80 80 00`) of any length.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> Result<(u64, usize), Leb128Error> {
    match bytes.first() {
        Some(&byte) if byte < 0x80 => Ok((u64::from(byte), 1)),
        _ => decode_long(bytes),
    }
}

fn decode_long(bytes: &[u8]) -> Result<(u64, usize), Leb128Error> {
    let mut value = 0;
    for (position, &byte) in bytes.iter().enumerate() {
        let group = u64::from(byte & 0x7f);
        let shift = 7 * position as u32;
        if shift < u64::BITS {
            if shift == 63 && group > 1 {
                return Err(Leb128Error::TooLarge);
            }
            value |= group << shift;
        } else if group != 0 {
            return Err(Leb128Error::TooLarge);
        }
        if byte < 0x80 {
            return Ok((value, position + 1));
        }
    }
    Err(Leb128Error::Truncated)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decodes_what_it_encoded(value: u64, bits in 0u32..64, tail: Vec<u8>) {
            let value = value >> bits;
            let mut bytes = Vec::new();
            push(&mut bytes, value);
            let len = bytes.len();
            prop_assert_eq!(len, (64 - value.leading_zeros()).div_ceil(7).max(1) as usize);
            bytes.extend(tail);
            prop_assert_eq!(decode(&bytes), Ok((value, len)));
            prop_assert_eq!(decode(&bytes[..len - 1]), Err(Leb128Error::Truncated));
        }
    }

    #[test]
    fn padding_is_taken_and_a_65th_bit_is_not() {
        assert_eq!(decode(&[0x81, 0x80, 0x00]), Ok((1, 3)));
        assert_eq!(decode(&[[0x80; 20].as_slice(), &[0]].concat()), Ok((0, 21)));
        assert_eq!(decode(&[[0xff; 9].as_slice(), &[1]].concat()), Ok((u64::MAX, 10)));
        assert_eq!(
            decode(&[[0xff; 9].as_slice(), &[2]].concat()),
            Err(Leb128Error::TooLarge)
        );
        assert_eq!(
            decode(&[[0x80; 10].as_slice(), &[1]].concat()),
            Err(Leb128Error::TooLarge)
        );
        assert_eq!(decode(&[]), Err(Leb128Error::Truncated));
    }
}
