//! The floating-point and Advanced SIMD part of [`super::baseline`] (Arm ARM, C4.1, "Data Processing -- Scalar
//! Floating-Point and Advanced SIMD").

use super::bits::{bit, field};

/// The element sizes for which an instruction exists: bit `size` for 64-bit vectors (Q = 0), bit `4 + size` for
/// 128-bit vectors. Floating-point instructions have an opcode bit and `sz` in the place of `size`.
type Sizes = u8;

const NONE: Sizes = 0;
/// All element sizes.
const ANY: Sizes = 0xff;
/// All element sizes but doublewords.
const BHS: Sizes = 0x77;
/// All element sizes, but doublewords in 128-bit vectors only.
const BHSD: Sizes = 0xf7;
const B: Sizes = 0x11;
const BH: Sizes = 0x33;
const H: Sizes = 0x22;
const HS: Sizes = 0x66;
const S: Sizes = 0x44;
const D: Sizes = 0x88;
/// Floating-point elements with either value of the opcode bit; doubles in 128-bit vectors only.
const FP: Sizes = 0xf5;
/// Floating-point elements with a clear opcode bit.
const FP0: Sizes = 0x31;
/// Floating-point elements with a set opcode bit.
const FP1: Sizes = 0xc4;
/// Floating-point conversions of the width: the opcode bit is clear, `sz` states the width.
const FP_WIDTH: Sizes = 0x33;

/// Returns true if `sizes` has the element size and vector size of `word`.
fn has_size(sizes: Sizes, word: u32) -> bool {
    sizes >> (4 * u32::from(bit(word, 30)) + field(word, 23, 22)) & 1 != 0
}

/// Returns true if `word` is an instruction of Armv8.0-A. `word` is of the group for floating point and Advanced
/// SIMD.
pub(super) fn is_instruction(word: u32) -> bool {
    match (bit(word, 31), bit(word, 30), bit(word, 28)) {
        (false, _, false) => is_vector(word),
        (false, true, true) => is_scalar(word),
        (_, false, true) if !bit(word, 29) => is_floating_point(word),
        _ => false, // SHA-3, SM3, SM4
    }
}

/// Checks floating-point instructions on scalar registers: conversions, arithmetic, comparisons.
fn is_floating_point(word: u32) -> bool {
    let sf = bit(word, 31);
    let single_or_double = !bit(word, 23);
    if bit(word, 24) {
        return !sf && single_or_double; // fmadd
    }
    let (ptype, rmode, opcode) = (field(word, 23, 22), field(word, 20, 19), field(word, 18, 16));
    if !bit(word, 21) {
        // These are the fixed-point conversions: scvtf, ucvtf, fcvtzs, fcvtzu.
        let allocated = matches!((rmode, opcode), (0b00, 0b010 | 0b011) | (0b11, 0b000 | 0b001));
        return single_or_double && allocated && (sf || bit(word, 15));
    }
    if field(word, 15, 10) == 0 {
        return match opcode {
            0b000 | 0b001 => single_or_double,               // fcvtns to fcvtzu
            0b010..=0b101 => single_or_double && rmode == 0, // scvtf, fcvtas
            _ => matches!((sf, ptype, rmode), (false, 0, 0) | (true, 1, 0) | (true, 2, 1)), // fmov
        };
    }
    if sf {
        return false;
    }
    if field(word, 14, 10) == 0b10000 {
        return is_fp_one_source(ptype, field(word, 20, 15));
    }
    single_or_double
        && match field(word, 11, 10) {
            0b01 | 0b11 => true,                                         // fccmp, fcsel
            0b10 => field(word, 15, 12) <= 8,                            // fmul to fnmul
            _ if bit(word, 12) => field(word, 9, 5) == 0,                // fmov, immediate
            _ => field(word, 15, 13) == 0b001 && field(word, 2, 0) == 0, // fcmp
        }
}

/// Checks words of the table "Floating-point data-processing (1 source)".
fn is_fp_one_source(ptype: u32, opcode: u32) -> bool {
    match (ptype, opcode) {
        (0 | 1, 0..=3 | 7..=12 | 14 | 15) => true, // fmov, fabs, fneg, fsqrt, fcvt to half, frint
        (0, 5) | (1, 4) | (3, 4 | 5) => true,      // fcvt
        _ => false,
    }
}

/// Checks Advanced SIMD instructions on vectors.
fn is_vector(word: u32) -> bool {
    let u = usize::from(bit(word, 29));
    if bit(word, 24) {
        return match (bit(word, 10), bit(word, 23), field(word, 22, 19)) {
            (false, ..) => is_by_element(word),
            (true, true, _) => false,
            (true, false, 0) => is_modified_immediate(word),
            (true, false, immh) => is_vector_shift(word, immh),
        };
    }
    if !bit(word, 21) {
        return match (bit(word, 15), bit(word, 10), u) {
            (true, ..) => false, // dot products and other later additions
            (false, true, _) => is_copy(word),
            (false, false, 1) => field(word, 23, 22) == 0 && (bit(word, 30) || !bit(word, 14)), // ext
            (false, false, _) if !bit(word, 11) => field(word, 23, 22) == 0,                    // tbl
            (false, false, _) => field(word, 13, 12) != 0 && has_size(BHSD, word),              // zip, uzp, trn
        };
    }
    let sizes = match (bit(word, 10), bit(word, 11), field(word, 20, 17)) {
        (true, ..) => THREE_SAME[u][field(word, 15, 11) as usize],
        (false, false, _) => THREE_DIFFERENT[u][field(word, 15, 12) as usize],
        (false, true, 0b0000) => TWO_MISC[u][field(word, 16, 12) as usize],
        (false, true, 0b1000) => across_lanes(u, field(word, 16, 12)),
        _ => NONE,
    };
    has_size(sizes, word)
}

/// Element sizes for the table "Advanced SIMD three same", by U and opcode.
#[rustfmt::skip]
const THREE_SAME: [[Sizes; 32]; 2] = [
    [
        BHS, BHSD, BHS, ANY, BHS, BHSD, BHSD, BHSD, // shadd, sqadd, srhadd, and, shsub, sqsub, cmgt, cmge
        BHSD, BHSD, BHSD, BHSD, BHS, BHS, BHS, BHS, // sshl, sqshl, srshl, sqrshl, smax, smin, sabd, saba
        BHSD, BHSD, BHS, BHS, BHS, BHS, HS, BHSD, // add, cmtst, mla, mul, smaxp, sminp, sqdmulh, addp
        FP, FP, FP, FP0, FP0, NONE, FP, FP, // fmaxnm, fmla, fadd, fmulx, fcmeq, -, fmax, frecps
    ],
    [
        BHS, BHSD, BHS, ANY, BHS, BHSD, BHSD, BHSD, // uhadd, uqadd, urhadd, eor, uhsub, uqsub, cmhi, cmhs
        BHSD, BHSD, BHSD, BHSD, BHS, BHS, BHS, BHS, // ushl, uqshl, urshl, uqrshl, umax, umin, uabd, uaba
        BHSD, BHSD, BHS, B, BHS, BHS, HS, NONE, // sub, cmeq, mls, pmul, umaxp, uminp, sqrdmulh, -
        FP, NONE, FP, FP0, FP, FP, FP, FP0, // fmaxnmp, -, faddp, fmul, fcmge, facge, fmaxp, fdiv
    ],
];

/// Element sizes for the table "Advanced SIMD three different", by U and opcode.
#[rustfmt::skip]
const THREE_DIFFERENT: [[Sizes; 16]; 2] = [
    [
        BHS, BHS, BHS, BHS, BHS, BHS, BHS, BHS, // saddl, saddw, ssubl, ssubw, addhn, sabal, subhn, sabdl
        BHS, HS, BHS, HS, BHS, HS, B, NONE, // smlal, sqdmlal, smlsl, sqdmlsl, smull, sqdmull, pmull, -
    ],
    [
        BHS, BHS, BHS, BHS, BHS, BHS, BHS, BHS, // uaddl, uaddw, usubl, usubw, raddhn, uabal, rsubhn, uabdl
        BHS, NONE, BHS, NONE, BHS, NONE, NONE, NONE, // umlal, -, umlsl, -, umull, -, -, -
    ],
];

/// Element sizes for the table "Advanced SIMD two-register miscellaneous", by U and opcode.
#[rustfmt::skip]
const TWO_MISC: [[Sizes; 32]; 2] = [
    [
        BHS, B, BHS, BHSD, BHS, B, BHS, BHSD, // rev64, rev16, saddlp, suqadd, cls, cnt, sadalp, sqabs
        BHSD, BHSD, BHSD, BHSD, FP1, FP1, FP1, FP1, // cmgt, cmeq, cmlt, abs, fcmgt, fcmeq, fcmlt, fabs
        NONE, NONE, BHS, NONE, BHS, NONE, FP_WIDTH, FP_WIDTH, // -, -, xtn, -, sqxtn, -, fcvtn, fcvtl
        FP, FP, FP, FP, FP0 | S, FP, NONE, NONE, // frintn, frintm, fcvtns, fcvtms, fcvtas and urecpe, scvtf, -, -
    ],
    [
        BH, NONE, BHS, BHSD, BHS, B | H, BHS, BHSD, // rev32, -, uaddlp, usqadd, clz, not and rbit, uadalp, sqneg
        BHSD, BHSD, NONE, BHSD, FP1, FP1, NONE, FP1, // cmge, cmle, -, neg, fcmge, fcmle, -, fneg
        NONE, NONE, BHS, BHS, BHS, NONE, H, NONE, // -, -, sqxtun, shll, uqxtn, -, fcvtxn, -
        FP0, FP, FP, FP, FP0 | S, FP, NONE, FP1, // frinta, frintx, fcvtnu, fcvtmu, fcvtau and ursqrte, ucvtf, -, fsqrt
    ],
];

/// Returns the element sizes for the table "Advanced SIMD across lanes".
fn across_lanes(u: usize, opcode: u32) -> Sizes {
    const BHS_IN_128: Sizes = 0x73; // a pair of words can't be reduced across
    match (u, opcode) {
        (_, 0b00011 | 0b01010 | 0b11010) | (0, 0b11011) => BHS_IN_128, // saddlv, smaxv, sminv, addv
        (1, 0b01100 | 0b01111) => 0x50,                                // fmaxnmv, fmaxv
        _ => NONE,
    }
}

/// Checks words of the table "Advanced SIMD copy": dup, ins, smov, umov.
fn is_copy(word: u32) -> bool {
    let q = bit(word, 30);
    let (imm5, imm4) = (field(word, 20, 16), field(word, 14, 11));
    let size = imm5.trailing_zeros(); // the lowest set bit is the element size
    if field(word, 23, 22) != 0 || size > 3 {
        return false;
    }
    match (bit(word, 29), imm4) {
        (true, _) => q,
        (false, 0b0000 | 0b0001) => q || size < 3,
        (false, 0b0011) => q,
        (false, 0b0101) => size < 2 + u32::from(q),
        (false, 0b0111) => q == (size == 3),
        _ => false,
    }
}

/// Checks words of the table "Advanced SIMD modified immediate": movi, mvni, orr, bic, fmov.
fn is_modified_immediate(word: u32) -> bool {
    let (q, op, cmode) = (bit(word, 30), bit(word, 29), field(word, 15, 12));
    !bit(word, 11) && (cmode != 0b1111 || !op || q)
}

/// Checks words of the table "Advanced SIMD shift by immediate".
fn is_vector_shift(word: u32, immh: u32) -> bool {
    let (q, u) = (bit(word, 30), bit(word, 29));
    let doublewords = immh >= 0b1000;
    let same_width = q || !doublewords;
    match field(word, 15, 11) {
        0b00000 | 0b00010 | 0b00100 | 0b00110 | 0b01010 | 0b01110 => same_width, // sshr, ssra, shl, sqshl
        0b01000 | 0b01100 => u && same_width,                                    // sri, sqshlu
        0b10000..=0b10100 => !doublewords,                                       // shrn and other narrowing, sshll
        0b11100 | 0b11111 => same_width && immh >= 0b0100,                       // scvtf, fcvtzs
        _ => false,
    }
}

/// Checks words of the table "Advanced SIMD vector x indexed element".
fn is_by_element(word: u32) -> bool {
    let (q, u, size) = (bit(word, 30), bit(word, 29), field(word, 23, 22));
    match field(word, 15, 12) {
        0b0010 | 0b0110 | 0b1010 => matches!(size, 1 | 2), // smlal, smlsl, smull
        0b0011 | 0b0111 | 0b1011 | 0b1000 | 0b1100 | 0b1101 => !u && matches!(size, 1 | 2), // sqdmlal, mul, sqdmulh
        0b0000 | 0b0100 => u && matches!(size, 1 | 2),     // mla, mls
        0b0001 | 0b0101 => !u && is_fp_element(word, q),   // fmla, fmls
        0b1001 => is_fp_element(word, q),                  // fmul, fmulx
        _ => false,
    }
}

/// Returns true if `size:L` names a floating-point element. `doubles` tells whether the element may be a double.
fn is_fp_element(word: u32, doubles: bool) -> bool {
    match field(word, 23, 22) {
        0b10 => true,
        0b11 => doubles && !bit(word, 21),
        _ => false,
    }
}

/// Checks Advanced SIMD instructions on single elements. Here the element sizes do not depend on Q, which is set.
fn is_scalar(word: u32) -> bool {
    let u = bit(word, 29);
    if bit(word, 24) {
        return match (bit(word, 10), bit(word, 23)) {
            (false, _) => is_scalar_by_element(word),
            (true, true) => false,
            (true, false) => is_scalar_shift(word, field(word, 22, 19)),
        };
    }
    if !bit(word, 21) {
        // dup
        let is_copy = field(word, 23, 22) == 0 && !bit(word, 15) && bit(word, 10) && field(word, 14, 11) == 0;
        return is_copy && !u && field(word, 19, 16) != 0;
    }
    let sizes = match (bit(word, 10), bit(word, 11), field(word, 20, 17)) {
        (true, ..) => scalar_three_same(u, field(word, 15, 11)),
        (false, false, _) => match field(word, 15, 12) {
            0b1001 | 0b1011 | 0b1101 if !u => HS, // sqdmlal, sqdmlsl, sqdmull
            _ => NONE,
        },
        (false, true, 0b0000) => scalar_two_misc(u, field(word, 16, 12)),
        (false, true, 0b1000) => match (u, field(word, 16, 12)) {
            (false, 0b11011) => D,           // addp
            (true, 0b01100 | 0b01111) => FP, // fmaxnmp, fmaxp
            (true, 0b01101) => FP0,          // faddp
            _ => NONE,
        },
        _ => NONE,
    };
    has_size(sizes, word)
}

/// Returns the element sizes for the table "Advanced SIMD scalar three same".
fn scalar_three_same(u: bool, opcode: u32) -> Sizes {
    match (opcode, u) {
        (0b00001 | 0b00101 | 0b01001 | 0b01011, _) => ANY, // sqadd, sqsub, sqshl, sqrshl
        (0b00110 | 0b00111 | 0b01000 | 0b01010 | 0b10000 | 0b10001, _) => D, // cmgt, cmge, sshl, srshl, add, cmtst
        (0b10110, _) => HS,                                // sqdmulh
        (0b11011, false) => FP0,                           // fmulx
        (0b11100, false) => FP0,                           // fcmeq
        (0b11100 | 0b11101, true) => FP,                   // fcmge, facge
        (0b11111, false) => FP,                            // frecps, frsqrts
        (0b11010, true) => FP1,                            // fabd
        _ => NONE,
    }
}

/// Returns the element sizes for the table "Advanced SIMD scalar two-register miscellaneous".
fn scalar_two_misc(u: bool, opcode: u32) -> Sizes {
    match (opcode, u) {
        (0b00011 | 0b00111, _) => ANY,                            // suqadd, sqabs
        (0b01000 | 0b01001 | 0b01011, _) | (0b01010, false) => D, // cmgt, cmeq, abs, cmlt
        (0b01100 | 0b01101, _) | (0b01110, false) => FP1,         // the same with zero
        (0b10010, true) | (0b10100, _) => BHS,                    // sqxtun, sqxtn
        (0b10110, true) => H,                                     // fcvtxn
        (0b11010 | 0b11011 | 0b11101, _) => FP,                   // fcvtns, fcvtms, scvtf
        (0b11100, _) => FP0,                                      // fcvtas
        (0b11111, false) => FP1,                                  // frecpx
        _ => NONE,
    }
}

/// Checks words of the table "Advanced SIMD scalar shift by immediate".
fn is_scalar_shift(word: u32, immh: u32) -> bool {
    let u = bit(word, 29);
    let doubleword = immh >= 0b1000;
    match field(word, 15, 11) {
        0b00000 | 0b00010 | 0b00100 | 0b00110 | 0b01010 => doubleword, // sshr, ssra, srshr, srsra, shl
        0b01000 => u && doubleword,                                    // sri
        0b01100 => u && immh != 0,                                     // sqshlu
        0b01110 => immh != 0,                                          // sqshl
        0b10000 | 0b10001 => u && immh != 0 && !doubleword,            // sqshrun
        0b10010 | 0b10011 => immh != 0 && !doubleword,                 // sqshrn
        0b11100 | 0b11111 => immh >= 0b0100,                           // scvtf, fcvtzs
        _ => false,
    }
}

/// Checks words of the table "Advanced SIMD scalar x indexed element".
fn is_scalar_by_element(word: u32) -> bool {
    let (u, size) = (bit(word, 29), field(word, 23, 22));
    match field(word, 15, 12) {
        0b0011 | 0b0111 | 0b1011 | 0b1100 | 0b1101 => !u && matches!(size, 1 | 2), // sqdmlal, sqdmulh
        0b0001 | 0b0101 => !u && is_fp_element(word, true),                        // fmla, fmls
        0b1001 => is_fp_element(word, true),                                       // fmul, fmulx
        _ => false,
    }
}

/// Checks words of the table "Advanced SIMD load/store structures": ld1 to ld4, st1 to st4 and the replicating
/// loads.
pub(super) fn is_structure_access(word: u32) -> bool {
    let (q, size) = (bit(word, 30), field(word, 11, 10));
    let post_indexed = bit(word, 23);
    if bit(word, 31) || (!post_indexed && field(word, 20, 16) != 0) {
        return false;
    }
    if !bit(word, 24) {
        return !bit(word, 21)
            && match field(word, 15, 12) {
                0b0000 | 0b0100 | 0b1000 => q || size != 0b11, // interleaved: two doublewords at least
                0b0010 | 0b0110 | 0b0111 | 0b1010 => true,
                _ => false,
            };
    }
    let s = bit(word, 12);
    match field(word, 15, 13) {
        0b000 | 0b001 => true,
        0b010 | 0b011 => size & 1 == 0,
        0b100 | 0b101 => size == 0b00 || (size == 0b01 && !s),
        _ => bit(word, 22) && !s, // replicate: loads only
    }
}
