//! Runs whose end is not sure, because the collection did not know the binary.

use std::path::Path;

use job::{Diagnostic, DiagnosticCode, count_of};
use rustc_hash::{FxHashMap, FxHashSet};
use traceshard::{BinaryKind, Row};

use crate::binaries::target::Target;

/// Greatest distance within a stub, in bytes. It is the bound that a collection uses (`gather/chain.rs`).
const NEAR: u64 = 32;

/// Runs whose end is not sure: the collection took a branch for a branch of the binary, and it was none.
#[derive(Default)]
pub(crate) struct Doubt {
    /// Number of runs that end at a source, although the source is no instruction, by the source.
    ends: FxHashMap<u64, u64>,
    /// Sources of branches that turned out not to belong to the binary.
    unused: FxHashSet<u64>,
    /// Number of branches from outside to an address that is no instruction, where the collection took the
    /// branch for one to an instruction.
    entries: u64,
}

impl Doubt {
    pub(crate) fn merge(&mut self, other: Self) {
        for (end, count) in other.ends {
            *self.ends.entry(end).or_default() += count;
        }
        self.unused.extend(other.unused);
        self.entries += other.entries;
    }

    pub(crate) fn diagnostic(&self, target: &Target<'_>) -> Option<Diagnostic> {
        let at_unused = self.ends.iter().filter(|(end, _)| self.unused.contains(end));
        let runs = at_unused.map(|(_, count)| count).sum::<u64>() + self.entries;
        (runs > 0).then(|| unsure_ends(target.image.path(), runs))
    }

    /// Counts runs that end at this source, although it is no instruction.
    pub(crate) fn note_end(&mut self, end: u64, runs: u64) {
        *self.ends.entry(end).or_default() += runs;
    }

    /// Notes a branch that does not belong to the binary. The collection may have taken runs to end at this
    /// branch.
    pub(crate) fn note_unused(&mut self, row: &Row<'_>, kind: BinaryKind, next: Option<&traceshard::Ends>) {
        match (row.from, row.to) {
            (Some(from), _) => drop(self.unused.insert(from)),
            (None, Some(to)) => {
                let end = next.map_or(row.end, |(from, _)| *from);
                let is_near = end.is_some_and(|end| end.wrapping_sub(to) < NEAR);
                let is_last = row.newest && next.is_none();
                // This is the rule of the collection.
                let was_doubtful = is_last || is_near && (kind != BinaryKind::User || next.is_some());
                if !was_doubtful {
                    self.entries += row.count;
                }
            }
            (None, None) => {}
        }
    }
}

/// Returns a warning about runs whose end is not sure.
fn unsure_ends(path: &Path, runs: u64) -> Diagnostic {
    Diagnostic::warning(
        DiagnosticCode::RunEndsUnsure,
        format!(
            "{}: up to {} may have ended later than counted. The branches that ended them are not in the code of this binary, which was not known when \
             the traces were collected",
            path.display(),
            count_of(runs, "run")
        ),
    )
}
