//! Counts the rows of whole samples with call chains, as samples of a recording are counted.

use std::path::Path;

use job::Error;
use perfdata::{Avma, Branch, BranchFlags};
use symbolize::FunctionTable;
use traceshard::{Ends, Row, parse_branch_stack, parse_call_chain};

use crate::account::ledger::EntryClass;
use crate::addresses::locate::View;
use crate::binaries::id::ByBinary;
use crate::binaries::target::Targets;
use crate::counting::stack::{EntryRules, Stack};
use crate::counting::trace::TraceTable;
use crate::input::call_stack::{CallStackReader, CallStacks};
use crate::input::events::HasCallChains;
use crate::input::traces::shards::invalid_cell;
use crate::request::options::GenerateOptions;

/// Stands for an address outside of the file. No row has this address.
const OUTSIDE: u64 = u64::MAX;

/// The counts of whole samples.
pub(crate) struct Stacks<'a> {
    reader: CallStackReader<'a>,
    traces: TraceTable,
    /// Number of the file of the last row, and the number of its view in the cache of `traces`.
    file: Option<usize>,
    view: u16,
    /// The stacks of the current row.
    entries: Vec<Ends>,
    frames: Vec<Option<u64>>,
}

impl<'a> Stacks<'a> {
    /// Makes empty counts. `functions` are the functions of the targets.
    pub(crate) fn new(
        targets: &'a Targets<'a>,
        functions: &'a ByBinary<&'a FunctionTable>,
        options: &GenerateOptions,
    ) -> Self {
        Self {
            reader: CallStackReader::new(targets, functions, options),
            traces: TraceTable::default(),
            file: None,
            view: 0,
            entries: Vec::new(),
            frames: Vec::new(),
        }
    }

    /// Counts a row. `file` is the number of its file, and `base` turns the addresses of the row into addresses of the
    /// view of this file. Returns the number of branch entries of the row's samples; `None` if the number does not fit
    /// into 64 bits.
    pub(crate) fn add(
        &mut self,
        row: &Row<'_>,
        file: usize,
        (view, base): (&mut View<'a>, u64),
        path: &Path,
    ) -> Result<Option<u64>, Error> {
        let stack = row.branch_stack.unwrap_or_default();
        parse_branch_stack(stack, &mut self.entries).ok_or_else(|| invalid_cell(path, "branch_stack", stack))?;
        self.frames.clear();
        if let Some(chain) = row.call_chain {
            parse_call_chain(chain, &mut self.frames).ok_or_else(|| invalid_cell(path, "call_chain", chain))?;
        }
        let times = row.count;
        let Some(events) = times.checked_mul(self.entries.len() as u64) else {
            return Ok(None);
        };
        if times == 0 {
            return Ok(Some(0));
        }
        if self.file != Some(file) {
            self.file = Some(file);
            self.view = self.view.wrapping_add(1);
            if self.view == 0 {
                // The numbers of views are used again.
                self.traces.flush();
            }
        }
        let address = |end: Option<u64>| Avma(end.map_or(OUTSIDE, |address| address.wrapping_add(base)));
        let Self { reader, traces, .. } = self;
        reader.begin(times, HasCallChains::WHOLE);
        self.frames.iter().all(|frame| reader.push(address(*frame).0, view));
        if !reader.is_kept() {
            traces.lose(EntryClass::UnsureStack, events);
            return Ok(Some(events));
        }
        traces.read(events);
        let branches = self.entries.iter().map(|&(from, to)| Branch {
            from: address(from),
            to: address(to),
            flags: BranchFlags(0),
        });
        if traces.misses_many() {
            view.fetch(branches.clone().map(|branch| branch.from));
        }
        let stack = Stack {
            branches,
            times,
            view: self.view,
            except: reader.except(),
        };
        stack.count_noting(view, EntryRules::KEPT, traces, &mut reader.entries);
        reader.count(times);
        Ok(Some(events))
    }

    /// Adds the counts of another worker.
    pub(crate) fn merge(&mut self, other: Self) {
        self.reader.found.merge(other.reader.found);
        self.traces.merge(other.traces);
    }

    /// Returns the counts by call stacks, and those without.
    pub(crate) fn into_parts(self) -> (CallStacks, TraceTable) {
        (self.reader.found, self.traces)
    }
}
