//! Counts the rows that belong to targets.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use elf::TextPoke;
use job::failure::shard_error;
use job::{Diagnostic, DiagnosticCode, Error};
use perfdata::Avma;
use rustc_hash::{FxHashMap, FxHashSet};
use symbolize::FunctionTable;
use traceshard::{
    Binary, BinaryKind, Block, Ends, KERNEL_BIAS, Loss, Needs, Record, Row, Shard, branches_of, parse_patch,
};

use crate::account::ledger::EntryClass;
use crate::addresses::binding::{Binding, bind, recognize};
use crate::addresses::locate::{Place, View};
use crate::binaries::code_space::NO_END;
use crate::binaries::id::{BinaryId, ByBinary};
use crate::binaries::target::{BySide, Targets};
use crate::counting::bolt::BoltTraces;
use crate::counting::call_sites::CallSites;
use crate::counting::resolved::Resolved;
use crate::counting::sampled::AddressCounts;
use crate::counting::trace::TraceTable;
use crate::input::events::{counts_instructions, side_of, uses_call_stacks};
use crate::input::other_mappings::OtherMappings;
use crate::input::traces::doubt::Doubt;
use crate::input::traces::places::Places;
use crate::input::traces::shards::{KERNEL_SYMBOL, invalid, invalid_cell, mapping_of};
use crate::input::traces::stacks::Stacks;
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
    /// True if rows of branches say that their samples have rows of their own, and true if there are rows of samples.
    pub branches_in_stacks: bool,
    pub has_stacks: bool,
}

/// Why the reading of a group stops.
enum Stop {
    Shard(traceshard::Error),
    Row(Error),
}

impl From<traceshard::Error> for Stop {
    fn from(error: traceshard::Error) -> Self {
        Self::Shard(error)
    }
}

/// Sum of all counts, which must fit into 64 bits, so that every other sum does.
struct Total(u64);

impl Total {
    /// Adds the counts of all rows of a block, and passes each row to `count`, except the rows that a weight of 0 leaves.
    /// Returns the sum of the block.
    fn add(
        &mut self,
        block: &Block<'_>,
        path: &Path,
        mut count: impl FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<u64, Stop> {
        let before = self.0;
        for row in block.rows() {
            let row = row?;
            if row.count | row.mispredicted > 0 {
                self.add_count(row.count, path).map_err(Stop::Row)?;
                count(&row).map_err(Stop::Row)?;
            }
        }
        Ok(self.0 - before)
    }

    fn add_count(&mut self, count: u64, path: &Path) -> Result<(), Error> {
        self.0 = self.0.checked_add(count).ok_or_else(|| too_large(path))?;
        Ok(())
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
    /// Whole samples with call chains; `None` if the functions of the targets are not known yet.
    pub stacks: Option<Stacks<'a>>,
    /// Branches of events without call chains, in recordings whose other events have them, and their number.
    pub chainless: BySide<Option<TraceTable>>,
    pub chainless_entries: BySide<u64>,
    /// True if branches are of recordings without call chains.
    pub has_flat: BySide<bool>,
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
    total: Total,
    known: Vec<(Binary, Known<'a>)>,
    numbers: FxHashMap<Binary, usize>,
    last: usize,
    rivals: BTreeSet<(BinaryId, BinaryId)>,
}

impl<'a> Rows<'a> {
    /// Makes empty counts. `functions` are the functions of the targets, which rows of whole samples need.
    pub(crate) fn new(
        targets: &'a Targets<'a>,
        functions: Option<&'a ByBinary<&'a FunctionTable>>,
        options: &'a GenerateOptions,
    ) -> Self {
        let functions = functions.filter(|_| uses_call_stacks(options));
        Self {
            targets_all: targets,
            options,
            traces: TraceTable::default(),
            stacks: functions.map(|functions| Stacks::new(targets, functions, options)),
            chainless: BySide::default(),
            chainless_entries: BySide::default(),
            has_flat: BySide::default(),
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
            total: Total(0),
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
        let needs = if self.bolt.is_some() {
            Needs::All
        } else {
            Needs::NotForBolt
        };
        let read = shard.read_blocks(group, needs, |block| self.add(block, path));
        read.map_err(|stop| match stop {
            Stop::Shard(error) => shard_error(error, path),
            Stop::Row(error) => error,
        })
    }

    fn add(&mut self, block: &Block<'_>, path: &Path) -> Result<(), Stop> {
        match (block.record, block.kind) {
            (Record::Ledger, _) | (_, None) => {
                let count = self.total.add(block, path, |_| Ok(()))?;
                if let Some(what) = Loss::parse(block.path) {
                    *self.lost.entry(what).or_default() += count;
                }
                Ok(())
            }
            (Record::Branch | Record::SampledBranch, Some(kind)) => self.add_branches(block, kind, path),
            (Record::Address | Record::Call, Some(kind)) => {
                let before = self.total.0;
                self.add_addresses(block, kind, path)?;
                self.has_addresses |= self.total.0 > before;
                Ok(())
            }
            (Record::Stack, Some(kind)) => self.add_stacks(block, kind, path),
            (Record::Patch, Some(kind)) => self.add_patches(block, kind, path),
        }
    }

    /// Finds out whether the rows of a block count. Returns the number of their file, or the class that they are lost
    /// in; `None` if their file cannot belong to a target.
    fn admit(&mut self, block: &Block<'_>, kind: BinaryKind, path: &Path) -> Option<Result<usize, EntryClass>> {
        let number = self.number_of(block, kind);
        let id = match &self.known[number].1 {
            Known::Target(id, ..) => *id,
            Known::OtherBuild => return Some(Err(EntryClass::OtherBuild)),
            Known::Other => return None,
        };
        let event = block.event.unwrap_or_default();
        if !self.events.contains(event) {
            self.events.insert(event.to_owned());
        }
        let wanted = &self.options.select.events;
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == event) {
            return Some(Err(EntryClass::Deselected));
        }
        let of_target = self.targets.entry(id).or_default();
        if of_target.failure.is_none() {
            of_target.failure = check_machine(block.arch, &self.targets_all[id])
                .err()
                .map(|error| error.path(path));
        }
        Some(Ok(number))
    }

    fn add_addresses(&mut self, block: &Block<'_>, kind: BinaryKind, path: &Path) -> Result<(), Stop> {
        let admitted = if self.options.samples == SampleUse::Branches || self.bolt.is_some() {
            None
        } else {
            self.admit(block, kind, path)
        };
        // Calls are no samples, and are in no account.
        let are_samples = block.record == Record::Address;
        let Some(Ok(number)) = admitted else {
            let count = self.total.add(block, path, |_| Ok(()))?;
            if let Some(Err(class)) = admitted.filter(|_| are_samples) {
                self.counted_addresses += count;
                self.addresses.add_lost(class, count);
            }
            return Ok(());
        };
        let Known::Target(_, view, base) = &mut self.known[number].1 else {
            return Ok(());
        };
        let mut places = Places { view, base: *base };
        if !are_samples {
            self.total.add(block, path, |row| {
                let (returns_to, inside) = (places.target(row.from), places.target(row.to));
                self.call_sites.add_times(returns_to, inside, row.count);
                Ok(())
            })?;
            return Ok(());
        }
        let mut is_any_counted = false;
        self.counted_addresses += self.total.add(block, path, |row| {
            let place = places.source(row.from);
            self.addresses.add_times(place, row.exact == Some(true), row.count);
            is_any_counted |= matches!(place, Place::Code(..));
            Ok(())
        })?;
        let event = block.event.unwrap_or_default();
        if is_any_counted && !self.address_events.contains(event) {
            self.address_events.insert(event.to_owned());
        }
        Ok(())
    }

    fn add_branches(&mut self, block: &Block<'_>, kind: BinaryKind, path: &Path) -> Result<(), Stop> {
        let wants_addresses = self.options.samples == SampleUse::Addresses && self.bolt.is_none();
        let admitted = if wants_addresses {
            None
        } else {
            self.admit(block, kind, path)
        };
        let Some(Ok(number)) = admitted else {
            let count = self.total.add(block, path, |_| Ok(()))?;
            self.has_branches |= wants_addresses && count > 0;
            if let Some(Err(class)) = admitted {
                self.counted += count;
                self.traces.lose(class, count);
            }
            return Ok(());
        };
        let Known::Target(id, view, base) = &mut self.known[number].1 else {
            return Ok(());
        };
        let of_target = self.targets.entry(*id).or_default();
        let doubt = &mut of_target.doubt;
        // Number of branches that are counted elsewhere.
        let mut apart = 0;
        let side = side_of(kind);
        let mut places = Places { view, base: *base };
        let mut via = Vec::new();
        let count = self.total.add(block, path, |row| {
            let is_inside_a_run = row.taken == Some(false) && !row.newest;
            if let Some(bolt) = self.bolt.as_mut().filter(|_| !is_inside_a_run) {
                return places.count_for_bolt(row, kind, path, bolt);
            }
            if row.record == Record::SampledBranch {
                *self.has_flat.of_mut(side) |= row.has_call_chain.is_none();
                places.count_sampled_branch(row, &mut self.traces);
                return Ok(());
            }
            let traces = match row.has_call_chain {
                None => {
                    *self.has_flat.of_mut(side) = true;
                    &mut self.traces
                }
                // Rows of whole samples have the same branches.
                Some(true) => {
                    of_target.branches_in_stacks = true;
                    apart += row.count;
                    return Ok(());
                }
                Some(false) => {
                    apart += row.count;
                    *self.chainless_entries.of_mut(side) += row.count;
                    let traces = self.chainless.of_mut(side).get_or_insert_default();
                    traces.read(row.count);
                    traces
                }
            };
            read_via(row.via, &mut via, path)?;
            let own = places.branch(row.from, row.to);
            if matches!(own, Resolved::Used { .. }) {
                let end = places.end(row, &via, doubt);
                traces.add_times([end; 2], own, row.count);
            } else {
                doubt.note_unused(row, kind, via.first());
                traces.add_times([NO_END; 2], own, row.count);
            }
            Ok(())
        })?;
        self.has_branches |= count > 0;
        self.counted += count;
        self.traces.read(count - apart);
        Ok(())
    }

    fn add_stacks(&mut self, block: &Block<'_>, kind: BinaryKind, path: &Path) -> Result<(), Stop> {
        if !uses_call_stacks(self.options) {
            return Ok(());
        }
        // Rows of branches have the entries that the options leave out, too, and account for them.
        let Some(Ok(number)) = self.admit(block, kind, path) else {
            return Ok(());
        };
        let Known::Target(id, view, base) = &mut self.known[number].1 else {
            return Ok(());
        };
        for row in block.rows() {
            let row = row?;
            if row.count == 0 {
                continue;
            }
            self.has_branches = true;
            self.targets.entry(*id).or_default().has_stacks = true;
            let Some(stacks) = &mut self.stacks else {
                return Ok(());
            };
            let mut add = || {
                let entries = stacks.add(&row, number, (view, *base), path)?;
                self.total.add_count(entries.ok_or_else(|| too_large(path))?, path)
            };
            add().map_err(Stop::Row)?;
        }
        Ok(())
    }

    /// Returns the path of a target, for messages.
    pub(crate) fn path_of(&self, id: BinaryId) -> String {
        self.targets_all[id].image.path().display().to_string()
    }

    /// Returns true if there are rows of whole samples, and the functions of the targets are not known yet.
    pub(crate) fn lack_functions(&self) -> bool {
        self.stacks.is_none() && self.have_stacks()
    }

    /// Returns true if targets have rows of whole samples.
    fn have_stacks(&self) -> bool {
        self.targets.values().any(|found| found.has_stacks)
    }

    /// Returns true for each side whose targets are counted by rows of whole samples: if there are such rows, or if only
    /// events without call chains have samples of these targets, although other events of the same recording have call
    /// chains.
    pub(crate) fn sides_by_stacks(&self) -> BySide<bool> {
        // The events with call chains may be deselected.
        let all_events = self.options.select.events.is_empty();
        let mut sides = self.chainless_entries.map(|_, entries| all_events && entries > 0);
        for (id, _) in self.targets.iter().filter(|(_, found)| found.has_stacks) {
            *sides.of_mut(self.targets_all[*id].side()) = true;
        }
        sides
    }

    fn add_patches(&mut self, block: &Block<'_>, kind: BinaryKind, path: &Path) -> Result<(), Stop> {
        let number = self.number_of(block, kind);
        let Known::Target(id, view, base) = &self.known[number].1 else {
            self.total.add(block, path, |_| Ok(()))?;
            return Ok(());
        };
        let pokes = &mut self.targets.entry(*id).or_default().pokes;
        self.total.add(block, path, |row| {
            let patch = row.patch.and_then(parse_patch);
            let (Some((old, new)), Some(from)) = (patch, row.from) else {
                let message = format!("column `patch` has {:?} in a row of the record `patch`", row.patch);
                return Err(invalid(path, &message, "docs/trace-shards.md describes each column."));
            };
            if let Some((_, svma)) = view.target_at(Avma(from.wrapping_add(*base))) {
                pokes.insert(TextPoke {
                    svma,
                    old: old.into(),
                    new: new.into(),
                });
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Returns the number of the file that the rows of a block belong to.
    fn number_of(&mut self, block: &Block<'_>, kind: BinaryKind) -> usize {
        let same = |(known, _): &(Binary, Known<'_>)| {
            known.kind == kind && known.path == block.path && known.build_id.as_deref() == block.build_id
        };
        if self.known.get(self.last).is_some_and(same) {
            return self.last;
        }
        let binary = Binary {
            build_id: block.build_id.map(str::to_owned),
            path: block.path.to_owned(),
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
        self.total.add_count(other.total.0, Path::new("the traces"))?;
        self.traces.merge(other.traces);
        self.stacks = match (self.stacks.take(), other.stacks) {
            (Some(mut stacks), Some(other)) => {
                stacks.merge(other);
                Some(stacks)
            }
            (one, other) => one.or(other),
        };
        other.chainless.map(|side, chainless| {
            if let Some(chainless) = chainless {
                self.chainless.of_mut(side).get_or_insert_default().merge(chainless);
            }
        });
        other
            .chainless_entries
            .map(|side, entries| *self.chainless_entries.of_mut(side) += entries);
        other
            .has_flat
            .map(|side, has_flat| *self.has_flat.of_mut(side) |= has_flat);
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
            own.branches_in_stacks |= found.branches_in_stacks;
            own.has_stacks |= found.has_stacks;
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

/// Decodes the branches of the column `via`.
fn read_via(text: Option<&str>, branches: &mut Vec<Ends>, path: &Path) -> Result<(), Error> {
    branches.clear();
    let Some(text) = text else { return Ok(()) };
    for branch in branches_of(text) {
        branches.push(branch.ok_or_else(|| invalid_cell(path, "via", text))?);
    }
    Ok(())
}

fn too_large(path: &Path) -> Error {
    invalid(
        path,
        "with this file the counts add up to more than 64 bits hold",
        "Give fewer files, or scale both sums down, in DuckDB with `(SUM(count) // 1000)::UBIGINT AS count`, and the same for `mispredicted`.",
    )
}
