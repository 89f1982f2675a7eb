//! Rows as the writer of shards takes them: with names in place of numbers.

use std::ops::Range;

use traceshard::{Binary, Loss, Record, Row, RowGroup, push_branches};

use crate::gather::chain::{End, Tails};
use crate::gather::files::Files;
use crate::gather::rows::{CountedRow, Counts};
use crate::gather::sampled::{Fact, SampledKey};
use crate::gather::stacks::{StackRow, StackRows};
use crate::input::events::HasCallChains;

/// Largest number of packed bytes of the whole samples of one row group. As texts they take about seven times as many
/// bytes, and at most 17 times as many.
pub(crate) const MAX_PACKED: usize = 2 << 20;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    pub name: String,
    /// The machine that the event was recorded on.
    pub arch: Option<String>,
    pub call_chains: HasCallChains,
}

/// The names that numbers in rows stand for.
pub(crate) struct Names<'a> {
    pub files: &'a Files,
    pub events: &'a [Event],
}

/// A group of rows of branch stacks.
pub(crate) struct BranchGroup<'a> {
    rows: &'a [CountedRow],
    tails: &'a Tails,
    /// The run after the branch of each row.
    runs: Vec<Run>,
    /// The texts of the column `via`, one after the other.
    vias: String,
    names: &'a Names<'a>,
}

/// The end of a run, and the place of the text that states the other possible ends.
struct Run {
    end: End,
    via: Range<u32>,
}

impl<'a> BranchGroup<'a> {
    /// Makes a group. The tails are looked up once here, and not again for each column.
    pub(crate) fn new(rows: &'a [CountedRow], tails: &'a Tails, names: &'a Names<'a>) -> Self {
        let mut vias = Vec::new();
        let mut branches = Vec::new();
        let length = |text: &[u8]| u32::try_from(text.len()).unwrap_or_else(|_| unreachable!("a group has few rows"));
        let runs = rows.iter().map(|row| {
            let end = tails.expand(row.key.tail, &mut branches);
            let begin = length(&vias);
            push_branches(&mut vias, branches.iter().copied());
            Run {
                end,
                via: begin..length(&vias),
            }
        });
        Self {
            rows,
            tails,
            runs: runs.collect(),
            vias: text_of(vias),
            names,
        }
    }
}

impl RowGroup for BranchGroup<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    #[inline(always)]
    fn row(&self, at: usize) -> Row<'_> {
        let CountedRow {
            key,
            count,
            mispredicted,
        } = self.rows[at];
        let event = &self.names.events[usize::from(key.event)];
        let file = &self.names.files.all()[key.file as usize];
        let Run { end, via } = &self.runs[at];
        let (end, newest) = match *end {
            End::At(address) => (Some(address), false),
            End::Outside => (None, false),
            End::Unknown => (None, true),
        };
        // Unlike an index, this look-up cannot panic, so the compiler drops it for all columns but one.
        let via = self.vias.get(via.start as usize..via.end as usize);
        let address = |place| self.tails.places.address(place);
        Row {
            event: Some(&event.name),
            arch: event.arch.as_deref(),
            from: address(key.from),
            to: address(key.to),
            end,
            newest,
            stack_end: address(key.stack_end),
            crosses_kernel: Some(key.crosses_kernel),
            via: via.filter(|text| !text.is_empty()),
            has_call_chain: event.call_chains.of(file.kind),
            count: u64::from(count),
            mispredicted: u64::from(mispredicted),
            ..of_file(file)
        }
    }
}

/// A group of rows without branch stacks.
pub(crate) struct SampledGroup<'a> {
    pub rows: &'a [(SampledKey, Counts)],
    pub names: &'a Names<'a>,
}

impl RowGroup for SampledGroup<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    #[inline(always)]
    fn row(&self, at: usize) -> Row<'_> {
        let (key, counts) = &self.rows[at];
        sampled_row(key, *counts, self.names)
    }
}

/// A group of rows of whole samples.
pub(crate) struct StackGroup<'a> {
    rows: &'a [StackRow],
    /// The texts of the columns `call_chain` and `branch_stack`, one after the other, and the ends of both texts of
    /// each row.
    texts: [String; 2],
    ends: Vec<[u32; 2]>,
    names: &'a Names<'a>,
}

impl<'a> StackGroup<'a> {
    /// Makes a group of rows of `stacks`, with at most [`MAX_PACKED`] bytes together or of one row.
    pub(crate) fn new(rows: &'a [StackRow], stacks: &StackRows, names: &'a Names<'a>) -> Self {
        let mut texts = [Vec::new(), Vec::new()];
        let length =
            |text: &Vec<u8>| u32::try_from(text.len()).unwrap_or_else(|_| unreachable!("a group has few bytes"));
        let ends = rows.iter().map(|row| {
            stacks.push_texts(row, &mut texts);
            texts.each_ref().map(length)
        });
        let ends = ends.collect();
        Self {
            rows,
            texts: texts.map(text_of),
            ends,
            names,
        }
    }
}

impl RowGroup for StackGroup<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    #[inline(always)]
    fn row(&self, at: usize) -> Row<'_> {
        let begins = at.checked_sub(1).map_or([0; 2], |before| self.ends[before]);
        let text = |of: usize| &self.texts[of][begins[of] as usize..self.ends[at][of] as usize];
        let row = &self.rows[at];
        let event = &self.names.events[usize::from(row.event)];
        Row {
            record: Record::Stack,
            event: Some(&event.name),
            arch: event.arch.as_deref(),
            branch_stack: Some(text(1)),
            call_chain: Some(text(0)).filter(|text| !text.is_empty()),
            count: row.count,
            ..of_file(&self.names.files.all()[row.file as usize])
        }
    }
}

/// Returns a text of encoded branches or frames.
fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|_| unreachable!("the codes have characters of ASCII"))
}

/// Returns a row of a file whose other fields are empty.
#[inline(always)]
pub(crate) fn of_file(file: &Binary) -> Row<'_> {
    Row {
        record: Record::Branch,
        build_id: file.build_id.as_deref(),
        path: &file.path,
        kind: Some(file.kind),
        ..Row::ledger(Loss::Entries, 0)
    }
}

#[inline(always)]
fn sampled_row<'n>(key: &SampledKey, counts: Counts, names: &Names<'n>) -> Row<'n> {
    let event = &names.events[usize::from(key.event)];
    let file = &names.files.all()[key.file as usize];
    let row = Row {
        event: Some(&event.name),
        arch: event.arch.as_deref(),
        from: key.from.address(),
        to: key.to.address(),
        count: counts.count,
        mispredicted: counts.mispredicted,
        ..of_file(file)
    };
    match key.fact {
        Fact::Address { exact } => Row {
            record: Record::Address,
            exact: Some(exact),
            ..row
        },
        Fact::Call => Row {
            record: Record::Call,
            ..row
        },
        Fact::Branch {
            taken,
            newest,
            run_start,
            crosses_kernel,
        } => Row {
            record: Record::SampledBranch,
            taken: Some(taken),
            newest,
            run_start: run_start.address(),
            crosses_kernel: Some(crosses_kernel),
            has_call_chain: event.call_chains.of(file.kind),
            ..row
        },
    }
}
