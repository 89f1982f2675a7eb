//! The mappings of all processes at all times.

use std::collections::{BTreeMap, HashMap};

use crate::address::{Avma, Moment};
use crate::mapped_range::{MapId, MappedRange};
use crate::range_tree::{RangeForest, Tree};
use crate::record::CpuMode;
use crate::side_record::{Change, KERNEL_IMAGE, Mapping, SideRecord};

mod consulted;
mod remapped_text;
mod since;
mod space;

pub use consulted::Consulted;
pub use remapped_text::is_memory_without_file;
pub use space::Space;

/// Number of maps that are kept in a list before they are put into a tree. A program start maps a dozen files, and
/// most of the nodes that each map would make are replaced by the next.
const MAX_RECENT: usize = 16;

/// The address spaces of all processes and of the kernel, over time.
///
/// * A new mapping cuts the mappings that it overlaps; the kernel writes no record when memory is unmapped.
/// * A forked process begins with its parent's maps of that moment. An exec removes the maps of a process.
/// * The kernel's modules are mapped before the recording begins, so they have no times. Of overlapping modules, the
///   one with the higher start is visible (older perf lets the last module reach to the end of memory).
/// * Memory that replaces the code of a program counts as the file. Programs that move their code to huge pages do
///   this.
/// * Guests are left out, because their addresses are not addresses of the host.
#[derive(Debug, Default)]
pub struct AddressSpaces {
    mappings: Vec<Mapping>,
    /// All changes of processes, in order of time.
    events: Vec<Event>,
    processes: HashMap<i32, Process>,
    forest: RangeForest,
    modules: BTreeMap<Avma, MapId>,
    kernel_image: Option<MapId>,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    moment: Moment,
    position: u64,
    pid: i32,
    kind: EventKind,
}

#[derive(Debug, Clone, Copy)]
enum EventKind {
    Map(MapId),
    Exec,
    Fork { parent: i32 },
}

/// The history of one process. Events are indexes into [`AddressSpaces::events`].
#[derive(Debug, Default)]
struct Process {
    /// Versions of the process's ranges, ascending by event.
    versions: Vec<Version>,
    /// Map events of the process, ascending.
    maps: Vec<u32>,
}

/// The ranges of a process after an event. Together with the maps that follow they describe the process until the next
/// version.
#[derive(Debug, Clone, Copy)]
struct Version {
    event: u32,
    tree: Tree,
    /// Index in `maps` of the first map that is not in the tree.
    first_recent: u32,
    /// Number of nodes in the forest before the nodes of this version.
    forest_len: u32,
    /// Mapping of the code of the program that the process runs. `None` if no code was mapped yet.
    program: Option<MapId>,
}

impl AddressSpaces {
    /// Adds the changes of the next segment. A record with an earlier time than some records already added is put in
    /// its place.
    ///
    /// # Panics
    /// Never for fewer than 2^32 records, which would take more memory than there is.
    pub fn extend(&mut self, records: &[SideRecord]) {
        let added: Vec<Event> = records.iter().filter_map(|record| self.event_of(record)).collect();
        let Some(first) = added.iter().map(Event::order).min() else {
            return;
        };
        // Undo the changes that happened later than the earliest of the new ones.
        let keep = self.events.partition_point(|event| event.order() <= first);
        self.roll_back(keep);
        let mut pending = self.events.split_off(keep);
        pending.extend(added);
        pending.sort_by_key(Event::order);
        for event in pending {
            let index = u32::try_from(self.events.len()).expect("fewer than 2^32 records fit into memory");
            self.events.push(event);
            self.apply(index, event);
        }
    }

    /// Returns the number of changes after a moment.
    #[must_use]
    pub fn changes_after(&self, moment: Moment) -> usize {
        self.events.len() - self.events.partition_point(|event| event.moment <= moment)
    }

    /// Returns a mapping by its number.
    ///
    /// # Panics
    /// If the number belongs to other address spaces.
    #[must_use]
    pub fn mapping(&self, id: MapId) -> &Mapping {
        &self.mappings[id.0 as usize]
    }

    /// Iterates over all mappings, in the order in which they were added.
    pub fn mappings(&self) -> impl ExactSizeIterator<Item = (MapId, &Mapping)> {
        self.mappings
            .iter()
            .enumerate()
            .map(|(index, mapping)| (MapId(index as u32), mapping))
    }

    /// Returns the ranges of the kernel modules, sorted and disjoint.
    #[must_use]
    pub fn modules(&self) -> Vec<MappedRange> {
        self.modules.keys().filter_map(|&start| self.module_at(start)).collect()
    }

    /// Returns the latest mapping of the kernel image, such as `[kernel.kallsyms]_text`. The range of this mapping is
    /// not reliable. Its `pgoff` is the run-time address of the symbol in its name, or 0 if that address was hidden.
    #[must_use]
    pub fn kernel_image(&self) -> Option<MapId> {
        self.kernel_image
    }

    /// Stores the mapping of a record and makes an event of the record. Returns `None` for the kernel and for guests.
    fn event_of(&mut self, record: &SideRecord) -> Option<Event> {
        let (pid, kind) = match &record.change {
            Change::Map(mapping) => (mapping.pid, EventKind::Map(self.keep_mapping(mapping)?)),
            Change::Exec { pid } => (*pid, EventKind::Exec),
            Change::Fork { pid, parent } => (*pid, EventKind::Fork { parent: *parent }),
            Change::Thread { .. } | Change::Exit { .. } | Change::Poke(_) => return None,
        };
        Some(Event {
            moment: record.moment,
            position: record.position,
            pid,
            kind,
        })
    }

    fn keep_mapping(&mut self, mapping: &Mapping) -> Option<MapId> {
        let id = MapId(u32::try_from(self.mappings.len()).ok()?);
        match mapping.cpumode {
            CpuMode::GuestKernel | CpuMode::GuestUser | CpuMode::Hypervisor => None,
            CpuMode::Kernel => {
                self.mappings.push(mapping.clone());
                if mapping.file.name.starts_with(KERNEL_IMAGE) {
                    self.kernel_image = Some(id);
                } else if mapping.len > 0 {
                    self.modules.insert(mapping.start, id);
                }
                None
            }
            CpuMode::User | CpuMode::Unknown => {
                if mapping.len == 0 {
                    return None;
                }
                self.mappings.push(mapping.clone());
                Some(id)
            }
        }
    }

    fn apply(&mut self, index: u32, event: Event) {
        match event.kind {
            EventKind::Map(map) => {
                self.recognise_remapped_text(event.pid, map, event.moment);
                let process = self.processes.entry(event.pid).or_default();
                process.maps.push(index);
                if process.recent().len() >= MAX_RECENT {
                    self.flush(index, event.pid);
                }
            }
            EventKind::Exec => self.begin_version(index, event.pid, Tree::EMPTY, None),
            EventKind::Fork { parent } => {
                let tree = self.flush(index, parent);
                self.begin_version(index, event.pid, tree, self.program(parent));
            }
        }
    }

    fn begin_version(&mut self, event: u32, pid: i32, tree: Tree, program: Option<MapId>) {
        let forest_len = self.forest.len() as u32;
        let process = self.processes.entry(pid).or_default();
        process.versions.push(Version {
            event,
            tree,
            first_recent: process.maps.len() as u32,
            forest_len,
            program,
        });
    }

    /// Puts the recent maps of a process into its tree, as of `event`, and returns the tree.
    fn flush(&mut self, event: u32, pid: i32) -> Tree {
        let program = self.program(pid);
        let Some(process) = self.processes.get_mut(&pid) else {
            return Tree::EMPTY;
        };
        let mut tree = process.versions.last().map_or(Tree::EMPTY, |version| version.tree);
        if process.recent().is_empty() {
            return tree;
        }
        let forest_len = self.forest.len();
        for &recent in process.recent() {
            if let EventKind::Map(map) = self.events[recent as usize].kind {
                tree = self.forest.insert(tree, range_of(map, &self.mappings[map.0 as usize]));
            }
        }
        tree = self.forest.compact(forest_len, tree);
        let first_recent = process.maps.len() as u32;
        process.versions.push(Version {
            event,
            tree,
            first_recent,
            forest_len: forest_len as u32,
            program,
        });
        tree
    }

    /// Undoes the changes of the events from number `keep` on.
    fn roll_back(&mut self, keep: usize) {
        let mut forest_len = self.forest.len();
        for event in &self.events[keep..] {
            let parent = match event.kind {
                EventKind::Fork { parent } => Some(parent),
                _ => None,
            };
            for pid in [Some(event.pid), parent].into_iter().flatten() {
                let Some(process) = self.processes.get_mut(&pid) else {
                    continue;
                };
                process
                    .maps
                    .truncate(process.maps.partition_point(|&event| (event as usize) < keep));
                let kept = process
                    .versions
                    .partition_point(|version| (version.event as usize) < keep);
                forest_len = process.versions[kept..]
                    .iter()
                    .fold(forest_len, |len, version| len.min(version.forest_len as usize));
                process.versions.truncate(kept);
            }
        }
        self.forest.truncate(forest_len);
    }

    /// Returns the module that holds `address` or is the nearest one below, with its range up to the next module.
    fn module_at(&self, address: Avma) -> Option<MappedRange> {
        let (_, &map) = self.modules.range(..=address).next_back()?;
        let mut range = range_of(map, self.mapping(map));
        let next = self.modules.range(Avma(address.0.checked_add(1)?)..).next();
        if let Some((&next, _)) = next {
            range.end = range.end.min(next);
        }
        (address < range.end).then_some(range)
    }
}

impl Event {
    /// Changes at the same moment happen in the order of their positions.
    fn order(&self) -> (Moment, u64) {
        (self.moment, self.position)
    }
}

impl Process {
    /// Returns the maps that are not in the tree of the latest version.
    fn recent(&self) -> &[u32] {
        &self.maps[self.versions.last().map_or(0, |version| version.first_recent as usize)..]
    }
}

fn range_of(map: MapId, mapping: &Mapping) -> MappedRange {
    MappedRange {
        start: mapping.start,
        end: Avma(mapping.start.0.saturating_add(mapping.len)),
        map,
    }
}

#[cfg(test)]
#[path = "address_spaces_tests.rs"]
mod tests;
