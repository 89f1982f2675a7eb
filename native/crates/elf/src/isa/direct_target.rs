//! Computes the targets of direct branches.

use crate::kind::Arch;

/// Returns the target of the direct branch at `address` whose bytes are `bytes`. Returns `None` for indirect
/// branches, returns, forms of extensions that are not known here, and instructions that are no branches. The
/// caller knows that `bytes` are one instruction.
pub(crate) fn direct_target(arch: Arch, bytes: &[u8], address: u64) -> Option<u64> {
    match arch {
        Arch::X86_64 | Arch::X86 => {
            let displacement = x86_displacement(bytes)?;
            Some(
                address
                    .wrapping_add(bytes.len() as u64)
                    .wrapping_add_signed(displacement),
            )
        }
        Arch::AArch64 => {
            let word = u32::from_le_bytes(*bytes.first_chunk()?);
            Some(address.wrapping_add_signed(aarch64_displacement(word)?))
        }
    }
}

/// Returns the distance of the target from the end of an x86 instruction. AMD64 APM volume 3: call, jmp, jcc, jcxz,
/// loop with 8 or 32 bits.
fn x86_displacement(bytes: &[u8]) -> Option<i64> {
    // Segment overrides (branch hints among them), address size, repeat (bnd) and REX prefixes do not change the
    // displacement. (In 32-bit code the bytes of REX are no branches.) The operand-size prefix may change the
    // displacement.
    let is_prefix = |byte: u8| {
        matches!(
            byte,
            0x26 | 0x2e | 0x36 | 0x3e | 0x40..=0x4f | 0x64 | 0x65 | 0x67 | 0xf2 | 0xf3
        )
    };
    let opcode = bytes.iter().position(|&byte| !is_prefix(byte))?;
    match bytes[opcode..] {
        [0x70..=0x7f | 0xe0..=0xe3 | 0xeb, near] => Some(i64::from(near as i8)),
        [0xe8 | 0xe9, a, b, c, d] | [0x0f, 0x80..=0x8f, a, b, c, d] => {
            Some(i64::from(i32::from_le_bytes([a, b, c, d])))
        }
        _ => None,
    }
}

/// Returns the distance of the target from the start of an AArch64 instruction. Arm ARM, C4.1.66.
fn aarch64_displacement(word: u32) -> Option<i64> {
    // Reads the field of `bits` bits at bit `at`, sign-extended. The field counts words.
    let field = |at: u32, bits: u32| i64::from((word << (32 - at - bits)) as i32 >> (32 - bits)) * 4;
    let is = |mask: u32, value: u32| word & mask == value;
    if is(0x7c00_0000, 0x1400_0000) {
        Some(field(0, 26)) // b, bl
    } else if is(0xff00_0000, 0x5400_0000) || is(0x7e00_0000, 0x3400_0000) {
        Some(field(5, 19)) // b.cond, bc.cond, cbz, cbnz
    } else if is(0x7e00_0000, 0x3600_0000) {
        Some(field(5, 14)) // tbz, tbnz
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::direct_target;
    use crate::kind::Arch;

    #[test]
    fn x86() {
        let target = |bytes: &[u8]| direct_target(Arch::X86_64, bytes, 0x1000);
        assert_eq!(target(&[0xeb, 0xfe]), Some(0x1000));
        assert_eq!(target(&[0x2e, 0x74, 0x10]), Some(0x1013));
        assert_eq!(target(&[0xe8, 0xfb, 0xff, 0xff, 0xff]), Some(0x1000));
        assert_eq!(target(&[0xf2, 0xe9, 0x00, 0x01, 0x00, 0x00]), Some(0x1106));
        assert_eq!(
            target(&[0x0f, 0x8f, 0x00, 0x00, 0x00, 0x80]),
            Some(0x1006_u64.wrapping_sub(1 << 31))
        );
        assert_eq!(target(&[0x67, 0xe3, 0x05]), Some(0x1008));
        // These are ret, jmp *%rax, call *(%rip), jmp with 16 bits, nop, and no bytes.
        for bytes in [
            &[0xc3][..],
            &[0xff, 0xe0],
            &[0xff, 0x15, 0, 0, 0, 0],
            &[0x66, 0xe9, 0, 0],
            &[0x90],
            &[],
        ] {
            assert_eq!(target(bytes), None, "{bytes:x?}");
        }
    }

    #[test]
    fn aarch64() {
        let target = |word: u32| direct_target(Arch::AArch64, &word.to_le_bytes(), 0x1000);
        assert_eq!(target(0x1400_0002), Some(0x1008));
        assert_eq!(target(0x97ff_ffff), Some(0xffc));
        assert_eq!(target(0x5400_0060), Some(0x100c));
        assert_eq!(target(0xb5ff_ffe1), Some(0xffc));
        assert_eq!(target(0x3703_ffe0), Some(0x8ffc));
        assert_eq!(target(0x3704_0000), Some(0x1000_u64.wrapping_sub(0x8000)));
        for word in [0xd65f_03c0, 0xd61f_0000, 0xd503_201f] {
            assert_eq!(target(word), None, "{word:x}");
        }
    }
}
