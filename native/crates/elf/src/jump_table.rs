//! Finds the targets of indirect jumps in the tables that compilers make of `switch`.

mod aarch64;

use crate::{Arch, Code, Image, Instruction, Svma};

/// Number of instructions before an indirect jump in which the load of the table's address is searched.
const LOOK_BACK: usize = 24;

/// Largest number of entries of a table. A longer table is not trusted.
const MOST_ENTRIES: usize = 4096;

/// Returns the targets of the indirect jump that ends `before`, as far as a table states them, in no order.
/// `inside` returns true for the address of an instruction of the function.
///
/// On x86 the table is the operand of `lea table(%rip), reg`, and its entries are distances from the table; or the
/// jump itself names the table, and its entries are addresses. On AArch64 the table is the one from which the code
/// before the jump loads a distance, if that code also states the length of the table.
#[must_use]
pub fn jump_targets(
    image: &Image,
    code: &Code<'_>,
    before: &[Instruction],
    inside: &dyn Fn(Svma) -> bool,
) -> Vec<Svma> {
    let Some(jump) = before.last() else { return Vec::new() };
    if image.arch() == Arch::AArch64 {
        return aarch64_targets(image, code, before, inside);
    }
    let bytes = |instruction: &Instruction| code.bytes_of(instruction.svma).unwrap_or_default();
    if let Some(table) = absolute_table(bytes(jump)) {
        let found = entries(image, Svma(table), 8, &|entry, _| Svma(entry), inside);
        if !found.is_empty() {
            return found;
        }
    }
    let nearest = before.iter().rev().skip(1).take(LOOK_BACK);
    let mut tables = nearest.filter_map(|instruction| table_address(*instruction, bytes(instruction)));
    let distance = |entry: u64, table: Svma| table.wrapping_add(i64::from(entry as u32 as i32) as u64);
    let mut found = tables.find_map(|table| {
        let found = entries(image, table, 4, &distance, inside);
        (!found.is_empty()).then_some(found)
    });
    found.take().unwrap_or_default()
}

fn aarch64_targets(
    image: &Image,
    code: &Code<'_>,
    instructions: &[Instruction],
    inside: &dyn Fn(Svma) -> bool,
) -> Vec<Svma> {
    let read = |at: usize| {
        let svma = instructions[at].svma;
        let bytes = code.bytes_of(svma).unwrap_or_default();
        (svma, bytes.first_chunk().map_or(0, |word| u32::from_le_bytes(*word)))
    };
    let Some(count) = instructions.len().checked_sub(1) else {
        return Vec::new();
    };
    let before = aarch64::Before { read: &read, count };
    let Some(table) = aarch64::table(read(count).1, before) else {
        return Vec::new();
    };
    let bytes = image.loaded_bytes(table.address);
    let entries = bytes
        .chunks_exact(table.entry_size())
        .take(table.entries.min(MOST_ENTRIES));
    let targets = entries.map(|entry| table.target(entry));
    unique(targets.take_while(|target| inside(*target)).collect())
}

fn unique(mut found: Vec<Svma>) -> Vec<Svma> {
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns the address of the table in `jmp *table(,%reg,8)`. The address has 32 bits and is sign-extended.
fn absolute_table(bytes: &[u8]) -> Option<u64> {
    let rest = match bytes {
        [0x3e | 0xf2, rest @ ..] => rest,
        rest => rest,
    };
    let rest = match rest {
        [0x40..=0x4f, rest @ ..] => rest,
        rest => rest,
    };
    match *rest {
        // This matches ff /4 with a SIB byte of scale 8 without base.
        [0xff, 0x24, sib, a, b, c, d] if sib & 0xc7 == 0xc5 => Some(i64::from(i32::from_le_bytes([a, b, c, d])) as u64),
        _ => None,
    }
}

/// Returns the address in `lea address(%rip), reg`.
fn table_address(instruction: Instruction, bytes: &[u8]) -> Option<Svma> {
    match *bytes {
        [rex, 0x8d, modrm, a, b, c, d] if rex & 0xf8 == 0x48 && modrm & 0xc7 == 0x05 => {
            let behind = instruction.svma.wrapping_add(u64::from(instruction.length));
            Some(behind.wrapping_add(i64::from(i32::from_le_bytes([a, b, c, d])) as u64))
        }
        _ => None,
    }
}

/// Returns the targets in a table, up to the first entry that is no target.
fn entries(
    image: &Image,
    table: Svma,
    size: usize,
    target: &dyn Fn(u64, Svma) -> Svma,
    inside: &dyn Fn(Svma) -> bool,
) -> Vec<Svma> {
    let bytes = image.loaded_bytes(table);
    let entry = |bytes: &[u8]| bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let targets = bytes.chunks_exact(size).map(|bytes| target(entry(bytes), table));
    unique(
        targets
            .take(MOST_ENTRIES)
            .take_while(|target| inside(*target))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InstructionClass;

    #[test]
    fn the_forms_that_name_a_table() {
        let lea = Instruction {
            svma: Svma(0x1000),
            length: 7,
            class: InstructionClass::Other,
        };
        assert_eq!(
            table_address(lea, &[0x48, 0x8d, 0x0d, 0xf9, 0x0f, 0, 0]),
            Some(Svma(0x2000))
        );
        assert_eq!(
            table_address(lea, &[0x4c, 0x8d, 0x05, 0xf9, 0xef, 0xff, 0xff]),
            Some(Svma(0))
        );
        assert_eq!(table_address(lea, &[0x48, 0x8d, 0x81, 0, 0, 0, 0]), None);
        assert_eq!(
            absolute_table(&[0xff, 0x24, 0xc5, 0x10, 0x20, 0x40, 0]),
            Some(0x40_2010)
        );
        assert_eq!(
            absolute_table(&[0x3e, 0x42, 0xff, 0x24, 0xd5, 0, 0, 0, 0x81]),
            Some(0xffff_ffff_8100_0000)
        );
        assert_eq!(absolute_table(&[0xff, 0xe0]), None);
    }
}
