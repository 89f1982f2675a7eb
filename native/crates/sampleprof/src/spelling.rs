//! The spelling of names, numbers and locations in text profiles.

use crate::{LineLocation, Name};

/// Appends `location` as text profiles spell it.
pub(crate) fn push_location(out: &mut Vec<u8>, location: LineLocation) {
    push_decimal(out, location.line_offset.into());
    if location.discriminator > 0 {
        out.push(b'.');
        push_decimal(out, location.discriminator.into());
    }
}

/// Appends `name` as text profiles spell it: a GUID as a decimal number.
pub(crate) fn push_name(out: &mut Vec<u8>, name: Name<'_>) {
    match name {
        Name::Guid(guid) => push_decimal(out, guid),
        Name::Text(text) => out.extend_from_slice(text),
    }
}

/// Appends the decimal digits of `value`. The macro `write!` costs several times as much.
pub(crate) fn push_decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for value in [0, 9, 10, 4_294_967_296, u64::MAX] {
            let mut out = Vec::new();
            push_decimal(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
        }
    }
}
