//! Code that a program moved to huge pages.
//!
//! A program may copy its code to anonymous memory and put that where the code was, so that the kernel can use huge
//! pages for it. The recording then has an executable `//anon` where a file was mapped, and says nothing of the file
//! any more. What lies around it tells.

use super::{AddressSpaces, EventKind};
use crate::address::{Avma, Moment};
use crate::mapped_range::MapId;
use crate::side_record::Mapping;

/// How the kernel names executable memory without a file.
const ANONYMOUS: &str = "//anon";
/// The smallest huge page there is where the page size is 4 KiB.
const HUGE_PAGE: u64 = 2 << 20;

impl AddressSpaces {
    /// Gives anonymous memory the file whose code it holds, if the mapping that is about to be added to process `pid`
    /// proves it: by taking huge pages out of one file's code, or by going on with the file where the memory ends.
    pub(super) fn recognise_remapped_text(&mut self, pid: i32, map: MapId, moment: Moment) {
        let added = self.mapping(map);
        if !is_anonymous(added) {
            self.recognise_before(pid, map);
        } else if added.start.0.is_multiple_of(HUGE_PAGE) && added.len.is_multiple_of(HUGE_PAGE) {
            let last = Avma(added.start.0.saturating_add(added.len - 1));
            let found = self.space(pid, moment).find(added.start);
            if let Some(file) = found.filter(|range| last < range.end && self.mapping(range.map).executable) {
                self.give_file(map, file.map);
            }
        }
    }

    /// In the list of what a process had mapped when perf found it, the memory stands between two parts of the file.
    fn recognise_before(&mut self, pid: i32, map: MapId) {
        let latest = |back: usize| {
            let maps = &self.processes.get(&pid)?.maps;
            let event = *maps.get(maps.len().checked_sub(back)?)?;
            match self.events.get(event as usize)?.kind {
                EventKind::Map(map) => Some(map),
                _ => None,
            }
        };
        let (Some(between), Some(before)) = (latest(1), latest(2)) else {
            return;
        };
        let [first, memory, second] = [before, between, map].map(|map| self.mapping(map));
        let proves = is_anonymous(memory)
            && first.file.name == second.file.name
            && first.start.wrapping_add(first.len) == memory.start
            && memory.start.wrapping_add(memory.len) == second.start
            && second.pgoff.wrapping_sub(first.pgoff) == second.start.0.wrapping_sub(first.start.0);
        if proves {
            self.give_file(between, before);
        }
    }

    fn give_file(&mut self, memory: MapId, of: MapId) {
        let (file, start, pgoff) = {
            let of = self.mapping(of);
            (of.file.clone(), of.start, of.pgoff)
        };
        let memory = &mut self.mappings[memory.0 as usize];
        memory.pgoff = pgoff.wrapping_add(memory.start.0.wrapping_sub(start.0));
        memory.file = file;
    }
}

fn is_anonymous(mapping: &Mapping) -> bool {
    mapping.file.name == ANONYMOUS && mapping.executable
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

    /// Name and file offset of what is at an address.
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

    #[test]
    fn other_anonymous_memory_is_not() {
        // Not in units of huge pages; beyond the file's end; where no file was.
        for (start, end) in [(6 * MIB, 7 * MIB), (10 * MIB, 12 * MIB), (20 * MIB, 22 * MIB)] {
            let mut spaces = AddressSpaces::default();
            spaces.extend(&[
                mapped(1, 0, 5 * MIB, 11 * MIB, MIB, "/bin/app"),
                mapped(5, 1, start, end, start, "//anon"),
            ]);
            assert_eq!(at(&spaces, 9, start + 4096), ("//anon".to_owned(), start + 4096));
        }
    }

    #[test]
    fn memory_between_two_parts_of_a_file_is_the_file() {
        let list = |second: u64, name: &str| {
            let mut spaces = AddressSpaces::default();
            spaces.extend(&[
                mapped(0, 0, 0x5000, 0x8000, 0x1000, "/bin/app"),
                mapped(0, 1, 0x8000, 0xa000, 0x8000, "//anon"),
                mapped(0, 2, 0xa000, 0xb000, second, name),
            ]);
            at(&spaces, 9, 0x8123)
        };
        assert_eq!(list(0x6000, "/bin/app"), ("/bin/app".to_owned(), 0x4123));
        assert_eq!(list(0x7000, "/bin/app").0, "//anon");
        assert_eq!(list(0x6000, "/bin/other").0, "//anon");
    }
}
