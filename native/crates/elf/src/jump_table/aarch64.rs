//! Jump tables on AArch64 (Arm ARM, C4.1): the code loads a distance, extends and shifts it, and adds it to the
//! address of some code.
//!
//! ```text
//! adrp x0, table; add x0, x0, :lo12:table; ldrb w0, [x0, w1, uxtw]; adr x1, code; add x0, x1, w0, sxtb #2; br x0      gcc
//! adr x9, code; ldrb w10, [x22, x8]; add x9, x9, x10, lsl #2; br x9                                                  clang, x22 set before
//! ```

use super::preceding_code::{self, LOOK_BACK, MAX_ENTRIES};
use crate::Svma;

/// Number of instructions before the jump that are searched. The instruction that takes the address of the table
/// can stand before a loop that has the jump.
const MAX_INSTRUCTIONS: usize = 4096;

/// Largest number of steps from one register to the register from which its value was copied.
const MAX_STEPS: usize = 8;

/// A jump table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    pub address: Svma,
    /// Number of entries that the comparison in the code allows.
    pub entries: usize,
    /// Address to which the distances are added.
    base: Svma,
    load: Load,
    extension: Extension,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Load {
    /// Binary logarithm of the size of an entry in bytes.
    size: u32,
    is_signed: bool,
}

/// The extension of a distance before it is added, and the number of bits by which it is shifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Extension {
    bits: u32,
    is_signed: bool,
    shift: u32,
}

impl Table {
    pub(super) fn entry_size(&self) -> usize {
        1 << self.load.size
    }

    /// Returns the target of the entry with these bytes.
    pub(super) fn target(&self, entry: &[u8]) -> Svma {
        let value = entry.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
        let loaded = extended(value, 8 << self.load.size, self.load.is_signed);
        let Extension { bits, is_signed, shift } = self.extension;
        self.base.wrapping_add(extended(loaded, bits, is_signed) << shift)
    }
}

fn extended(value: u64, bits: u32, is_signed: bool) -> u64 {
    let unused = 64 - bits.clamp(1, 64);
    if is_signed {
        ((value << unused) as i64 >> unused) as u64
    } else {
        value << unused >> unused
    }
}

/// The instructions before one instruction: address and word of each.
type PrecedingCode<'a> = preceding_code::PrecedingCode<'a, (Svma, u32)>;

/// Returns the table of a jump, if the code before the jump states the table and its length.
pub(super) fn find_table(jump: u32, before: PrecedingCode<'_>) -> Option<Table> {
    // The jump must be a br.
    if jump & 0xffff_fc1f != 0xd61f_0000 {
        return None;
    }
    let at = find_definition(before, register(jump, 5), LOOK_BACK)?;
    let add = (before.read)(at).1;
    let extension = extension(add)?;
    let before = before.up_to(at);
    // Either operand of an addition without extension may be the distance.
    let operands = [
        (register(add, 16), register(add, 5)),
        (register(add, 5), register(add, 16)),
    ];
    let count = if extension.bits == 64 && extension.shift == 0 {
        2
    } else {
        1
    };
    operands.into_iter().take(count).find_map(|(distance, base)| {
        let at = find_definition(before, distance, LOOK_BACK)?;
        let word = (before.read)(at).1;
        let load = load(word)?;
        let table = Table {
            base: constant(before, base, MAX_STEPS)?,
            address: constant(before.up_to(at), register(word, 5), MAX_STEPS)?,
            entries: find_index_bound(before.up_to(at), register(word, 16))?,
            load,
            extension,
        };
        Some(table)
    })
}

fn register(word: u32, at: u32) -> u32 {
    word >> at & 31
}

/// Returns the number of the instruction that set a register last. Returns `None` if there is none, or if a call
/// after it may have set the register.
fn find_definition(before: PrecedingCode<'_>, wanted: u32, limit: usize) -> Option<usize> {
    for (at, (_, word)) in before.backwards(limit) {
        if writes_register(word, wanted) {
            return Some(at);
        }
        if may_call(word, wanted) {
            return None;
        }
    }
    None
}

/// Returns true if an instruction is a call that may change the register `wanted`.
fn may_call(word: u32, wanted: u32) -> bool {
    const LAST_CHANGED: u32 = 18;
    let is_call = word & 0xfc00_0000 == 0x9400_0000 || word & 0xffff_fc1f == 0xd63f_0000;
    is_call && wanted <= LAST_CHANGED
}

/// Returns true if an instruction writes the general register `wanted`.
fn writes_register(word: u32, wanted: u32) -> bool {
    let is_set = register(word, 0) == wanted;
    match word >> 25 & 0xf {
        // This is data processing with an immediate or with registers. Comparisons write register 31, which never
        // holds the address of a table.
        0x8 | 0x9 | 0x5 | 0xd => is_set && wanted != 31,
        // These are loads of pairs, and of single registers that are no vectors.
        0x4 | 0x6 | 0xc | 0xe => {
            let is_vector = word >> 26 & 1 == 1;
            let is_pair = word & 0x3a00_0000 == 0x2800_0000;
            let is_load = if is_pair {
                word >> 22 & 1 == 1
            } else {
                word >> 22 & 3 != 0
            };
            !is_vector && is_load && (is_set || is_pair && register(word, 10) == wanted)
        }
        _ => false,
    }
}

/// Returns the extension of the second operand of `add`, if `add` adds whole registers.
fn extension(word: u32) -> Option<Extension> {
    // This is add, shifted register; the shift is to the left.
    if word & 0xffe0_0000 == 0x8b00_0000 {
        return Some(Extension {
            bits: 64,
            is_signed: false,
            shift: word >> 10 & 0x3f,
        });
    }
    // This is add, extended register.
    (word & 0xffe0_0000 == 0x8b20_0000).then(|| Extension {
        bits: 8 << (word >> 13 & 3),
        is_signed: word >> 15 & 1 == 1,
        shift: (word >> 10 & 7).min(4),
    })
}

/// Returns the load if the word loads 1, 2 or 4 bytes from the sum of two registers.
fn load(word: u32) -> Option<Load> {
    let size = word >> 30;
    let kind = word >> 22 & 3;
    let is_load = word & 0x3f20_0c00 == 0x3820_0800 && size < 3 && kind != 0;
    is_load.then_some(Load {
        size,
        is_signed: kind > 1,
    })
}

/// Returns the address that a register has after the instructions, if `adr`, `adrp`, `add` of an immediate and
/// `mov` determine it.
fn constant(before: PrecedingCode<'_>, wanted: u32, steps: usize) -> Option<Svma> {
    let at = find_definition(before, wanted, MAX_INSTRUCTIONS)?;
    let (svma, word) = (before.read)(at);
    let steps = steps.checked_sub(1)?;
    let distance = || {
        let bits = (word >> 5 & 0x7_ffff) << 2 | word >> 29 & 3;
        extended(u64::from(bits), 21, true)
    };
    match word {
        // adr, adrp
        _ if word & 0x9f00_0000 == 0x1000_0000 => Some(svma.wrapping_add(distance())),
        _ if word & 0x9f00_0000 == 0x9000_0000 => Some(Svma(svma.0 & !0xfff).wrapping_add(distance() << 12)),
        // add, immediate
        _ if word & 0xff80_0000 == 0x9100_0000 => {
            let value = u64::from(word >> 10 & 0xfff) << (12 * (word >> 22 & 1));
            Some(constant(before.up_to(at), register(word, 5), steps)?.wrapping_add(value))
        }
        // mov
        _ if word & 0xffe0_ffe0 == 0xaa00_03e0 => constant(before.up_to(at), register(word, 16), steps),
        _ => None,
    }
}

/// The lower bits of a register, as `and` with an immediate and `uxtb` extract them.
#[derive(Clone, Copy, PartialEq)]
struct LowBits {
    source: u32,
    count: u32,
}

impl LowBits {
    /// Returns the bits that an instruction extracts (Arm ARM: AND with an immediate, UBFM).
    fn of(word: u32) -> Option<Self> {
        const REPEATED: u32 = 0x20;
        let [rotated, last] = [16, 10].map(|at| word >> at & 0x3f);
        let is_field = word & 0x7f80_0000 == 0x5300_0000;
        // A register of 64 bits repeats a pattern of 32 bits in its upper half.
        let is_and = word & 0x7f80_0000 == 0x1200_0000 && (word >> 22 & 1 == 1 || word >> 31 == 0 && last < REPEATED);
        ((is_field || is_and) && rotated == 0).then(|| Self {
            source: register(word, 5),
            count: last + 1,
        })
    }

    /// Returns the number of values of these bits, if a table can have so many entries.
    fn values(self) -> Option<usize> {
        1_usize.checked_shl(self.count).filter(|values| *values <= MAX_ENTRIES)
    }
}

/// Returns the number of values that the index can have here. The code compares the index with its largest value,
/// and a branch leaves if the index is higher; or the code extracts the lower bits of the index.
fn find_index_bound(before: PrecedingCode<'_>, index: u32) -> Option<usize> {
    let mut index = index;
    // The index is these bits of a register, and `index` is then that register.
    let mut bits: Option<LowBits> = None;
    // Another register that is compared, and its number of values. It may have the same bits of the same register.
    let mut other: Option<(u32, usize)> = None;
    // The condition of the nearest conditional branch between the comparison and the jump.
    let mut condition = None;
    let limit = |bits: Option<LowBits>| bits.and_then(LowBits::values);
    for (_, (_, word)) in before.backwards(LOOK_BACK) {
        // This is subs, immediate, to the register 31, which is a comparison.
        if word & 0x7fc0_001f == 0x7100_001f {
            let compared = register(word, 5);
            let limit = (word >> 10 & 0xfff) as usize;
            let entries = match condition {
                // These are the conditions hi and ls: the greatest index is `limit`.
                Some(8 | 9) => Some(limit + 1),
                // These are the conditions hs and lo: the greatest index is `limit - 1`.
                Some(2 | 3) => Some(limit),
                // This branch leaves for one of the values.
                _ => None,
            };
            condition = None;
            match (entries, bits) {
                (Some(entries), None) if compared == index => return Some(entries),
                (Some(entries), Some(_)) => other = other.or(Some((compared, entries))),
                _ => {}
            }
        }
        if word & 0xff00_0010 == 0x5400_0000 {
            condition = Some(word & 0xf);
        }
        if let (Some((compared, entries)), Some(_)) = (other, bits)
            && writes_register(word, compared)
        {
            if LowBits::of(word) == bits {
                return Some(entries);
            }
            other = None;
        }
        if may_call(word, index) {
            return limit(bits);
        }
        if !writes_register(word, index) {
            continue;
        }
        if bits.is_some() {
            return limit(bits);
        }
        // This is mov.
        if word & 0x7fe0_ffe0 == 0x2a00_03e0 {
            index = register(word, 16);
        } else if let Some(found) = LowBits::of(word) {
            (index, bits) = (found.source, Some(found));
            if limit(bits).is_some() {
                return limit(bits);
            }
        } else {
            return None;
        }
    }
    limit(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_of(start: u64, words: &[u32]) -> Option<Table> {
        let read = |at: usize| (Svma(start + 4 * at as u64), words[at]);
        let (jump, before) = words.split_last()?;
        let before = PrecedingCode {
            read: &read,
            count: before.len(),
        };
        find_table(*jump, before)
    }

    #[test]
    fn bytes_of_gcc_are_signed_and_count_words() {
        let words = [
            0x7100_283f, // cmp w1, #10
            0x5400_0188, // b.hi
            0xd503_201f, // nop
            0x10e6_b240, // adr x0, 0x20691c at 0x2392d4
            0x3861_4800, // ldrb w0, [x0, w1, uxtw]
            0x1000_0061, // adr x1, 0x2392e8 at 0x2392dc
            0x8b20_8820, // add x0, x1, w0, sxtb #2
            0xd61f_0000, // br x0
        ];
        let found = table_of(0x2392c8, &words).expect("a table");
        assert_eq!(
            (found.address, found.entries, found.entry_size()),
            (Svma(0x20_691c), 11, 1)
        );
        assert_eq!(found.target(&[2]), Svma(0x2392f0));
        assert_eq!(found.target(&[0xff]), Svma(0x2392e4));
    }

    #[test]
    fn bytes_of_clang_are_not_signed_and_the_table_is_named_before_the_loop() {
        let words = [
            0x9000_0016, // adrp x22, 0x238000
            0x9104_82d6, // add x22, x22, #0x120
            0x9400_0000, // bl: keeps x22
            0x7100_4d1f, // cmp w8, #19
            0x5400_0b88, // b.hi
            0x10ff_ff29, // adr x9, -28
            0x3868_6aca, // ldrb w10, [x22, x8]
            0x8b0a_0929, // add x9, x9, x10, lsl #2
            0xd61f_0120, // br x9
        ];
        let found = table_of(0x238000, &words).expect("a table");
        assert_eq!(
            (found.address, found.entries, found.entry_size()),
            (Svma(0x23_8120), 20, 1)
        );
        assert_eq!(found.base, Svma(0x238014 - 28));
        assert_eq!(found.target(&[0xff]), found.base.wrapping_add(0x3fc));
        // cmp w8, #3; b.eq between the comparison and the load
        let one_more = [&words[..5], &[0x7100_0d1f, 0x5400_0040], &words[5..]].concat();
        assert_eq!(table_of(0x238000, &one_more).map(|table| table.entries), Some(20));
        // The index is a copy: cmp w0, #19; b.hi; mov w8, w0
        let mut copied = words.to_vec();
        copied[3] = 0x7100_4c1f;
        copied.insert(5, 0x2a00_03e8);
        assert_eq!(table_of(0x238000, &copied).map(|table| table.entries), Some(20));
        // and w8, w0, #0xffff; cmp w8, #19; b.hi; and x8, x0, #0xffff
        let mut halves = words.to_vec();
        halves.insert(5, 0x9240_3c08);
        halves.insert(3, 0x1200_3c08);
        assert_eq!(table_of(0x238000, &halves).map(|table| table.entries), Some(20));
        halves[3] = 0x1200_3c28; // and w8, w1, #0xffff
        assert_eq!(table_of(0x238000, &halves), None);
        // and w8, w0, #7, without a comparison
        let mut masked = words;
        masked[3] = 0xd503_201f;
        masked[4] = 0x1200_0808;
        assert_eq!(table_of(0x238000, &masked).map(|table| table.entries), Some(8));
        let mut unbounded = words;
        unbounded[3] = 0xd503_201f;
        assert_eq!(table_of(0x238000, &unbounded), None);
    }

    #[test]
    fn words_are_distances_from_the_table() {
        let words = [
            0x7100_4d1f, // cmp w8, #19
            0x5400_0b88, // b.hi
            0x9000_0009, // adrp x9, 0x238000
            0x9104_8129, // add x9, x9, #0x120
            0xb8a8_792a, // ldrsw x10, [x9, x8, lsl #2]
            0x8b09_014a, // add x10, x10, x9
            0xd61f_0140, // br x10
        ];
        let found = table_of(0x238000, &words).expect("a table");
        assert_eq!(
            (found.address, found.base, found.entry_size()),
            (Svma(0x23_8120), Svma(0x23_8120), 4)
        );
        assert_eq!(found.target(&[0xf0, 0xff, 0xff, 0xff]), Svma(0x23_8110));
    }
}
