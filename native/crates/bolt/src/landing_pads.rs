//! Where exceptions land: the call sites of a language-specific data area (LSB Core, "Exception Frames"; gcc: unwind-c++ of libsupc++).

use elf::{Image, Svma};

const OMITTED: u8 = 0xff;

/// The landing pads of the function at `function`, whose area is at `area`. Empty if the area is damaged.
pub(crate) fn landing_pads(image: &Image, area: Svma, function: Svma) -> Vec<Svma> {
    read(image.loaded_bytes(area), function).unwrap_or_default()
}

fn read(bytes: &[u8], function: Svma) -> Option<Vec<Svma>> {
    let mut at = Reader { bytes };
    // A base other than the function is written by no compiler of C++, and BOLT takes none.
    if at.byte()? != OMITTED {
        return None;
    }
    if at.byte()? != OMITTED {
        at.number()?;
    }
    let encoding = at.byte()?;
    let length = usize::try_from(at.number()?).ok()?;
    let mut sites = Reader {
        bytes: at.bytes.get(..length)?,
    };
    let mut found = Vec::new();
    while !sites.bytes.is_empty() {
        sites.value(encoding)?;
        sites.value(encoding)?;
        let pad = sites.value(encoding)?;
        sites.number()?;
        if pad != 0 {
            found.push(function.wrapping_add(pad));
        }
    }
    Some(found)
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    /// ULEB128.
    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// A value of a call site: ULEB128, or 2, 4 or 8 bytes.
    fn value(&mut self, encoding: u8) -> Option<u64> {
        let size = match encoding & 0x0f {
            0x01 => return self.number(),
            0x02 | 0x0a => 2,
            0x03 | 0x0b => 4,
            0x00 | 0x04 | 0x0c => 8,
            _ => return None,
        };
        let (value, rest) = self.bytes.split_at_checked(size)?;
        self.bytes = rest;
        Some(value.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_sites_with_a_landing_pad() {
        // No base, types at 9, call sites in ULEB128: two of them, and one without a landing pad.
        let area = [
            0xff, 0x9b, 9, 0x01, 13, 0, 4, 0x20, 1, 4, 4, 0, 0, 8, 2, 0xa0, 0x01, 7, 7,
        ];
        assert_eq!(read(&area, Svma(0x1000)), Some(vec![Svma(0x1020), Svma(0x10a0)]));
        assert_eq!(read(&area[..10], Svma(0x1000)), None, "cut off");
    }
}
