//! Counts the rows that belong to targets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use elf::TextPoke;
use job::failure::shard_error;
use job::{Diagnostic, DiagnosticCode, Error};
use perfdata::Avma;
use rustc_hash::{FxHashMap, FxHashSet};
use traceshard::{Binary, BinaryKind, KERNEL_BIAS, Loss, Record, Row, Shard, parse_patch, parse_via};

use crate::account::ledger::EntryClass;
use crate::addresses::binding::{Binding, bind, recognize};
use crate::addresses::locate::{Place, View};
use crate::binaries::code_space::NO_END;
use crate::binaries::id::{BinaryId, ByBinary};
use crate::binaries::target::Targets;
use crate::counting::bolt::BoltTraces;
use crate::counting::call_sites::CallSites;
use crate::counting::resolved::Resolved;
use crate::counting::sampled::AddressCounts;
use crate::counting::trace::TraceTable;
use crate::input::events::counts_instructions;
use crate::input::other_mappings::OtherMappings;
use crate::input::traces::doubt::Doubt;
use crate::input::traces::places::Places;
use crate::input::traces::shards::{KERNEL_SYMBOL, invalid, mapping_of};
use crate::input::usable::check_machine;
use crate::request::options::{GenerateOptions, SampleUse};

/// Classes of the entries that a collection lost.
const CLASSES: [(Loss, EntryClass); 7] = [
    (Loss::Deselected, EntryClass::Deselected),
    (Loss::Guest, EntryClass::Unmapped),
    (Loss::WrongPath, EntryClass::WrongPath),
    (Loss::UnfilledSlot, EntryClass::UnfilledSlot),
    (Loss::Unmapped, EntryClass::Unmapped),
    (Loss::OtherMemory, EntryClass::OutsideBinary),
    (Loss::NotTaken, EntryClass::NotTaken),
];

/// Classes of the sampled addresses that a collection lost.
const CLASSES_OF_ADDRESSES: [(Loss, EntryClass); 4] = [
    (Loss::AddressesDeselected, EntryClass::Deselected),
    (Loss::AddressesOfGuests, EntryClass::Unmapped),
    (Loss::AddressesUnmapped, EntryClass::Unmapped),
    (Loss::AddressesInOtherMemory, EntryClass::OutsideBinary),
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
    /// Sampled addresses, and the calls on their call chains.
    pub addresses: AddressCounts,
    pub call_sites: CallSites,
    /// Events of the sampled addresses that count.
    pub address_events: BTreeSet<String>,
    pub targets: ByBinary<OfTarget>,
    pub other_mappings: OtherMappings,
    /// Events of rows of targets.
    pub events: BTreeSet<String>,
    /// Number of bytes of the files.
    pub bytes: u64,
    lost: BTreeMap<Loss, u64>,
    /// Number of branches, and of sampled addresses, in files that may belong to targets.
    counted: u64,
    counted_addresses: u64,
    /// True if a row states a branch of a target, or a sampled address of any file.
    has_branches: bool,
    has_addresses: bool,
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
            addresses: AddressCounts::default(),
            call_sites: CallSites::default(),
            address_events: BTreeSet::new(),
            targets: ByBinary::new(),
            other_mappings: OtherMappings::default(),
            events: BTreeSet::new(),
            bytes: 0,
            lost: BTreeMap::new(),
            counted: 0,
            counted_addresses: 0,
            has_branches: false,
            has_addresses: false,
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
            (Record::Branch | Record::SampledBranch, Some(kind)) => self.add_branch(row, kind, path),
            (Record::Address | Record::Call, Some(kind)) => {
                self.add_address(row, kind, path);
                Ok(())
            }
            (Record::Patch, Some(kind)) => self.add_patch(row, kind, path),
        }
    }

    /// Finds out whether a row counts. Returns the number of its file, or the class that it is lost in; `None` if
    /// its file cannot belong to a target.
    fn admit(&mut self, row: &Row<'_>, kind: BinaryKind, path: &Path) -> Option<Result<usize, EntryClass>> {
        let number = self.number_of(row, kind);
        let id = match &self.known[number].1 {
            Known::Target(id, ..) => *id,
            Known::OtherBuild => return Some(Err(EntryClass::OtherBuild)),
            Known::Other => return None,
        };
        let event = row.event.unwrap_or_default();
        if !self.events.contains(event) {
            self.events.insert(event.to_owned());
        }
        let wanted = &self.options.select.events;
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == event) {
            return Some(Err(EntryClass::Deselected));
        }
        let of_target = self.targets.entry(id).or_default();
        if of_target.failure.is_none() {
            of_target.failure = check_machine(row.arch, &self.targets_all[id])
                .err()
                .map(|error| error.path(path));
        }
        Some(Ok(number))
    }

    fn add_address(&mut self, row: &Row<'_>, kind: BinaryKind, path: &Path) {
        self.has_addresses = true;
        if self.options.samples == SampleUse::Branches || self.bolt.is_some() {
            return;
        }
        // Calls are no samples, and are in no account.
        let samples = if row.record == Record::Address { row.count } else { 0 };
        let Some(admitted) = self.admit(row, kind, path) else {
            return;
        };
        self.counted_addresses += samples;
        let number = match admitted {
            Ok(number) => number,
            Err(class) => return self.addresses.add_lost(class, samples),
        };
        let Known::Target(_, view, base) = &mut self.known[number].1 else {
            return;
        };
        let mut places = Places { view, base: *base };
        if row.record == Record::Call {
            let (returns_to, inside) = (places.target(row.from), places.target(row.to));
            return self.call_sites.add_times(returns_to, inside, row.count);
        }
        let place = places.source(row.from);
        self.addresses.add_times(place, row.exact == Some(true), row.count);
        let event = row.event.unwrap_or_default();
        if matches!(place, Place::Code(..)) && !self.address_events.contains(event) {
            self.address_events.insert(event.to_owned());
        }
    }

    fn add_branch(&mut self, row: &Row<'_>, kind: BinaryKind, path: &Path) -> Result<(), Error> {
        if self.options.samples == SampleUse::Addresses && self.bolt.is_none() {
            self.has_branches = true;
            return Ok(());
        }
        let Some(admitted) = self.admit(row, kind, path) else {
            return Ok(());
        };
        self.counted += row.count;
        self.traces.read(row.count);
        let number = match admitted {
            Ok(number) => number,
            Err(class) => {
                self.traces.add_lost(class, row.count);
                return Ok(());
            }
        };
        let Known::Target(id, view, base) = &mut self.known[number].1 else {
            return Ok(());
        };
        self.has_branches = true;
        let of_target = self.targets.entry(*id).or_default();
        let mut places = Places { view, base: *base };
        let is_inside_a_run = row.taken == Some(false) && !row.newest;
        if let Some(bolt) = self.bolt.as_mut().filter(|_| !is_inside_a_run) {
            return places.count_for_bolt(row, kind, path, bolt);
        }
        if row.record == Record::SampledBranch {
            places.count_sampled_branch(row, &mut self.traces);
            return Ok(());
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
        self.addresses.merge(other.addresses);
        self.call_sites.merge(other.call_sites);
        self.address_events.extend(other.address_events);
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
        self.counted_addresses += other.counted_addresses;
        self.has_branches |= other.has_branches;
        self.has_addresses |= other.has_addresses;
        Ok(())
    }

    /// Completes the account with the losses of the collections, and with the entries in files whose rows
    /// were not read.
    pub(crate) fn account(&mut self) {
        self.account_for_addresses();
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

    fn account_for_addresses(&mut self) {
        let mut known = self.counted_addresses;
        for (what, class) in CLASSES_OF_ADDRESSES {
            let count = self.lost(what);
            known = known.saturating_add(count);
            self.addresses.add_lost(class, count);
        }
        let elsewhere = self.lost(Loss::Addresses).saturating_sub(known);
        self.addresses.add_lost(EntryClass::OutsideBinary, elsewhere);
    }

    /// Returns true if there are branches, of targets or in the ledgers.
    pub(crate) fn have_branches(&self) -> bool {
        self.has_branches || self.lost(Loss::BranchSamples) > 0
    }

    /// Returns true if there are sampled addresses, in rows or in the ledgers.
    pub(crate) fn have_addresses(&self) -> bool {
        self.has_addresses || self.lost(Loss::Addresses) > 0
    }

    /// Returns true if the sampled addresses count, and not the branches: if that is wanted, or if there are no
    /// branches.
    pub(crate) fn count_by_addresses(&self) -> bool {
        match self.options.samples {
            _ if self.bolt.is_some() => false,
            SampleUse::Branches => false,
            SampleUse::Addresses => true,
            SampleUse::Any => self.have_addresses() && !self.have_branches(),
        }
    }

    /// Returns true if sampled addresses that count are of an event that counts instructions.
    pub(crate) fn count_by_instructions(&self) -> bool {
        self.address_events.iter().any(|event| counts_instructions(event))
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
