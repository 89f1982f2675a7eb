use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::address::Period;
use crate::side_record::MappedFile;

pub(super) fn map(pid: i32, start: u64, len: u64, name: &str, cpumode: CpuMode) -> Change {
    let file = Arc::new(MappedFile {
        name: name.to_owned(),
        build_id: None,
    });
    Change::Map(Mapping {
        pid,
        tid: pid,
        start: Avma(start),
        len,
        pgoff: 0,
        executable: true,
        cpumode,
        file,
    })
}

pub(super) fn record(time: u64, position: u64, change: Change) -> SideRecord {
    SideRecord {
        moment: Moment(time),
        position,
        change,
    }
}

pub(super) fn user(pid: i32, start: u64, len: u64, name: &str) -> Change {
    map(pid, start, len, name, CpuMode::User)
}

/// Returns the visible ranges of a process, as (start, end, name).
pub(super) fn visible(spaces: &AddressSpaces, pid: i32, time: u64) -> Vec<(u64, u64, String)> {
    let ranges = spaces.space(pid, Moment(time)).ranges();
    ranges
        .iter()
        .map(|r| (r.start.0, r.end.0, spaces.mapping(r.map).file.name.clone()))
        .collect()
}

fn of(records: &[SideRecord]) -> AddressSpaces {
    let mut spaces = AddressSpaces::default();
    spaces.extend(records);
    spaces
}

#[test]
fn fork_copies_and_exec_drops() {
    let spaces = of(&[
        record(1, 0, user(1, 0x1000, 0x1000, "sh")),
        record(5, 1, Change::Fork { pid: 2, parent: 1 }),
        record(6, 2, user(1, 0x1000, 0x1000, "other")),
        record(7, 3, Change::Exec { pid: 2 }),
        record(8, 4, user(2, 0x4000, 0x1000, "ls")),
    ]);
    let name = |pid, time| {
        visible(&spaces, pid, time)
            .into_iter()
            .map(|(_, _, name)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(name(2, 4), Vec::<String>::new());
    assert_eq!(name(2, 5), ["sh"]);
    assert_eq!(name(2, 6), ["sh"]);
    assert_eq!(name(2, 7), Vec::<String>::new());
    assert_eq!(name(2, 9), ["ls"]);
    assert_eq!(name(1, 9), ["other"]);
    let space = spaces.space(2, Moment(6));
    let (from, until) = (Moment(5), Some(Moment(7)));
    assert_eq!(space.period(), Period { from, until });
}

#[test]
fn record_that_happened_before_its_parents_is_sorted() {
    // The FORK record comes from the buffer of another CPU, after the records of the child.
    let spaces = of(&[
        record(20, 0, user(2, 0x4000, 0x1000, "child")),
        record(1, 1, user(1, 0x1000, 0x1000, "parent")),
        record(10, 2, Change::Fork { pid: 2, parent: 1 }),
    ]);
    assert_eq!(visible(&spaces, 2, 20).len(), 2);
    assert_eq!(visible(&spaces, 2, 19).len(), 1);
}

#[test]
fn kernel_and_guests_are_apart() {
    const TEXT: u64 = 0xffff_ffff_8100_0000;
    const MODULES: u64 = 0xffff_ffff_c000_0000;
    let spaces = of(&[
        record(
            0,
            0,
            map(-1, TEXT, u64::MAX - TEXT, "[kernel.kallsyms]_text", CpuMode::Kernel),
        ),
        // Older perf lets the last module reach to the end of memory. That module need not be the highest one.
        record(0, 1, map(-1, MODULES, u64::MAX - MODULES, "[ext4]", CpuMode::Kernel)),
        record(0, 2, map(-1, MODULES + 0x10_0000, 0x1000, "[xfs]", CpuMode::Kernel)),
        record(
            0,
            3,
            map(0, TEXT, 0x1000, "[guest.kernel.kallsyms]_text", CpuMode::GuestKernel),
        ),
        record(0, 4, map(7, 0x1000, 0x1000, "/bin/guest", CpuMode::GuestUser)),
    ]);
    let name = |address| {
        let range = spaces.space(7, Moment(1)).find(Avma(address))?;
        assert!(range.start.0 <= address && address < range.end.0);
        Some(spaces.mapping(range.map).file.name.as_str())
    };
    assert_eq!(name(TEXT + 0x1234), Some("[kernel.kallsyms]_text"));
    assert_eq!(name(MODULES + 0x1234), Some("[ext4]"));
    assert_eq!(name(MODULES + 0x10_0800), Some("[xfs]"));
    assert_eq!(name(MODULES + 0x10_1000), Some("[kernel.kallsyms]_text"));
    assert_eq!(name(0x1800), None);
    assert_eq!(spaces.modules().len(), 2);
    assert_eq!(spaces.mappings().len(), 3);
}

#[test]
fn many_forks_and_maps_share_what_they_have_in_common() {
    // A shell with 300 maps forks 20000 children, and each child maps something of its own.
    let mut records = Vec::new();
    for k in 0..300 {
        records.push(record(1, k, user(1, k << 16, 0x8000, "lib")));
    }
    for child in 2..20_002 {
        let at = u64::from(child as u32) * 10;
        records.push(record(at, at, Change::Fork { pid: child, parent: 1 }));
        records.push(record(at + 1, at + 1, user(child, 0x7_0000, 0x1000, "own")));
        records.push(record(at + 2, at + 2, user(1, 0x9_0000, 0x1000, "new")));
    }
    let spaces = of(&records);
    assert_eq!(visible(&spaces, 20_001, u64::MAX).len(), 302);
    // If the ranges were copied for each child, there would be 6 million nodes.
    assert!(
        spaces.forest.len() < 20 * records.len(),
        "{} nodes for {} records",
        spaces.forest.len(),
        records.len()
    );
}

#[test]
fn a_process_with_very_many_maps() {
    let records: Vec<_> = (0..100_000_u64)
        .map(|k| record(k, k, user(1, (k * 64) << 12, 0x1000, "jit")))
        .collect();
    let spaces = of(&records);
    let space = spaces.space(1, Moment(70_000));
    assert_eq!(
        space.find(Avma((70_000 * 64) << 12)).map(|range| range.map),
        Some(MapId(70_000))
    );
    assert_eq!(space.find(Avma((70_001 * 64) << 12)), None);
    assert!(
        spaces.forest.len() < 30 * records.len(),
        "{} nodes",
        spaces.forest.len()
    );
}

/// A second, slow implementation: replays all changes up to a moment, byte by byte.
fn replay(records: &[SideRecord], pid: i32, moment: Moment) -> Vec<Option<usize>> {
    const SIZE: usize = 64;
    let mut sorted: Vec<_> = records.iter().enumerate().collect();
    sorted.sort_by_key(|(_, record)| (record.moment, record.position));
    let mut memory: HashMap<i32, Vec<Option<usize>>> = HashMap::new();
    for (index, record) in sorted.into_iter().filter(|(_, record)| record.moment <= moment) {
        match &record.change {
            Change::Map(mapping) => {
                let bytes = memory.entry(mapping.pid).or_insert_with(|| vec![None; SIZE]);
                let (start, end) = (mapping.start.0 as usize, (mapping.start.0 + mapping.len) as usize);
                bytes[start..end].fill(Some(index));
            }
            Change::Exec { pid } => {
                memory.insert(*pid, vec![None; SIZE]);
            }
            Change::Fork { pid, parent } => {
                let copy = memory.get(parent).cloned().unwrap_or_else(|| vec![None; SIZE]);
                memory.insert(*pid, copy);
            }
            // Code that is rewritten stays at its place.
            Change::Thread { .. } | Change::Exit { .. } | Change::Poke(_) => {}
        }
    }
    memory.remove(&pid).unwrap_or_else(|| vec![None; SIZE])
}

pub(super) fn changes() -> impl Strategy<Value = Vec<SideRecord>> {
    let change = prop_oneof![
        8 => (0..4_i32, 0_u64..63, 1_u64..20).prop_map(|(pid, start, len)| {
            user(pid, start, len.min(64 - start), "file")
        }),
        1 => (0..4_i32).prop_map(|pid| Change::Exec { pid }),
        3 => (0..4_i32, 0..4_i32).prop_map(|(pid, parent)| Change::Fork { pid, parent }),
    ];
    prop::collection::vec((0_u64..40, change), 0..120).prop_map(|changes| {
        changes
            .into_iter()
            .enumerate()
            .map(|(index, (time, change))| record(time, index as u64, change))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn spaces_are_what_a_replay_gives(records in changes(), pieces in prop::collection::vec(1_usize..20, 1..20)) {
        // Maps are numbered in the order in which they are added, which is the order of the records.
        let numbers: Vec<usize> = records
            .iter()
            .enumerate()
            .filter(|(_, record)| matches!(record.change, Change::Map(_)))
            .map(|(index, _)| index)
            .collect();
        let mut spaces = AddressSpaces::default();
        let mut rest = records.as_slice();
        for piece in pieces {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            spaces.extend(now);
            rest = later;
        }
        spaces.extend(rest);
        for pid in 0..4 {
            for time in 0..41 {
                let expected = replay(&records, pid, Moment(time));
                let space = spaces.space(pid, Moment(time));
                prop_assert!(space.period().contains(Moment(time)));
                let mut found = vec![None; expected.len()];
                let mut end = 0;
                for range in space.ranges() {
                    prop_assert!(end <= range.start.0 && range.start < range.end, "sorted and disjoint");
                    end = range.end.0;
                    found[range.start.0 as usize..range.end.0 as usize].fill(Some(numbers[range.map.0 as usize]));
                }
                prop_assert_eq!(&found, &expected);
                for (address, &expected) in expected.iter().enumerate() {
                    let range = space.find(Avma(address as u64));
                    prop_assert_eq!(range.map(|range| numbers[range.map.0 as usize]), expected);
                    if let Some(range) = range {
                        for inside in range.start.0..range.end.0 {
                            prop_assert_eq!(found[inside as usize], expected, "all of the found range is visible");
                        }
                    }
                }
                if let Some(until) = space.period().until {
                    let before = spaces.space(pid, Moment(until.0 - 1));
                    prop_assert_eq!(before.ranges(), space.ranges());
                    prop_assert_eq!(before.period().from, space.period().from);
                }
            }
        }
    }
}

/// Returns for each byte of a process the number of its file, and the offset of the byte in the file.
fn bytes(spaces: &AddressSpaces, pid: i32, time: u64) -> Vec<(u64, u64)> {
    let ranges = spaces.space(pid, Moment(time)).ranges();
    let of = |range: &MappedRange| {
        let mapping = spaces.mapping(range.map);
        let (start, offset) = (mapping.start.0, mapping.pgoff);
        (range.start.0..range.end.0)
            .map(move |address| (address, offset + (address - start)))
            .collect::<Vec<_>>()
    };
    ranges.iter().flat_map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_kept_records_are_enough_for_later_spaces(
        mut records in changes(),
        moment in 0_u64..40,
        gone in prop::option::of(0..4_i32),
    ) {
        for (index, record) in records.iter_mut().enumerate() {
            if let Change::Map(mapping) = &mut record.change {
                mapping.pgoff = 1000 * index as u64;
            }
        }
        let all = of(&records);
        let kept = of(&all.since(Moment(moment), &gone.into_iter().collect()));
        for pid in (0..4).filter(|pid| Some(*pid) != gone) {
            // A process that is forked later from a process that is gone would have no maps to begin with.
            let inherits = gone.is_some() && records.iter().any(|record| matches!(record.change, Change::Fork { .. }));
            for time in (moment..41).filter(|_| !inherits) {
                prop_assert_eq!(bytes(&kept, pid, time), bytes(&all, pid, time));
            }
        }
        prop_assert!(gone.is_none_or(|gone| kept.space(gone, Moment(moment)).ranges().is_empty()));
    }
}
