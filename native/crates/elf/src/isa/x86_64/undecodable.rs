//! How far LLVM's disassembler reads before it gives up, which is where decoding goes on.
//!
//! It reads prefixes and opcode; a ModR/M byte with what belongs to it only where some instruction with that opcode
//! needs one; immediates never (LLVM: X86Disassembler.cpp, X86DisassemblerEmitter). The opcodes here were found
//! by asking LLVM 22 for every opcode, prefix and ModR/M byte. Not modelled: VEX and EVEX instructions that fail
//! on their operands, which LLVM has read in full by then.

use super::prefix::{MAX_LENGTH, is_legacy_or_rex_prefix};

/// Bytes of the undecodable instruction at the start of `bytes`, at least one.
pub(super) fn length(bytes: &[u8]) -> u8 {
    let prefixes = bytes
        .iter()
        .take(MAX_LENGTH)
        .take_while(|&&byte| is_legacy_or_rex_prefix(byte))
        .count();
    let rest = &bytes[prefixes..];
    let at = |index: usize| rest.get(index).copied().unwrap_or(0);
    let (opcode_end, has_modrm) = match at(0) {
        0x0f if matches!(at(1), 0x38 | 0x3a) => (3, false),
        0x0f => (2, reads_modrm_0f(at(1))),
        0xc5 => (3, false),                                                                    // VEX
        0xc4 => (3 + usize::from(matches!(at(1) & 0x1f, 1..=3 | 5..=7)), false),               // VEX, by map
        0x62 => (4 + usize::from(matches!(at(1) & 0x07, 1..=7)), false),                       // EVEX, by map
        0x8f if at(1) & 0x38 != 0 => (3 + usize::from(matches!(at(1) & 0x1f, 8..=10)), false), // XOP, by map
        0xd5 => (3, false),                                                                    // REX2
        opcode => (1, reads_modrm(opcode)),
    };
    let operands = if has_modrm {
        modrm_length(&rest[opcode_end.min(rest.len())..])
    } else {
        0
    };
    (prefixes + opcode_end + operands).min(bytes.len()).max(1) as u8
}

/// Opcodes of the one-byte map that exist with some ModR/M bytes only.
fn reads_modrm(opcode: u8) -> bool {
    matches!(opcode, 0x8c..=0x8f | 0xc0 | 0xc1 | 0xc6 | 0xc7 | 0xd0..=0xd3 | 0xd8..=0xdf | 0xf6 | 0xf7 | 0xfe | 0xff)
}

/// Opcodes of the 0F map that exist with some ModR/M bytes only.
fn reads_modrm_0f(opcode: u8) -> bool {
    matches!(
        opcode,
        0x00 | 0x01 | 0x0d | 0x13 | 0x17 | 0x18 | 0x1c | 0x20..=0x23 | 0x2b | 0x50 | 0x71..=0x73 | 0xa6 | 0xa7 | 0xae
            | 0xb2 | 0xb4 | 0xb5 | 0xba | 0xc3 | 0xc5 | 0xc7 | 0xd7 | 0xe7 | 0xf7
    )
}

/// Length of the ModR/M byte at the start of `bytes` with SIB byte and displacement (AMD64 APM volume 3, 1.4).
fn modrm_length(bytes: &[u8]) -> usize {
    let Some(&modrm) = bytes.first() else { return 0 };
    let (mode, rm) = (modrm >> 6, modrm & 7);
    if mode == 3 {
        return 1;
    }
    let sib = (rm == 4).then(|| bytes.get(1).copied().unwrap_or(0));
    let displacement = match mode {
        1 => 1,
        2 => 4,
        _ if rm == 5 || sib.is_some_and(|sib| sib & 7 == 5) => 4,
        _ => 0,
    };
    1 + usize::from(sib.is_some()) + displacement
}
