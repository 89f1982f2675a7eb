//! Where a jump goes that is all there is at an address, but for a landing pad.

use crate::kind::Arch;

/// The distance from the start of `bytes` to the target of the direct jump there.
pub(crate) fn distance(arch: Arch, bytes: &[u8]) -> Option<i64> {
    match arch {
        Arch::X86_64 | Arch::X86 => x86(bytes),
        Arch::AArch64 => aarch64(bytes),
    }
}

/// `jmp rel32` or `jmp rel8`, behind `endbr64` or `endbr32` or not.
fn x86(bytes: &[u8]) -> Option<i64> {
    let pad = match bytes {
        [0xf3, 0x0f, 0x1e, 0xfa | 0xfb, ..] => 4,
        _ => 0,
    };
    match *bytes.get(pad..)? {
        [0xe9, a, b, c, d, ..] => Some(pad as i64 + 5 + i64::from(i32::from_le_bytes([a, b, c, d]))),
        [0xeb, distance, ..] => Some(pad as i64 + 2 + i64::from(distance.cast_signed())),
        _ => None,
    }
}

/// `b`, behind `bti` or not (Arm ARM, C6.2.25 and C6.2.41).
fn aarch64(bytes: &[u8]) -> Option<i64> {
    let word = |at: usize| bytes.get(at..)?.first_chunk().map(|word| u32::from_le_bytes(*word));
    let pad = if word(0)? & 0xffff_ff3f == 0xd503_241f { 4 } else { 0 };
    let jump = word(pad)?;
    let words = (jump << 6).cast_signed() >> 6;
    (jump >> 26 == 0b000101).then_some(pad as i64 + 4 * i64::from(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_of_x86() {
        let distance = |bytes: &[u8]| distance(Arch::X86_64, bytes);
        assert_eq!(distance(&[0xe9, 0x0b, 0, 0, 0, 0xcc]), Some(16));
        assert_eq!(distance(&[0xf3, 0x0f, 0x1e, 0xfa, 0xeb, 0xfe]), Some(4));
        assert_eq!(distance(&[0xff, 0xe0, 0, 0, 0, 0]), None);
        assert_eq!(distance(&[0xe9, 0x0b]), None);
    }

    #[test]
    fn jumps_of_aarch64() {
        let distance = |words: &[u32]| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            distance(Arch::AArch64, &bytes)
        };
        assert_eq!(distance(&[0x1400_0002]), Some(8));
        assert_eq!(distance(&[0xd503_245f, 0x17ff_ffff]), Some(0), "bti c; b .-4");
        assert_eq!(distance(&[0x9400_0002]), None, "bl");
        assert_eq!(distance(&[0xd503_245f]), None);
    }
}
