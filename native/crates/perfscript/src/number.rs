//! Numbers and blanks, eight characters at a time.

/// The same byte eight times.
const fn all(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The hexadecimal digits that eight characters start with, the first of which is the lowest byte: their value and number.
#[inline]
fn hex_digits(characters: u64) -> (u64, u32) {
    const TOP: u64 = all(0x80);
    let lower = characters | all(0x20);
    // The top bit of each byte says whether a comparison holds. That of a character that is no ASCII may also change the bytes above it, but
    // digits end there.
    let is_digit = (characters | TOP).wrapping_sub(all(b'0')) & all(b'9' | 0x80).wrapping_sub(characters);
    let is_letter = (lower | TOP).wrapping_sub(all(b'a')) & all(b'f' | 0x80).wrapping_sub(lower);
    let are_digits = (is_digit | is_letter) & !characters & TOP;
    let count = (are_digits ^ TOP).trailing_zeros() / 8;
    if count == 0 {
        return (0, 0);
    }
    // Zeros in front of the digits, and then the first digit is the lowest byte again.
    let digits = characters << (64 - 8 * count);
    let values = (digits & all(0x0f)) + (digits >> 6 & all(1)) * 9;
    // Neighbours are put together: two digits to a byte, two bytes to 16 bits, and so on.
    let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs << 8 | pairs >> 16) & 0x0000_ffff_0000_ffff;
    ((fours << 16 | fours >> 32) & 0xffff_ffff, count)
}

/// Reads the hexadecimal digits that `text` starts with: their value and number. `None` without any, or if the value does not fit.
#[inline]
pub(crate) fn leading_hex(text: &[u8]) -> Option<(u64, usize)> {
    let (mut value, mut length) = (0u64, 0);
    loop {
        let (digits, count) = hex_digits(eight(&text[length..]));
        if count > 0 {
            if value >> (64 - 4 * count) != 0 {
                return None;
            }
            value = value << (4 * count) | digits;
            length += count as usize;
        }
        if count < 8 {
            return (length > 0).then_some((value, length));
        }
    }
}

/// Reads numbers one after the other of which most are as long as the one before and begin like it, as the addresses of one mapping.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HexReader {
    /// How many digits the latest number of 8 to 16 digits has; 0 before there is any.
    length: usize,
    /// Its digits but the last eight, as characters, and which bytes these are.
    first: u64,
    mask: u64,
    /// The value of these.
    high: u64,
}

impl HexReader {
    /// The same as [`leading_hex`].
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8]) -> Option<(u64, usize)> {
        // The end of the number is not looked for but expected, so that the processor need not wait for it to read on.
        let length = self.length;
        if let Some(number) = text.get(..=length)
            && let Some(last) = number[..length].last_chunk()
            && number[length] == b'/'
            && eight(number) & self.mask == self.first
            && let (low, 8) = hex_digits(u64::from_le_bytes(*last))
        {
            return Some((self.high << 32 | low, length));
        }
        self.learn(text)
    }

    #[inline(never)]
    fn learn(&mut self, text: &[u8]) -> Option<(u64, usize)> {
        let (value, length) = leading_hex(text)?;
        if let 8..=16 = length {
            let mask = u64::MAX.checked_shr(8 * (16 - length) as u32).unwrap_or(0);
            *self = Self {
                length,
                first: eight(text) & mask,
                mask,
                high: value >> 32,
            };
        }
        Some((value, length))
    }
}

/// The first eight characters, or all there are and zeros behind them. The first is the lowest byte.
#[inline]
fn eight(text: &[u8]) -> u64 {
    u64::from_le_bytes(text.first_chunk().copied().unwrap_or_else(|| {
        let mut characters = [0; 8];
        characters[..text.len()].copy_from_slice(text);
        characters
    }))
}

/// Where the first blank of `text` is, or its end. Tokens are short, so that a search of whole texts would take longer.
#[inline]
pub(crate) fn length_of_token(text: &[u8]) -> usize {
    let mut length = 0;
    while length < text.len() {
        let others = eight(&text[length..]) ^ all(b' ');
        // Of bytes that are 0, the lowest borrows first.
        let blanks = others.wrapping_sub(all(1)) & !others & all(0x80);
        if blanks != 0 {
            return length + blanks.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    text.len()
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
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_and_blanks_are_found_where_one_finds_them_one_by_one(
            start in "[0-9a-fA-F]{0,20}",
            end in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"09afAF/:@G`g \x19\xb0\xc1\xe1"[..])], 0..12),
        ) {
            let text = [start.as_bytes(), &end].concat();
            let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            let value = std::str::from_utf8(&text[..digits]).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
            let number = value.map(|value| (value, digits));
            prop_assert_eq!(leading_hex(&text), number);
            let blank = text.iter().position(|byte| *byte == b' ');
            prop_assert_eq!(length_of_token(&text), blank.unwrap_or(text.len()));
        }
    }

    proptest! {
        #[test]
        fn numbers_in_a_row_are_read_like_each_alone(
            high in prop::collection::vec("[0-9a-f]{0,9}", 1..3),
            rows in prop::collection::vec((0..2usize, "[0-9a-f]{6,9}", "[/ g]?|/0x|-"), 1..40),
        ) {
            let mut reader = HexReader::default();
            for (index, low, end) in rows {
                let text = format!("{}{low}{end}", high[index % high.len()]);
                prop_assert_eq!(reader.read(text.as_bytes()), leading_hex(text.as_bytes()), "{}", text);
            }
        }
    }

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
