//! Code that a program moved to other memory, at the same addresses.
//!
//! A program may copy its code to memory without a file and put this memory in the place of the code, so that the
//! kernel can use huge pages. The recording then has an executable `//anon` mapping where a file was mapped, and no
//! longer names the file. The file is known from the mapping that was there before, or from the mappings around.

use super::{AddressSpaces, EventKind};
use crate::address::{Avma, Moment};
use crate::mapped_range::MapId;
use crate::side_record::Mapping;

/// First characters of the names that the kernel and perf give to memory without a file, or with a file in memory
/// only: anonymous memory, explicit huge pages (MAP_HUGETLB), shared memory, memory of memfd_create and of System V,
/// memory named by prctl, and the usual places of tmpfs and hugetlbfs.
const MEMORY: [&str; 10] = [
    "//anon",
    "/anon_hugepage",
    "/dev/zero",
    "/memfd:",
    "/SYSV",
    "[heap]",
    "[anon:",
    "/dev/shm/",
    "/dev/hugepages",
    "/mnt/huge",
];
/// The smallest huge page of machines with a page size of 4 KiB.
const HUGE_PAGE: u64 = 2 << 20;

impl AddressSpaces {
    /// Gives memory the file whose code it holds, if the mapping that is about to be added to process `pid` proves it.
    /// There are three proofs:
    ///
    /// * The memory lies over the code of the program itself. This code is never unmapped while the process runs, so
    ///   no other mapping can get its place.
    /// * The memory takes the place of exactly one mapping of another file's code, or of huge pages within that
    ///   mapping. If the file had been closed and a just-in-time compiler had got its place, the ends would differ.
    /// * The memory lies between two parts of a file, or, in the list of mappings when perf began, directly beside
    ///   one. A file has its data after its code and its constants before it, so no other mapping gets a place there.
    pub(super) fn recognise_remapped_text(&mut self, pid: i32, map: MapId, moment: Moment) {
        let added = self.mapping(map);
        if !is_memory(added) {
            self.recognise_before(pid, map, moment);
            return;
        }
        let program = self.program(pid).filter(|program| {
            let program = self.mapping(*program);
            added.start.0 < end(program) && program.start.0 < end(added)
        });
        let replaced = program.or_else(|| self.part_before(pid, map, moment)).or_else(|| {
            let found = self.space(pid, moment).find(added.start)?;
            let file = self.mapping(found.map);
            let is_whole = file.start == added.start && file.len == added.len;
            let is_huge = added.start.0.is_multiple_of(HUGE_PAGE) && added.len.is_multiple_of(HUGE_PAGE);
            let proves = is_whole || is_huge && end(added) <= found.end.0;
            (file.executable && !is_memory(file) && proves).then_some(found.map)
        });
        if let Some(file) = replaced {
            self.give_file(map, file);
        }
    }

    /// Returns the code of the program that a process runs: the first file that was mapped for execution since the
    /// program began.
    pub(super) fn program(&self, pid: i32) -> Option<MapId> {
        let process = self.processes.get(&pid)?;
        let known = process.versions.last().and_then(|version| version.program);
        known.or_else(|| {
            process
                .recent()
                .iter()
                .find_map(|&event| match self.events.get(event as usize)?.kind {
                    EventKind::Map(map) => is_code_of_file(self.mapping(map)).then_some(map),
                    _ => None,
                })
        })
    }

    /// Returns the part of a file directly before the memory, if both were mapped when perf found the process.
    fn part_before(&self, pid: i32, memory: MapId, moment: Moment) -> Option<MapId> {
        let before = self.latest_map(pid, 1).filter(|_| moment == Moment::START)?;
        let (file, memory) = (self.mapping(before), self.mapping(memory));
        (is_code_of_file(file) && end(file) == memory.start.0).then_some(before)
    }

    /// Gives the file of `map` to the memory that was mapped just before `map`, if that memory stands between two
    /// parts of the file, or stood directly before `map` when perf found the process.
    fn recognise_before(&mut self, pid: i32, map: MapId, moment: Moment) {
        let Some(latest) = self.latest_map(pid, 1) else { return };
        let (memory, second) = (self.mapping(latest), self.mapping(map));
        if !is_memory(memory) || end(memory) != second.start.0 {
            return;
        }
        let is_between = self
            .latest_map(pid, 2)
            .map(|first| self.mapping(first))
            .is_some_and(|first| {
                first.file.name == second.file.name
                    && end(first) == memory.start.0
                    && second.pgoff.wrapping_sub(first.pgoff) == second.start.0.wrapping_sub(first.start.0)
            });
        if is_between || moment == Moment::START && is_code_of_file(second) && second.pgoff >= memory.len {
            self.give_file(latest, map);
        }
    }

    /// Returns the mapping that is number `back` from the end of a process's mappings; 1 is the last one.
    fn latest_map(&self, pid: i32, back: usize) -> Option<MapId> {
        let maps = &self.processes.get(&pid)?.maps;
        let event = *maps.get(maps.len().checked_sub(back)?)?;
        match self.events.get(event as usize)?.kind {
            EventKind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Gives `memory` the file of the mapping `of`. Memory that would lie before the beginning of the file is cut off.
    fn give_file(&mut self, memory: MapId, of: MapId) {
        let (file, start, pgoff) = {
            let of = self.mapping(of);
            (of.file.clone(), of.start, of.pgoff)
        };
        let memory = &mut self.mappings[memory.0 as usize];
        let before = start
            .0
            .saturating_sub(memory.start.0)
            .saturating_sub(pgoff)
            .min(memory.len);
        memory.start = Avma(memory.start.0.saturating_add(before));
        memory.len -= before;
        memory.pgoff = pgoff.wrapping_add(memory.start.0.wrapping_sub(start.0));
        memory.file = file;
    }
}

/// Returns the address after the mapping.
fn end(mapping: &Mapping) -> u64 {
    mapping.start.0.saturating_add(mapping.len)
}

fn is_code_of_file(mapping: &Mapping) -> bool {
    mapping.executable && mapping.file.name.starts_with('/') && !is_memory(mapping)
}

fn is_memory(mapping: &Mapping) -> bool {
    mapping.executable && is_memory_without_file(&mapping.file.name)
}

/// Returns true if a mapping of this name is memory without a file, or with a file in memory only.
#[must_use]
pub fn is_memory_without_file(name: &str) -> bool {
    MEMORY.iter().any(|memory| name.starts_with(memory))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{record, user};
    use super::*;
    use crate::side_record::{Change, SideRecord};

    const MIB: u64 = 1 << 20;

    fn mapped(time: u64, position: u64, start: u64, end: u64, pgoff: u64, name: &str) -> SideRecord {
        let mut change = user(1, start, end - start, name);
        if let Change::Map(mapping) = &mut change {
            mapping.pgoff = pgoff;
        }
        record(time, position, change)
    }

    /// Returns the name and the file offset of the mapping at an address.
    fn at(spaces: &AddressSpaces, time: u64, address: u64) -> (String, u64) {
        let range = spaces.space(1, Moment(time)).find(Avma(address)).expect("it is mapped");
        let mapping = spaces.mapping(range.map);
        (mapping.file.name.clone(), address - mapping.start.0 + mapping.pgoff)
    }

    #[test]
    fn huge_pages_amid_code_are_code() {
        let mut spaces = AddressSpaces::default();
        spaces.extend(&[
            mapped(1, 0, 5 * MIB, 11 * MIB, MIB, "/bin/app"),
            mapped(5, 1, 6 * MIB, 10 * MIB, 6 * MIB, "//anon"),
        ]);
        assert_eq!(at(&spaces, 9, 7 * MIB), ("/bin/app".to_owned(), 3 * MIB));
        assert_eq!(at(&spaces, 9, 10 * MIB), ("/bin/app".to_owned(), 6 * MIB));
    }

    /// Maps a program, and a library that the program maps later.
    fn program_and_library() -> [SideRecord; 2] {
        [
            mapped(1, 0, 5 * MIB + 0x1000, 11 * MIB, 0x1000, "/bin/app"),
            mapped(2, 1, 40 * MIB, 50 * MIB, MIB, "/lib/library"),
        ]
    }

    #[test]
    fn memory_over_the_program_is_the_program() {
        let text = (5 * MIB + 0x1000, 11 * MIB);
        for (start, end) in [
            text,                        // The whole code, in pages.
            (text.0, text.0 + 0x1000),   // The first page alone.
            (6 * MIB + 0x3000, 7 * MIB), // Some pages inside of the code.
            (6 * MIB, 12 * MIB),         // The end is rounded up to a huge page.
            (4 * MIB, 12 * MIB),         // The start is rounded down as well.
            (0, 100 * MIB),              // The kernel joined the memory with other memory around it.
        ] {
            for name in [
                "//anon",
                "/anon_hugepage (deleted)",
                "/memfd:text (deleted)",
                "/dev/zero (deleted)",
                "/SYSV00000000 (deleted)",
                "/dev/shm/text",
                "/dev/hugepages/text",
                "/mnt/huge/text",
                "[heap]",
                "[anon:text]",
            ] {
                let mut spaces = AddressSpaces::default();
                spaces.extend(&program_and_library());
                spaces.extend(&[mapped(5, 2, start, end, start, name)]);
                let inside = start.max(text.0) + 0x123;
                assert_eq!(
                    at(&spaces, 9, inside),
                    ("/bin/app".to_owned(), inside - 5 * MIB),
                    "{start:x} {name}"
                );
            }
        }
    }

    #[test]
    fn page_by_page_and_in_a_forked_process() {
        let mut spaces = AddressSpaces::default();
        spaces.extend(&program_and_library());
        spaces.extend(&[record(3, 2, Change::Fork { pid: 2, parent: 1 })]);
        for page in 1..=40 {
            let start = 5 * MIB + 0x1000;
            let mut grown = mapped(4 + page, 2 + page, start, start + page * 0x1000, start, "//anon");
            if let Change::Map(mapping) = &mut grown.change {
                mapping.pid = 2;
            }
            spaces.extend(&[grown]);
        }
        let range = spaces
            .space(2, Moment(99))
            .find(Avma(5 * MIB + 0x2123))
            .expect("mapped");
        assert_eq!(spaces.mapping(range.map).file.name, "/bin/app");
        // After an exec, another program is mapped there.
        spaces.extend(&[record(200, 900, Change::Exec { pid: 2 }), {
            let mut other = mapped(201, 901, 5 * MIB, 6 * MIB, 5 * MIB, "//anon");
            if let Change::Map(mapping) = &mut other.change {
                mapping.pid = 2;
            }
            other
        }]);
        let range = spaces
            .space(2, Moment(300))
            .find(Avma(5 * MIB + 0x2123))
            .expect("mapped");
        assert_eq!(spaces.mapping(range.map).file.name, "//anon");
    }

    #[test]
    fn a_just_in_time_compiler_in_the_place_of_a_library_is_not_the_library() {
        for (start, end) in [
            (40 * MIB, 45 * MIB + 0x1000),
            (39 * MIB, 51 * MIB),
            (41 * MIB, 41 * MIB + 0x4000),
            (20 * MIB, 22 * MIB),
        ] {
            let mut spaces = AddressSpaces::default();
            spaces.extend(&program_and_library());
            spaces.extend(&[mapped(5, 2, start, end, start, "//anon")]);
            assert_eq!(at(&spaces, 9, start + 4096), ("//anon".to_owned(), start + 4096));
        }
        let mut spaces = AddressSpaces::default();
        spaces.extend(&program_and_library());
        spaces.extend(&[mapped(5, 2, 40 * MIB, 50 * MIB, 40 * MIB, "//anon")]);
        assert_eq!(at(&spaces, 9, 41 * MIB), ("/lib/library".to_owned(), 2 * MIB));
    }

    #[test]
    fn all_of_a_library_or_huge_pages_of_it_are_the_library() {
        // The memory consists of pages, or of huge pages that do not cover the whole library.
        for (from, to, start, end) in [
            (40 * MIB + 0x1000, 41 * MIB, 40 * MIB + 0x1000, 41 * MIB),
            (40 * MIB + 0x1000, 47 * MIB, 42 * MIB, 46 * MIB),
        ] {
            let mut spaces = AddressSpaces::default();
            spaces.extend(&[
                mapped(1, 0, 5 * MIB, 11 * MIB, MIB, "/bin/app"),
                mapped(2, 1, from, to, 0x1000, "/lib/library"),
                mapped(5, 2, start, end, start, "//anon"),
            ]);
            let found = at(&spaces, 9, start + 0x123);
            assert_eq!(found, ("/lib/library".to_owned(), start - from + 0x1123));
        }
    }

    #[test]
    fn memory_between_two_parts_of_a_file_is_the_file() {
        let list = |second: u64, name: &str| {
            let mut spaces = AddressSpaces::default();
            spaces.extend(&[
                mapped(5, 0, 0x5000, 0x8000, 0x1000, "/bin/app"),
                mapped(5, 1, 0x8000, 0xa000, 0x8000, "//anon"),
                mapped(5, 2, 0xa000, 0xb000, second, name),
            ]);
            at(&spaces, 9, 0x8123)
        };
        assert_eq!(list(0x6000, "/bin/app"), ("/bin/app".to_owned(), 0x4123));
        assert_eq!(list(0x7000, "/bin/app").0, "//anon");
        assert_eq!(list(0x6000, "/bin/other").0, "//anon");
    }

    #[test]
    fn memory_beside_code_is_that_code_if_perf_came_late() {
        const LIBRARY: &str = "/lib/library";
        let list = |time: u64, maps: &[(u64, u64, u64, &str)], address: u64| {
            let mut spaces = AddressSpaces::default();
            spaces.extend(&[mapped(time, 0, 0x1000, 0x2000, 0x1000, "/bin/app")]);
            for (position, &(start, end, pgoff, name)) in (1..).zip(maps) {
                spaces.extend(&[mapped(time, position, start, end, pgoff, name)]);
            }
            at(&spaces, 9, address)
        };
        let library = |offset| (LIBRARY.to_owned(), offset);
        // The cases: the last pages were moved, the first ones, the first and the last ones, and some pages before
        // others.
        let behind = [(0x5000, 0x8000, 0x1000, LIBRARY), (0x8000, 0xa000, 0x8000, "//anon")];
        assert_eq!(list(0, &behind, 0x9123), library(0x5123));
        let before = [
            (0x5000, 0x8000, 0x5000, "/anon_hugepage (deleted)"),
            (0x8000, 0xa000, 0x4000, LIBRARY),
        ];
        assert_eq!(list(0, &before, 0x5123), library(0x1123));
        let both = [before[0], before[1], (0xa000, 0xc000, 0xa000, "//anon")];
        assert_eq!(list(0, &both, 0x5123), library(0x1123));
        assert_eq!(list(0, &both, 0xa123), library(0x6123));
        let two = [behind[0], behind[1], (0xa000, 0xc000, 0, "/memfd:text (deleted)")];
        assert_eq!(list(0, &two, 0xb123), library(0x7123));
        // A just-in-time compiler maps memory while the program runs, or with a gap to the file, or before a part of a
        // file that nothing precedes.
        assert_eq!(list(5, &behind, 0x9123).0, "//anon");
        let apart = [behind[0], (0x9000, 0xa000, 0x9000, "//anon")];
        assert_eq!(list(0, &apart, 0x9123).0, "//anon");
        let whole = [before[0], (0x8000, 0xa000, 0, LIBRARY)];
        assert_eq!(list(0, &whole, 0x5123).0, "/anon_hugepage (deleted)");
    }
}
