//! Counts the rows that belong to targets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use elf::TextPoke;
use job::failure::shard_error;
use job::{Diagnostic, DiagnosticCode, Error, count_of};
use perfdata::Avma;
use rustc_hash::{FxHashMap, FxHashSet};
use traceshard::{Binary, BinaryKind, KERNEL_BIAS, Loss, Record, Row, Shard, parse_patch, parse_via};

use crate::account::ledger::EntryClass;
use crate::addresses::binding::{Binding, bind, recognize};
use crate::addresses::locate::{Place, View};
use crate::binaries::code_space::{CodeOffset, NO_END, OUTSIDE};
use crate::binaries::id::{BinaryId, ByBinary};
use crate::binaries::target::{Target, Targets};
use crate::counting::bolt::{BoltTraces, Taken};
use crate::counting::resolved::Resolved;
use crate::counting::stack::resolved;
use crate::counting::trace::TraceTable;
use crate::input::other_mappings::OtherMappings;
use crate::input::traces::shards::{KERNEL_SYMBOL, invalid, mapping_of};
use crate::input::usable::check_machine;
use crate::request::options::GenerateOptions;

/// Greatest distance within a stub, in bytes. It is the bound that a collection uses (`gather/chain.rs`).
const NEAR: u64 = 32;

/// Classes of the entries that a collection lost.
const CLASSES: [(Loss, EntryClass); 6] = [
    (Loss::Deselected, EntryClass::Deselected),
    (Loss::Guest, EntryClass::Unmapped),
    (Loss::WrongPath, EntryClass::WrongPath),
    (Loss::UnfilledSlot, EntryClass::UnfilledSlot),
    (Loss::Unmapped, EntryClass::Unmapped),
    (Loss::OtherMemory, EntryClass::OutsideBinary),
];

/// The counts of one target.
#[derive(Default)]
pub(crate) struct OfTarget {
    /// Number of files that its rows belong to: one for each path.
    pub files: u64,
    /// True if one of these files has its build id.
    pub same_build: bool,
    pub pokes: FxHashSet<TextPoke>,
    pub failure: Option<Error>,
    pub doubt: Doubt,
}

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
    fn merge(&mut self, other: Self) {
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
}

/// A file that rows name.
enum Known<'a> {
    Target(BinaryId, View<'a>, u64),
    OtherBuild,
    Other,
}

/// Rows that were read, and their counts.
pub(crate) struct Rows<'a> {
    targets_all: &'a Targets<'a>,
    options: &'a GenerateOptions,
    pub traces: TraceTable,
    /// Traces for BOLT, instead of the counts above, if they are wanted.
    pub bolt: Option<BoltTraces>,
    pub targets: ByBinary<OfTarget>,
    pub other_mappings: OtherMappings,
    /// Events of rows of targets.
    pub events: BTreeSet<String>,
    /// Number of bytes of the files.
    pub bytes: u64,
    lost: BTreeMap<Loss, u64>,
    /// Number of rows whose files may belong to targets.
    counted: u64,
    /// Sum of all counts, which must fit into 64 bits, so that every other sum does.
    total: u64,
    known: Vec<(Binary, Known<'a>)>,
    numbers: FxHashMap<Binary, usize>,
    last: usize,
    rivals: BTreeSet<(BinaryId, BinaryId)>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(targets: &'a Targets<'a>, options: &'a GenerateOptions) -> Self {
        Self {
            targets_all: targets,
            options,
            traces: TraceTable::default(),
            bolt: options.for_bolt.map(|_| BoltTraces::new()),
            targets: ByBinary::new(),
            other_mappings: OtherMappings::default(),
            events: BTreeSet::new(),
            bytes: 0,
            lost: BTreeMap::new(),
            counted: 0,
            total: 0,
            known: Vec::new(),
            numbers: FxHashMap::default(),
            last: 0,
            rivals: BTreeSet::new(),
        }
    }

    /// Returns the number of entries of this loss in the ledgers of the collections.
    pub(crate) fn lost(&self, what: Loss) -> u64 {
        self.lost.get(&what).copied().unwrap_or(0)
    }

    pub(crate) fn read_group(&mut self, shard: &Shard, group: usize, path: &Path) -> Result<(), Error> {
        enum Stop {
            Shard(traceshard::Error),
            Row(Error),
        }
        impl From<traceshard::Error> for Stop {
            fn from(error: traceshard::Error) -> Self {
                Self::Shard(error)
            }
        }
        let read = shard.read_group(group, |row| self.add(row, path).map_err(Stop::Row));
        read.map_err(|stop| match stop {
            Stop::Shard(error) => shard_error(error, path),
            Stop::Row(error) => error,
        })
    }

    fn add(&mut self, row: &Row<'_>, path: &Path) -> Result<(), Error> {
        self.total = self.total.checked_add(row.count).ok_or_else(|| too_large(path))?;
        match (row.record, row.kind) {
            (Record::Ledger, _) | (_, None) => {
                if let Some(what) = Loss::parse(row.path) {
                    *self.lost.entry(what).or_default() += row.count;
                }
                Ok(())
            }
            (Record::Branch, Some(kind)) => self.add_branch(row, kind, path),
            (Record::Patch, Some(kind)) => self.add_patch(row, kind, path),
        }
    }

    fn add_branch(&mut self, row: &Row<'_>, kind: BinaryKind, path: &Path) -> Result<(), Error> {
        let number = self.number_of(row, kind);
        let class = match &self.known[number].1 {
            Known::Target(..) => None,
            Known::OtherBuild => Some(EntryClass::OtherBuild),
            Known::Other => return Ok(()),
        };
        self.counted += row.count;
        self.traces.read(row.count);
        if let Some(class) = class {
            self.traces.add_lost(class, row.count);
            return Ok(());
        }
        let event = row.event.unwrap_or_default();
        if !self.events.contains(event) {
            self.events.insert(event.to_owned());
        }
        let wanted = &self.options.select.events;
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == event) {
            self.traces.add_lost(EntryClass::Deselected, row.count);
            return Ok(());
        }
        let Known::Target(id, view, base) = &mut self.known[number].1 else {
            return Ok(());
        };
        let of_target = self.targets.entry(*id).or_default();
        if of_target.failure.is_none() {
            of_target.failure = check_machine(row.arch, &self.targets_all[*id])
                .err()
                .map(|error| error.path(path));
        }
        let mut places = Places { view, base: *base };
        if let Some(bolt) = &mut self.bolt {
            return places.count_for_bolt(row, kind, path, bolt);
        }
        let via = row.via.map(|text| {
            parse_via(text).ok_or_else(|| {
                invalid(
                    path,
                    &format!("the column `via` has the value {text:?}, which no version of the schema allows"),
                    "docs/trace-shards.md describes each column.",
                )
            })
        });
        let via = via.transpose()?.unwrap_or_default();
        let own = places.branch(row.from, row.to);
        if matches!(own, Resolved::Used { .. }) {
            let end = places.end(row, &via, &mut of_target.doubt);
            self.traces.add_times([end; 2], own, row.count);
        } else {
            of_target.doubt.note_unused(row, kind, via.first());
            self.traces.add_times([NO_END; 2], own, row.count);
        }
        Ok(())
    }

    fn add_patch(&mut self, row: &Row<'_>, kind: BinaryKind, path: &Path) -> Result<(), Error> {
        let number = self.number_of(row, kind);
        let Known::Target(id, view, base) = &self.known[number].1 else {
            return Ok(());
        };
        let patch = row.patch.and_then(parse_patch);
        let (Some((old, new)), Some(from)) = (patch, row.from) else {
            let message = format!("column `patch` has {:?} in a row of the record `patch`", row.patch);
            return Err(invalid(path, &message, "docs/trace-shards.md describes each column."));
        };
        if let Some((_, svma)) = view.target_at(Avma(from.wrapping_add(*base))) {
            self.targets.entry(*id).or_default().pokes.insert(TextPoke {
                svma,
                old: old.into(),
                new: new.into(),
            });
        }
        Ok(())
    }

    /// Returns the number of the file that a row belongs to.
    fn number_of(&mut self, row: &Row<'_>, kind: BinaryKind) -> usize {
        let same = |(known, _): &(Binary, Known<'_>)| {
            known.kind == kind && known.path == row.path && known.build_id.as_deref() == row.build_id
        };
        if self.known.get(self.last).is_some_and(same) {
            return self.last;
        }
        let binary = Binary {
            build_id: row.build_id.map(str::to_owned),
            path: row.path.to_owned(),
            kind,
        };
        self.last = match self.numbers.get(&binary) {
            Some(number) => *number,
            None => {
                let known = self.recognize(&binary);
                self.numbers.insert(binary.clone(), self.known.len());
                self.known.push((binary, known));
                self.known.len() - 1
            }
        };
        self.last
    }

    fn recognize(&mut self, binary: &Binary) -> Known<'a> {
        let mapping = mapping_of(binary);
        let (targets, ignore) = (self.targets_all, self.options.ignore_build_id);
        let Some(recognized) = recognize(&mapping, mapping.file.build_id.as_ref(), targets, ignore) else {
            return Known::Other;
        };
        self.rivals
            .extend(recognized.rival.map(|rival| (recognized.target, rival)));
        match bind(&mapping, &recognized, targets) {
            Binding::Target(id, pieces) => {
                let target = &targets[id];
                let of_target = self.targets.entry(id).or_default();
                of_target.files += 1;
                let recorded = mapping.file.build_id.zip(target.image.build_id());
                of_target.same_build |= recorded.is_some_and(|(recorded, own)| recorded.matches(own));
                let view = View::of(pieces.into_iter().map(|piece| (target, piece)).collect());
                let base = if binary.kind == BinaryKind::Kernel {
                    KERNEL_SYMBOL - KERNEL_BIAS
                } else {
                    0
                };
                Known::Target(id, view, base)
            }
            Binding::OtherBuild(id) => {
                self.other_mappings
                    .add_other_build(&targets[id], &binary.path, mapping.file.build_id);
                Known::OtherBuild
            }
            Binding::Other => Known::Other,
        }
    }

    /// Adds the rows of another worker.
    pub(crate) fn merge(&mut self, other: Self) -> Result<(), Error> {
        // No other sum is greater than this sum.
        self.total = self
            .total
            .checked_add(other.total)
            .ok_or_else(|| too_large(Path::new("the traces")))?;
        self.traces.merge(other.traces);
        self.bolt = match (self.bolt.take(), other.bolt) {
            (Some(mut bolt), Some(other)) => {
                bolt.merge(other);
                Some(bolt)
            }
            (one, other) => one.or(other),
        };
        // Each worker finds the same files.
        for (id, found) in other.targets {
            let own = self.targets.entry(id).or_default();
            own.pokes.extend(found.pokes);
            own.failure = own.failure.take().or(found.failure);
            own.doubt.merge(found.doubt);
        }
        for (binary, _) in other.known {
            if !self.numbers.contains_key(&binary) {
                let known = self.recognize(&binary);
                self.numbers.insert(binary.clone(), self.known.len());
                self.known.push((binary, known));
            }
        }
        self.events.extend(other.events);
        self.bytes += other.bytes;
        for (what, count) in other.lost {
            *self.lost.entry(what).or_default() += count;
        }
        self.counted += other.counted;
        Ok(())
    }

    /// Completes the account with the losses of the collections, and with the entries in files whose rows
    /// were not read.
    pub(crate) fn account(&mut self) {
        let mut known = self.counted;
        for (what, class) in CLASSES {
            let count = self.lost(what);
            known = known.saturating_add(count);
            self.traces.read(count);
            self.traces.add_lost(class, count);
        }
        let elsewhere = self.lost(Loss::Entries).saturating_sub(known);
        self.traces.read(elsewhere);
        self.traces.add_lost(EntryClass::OutsideBinary, elsewhere);
    }

    /// Returns a warning for each target whose rows may belong to another target.
    pub(crate) fn rivals(&self) -> Vec<Diagnostic> {
        let warning = |&(target, rival): &(BinaryId, BinaryId)| {
            let [target, rival] = [target, rival].map(|id| self.targets_all[id].image.path().display());
            let message = format!(
                "{rival} has the name of {target}, and the traces have no build ids to tell them apart; {target} gets the samples"
            );
            Diagnostic::warning(DiagnosticCode::BinariesAlike, message)
        };
        self.rivals.iter().map(warning).collect()
    }
}

/// Takes note of a file, to explain why there are no rows of a target.
pub(crate) fn note(
    binary: &Binary,
    targets: &Targets<'_>,
    options: &GenerateOptions,
    other_mappings: &mut OtherMappings,
) {
    let mapping = mapping_of(binary);
    let recognized = recognize(
        &mapping,
        mapping.file.build_id.as_ref(),
        targets,
        options.ignore_build_id,
    );
    match recognized.map(|recognized| bind(&mapping, &recognized, targets)) {
        Some(Binding::OtherBuild(id)) => {
            other_mappings.add_other_build(&targets[id], &binary.path, mapping.file.build_id)
        }
        _ => other_mappings.add_file(&mapping),
    }
}

fn too_large(path: &Path) -> Error {
    invalid(
        path,
        "with this file the counts add up to more than 64 bits hold",
        "Give fewer files, or scale the counts down: `SELECT ... SUM(count) // 1000`.",
    )
}

/// Finds the places in the target's code of the addresses of rows.
struct Places<'v, 'a> {
    view: &'v mut View<'a>,
    base: u64,
}

impl Places<'_, '_> {
    fn source(&mut self, from: Option<u64>) -> Place {
        match from {
            Some(address) => self.view.locate_source(Avma(address.wrapping_add(self.base))),
            None => Place::Lost(EntryClass::OutsideBinary),
        }
    }

    fn branch(&mut self, from: Option<u64>, to: Option<u64>) -> Resolved {
        let source = self.source(from);
        let destination = match to {
            Some(address) => self.view.locate_target(Avma(address.wrapping_add(self.base))),
            None => Place::Lost(EntryClass::OutsideBinary),
        };
        resolved(source, destination)
    }

    /// Counts a row as BOLT does.
    fn count_for_bolt(
        &mut self,
        row: &Row<'_>,
        kind: BinaryKind,
        path: &Path,
        bolt: &mut BoltTraces,
    ) -> Result<(), Error> {
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
        Ok(())
    }

    /// Returns the end of the run behind a row's branch.
    fn end(&mut self, row: &Row<'_>, via: &[traceshard::Ends], doubt: &mut Doubt) -> CodeOffset {
        for &(from, to) in via {
            if let Resolved::Used { from, .. } = self.branch(from, to) {
                return from;
            }
        }
        match row.end {
            Some(address) => match self.source(Some(address)) {
                Place::Code(offset, _) => offset,
                _ => {
                    *doubt.ends.entry(address).or_default() += row.count;
                    OUTSIDE
                }
            },
            None if row.newest => NO_END,
            None => OUTSIDE,
        }
    }
}

impl Doubt {
    /// Notes a branch that does not belong to the binary. The collection may have taken runs to end at this
    /// branch.
    fn note_unused(&mut self, row: &Row<'_>, kind: BinaryKind, next: Option<&traceshard::Ends>) {
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
            "{}: up to {} may have ended later than counted. The branches behind them lie outside of this binary, which was not known when \
             the traces were collected",
            path.display(),
            count_of(runs, "run")
        ),
    )
}
