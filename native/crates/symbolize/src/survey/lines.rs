//! Finds out what line programs have, up to their first discriminator.

use std::collections::HashMap;

use dwarf::{Reader, Space, Unit, section};
use gimli::{DebugLineOffset, LineInstruction};
use rayon::prelude::*;

/// The facts about the line program of a unit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lines {
    pub(super) rows: bool,
    pub(super) discriminators: bool,
}

/// The facts about the line programs of a file, by offset.
pub(super) struct LinePrograms(HashMap<usize, Lines>);

impl LinePrograms {
    /// Reads the line programs. Each byte is read once: a program that starts inside of another one is left out.
    pub(super) fn read(space: &Space<'_>) -> Self {
        let mut units: Vec<(DebugLineOffset, u8)> = space
            .units
            .iter()
            .filter_map(|unit| Some((unit.line_program?, unit.encoding.address_size)))
            .collect();
        units.sort_unstable_by_key(|(offset, size)| (offset.0, *size));
        units.dedup_by_key(|(offset, _)| *offset);
        let lines = space.dwarf.debug_line;
        let mut end = 0;
        let mut programs = Vec::with_capacity(units.len());
        for (offset, size) in units {
            if offset.0 < end {
                continue;
            }
            end = program_end(section(lines), offset.0);
            if let Ok(program) = lines.program(offset, size, None, None) {
                programs.push((offset, program));
            }
        }
        let read = programs.par_iter().map(|(offset, program)| {
            let header = program.header();
            let mut instructions = header.instructions();
            let mut found = Lines::default();
            while let Ok(Some(instruction)) = instructions.next_instruction(header) {
                match instruction {
                    LineInstruction::Special(_) | LineInstruction::Copy => found.rows = true,
                    LineInstruction::SetDiscriminator(value) => found.discriminators |= is_discriminator(value),
                    _ => {}
                }
                if found.rows && found.discriminators {
                    break;
                }
            }
            (offset.0, found)
        });
        Self(read.collect())
    }

    pub(super) fn of(&self, unit: &Unit) -> Lines {
        let known = unit.line_program.and_then(|offset| self.0.get(&offset.0));
        known.copied().unwrap_or_default()
    }
}

/// Returns the end of the line program at `offset`, from the length at its start (DWARF 5 section 7.2.2).
fn program_end(section: &[u8], offset: usize) -> usize {
    let mut reader = Reader::new(section, offset);
    let len = match reader.unsigned(4) {
        Some(0xffff_ffff) => reader.unsigned(8),
        len => len,
    };
    let len = len.and_then(|len| usize::try_from(len).ok());
    reader.position.saturating_add(len.unwrap_or(0))
}

/// Returns true if the value is a discriminator. Zero distinguishes nothing. The pseudo probe of a call uses the
/// same field: the low three bits and some higher bits are set (LLVM: `PseudoProbeDwarfDiscriminator`).
fn is_discriminator(value: u64) -> bool {
    value != 0 && !(value & 7 == 7 && value >> 3 != 0)
}
