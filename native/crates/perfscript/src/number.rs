//! Reads numbers and finds blanks, eight characters at a time.

/// Returns a word in which each byte is `byte`.
const fn repeat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Reads the hexadecimal digits at the start of eight characters, the first of which is the lowest byte. Returns the
/// value and the number of the digits.
#[inline]
fn hex_digits(characters: u64) -> (u64, u32) {
    const TOP: u64 = repeat(0x80);
    let lower = characters | repeat(0x20);
    // The top bit of each byte shows whether a comparison holds. A character outside of ASCII may also change the
    // bytes above it, but the digits end at that character.
    let is_digit = (characters | TOP).wrapping_sub(repeat(b'0')) & repeat(b'9' | 0x80).wrapping_sub(characters);
    let is_letter = (lower | TOP).wrapping_sub(repeat(b'a')) & repeat(b'f' | 0x80).wrapping_sub(lower);
    let are_digits = (is_digit | is_letter) & !characters & TOP;
    let count = (are_digits ^ TOP).trailing_zeros() / 8;
    if count == 0 {
        return (0, 0);
    }
    // This puts zeros in front of the digits, and the first digit of eight is the lowest byte again.
    let digits = characters << (64 - 8 * count);
    let values = (digits & repeat(0x0f)) + (digits >> 6 & repeat(1)) * 9;
    // Each step joins neighbours: two digits to a byte, two bytes to 16 bits, and so on.
    let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs << 8 | pairs >> 16) & 0x0000_ffff_0000_ffff;
    ((fours << 16 | fours >> 32) & 0xffff_ffff, count)
}

/// Reads the hexadecimal digits that `text` starts with, and returns their value and their number. Returns `None` if
/// there are no digits, or if the value does not fit into 64 bits.
#[inline]
pub(crate) fn leading_hex(text: &[u8]) -> Option<(u64, usize)> {
    let (mut value, mut length) = (0u64, 0);
    loop {
        let (digits, count) = hex_digits(load_eight(&text[length..]));
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

/// Reads one number after the other, faster if the number has as many digits as the one before and begins with the
/// same digits. The addresses of one mapping do.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HexReader {
    /// Number of digits of the latest number that has 8 to 16 digits; 0 if there was none.
    length: usize,
    /// The digits of that number except the last eight, as characters, and the mask of these characters.
    first: u64,
    mask: u64,
    /// The value of the digits in `first`.
    high: u64,
}

impl HexReader {
    /// Returns the same result as [`leading_hex`].
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8]) -> Option<(u64, usize)> {
        // The code expects the end of the number instead of searching for it, so that the CPU need not wait for a
        // search.
        let length = self.length;
        if let Some(number) = text.get(..=length)
            && let Some(last) = number[..length].last_chunk()
            && number[length] == b'/'
            && load_eight(number) & self.mask == self.first
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
                first: load_eight(text) & mask,
                mask,
                high: value >> 32,
            };
        }
        Some((value, length))
    }
}

/// Returns the first eight characters, or all characters and zeros after them. The first character is the lowest
/// byte.
#[inline]
fn load_eight(text: &[u8]) -> u64 {
    u64::from_le_bytes(text.first_chunk().copied().unwrap_or_else(|| {
        let mut characters = [0; 8];
        characters[..text.len()].copy_from_slice(text);
        characters
    }))
}

/// Returns the position of the first blank of `text`, or the length of `text`. Tokens are short, so a search function
/// for long texts would take longer.
#[inline]
pub(crate) fn token_length(text: &[u8]) -> usize {
    let mut length = 0;
    while length < text.len() {
        let others = load_eight(&text[length..]) ^ repeat(b' ');
        // Bytes that are 0 are blanks. The subtraction finds the lowest of them, because it borrows first there.
        let blanks = others.wrapping_sub(repeat(1)) & !others & repeat(0x80);
        if blanks != 0 {
            return length + blanks.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    text.len()
}

/// Reads a hexadecimal number without a prefix, which fills the whole of `text`.
#[inline]
pub(crate) fn hex(text: &[u8]) -> Option<u64> {
    leading_hex(text)
        .filter(|(_, length)| *length == text.len())
        .map(|(value, _)| value)
}

/// Reads a decimal number without a sign, which fills the whole of `text`.
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
            prop_assert_eq!(token_length(&text), blank.unwrap_or(text.len()));
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
