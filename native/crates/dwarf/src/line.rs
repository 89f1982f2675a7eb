//! Line rows by address (DWARF 5 section 6.2).
//!
//! gimli reads the header. This crate runs the program itself, because LLVM keeps rows that gimli would drop or
//! move: LLVM's only tombstone is the all-ones address, and LLVM lets addresses go backwards. The programs of a
//! kernel have millions of instructions, most of them one byte long, so instructions are not turned into values of
//! their own.

use gimli::{LineProgramHeader, SectionId, constants as dw};

use crate::fault::{Fault, FaultNote};
use crate::form::Value;
use crate::reader::Reader;
use crate::unit::{Slice, Space, Unit};

/// The line and discriminator that the line table has for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Location {
    /// Line number from 1; 0 for no line.
    pub line: u32,
    /// Discriminator as in DWARF.
    pub discriminator: u32,
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
    /// Numbers of the rows of the sequence, without the row that ends it, ascending.
    rows: (usize, usize),
}

/// Zeros after a line program are padding up to an aligned length if there are fewer than this number.
const MAX_PADDING: usize = 8;

/// The rows of one line program.
#[derive(Debug, Default)]
pub struct LineIndex {
    /// Sequences, ascending by end address.
    sequences: Vec<Sequence>,
    rows: Vec<Row>,
}

/// The registers of the line program that are needed.
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
    /// Runs the line program of the unit. Keeps rows only of sequences for which `wanted(low, high)` returns true.
    /// Notes a fault that keeps the program from being read.
    pub fn build(space: &Space<'_>, unit: &Unit, faults: &FaultNote, wanted: impl Fn(u64, u64) -> bool) -> Self {
        let mut index = Self::default();
        let Some(offset) = unit.line_program else {
            return index;
        };
        let lines = space.dwarf.debug_line;
        match lines.program(offset, unit.encoding.address_size, None, None) {
            Ok(program) => index.run(space, unit, program.header(), faults, wanted),
            Err(_) => faults.note(Fault::new(
                SectionId::DebugLine,
                "has no readable line program where a unit refers to one",
            )),
        }
        index.sequences.sort_by_key(|sequence| sequence.high);
        index
    }

    fn run(
        &mut self,
        space: &Space<'_>,
        unit: &Unit,
        header: &LineProgramHeader<Slice<'_>>,
        faults: &FaultNote,
        wanted: impl Fn(u64, u64) -> bool,
    ) {
        let mut machine = Machine::new(header, Files::new(space, unit, header, faults));
        let mut program = Reader::new(header.raw_program_buf().slice(), 0);
        // The number of the first row of the current sequence, and whether its addresses have only grown so far.
        let mut open: Option<(usize, bool)> = None;
        // If a program breaks off, the sequences that it has finished are kept.
        let unread;
        loop {
            let at = program;
            let Some(emitted) = machine.step(&mut program) else {
                unread = at.rest();
                break;
            };
            if emitted == Emitted::Nothing {
                continue;
            }
            let Machine { state, tombstoned, .. } = machine;
            if !tombstoned {
                let (first, sorted) = *open.get_or_insert((self.rows.len(), true));
                let grown = self.rows[first..].last().is_none_or(|row| row.address <= state.address);
                open = Some((first, sorted && grown));
                if emitted == Emitted::Row {
                    let location = if machine.has_file {
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
                } else {
                    self.close(first, state.address, sorted, &wanted);
                    open = None;
                }
                machine.state.discriminator = 0;
            }
            if emitted == Emitted::End {
                if let Some((first, _)) = open.take() {
                    self.rows.truncate(first);
                }
                machine.restart();
            }
        }
        let is_padding = unread.len() < MAX_PADDING && unread.iter().all(|byte| *byte == 0);
        if !is_padding || open.is_some() {
            faults.note(Fault::new(SectionId::DebugLine, "has a line program that breaks off"));
        }
        if let Some((first, _)) = open {
            self.rows.truncate(first);
        }
    }

    /// Ends the sequence whose first row has the number `first`.
    fn close(&mut self, first: usize, high: u64, sorted: bool, wanted: &impl Fn(u64, u64) -> bool) {
        let low = self.rows.get(first).map(|row| row.address);
        let Some(low) = low.filter(|low| *low < high) else {
            self.rows.truncate(first);
            return;
        };
        if !wanted(low, high) {
            self.rows.truncate(first);
        } else if !sorted {
            self.sort_rows(first, high);
        }
        self.sequences.push(Sequence {
            low,
            high,
            rows: (first, self.rows.len()),
        });
    }

    /// Replaces rows out of order by ascending rows. A lookup in the new rows gives the same answers as LLVM's
    /// binary search in the old rows, whose answer can only change at the address of a row.
    fn sort_rows(&mut self, first: usize, high: u64) {
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

    /// Calls `found` for the consecutive parts of `[low, high)`. An address without a row has the default location.
    pub fn for_each(&self, low: u64, high: u64, mut found: impl FnMut(u64, u64, Location)) {
        let mut at = low;
        while at < high {
            // Only the first sequence that ends after the address is searched.
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
            self.visit_rows(sequence, at, end, &mut found);
            at = end;
        }
    }

    fn visit_rows(&self, sequence: &Sequence, low: u64, high: u64, found: &mut impl FnMut(u64, u64, Location)) {
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

/// Returns the number of rows that a binary search takes to be at or below the address. The search is written out
/// because its answer depends on its steps if rows are out of order, and its steps must be those of C++'s
/// `std::upper_bound`.
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

/// The result of an instruction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Emitted {
    Nothing,
    Row,
    /// The end of a sequence.
    End,
}

/// The state of a running line program.
struct Machine<'h> {
    address_size: usize,
    tombstone: u64,
    version: u16,
    minimum_instruction_length: u64,
    opcode_base: u8,
    line_base: i64,
    line_range: u8,
    /// Number of arguments of each opcode below the base, from opcode 1 on.
    argument_counts: &'h [u8],
    files: Files,
    state: Registers,
    /// True if the file register names a file.
    has_file: bool,
    /// True if the linker discarded the code that this sequence describes.
    tombstoned: bool,
}

impl<'h> Machine<'h> {
    fn new(header: &LineProgramHeader<Slice<'h>>, files: Files) -> Self {
        Self {
            address_size: usize::from(header.address_size()),
            tombstone: match header.address_size() {
                size @ 1..8 => (1 << (u32::from(size) * 8)) - 1,
                _ => u64::MAX,
            },
            version: header.version(),
            minimum_instruction_length: u64::from(header.minimum_instruction_length()),
            opcode_base: header.opcode_base(),
            line_base: i64::from(header.line_base()),
            line_range: header.line_range().max(1),
            argument_counts: header.standard_opcode_lengths().slice(),
            has_file: files.has_file(START.file),
            files,
            state: START,
            tombstoned: false,
        }
    }

    /// Executes one instruction (DWARF 5 section 6.2.5). Returns `None` at the end of what can be read.
    #[inline]
    fn step(&mut self, program: &mut Reader<'_>) -> Option<Emitted> {
        let opcode = program.byte()?;
        if opcode >= self.opcode_base && opcode != 0 {
            let adjusted = opcode - self.opcode_base;
            self.advance(u64::from(adjusted / self.line_range));
            self.state
                .advance_line(self.line_base + i64::from(adjusted % self.line_range));
            return Some(Emitted::Row);
        }
        self.step_standard(opcode, program)
    }

    fn step_standard(&mut self, opcode: u8, program: &mut Reader<'_>) -> Option<Emitted> {
        match gimli::DwLns(opcode) {
            gimli::DwLns(0) => return self.step_extended(program),
            dw::DW_LNS_copy => return Some(Emitted::Row),
            dw::DW_LNS_advance_pc => {
                let operations = program.uleb()?;
                self.advance(operations);
            }
            dw::DW_LNS_advance_line => {
                let lines = program.sleb()?;
                self.state.advance_line(lines);
            }
            dw::DW_LNS_set_file => {
                self.state.file = program.uleb()?;
                self.has_file = self.files.has_file(self.state.file);
            }
            dw::DW_LNS_set_column | dw::DW_LNS_set_isa => program.skip_leb()?,
            dw::DW_LNS_const_add_pc => {
                let adjusted = 255 - self.opcode_base;
                self.advance(u64::from(adjusted / self.line_range));
            }
            dw::DW_LNS_fixed_advance_pc => {
                let bytes = program.unsigned(2)?;
                self.state.advance(bytes);
            }
            dw::DW_LNS_negate_stmt
            | dw::DW_LNS_set_basic_block
            | dw::DW_LNS_set_prologue_end
            | dw::DW_LNS_set_epilogue_begin => {}
            _ => {
                for _ in 0..*self.argument_counts.get(usize::from(opcode - 1))? {
                    program.skip_leb()?;
                }
            }
        }
        Some(Emitted::Nothing)
    }

    /// Executes an instruction that states its length (DWARF 5 section 6.2.5.3).
    fn step_extended(&mut self, program: &mut Reader<'_>) -> Option<Emitted> {
        let length = usize::try_from(program.uleb()?).ok()?;
        let mut arguments = Reader::new(program.take(length)?, 0);
        match gimli::DwLne(arguments.byte()?) {
            dw::DW_LNE_end_sequence => return Some(Emitted::End),
            dw::DW_LNE_set_address => {
                self.state.address = match self.address_size {
                    size @ (1 | 2 | 4 | 8) => arguments.unsigned(size)?,
                    _ => return None,
                };
                self.tombstoned = self.state.address == self.tombstone;
            }
            dw::DW_LNE_define_file if self.version <= 4 => {
                arguments.string()?;
                // These are directory, time and length.
                for _ in 0..3 {
                    arguments.skip_leb()?;
                }
                self.files.define();
                self.has_file = self.files.has_file(self.state.file);
            }
            #[expect(clippy::cast_possible_truncation, reason = "a 32-bit register in LLVM")]
            dw::DW_LNE_set_discriminator => self.state.discriminator = arguments.uleb()? as u32,
            _ => {}
        }
        Some(Emitted::Nothing)
    }

    fn advance(&mut self, operations: u64) {
        self.state
            .advance(self.minimum_instruction_length.wrapping_mul(operations));
    }

    fn restart(&mut self) {
        self.state = START;
        self.has_file = self.files.has_file(START.file);
    }
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

/// The file numbers that have a name.
struct Files {
    /// First number: 0 from DWARF 5 on, 1 before.
    first: u64,
    named: Vec<bool>,
}

impl Files {
    fn new(space: &Space<'_>, unit: &Unit, header: &LineProgramHeader<Slice<'_>>, faults: &FaultNote) -> Self {
        let named = header.file_names().iter();
        let named = named.map(|file| {
            let value = match file.path_name() {
                gimli::AttributeValue::String(_) => return true,
                gimli::AttributeValue::DebugStrRef(offset) => Value::StringOffset(offset),
                gimli::AttributeValue::DebugLineStrRef(offset) => Value::LineStringOffset(offset),
                gimli::AttributeValue::DebugStrOffsetsIndex(index) => Value::StringIndex(index),
                _ => return false,
            };
            faults.value(space.string(unit, value)).flatten().is_some()
        });
        Self {
            first: u64::from(header.version() < 5),
            named: named.collect(),
        }
    }

    /// Adds the file of `DW_LNE_define_file`.
    fn define(&mut self) {
        self.named.push(true);
    }

    fn has_file(&self, file: u64) -> bool {
        let index = file.checked_sub(self.first);
        let index = index.and_then(|index| usize::try_from(index).ok());
        index.is_some_and(|index| self.named.get(index) == Some(&true))
    }
}
