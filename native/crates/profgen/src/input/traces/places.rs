//! Finds the places in a target of the addresses of rows.

use std::path::Path;

use job::Error;
use perfdata::Avma;
use traceshard::{BinaryKind, Row};

use crate::account::ledger::EntryClass;
use crate::addresses::locate::{Place, View};
use crate::binaries::code_space::{CodeOffset, NO_END, OUTSIDE};
use crate::counting::bolt::{BoltTraces, Taken};
use crate::counting::one_branch::run_after;
use crate::counting::resolved::Resolved;
use crate::counting::stack::resolved;
use crate::counting::trace::TraceTable;
use crate::input::traces::doubt::Doubt;
use crate::input::traces::shards::invalid;

/// Finds the places in the target's code of the addresses of rows.
pub(crate) struct Places<'v, 'a> {
    pub view: &'v mut View<'a>,
    /// Number that turns the address of a row into an address of the view, when it is added.
    pub base: u64,
}

impl Places<'_, '_> {
    /// Returns the place of the source of a branch, or of a sampled address. `None` lies outside of the file.
    pub(crate) fn source(&mut self, from: Option<u64>) -> Place {
        match from {
            Some(address) => self.view.locate_source(Avma(address.wrapping_add(self.base))),
            None => Place::Lost(EntryClass::OutsideBinary),
        }
    }

    /// Returns the place of the target of a branch, or of an address on a call chain. `None` lies outside of the
    /// file.
    pub(crate) fn target(&mut self, to: Option<u64>) -> Place {
        match to {
            Some(address) => self.view.locate_target(Avma(address.wrapping_add(self.base))),
            None => Place::Lost(EntryClass::OutsideBinary),
        }
    }

    /// Returns the branch between two addresses.
    pub(crate) fn branch(&mut self, from: Option<u64>, to: Option<u64>) -> Resolved {
        resolved(self.source(from), self.target(to))
    }

    /// Counts a branch that was sampled by itself, as [`one_branch`](crate::counting::one_branch) does.
    pub(crate) fn count_sampled_branch(&mut self, row: &Row<'_>, traces: &mut TraceTable) {
        let Row { from, to, count, .. } = *row;
        match (row.taken == Some(true), row.newest) {
            (false, false) => traces.add_lost(EntryClass::NotTaken, count),
            (false, true) => traces.add_stretch(run_after(self.source(from), self.target(to)), count),
            (true, true) => traces.add_with_stretch(self.branch(from, to), count),
            (true, false) => {
                let run = [self.target(row.run_start), self.source(from)];
                traces.add_with_run(self.branch(from, to), run, count);
            }
        }
    }

    /// Counts a row as BOLT does.
    pub(crate) fn count_for_bolt(
        &mut self,
        row: &Row<'_>,
        kind: BinaryKind,
        path: &Path,
        bolt: &mut BoltTraces,
    ) -> Result<(), Error> {
        if row.mispredicted > row.count {
            let message = format!(
                "a row counts {} mispredicted branches of {}",
                row.mispredicted, row.count
            );
            return Err(invalid(path, &message, "Add up both numbers of the same rows."));
        }
        let Some(crosses_kernel) = row.crosses_kernel else {
            return Err(invalid(
                path,
                "it has rows without a value in the column `crosses_kernel`, so they do not tell where BOLT ends runs",
                "Collect the traces anew with {collect --perfdata --output}, which writes this column and `stack_end` since version 2 of the schema. A \
                 sum must keep both.",
            ));
        };
        let mut locate = |address: Option<u64>| match address {
            Some(address) if !(crosses_kernel && kind == BinaryKind::User) => {
                self.view.locate_byte(Avma(address.wrapping_add(self.base)))
            }
            _ => Err(EntryClass::OutsideBinary),
        };
        let taken = Taken {
            count: row.count,
            mispredictions: row.mispredicted,
        };
        let end = row.stack_end.and_then(|end| locate(Some(end)).ok());
        bolt.add([locate(row.from), locate(row.to)], end, taken);
        if let (Some(start), Some(end)) = (row.run_start, row.from)
            && let (Ok(start), Ok(end)) = (locate(Some(start)), locate(Some(end)))
        {
            bolt.add_run(start, end, row.count);
        }
        Ok(())
    }

    /// Returns the end of the run after a row's branch.
    pub(crate) fn end(&mut self, row: &Row<'_>, via: &[traceshard::Ends], doubt: &mut Doubt) -> CodeOffset {
        for &(from, to) in via {
            if let Resolved::Used { from, .. } = self.branch(from, to) {
                return from;
            }
        }
        match row.end {
            Some(address) => match self.source(Some(address)) {
                Place::Code(offset, _) => offset,
                _ => {
                    doubt.note_end(address, row.count);
                    OUTSIDE
                }
            },
            None if row.newest => NO_END,
            None => OUTSIDE,
        }
    }
}
