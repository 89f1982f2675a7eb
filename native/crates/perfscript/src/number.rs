//! Numbers that fill the whole of a text.

/// The value of a hexadecimal digit, or 0xff.
const HEX: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value] as usize] = value as u8;
        table[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    table
};

/// Reads the hexadecimal digits that `text` starts with: their value and number. `None` without any, or if the value does not fit.
#[inline]
pub(crate) fn leading_hex(text: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    let mut length = 0;
    for &byte in text {
        let digit = HEX[usize::from(byte)];
        if digit == 0xff {
            break;
        }
        if value >> 60 != 0 {
            return None;
        }
        value = value << 4 | u64::from(digit);
        length += 1;
    }
    (length > 0).then_some((value, length))
}

/// A hexadecimal number without a prefix.
#[inline]
pub(crate) fn hex(text: &[u8]) -> Option<u64> {
    leading_hex(text)
        .filter(|(_, length)| *length == text.len())
        .map(|(value, _)| value)
}

/// A decimal number without a sign.
#[inline]
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10)
            .then(|| value.checked_mul(10)?.checked_add(u64::from(digit)))
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_texts_only() {
        assert_eq!(hex(b"00ffFF"), Some(0xffff));
        assert_eq!(hex(b"ffffffffffffffff"), Some(u64::MAX));
        assert_eq!(hex(b"0000ffffffffffffffff"), Some(u64::MAX));
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for text in [&b""[..], b"0x1", b" 1", b"1 ", b"10000000000000000", b"g", b"-1"] {
            assert_eq!(hex(text), None, "{text:?}");
        }
        for text in [
            &b""[..],
            b" 1",
            b"1 ",
            b"18446744073709551616",
            b"99999999999999999999",
            b"a",
            b"+1",
        ] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
    }
}
