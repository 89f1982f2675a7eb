//! Tells which words are instructions of Armv8.0-A without extensions: those that LLVM's disassembler decodes if
//! neither a processor nor a feature is named.
//!
//! Each function follows one table of "A64 instruction set encoding" in the Arm ARM (DDI 0487, C4.1), with the
//! field names of the table in the comments. Encodings that the architecture calls CONSTRAINED UNPREDICTABLE count
//! as instructions, as in LLVM.

use super::bits::{bit, field};
use super::simd;

/// Returns true if `word` is an instruction of Armv8.0-A.
pub(super) fn is_instruction(word: u32) -> bool {
    match field(word, 28, 25) {
        0b0000 => word >> 16 == 0, // udf
        0b1000 | 0b1001 => is_immediate(word),
        0b1010 | 0b1011 => is_branch_or_system(word),
        0b0100 | 0b0110 | 0b1100 | 0b1110 => is_load_or_store(word),
        0b0101 | 0b1101 => is_register(word),
        0b0111 | 0b1111 => simd::is_instruction(word),
        _ => false, // unallocated, SVE
    }
}

/// Checks words of the table "Data Processing -- Immediate".
fn is_immediate(word: u32) -> bool {
    let sf = bit(word, 31);
    let n = bit(word, 22);
    match field(word, 25, 23) {
        0b000..=0b010 => true, // adr, add, sub
        0b100 => (sf || !n) && is_bitmask_immediate(n, field(word, 15, 10)),
        0b101 => field(word, 30, 29) != 0b01 && (sf || !bit(word, 22)), // movn, movz, movk: hw
        0b110 => field(word, 30, 29) != 0b11 && sf == n && (sf || (!bit(word, 21) && !bit(word, 15))), // bfm
        0b111 => field(word, 30, 29) == 0 && sf == n && !bit(word, 21) && (sf || !bit(word, 15)), // extr
        _ => false,                                                     // memory tags
    }
}

/// Returns true if `N:imms` names a run of ones that neither fills its element nor is empty (DecodeBitMasks).
fn is_bitmask_immediate(n: bool, imms: u32) -> bool {
    let combined = (u32::from(n) << 6) | (!imms & 0x3f);
    // The highest set bit is the binary logarithm of the element size. An element has at least 2 bits.
    match combined.checked_ilog2() {
        None | Some(0) => false,
        Some(length) => {
            let ones = (1 << length) - 1;
            imms & ones != ones
        }
    }
}

/// Checks words of the table "Branches, Exception Generating and System instructions".
fn is_branch_or_system(word: u32) -> bool {
    match word >> 24 {
        0x14..=0x17 | 0x94..=0x97 => true, // b, bl
        0x34..=0x37 | 0xb4..=0xb7 => true, // cbz, cbnz, tbz, tbnz
        0x54 => !bit(word, 4),             // b.cond
        0xd4 => is_exception(field(word, 23, 21), field(word, 4, 0)),
        0xd5 => field(word, 23, 22) == 0, // hints, barriers, msr, mrs, sys, sysl
        0xd6 => {
            let any_register = word & !0x3e0;
            matches!(any_register, 0xd61f_0000 | 0xd63f_0000 | 0xd65f_0000) // br, blr, ret
                || matches!(word, 0xd69f_03e0 | 0xd6bf_03e0) // eret, drps
        }
        _ => false,
    }
}

/// Checks words of the table "Exception generation": svc, hvc, smc; brk; hlt; dcps1 to dcps3.
fn is_exception(opc: u32, op2_and_ll: u32) -> bool {
    match opc {
        0b000 | 0b101 => matches!(op2_and_ll, 1..=3),
        0b001 | 0b010 => op2_and_ll == 0,
        _ => false,
    }
}

/// Checks words of the table "Loads and Stores".
fn is_load_or_store(word: u32) -> bool {
    let vector = bit(word, 26);
    match field(word, 29, 28) {
        0b00 if vector => simd::is_structure_access(word),
        0b00 => is_exclusive(word),
        0b01 if bit(word, 24) => false, // memory tags, copies, release consistency with offset
        0b01 => !(vector && field(word, 31, 30) == 0b11), // literal
        0b10 => is_pair(word, vector),
        _ => is_single(word, vector),
    }
}

/// Checks words of the tables "Load/store exclusive" and "ordered": ldxr, stlr and relatives without `cas`,
/// `ldlar`.
fn is_exclusive(word: u32) -> bool {
    let (o2, o1, o0) = (bit(word, 23), bit(word, 21), bit(word, 15));
    match (bit(word, 24), o2, o1) {
        (false, false, false) => true,
        (false, false, true) => bit(word, 31), // pairs of words or doublewords
        (false, true, false) => o0,
        _ => false,
    }
}

/// Checks words of the table "Load/store register pair".
fn is_pair(word: u32, vector: bool) -> bool {
    match (field(word, 31, 30), vector) {
        (0b00 | 0b10, _) | (0b01, true) => true,
        (0b01, false) => bit(word, 22) && field(word, 24, 23) != 0, // ldpsw; there is no ldnpsw
        _ => false,
    }
}

/// Checks words of the table "Load/store register" with an immediate or register offset.
fn is_single(word: u32, vector: bool) -> bool {
    let (size, opc) = (field(word, 31, 30), field(word, 23, 22));
    let allocated = match (size, vector) {
        (0b00, _) | (0b01, false) => true,
        (_, true) => opc < 0b10,
        (_, false) => opc < 0b11,
    };
    let prefetch = !vector && size == 0b11 && opc == 0b10;
    allocated
        && match (bit(word, 24), bit(word, 21), field(word, 11, 10)) {
            (true, ..) => true,                           // unsigned offset
            (false, false, 0b00) => true,                 // unscaled
            (false, false, 0b10) => !vector && !prefetch, // unprivileged
            (false, false, _) => !prefetch,               // post- and pre-indexed
            (false, true, 0b10) => bit(word, 14),         // register offset: option
            (false, true, _) => false,                    // atomics, ldraa
        }
}

/// Checks words of the table "Data Processing -- Register".
fn is_register(word: u32) -> bool {
    let sf = bit(word, 31);
    let short_shift = sf || !bit(word, 15); // imm6 below the register's width
    if !bit(word, 28) {
        return match (bit(word, 24), bit(word, 21)) {
            (false, _) => short_shift,                                            // logical
            (true, false) => short_shift && field(word, 23, 22) != 0b11,          // add, sub
            (true, true) => field(word, 23, 22) == 0 && field(word, 12, 10) <= 4, // extended register
        };
    }
    let set_flags = bit(word, 29);
    match field(word, 24, 21) {
        0b0000 => field(word, 15, 10) == 0,                     // adc, sbc
        0b0010 => set_flags && !bit(word, 10) && !bit(word, 4), // ccmn, ccmp
        0b0100 => !set_flags && !bit(word, 11),                 // csel
        0b0110 if set_flags => false,
        0b0110 if bit(word, 30) => {
            let opcode = field(word, 15, 10);
            field(word, 20, 16) == 0 && opcode <= 0b000_101 && (sf || opcode != 0b000_011) // rbit, rev, clz, cls
        }
        0b0110 => matches!(field(word, 15, 10), 0b000_010 | 0b000_011 | 0b001_000..=0b001_011), // div, shifts
        0b1000..=0b1111 => field(word, 30, 29) == 0 && is_multiply(field(word, 23, 21), bit(word, 15), sf),
        _ => false,
    }
}

/// Checks words of the table "Data-processing (3 source)".
fn is_multiply(op31: u32, o0: bool, sf: bool) -> bool {
    match op31 {
        0b000 => true,              // madd, msub
        0b001 | 0b101 => sf,        // smaddl, umaddl and the like
        0b010 | 0b110 => sf && !o0, // smulh, umulh
        _ => false,
    }
}
