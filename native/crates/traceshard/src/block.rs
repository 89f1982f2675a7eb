//! Reads the rows of a group in blocks of neighbouring rows that belong to the same file.

use std::ops::Range;

use crate::columns::{Cells, wrong};
use crate::error::Error;
use crate::row::{BinaryKind, Record, Row};
use crate::schema::{COLUMNS, column};
use crate::text::is_build_id;

/// Number of rows that are read at a time. Their cells fit into a core's second-level cache.
const BATCH: usize = 1024;

/// The columns that a reader of rows needs. Columns that are not needed are not decompressed and not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// All columns.
    All,
    /// All columns except those that serve BOLT only. `stack_end` and `crosses_kernel` of each row are `None`, and
    /// `mispredicted` is 0.
    NotForBolt,
}

impl Needs {
    pub(crate) fn include(self, number: usize) -> bool {
        const FOR_BOLT: [usize; 3] = [column::STACK_END, column::CROSSES_KERNEL, column::MISPREDICTED];
        self == Self::All || !FOR_BOLT.contains(&number)
    }
}

/// Neighbouring rows that have the same record, file, event and machine. Neighbouring blocks may be alike.
pub struct Block<'c> {
    /// Kind of fact that the rows record.
    pub record: Record,
    /// Build id of the file, in lower-case hexadecimal, if the recording has it.
    pub build_id: Option<&'c str>,
    /// Path of the file in the mapping; for the ledger, the name of the class.
    pub path: &'c str,
    /// Kind of the file; `None` for the ledger.
    pub kind: Option<BinaryKind>,
    /// Name of the event in perf; `None` for rows that belong to no event.
    pub event: Option<&'c str>,
    /// Name of the machine from `uname -m`, if the recording states it.
    pub arch: Option<&'c str>,
    cells: &'c [Cells; COLUMNS.len()],
    /// The rows of the block among the cells.
    rows: Range<usize>,
    /// Number of the row of the first cells in the shard.
    first: u64,
}

/// Checks the text of the column `build_id` in a row. A text without digits other than 0 says, as the absence of
/// a text does, that the recording has no build id.
pub(crate) fn build_id(text: Option<&str>, row: u64) -> Result<Option<&str>, Error> {
    match text {
        Some(text) if is_build_id(text) => Ok(Some(text)),
        None => Ok(None),
        Some(zeros) if zeros.bytes().all(|byte| byte == b'0') => Ok(None),
        Some(text) => Err(wrong(
            column::BUILD_ID,
            row,
            &format!("{text:?}"),
            "bytes in lower-case hexadecimal, or null",
        )),
    }
}

impl<'c> Block<'c> {
    fn of(cells: &'c [Cells; COLUMNS.len()], rows: Range<usize>, first: u64) -> Result<Self, Error> {
        let at = rows.start;
        let row = first + at as u64;
        let text = |number: usize| cells[number].text(at, number, row);
        let missing = |number: usize, expected| wrong(number, row, "no value", expected);
        let record = match text(column::RECORD)? {
            Some(text) => Record::parse(text)
                .ok_or_else(|| wrong(column::RECORD, row, &format!("{text:?}"), Record::SPELLINGS))?,
            None => return Err(missing(column::RECORD, Record::SPELLINGS)),
        };
        let kind = match text(column::KIND)? {
            Some(text) => Some(
                BinaryKind::parse(text)
                    .ok_or_else(|| wrong(column::KIND, row, &format!("{text:?}"), "user, kernel or module"))?,
            ),
            None if record == Record::Ledger => None,
            None => return Err(missing(column::KIND, "user, kernel or module")),
        };
        Ok(Self {
            record,
            build_id: build_id(text(column::BUILD_ID)?, row)?,
            path: text(column::PATH)?.ok_or_else(|| missing(column::PATH, "text"))?,
            kind,
            event: text(column::EVENT)?,
            arch: text(column::ARCH)?,
            cells,
            rows,
            first,
        })
    }

    /// Returns the rows, or the error about the first row that has a wrong value.
    #[inline]
    pub fn rows(&self) -> impl Iterator<Item = Result<Row<'c>, Error>> {
        self.rows.clone().map(|at| self.row(at))
    }

    #[inline]
    fn row(&self, at: usize) -> Result<Row<'c>, Error> {
        let cells = self.cells;
        let row = self.first + at as u64;
        let number = |number: usize| cells[number].number(at);
        let flag = |number: usize| cells[number].flag(at);
        let missing = |number: usize, expected| wrong(number, row, "no value", expected);
        let (from, to) = (number(column::FROM), number(column::TO));
        let (exact, taken) = (flag(column::EXACT), flag(column::TAKEN));
        let branch_stack = cells[column::BRANCH_STACK].text(at, column::BRANCH_STACK, row)?;
        match self.record {
            Record::Address if from.is_none() => return Err(missing(column::FROM, "the sampled address")),
            Record::Address if exact.is_none() => {
                return Err(missing(column::EXACT, "a truth value in rows of addresses"));
            }
            Record::Call if to.is_none() => {
                return Err(missing(column::TO, "an address of the function that was called"));
            }
            Record::SampledBranch if taken.is_none() => {
                return Err(missing(column::TAKEN, "a truth value in rows of sampled branches"));
            }
            Record::Stack if branch_stack.is_none() => {
                return Err(missing(column::BRANCH_STACK, "the entries of the branch stack"));
            }
            _ => {}
        }
        let mispredicted = match &cells[column::MISPREDICTED] {
            Cells::Skipped => Some(0),
            cells => cells.number(at),
        };
        Ok(Row {
            record: self.record,
            build_id: self.build_id,
            path: self.path,
            kind: self.kind,
            event: self.event,
            arch: self.arch,
            from,
            to,
            end: number(column::END),
            newest: flag(column::NEWEST).ok_or_else(|| missing(column::NEWEST, "a truth value"))?,
            stack_end: number(column::STACK_END),
            crosses_kernel: flag(column::CROSSES_KERNEL),
            via: cells[column::VIA].text(at, column::VIA, row)?,
            patch: cells[column::PATCH].text(at, column::PATCH, row)?,
            exact,
            taken,
            run_start: number(column::RUN_START),
            branch_stack,
            call_chain: cells[column::CALL_CHAIN].text(at, column::CALL_CHAIN, row)?,
            has_call_chain: flag(column::HAS_CALL_CHAIN),
            count: number(column::COUNT).ok_or_else(|| missing(column::COUNT, "a number"))?,
            mispredicted: mispredicted.ok_or_else(|| missing(column::MISPREDICTED, "a number"))?,
        })
    }
}

/// Reads the rows of a group in batches.
pub(crate) struct Batches {
    cells: [Cells; COLUMNS.len()],
    /// Numbers in the shard of the rows that are not read yet.
    rest: Range<u64>,
    /// For each row of the batch: true if the row begins a block.
    starts: Vec<bool>,
}

impl Batches {
    /// Begins to read the rows with these numbers in the shard. They must be all rows of the group.
    pub(crate) fn new(cells: [Cells; COLUMNS.len()], rows: Range<u64>) -> Self {
        Self {
            cells,
            rest: rows,
            starts: Vec::new(),
        }
    }

    /// Leaves out all rows after the first row if all rows have the same cells in these columns without being read.
    pub(crate) fn shorten_if_constant(&mut self, columns: &[usize]) {
        if columns
            .iter()
            .all(|number| matches!(self.cells[*number], Cells::Constant(_)))
        {
            self.rest.end = self.rest.end.min(self.rest.start + 1);
        }
    }

    /// Reads the next batch; returns `None` after the last row.
    pub(crate) fn next(&mut self) -> Result<Option<Batch<'_>>, Error> {
        let first = self.rest.start;
        let rows = (self.rest.end - first).min(BATCH as u64);
        if rows == 0 {
            return Ok(None);
        }
        self.rest.start += rows;
        self.starts.clear();
        // The cast loses no bits: `rows` is at most `BATCH`.
        self.starts.resize(rows as usize, false);
        self.starts[0] = true;
        for (number, cells) in self.cells.iter_mut().enumerate() {
            cells.fill(rows as usize, number, first)?;
            if column::OF_BLOCKS.contains(&number) {
                cells.mark_changes(&mut self.starts);
            }
        }
        Ok(Some(Batch {
            cells: &self.cells,
            first,
            starts: &self.starts,
        }))
    }
}

/// Consecutive rows.
pub(crate) struct Batch<'c> {
    pub cells: &'c [Cells; COLUMNS.len()],
    /// Number of the first row in the shard.
    pub first: u64,
    starts: &'c [bool],
}

impl<'c> Batch<'c> {
    /// Returns the ranges of rows of the blocks.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = self.starts;
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at;
            let behind = starts.get(start + 1..)?;
            at = start + 1 + behind.iter().position(|is_start| *is_start).unwrap_or(behind.len());
            Some(start..at)
        })
    }

    /// Returns the blocks, or the error about the first block with a wrong value.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Result<Block<'c>, Error>> {
        self.ranges().map(|rows| Block::of(self.cells, rows, self.first))
    }
}
