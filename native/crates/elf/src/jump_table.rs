//! Finds the targets of indirect jumps in the tables that compilers make of `switch`.

mod aarch64;
mod preceding_code;
mod x86;

use iced_x86::{Decoder, DecoderOptions, Mnemonic};

use crate::{Arch, Code, Image, Instruction, Svma};
use preceding_code::{LOOK_BACK, MAX_ENTRIES, PrecedingCode};

/// Returns the targets of the indirect jump that ends `before`, as far as a table states them, in no order.
/// `inside` returns true for the address of an instruction of the function.
///
/// The code before the jump states the address of the table, and its length, as it compares the index with the largest
/// one. On x86 a table of unknown length is read up to the first entry that leads out of the function. On AArch64 it is
/// not read.
#[must_use]
pub fn jump_targets(
    image: &Image,
    code: &Code<'_>,
    before: &[Instruction],
    inside: &dyn Fn(Svma) -> bool,
) -> Vec<Svma> {
    match image.arch() {
        Arch::AArch64 => aarch64_targets(image, code, before, inside),
        Arch::X86_64 => x86_targets(image, code, before, inside, 64),
        Arch::X86 => x86_targets(image, code, before, inside, 32),
    }
}

fn x86_targets(
    image: &Image,
    code: &Code<'_>,
    instructions: &[Instruction],
    inside: &dyn Fn(Svma) -> bool,
    bits: u32,
) -> Vec<Svma> {
    let read = |at: usize| {
        let svma = instructions[at].svma;
        let bytes = code.bytes_of(svma).unwrap_or_default();
        Decoder::with_ip(bits, bytes, svma.0, DecoderOptions::NONE).decode()
    };
    let Some(count) = instructions.len().checked_sub(1) else {
        return Vec::new();
    };
    let before = PrecedingCode { read: &read, count };
    if let Some(table) = x86::find_table(&read(count), before, bits as usize / 8) {
        return table_targets(image, table, inside);
    }
    // The code has another form. The table is at the nearest address that it takes and that has a target.
    let tables = (count.saturating_sub(LOOK_BACK)..count).rev().map(read);
    let addresses = tables.filter(|lea| lea.is_ip_rel_memory_operand() && lea.mnemonic() == Mnemonic::Lea);
    let mut found = addresses.map(|lea| {
        table_targets(
            image,
            x86::Table::of_distances(Svma(lea.ip_rel_memory_address())),
            inside,
        )
    });
    found.find(|targets| !targets.is_empty()).unwrap_or_default()
}

/// Returns the targets in a table. A table of known length can have entries that lead out of the function, as into its
/// cold part. They are left out.
fn table_targets(image: &Image, table: x86::Table, inside: &dyn Fn(Svma) -> bool) -> Vec<Svma> {
    let entries = image.loaded_bytes(table.address).chunks_exact(table.entry_size);
    let targets = entries
        .map(|entry| table.target(entry))
        .take(table.entries.unwrap_or(MAX_ENTRIES).min(MAX_ENTRIES));
    sort_and_dedup(match table.entries {
        Some(_) => targets.filter(|target| inside(*target)).collect(),
        None => targets.take_while(|target| inside(*target)).collect(),
    })
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
    let before = PrecedingCode { read: &read, count };
    let Some(table) = aarch64::find_table(read(count).1, before) else {
        return Vec::new();
    };
    let bytes = image.loaded_bytes(table.address);
    let entries = bytes
        .chunks_exact(table.entry_size())
        .take(table.entries.min(MAX_ENTRIES));
    let targets = entries.map(|entry| table.target(entry));
    sort_and_dedup(targets.filter(|target| inside(*target)).collect())
}

fn sort_and_dedup(mut found: Vec<Svma>) -> Vec<Svma> {
    found.sort_unstable();
    found.dedup();
    found
}
