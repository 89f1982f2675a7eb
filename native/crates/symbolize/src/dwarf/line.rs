//! Line rows by address (DWARF 5 section 6.2).
//!
//! gimli decodes the instructions; the state machine is run here, because LLVM keeps rows that gimli would
//! drop or move: it knows no tombstone but the all-ones address and lets addresses go backwards.

use gimli::{DebugLineOffset, LineInstruction, LineProgramHeader};

use super::form::Value;
use super::unit::{Space, Unit};
use crate::object::Slice;

/// What the line table says about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Location {
    pub(crate) line: u32,
    pub(crate) discriminator: u32,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    address: u64,
    location: Location,
}

#[derive(Debug, Clone, Copy)]
struct Sequence {
    low: u64,
    high: u64,
    /// The rows before the one that ends the sequence, ascending.
    rows: (usize, usize),
}

/// The rows of one line program.
#[derive(Debug, Default)]
pub(crate) struct LineIndex {
    /// By end address.
    sequences: Vec<Sequence>,
    rows: Vec<Row>,
}

/// The registers that matter here.
#[derive(Clone, Copy)]
struct Registers {
    address: u64,
    file: u64,
    line: u32,
    discriminator: u32,
}

const START: Registers = Registers {
    address: 0,
    file: 1,
    line: 1,
    discriminator: 0,
};

impl LineIndex {
    /// Runs the unit's line program. Rows are kept only of sequences for which `wanted(low, high)` holds.
    pub(crate) fn build(space: &Space<'_>, unit: &Unit, wanted: impl Fn(u64, u64) -> bool) -> Self {
        let program = unit.line_program.and_then(|offset| {
            let size = unit.encoding.address_size;
            let lines = space.dwarf.debug_line;
            lines.program(DebugLineOffset(offset), size, None, None).ok()
        });
        let mut index = Self::default();
        if let Some(program) = program {
            index.run(space, unit, program.header(), wanted);
        }
        index.sequences.sort_by_key(|sequence| sequence.high);
        index
    }

    fn run(
        &mut self,
        space: &Space<'_>,
        unit: &Unit,
        header: &LineProgramHeader<Slice<'_>>,
        wanted: impl Fn(u64, u64) -> bool,
    ) {
        let mut files = Files::new(space, unit, header);
        let mut state = START;
        let mut tombstoned = false;
        let tombstone = match header.address_size() {
            size @ 1..8 => (1 << (u32::from(size) * 8)) - 1,
            _ => u64::MAX,
        };
        // The first row of the sequence being read, and whether addresses have only grown since.
        let mut open: Option<(usize, bool)> = None;
        let step = u64::from(header.minimum_instruction_length());
        let opcode_base = u64::from(header.opcode_base());
        let line_range = u64::from(header.line_range().max(1));
        let line_base = i64::from(header.line_base());
        let mut instructions = header.instructions();
        // A program that breaks off keeps the sequences it finished.
        while let Ok(Some(instruction)) = instructions.next_instruction(header) {
            let mut emit = false;
            let mut end = false;
            match instruction {
                LineInstruction::Special(opcode) => {
                    let adjusted = u64::from(opcode).saturating_sub(opcode_base);
                    state.advance(step.wrapping_mul(adjusted / line_range));
                    #[expect(clippy::cast_possible_wrap, reason = "an opcode is below 256")]
                    state.advance_line(line_base + (adjusted % line_range) as i64);
                    emit = true;
                }
                LineInstruction::Copy => emit = true,
                LineInstruction::AdvancePc(operations) => {
                    state.advance(step.wrapping_mul(operations));
                }
                LineInstruction::AdvanceLine(delta) => state.advance_line(delta),
                LineInstruction::SetFile(file) => state.file = file,
                LineInstruction::ConstAddPc => {
                    let adjusted = 255u64.saturating_sub(opcode_base);
                    state.advance(step.wrapping_mul(adjusted / line_range));
                }
                LineInstruction::FixedAddPc(bytes) => state.advance(u64::from(bytes)),
                LineInstruction::SetAddress(address) => {
                    state.address = address;
                    tombstoned = address == tombstone;
                }
                LineInstruction::DefineFile(_) => files.define(),
                #[expect(clippy::cast_possible_truncation, reason = "a 32-bit register in LLVM")]
                LineInstruction::SetDiscriminator(value) => state.discriminator = value as u32,
                LineInstruction::EndSequence => {
                    emit = true;
                    end = true;
                }
                _ => {}
            }
            if emit && !tombstoned {
                let (first, sorted) = *open.get_or_insert((self.rows.len(), true));
                let rows = &self.rows[first..];
                let grown = rows.last().is_none_or(|row| row.address <= state.address);
                open = Some((first, sorted && grown));
                if end {
                    self.close(first, state.address, sorted, &wanted);
                    open = None;
                } else {
                    let location = if files.resolves(state.file) {
                        Location {
                            line: state.line,
                            discriminator: state.discriminator,
                        }
                    } else {
                        Location::default()
                    };
                    self.rows.push(Row {
                        address: state.address,
                        location,
                    });
                }
                state.discriminator = 0;
            }
            if end {
                if let Some((first, _)) = open.take() {
                    self.rows.truncate(first);
                }
                state = START;
            }
        }
        if let Some((first, _)) = open {
            self.rows.truncate(first);
        }
    }

    /// Ends the sequence whose rows begin with number `first`.
    fn close(&mut self, first: usize, high: u64, sorted: bool, wanted: &impl Fn(u64, u64) -> bool) {
        let low = self.rows.get(first).map(|row| row.address);
        let Some(low) = low.filter(|low| *low < high) else {
            self.rows.truncate(first);
            return;
        };
        if !wanted(low, high) {
            self.rows.truncate(first);
        } else if !sorted {
            self.straighten(first, high);
        }
        self.sequences.push(Sequence {
            low,
            high,
            rows: (first, self.rows.len()),
        });
    }

    /// Replaces rows out of order by ascending ones that answer as LLVM's binary search over the old ones would.
    /// What such a search hits can only change at some row's address.
    fn straighten(&mut self, first: usize, high: u64) {
        let rows = self.rows.split_off(first);
        let low = rows[0].address;
        let mut cuts: Vec<u64> = rows.iter().map(|row| row.address).collect();
        cuts.retain(|cut| low <= *cut && *cut < high);
        cuts.sort_unstable();
        cuts.dedup();
        self.rows.extend(cuts.into_iter().map(|address| Row {
            address,
            location: rows[upper_bound(&rows[1..], address)].location,
        }));
    }

    /// Calls `found` for the consecutive parts of `[low, high)`; an address without a row is at the default location.
    pub(crate) fn for_each(&self, low: u64, high: u64, mut found: impl FnMut(u64, u64, Location)) {
        let mut at = low;
        while at < high {
            // Only the first sequence that ends behind the address is asked.
            let next = self.sequences.partition_point(|s| s.high <= at);
            let Some(sequence) = self.sequences.get(next) else {
                found(at, high, Location::default());
                return;
            };
            if at < sequence.low {
                let end = sequence.low.min(high);
                found(at, end, Location::default());
                at = end;
                continue;
            }
            let end = sequence.high.min(high);
            self.rows_of(sequence, at, end, &mut found);
            at = end;
        }
    }

    fn rows_of(&self, sequence: &Sequence, low: u64, high: u64, found: &mut impl FnMut(u64, u64, Location)) {
        let rows = &self.rows[sequence.rows.0..sequence.rows.1];
        if rows.is_empty() {
            return found(low, high, Location::default());
        }
        let mut at = low;
        let mut row = upper_bound(&rows[1..], at);
        while at < high {
            let end = rows.get(row + 1).map_or(high, |row| row.address.min(high));
            if at < end {
                found(at, end, rows[row].location);
            }
            at = end;
            row += 1;
        }
    }
}

/// How many rows a binary search takes to be at or below the address. Spelt out because on rows out of
/// order the answer depends on how the search goes, and it shall go as C++'s `std::upper_bound` does.
fn upper_bound(rows: &[Row], address: u64) -> usize {
    let mut first = 0;
    let mut len = rows.len();
    while len > 0 {
        let half = len / 2;
        if address < rows[first + half].address {
            len = half;
        } else {
            first += half + 1;
            len -= half + 1;
        }
    }
    first
}

impl Registers {
    fn advance(&mut self, bytes: u64) {
        self.address = self.address.wrapping_add(bytes);
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the line register is 32 bits wide and wraps"
    )]
    fn advance_line(&mut self, delta: i64) {
        self.line = self.line.wrapping_add(delta as u32);
    }
}

/// Which file numbers have a name.
struct Files {
    /// From DWARF 5 on numbers start at 0, before at 1.
    first: u64,
    named: Vec<bool>,
}

impl Files {
    fn new(space: &Space<'_>, unit: &Unit, header: &LineProgramHeader<Slice<'_>>) -> Self {
        let named = header.file_names().iter();
        let named = named.map(|file| {
            let value = match file.path_name() {
                gimli::AttributeValue::String(_) => return true,
                gimli::AttributeValue::DebugStrRef(offset) => Value::StringOffset(offset.0 as u64),
                gimli::AttributeValue::DebugLineStrRef(offset) => Value::LineStringOffset(offset.0 as u64),
                gimli::AttributeValue::DebugStrOffsetsIndex(index) => Value::StringIndex(index.0 as u64),
                _ => return false,
            };
            space.string(unit, value).is_some()
        });
        Self {
            first: u64::from(header.version() < 5),
            named: named.collect(),
        }
    }

    /// `DW_LNE_define_file` adds one.
    fn define(&mut self) {
        self.named.push(true);
    }

    fn resolves(&self, file: u64) -> bool {
        let index = file.checked_sub(self.first);
        let index = index.and_then(|index| usize::try_from(index).ok());
        index.is_some_and(|index| self.named.get(index) == Some(&true))
    }
}
