//! Addresses as hexadecimal text. Shards with call chains have a hundred million digits, so eight digits are written
//! and read at once, as the bytes of one number.

const EVERY_BYTE: u64 = 0x0101_0101_0101_0101;
const HIGHEST_BITS: u64 = 0x80 * EVERY_BYTE;

/// Appends an address in lower-case hexadecimal without leading zeros.
#[inline]
pub(crate) fn push_address(text: &mut Vec<u8>, address: u64) {
    let (high, low) = ((address >> 32) as u32, address as u32);
    if high == 0 {
        push_digits(text, low, digits_of(low));
    } else {
        push_digits(text, high, digits_of(high));
        push_digits(text, low, 8);
    }
}

/// Returns the number of digits of a number, which is 1 for 0.
#[inline]
fn digits_of(number: u32) -> u32 {
    (u32::BITS - (number | 1).leading_zeros()).div_ceil(4)
}

/// Appends the lowest `digits` digits of a number; there are 1 to 8.
#[inline]
fn push_digits(text: &mut Vec<u8>, number: u32, digits: u32) {
    let len = text.len() + digits as usize;
    // The first digit is moved to the top, and then each digit to a byte of its own.
    let mut bytes = u64::from(number << (u32::BITS - 4 * digits));
    bytes = (bytes | bytes << 16) & 0x0000_ffff_0000_ffff;
    bytes = (bytes | bytes << 8) & 0x00ff_00ff_00ff_00ff;
    bytes = (bytes | bytes << 4) & (0x0f * EVERY_BYTE);
    let letters = (bytes + 6 * EVERY_BYTE) >> 4 & EVERY_BYTE;
    let text_of_all = bytes + u64::from(b'0') * EVERY_BYTE + letters * u64::from(b'a' - b'0' - 10);
    // A constant number of bytes is appended without a call.
    text.extend_from_slice(&text_of_all.to_be_bytes());
    text.truncate(len);
}

/// Decodes the address at the front of a text, in digits of any case, with any number of leading zeros; returns what
/// stands after it. Returns `None` if no digit is there, or if the address has more than 64 bits.
#[inline]
pub(crate) fn address_of(text: &[u8]) -> Option<(u64, &[u8])> {
    if let Some(first) = text.first_chunk() {
        let (value, digits) = leading_digits(*first);
        if (1..8).contains(&digits) {
            return Some((value, &text[digits..]));
        }
    }
    address_by_digits(text)
}

/// Returns the number that the digits at the front of a text make, and how many digits they are.
#[inline]
fn leading_digits(text: [u8; 8]) -> (u64, usize) {
    let bytes = u64::from_le_bytes(text);
    // The highest bit of each byte tells whether the byte is at least as great as a character. No byte carries into
    // the next one, because the highest bits are cleared before.
    let at_least = |bytes: u64, character: u8| (bytes & !HIGHEST_BITS) + u64::from(0x80 - character) * EVERY_BYTE;
    let lower_case = bytes | (0x20 * EVERY_BYTE);
    let numerals = at_least(bytes, b'0') & !at_least(bytes, b'9' + 1);
    let letters = at_least(lower_case, b'a') & !at_least(lower_case, b'f' + 1) & HIGHEST_BITS;
    let others = !(numerals | letters) & HIGHEST_BITS | bytes & HIGHEST_BITS;
    let digits = others.trailing_zeros() as usize / 8;
    let values = (bytes & (0x0f * EVERY_BYTE)) + (letters >> 7) * 9;
    // The digits are moved to the top, after zeros, and then brought together.
    let values = values.checked_shl(u64::BITS - 8 * digits as u32).unwrap_or(0);
    let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs << 8 | pairs >> 16) & 0x0000_ffff_0000_ffff;
    ((fours << 16 | fours >> 32) & 0xffff_ffff, digits)
}

/// Decodes as [`address_of`] does, at the end of a text, and addresses of more digits.
fn address_by_digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut address = 0u64;
    let mut rest = text;
    while let [byte, behind @ ..] = rest
        && let Some(digit) = char::from(*byte).to_digit(16)
    {
        if address >> (u64::BITS - 4) != 0 {
            return None;
        }
        address = address << 4 | u64::from(digit);
        rest = behind;
    }
    (rest.len() < text.len()).then_some((address, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts of digits, of characters that resemble digits, and of any bytes.
    fn texts() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            20 => prop::sample::select(&b"0123456789abcdefABCDEF"[..]),
            1 => prop::sample::select(&b"/:@`gG>- \x10\xb1\xe1"[..]),
            1 => any::<u8>(),
        ];
        prop::collection::vec(byte, 0..24)
    }

    proptest! {
        #[test]
        fn addresses_are_written_as_the_standard_library_writes_them(address: u64, bits in 0..64u32) {
            let address = address >> bits;
            let mut text = b"x".to_vec();
            push_address(&mut text, address);
            prop_assert_eq!(String::from_utf8(text).unwrap(), format!("x{address:x}"));
        }

        #[test]
        fn digits_together_are_read_as_one_by_one(text in texts()) {
            prop_assert_eq!(address_of(&text), address_by_digits(&text));
        }

        #[test]
        fn addresses_are_read_as_written(address: u64, bits in 0..64u32, behind in "(>[0-9]{0,9})?") {
            let address = address >> bits;
            let text = format!("{address:x}{behind}");
            prop_assert_eq!(address_of(text.as_bytes()), Some((address, behind.as_bytes())));
        }
    }
}
