use super::*;
use crate::binaries::id::BinaryId;
use crate::counting::ends::OneEnd;
use elf::Svma;
use proptest::prelude::*;

/// Number of bytes of code of each of two binaries. The tests lay them out as if mapped to 0 and 0x100.
const SPAN: u32 = 0x100;

/// The ids are neither dense nor in the order of the code. Ids are like this when binaries fall out or are
/// named in another order.
const IDS: [BinaryId; 2] = [BinaryId::of(5), BinaryId::of(2)];
const PLACES: Option<usize> = Some(6);

fn space() -> CodeSpace {
    CodeSpace::new([(IDS[0], Svma(0x1000), SPAN), (IDS[1], Svma(0x9000), SPAN)]).expect("fits")
}

/// Resolves an entry. Addresses beyond both binaries do not count, and every view has addresses of its own.
fn resolve(entry: RawEntry) -> Resolved {
    let place = |address: u64| {
        let offset = u32::try_from(address).ok().filter(|offset| *offset < 2 * SPAN)?;
        let target = usize::from(offset >= SPAN);
        Some((
            (offset + u32::from(entry.view)) % SPAN + target as u32 * SPAN,
            IDS[target],
        ))
    };
    let (from, to) = (place(entry.from), place(entry.to));
    let Some((_, any)) = from.or(to) else {
        return Resolved::Lost(EntryClass::OutsideBinary);
    };
    let (from, from_target) = from.unwrap_or((OUTSIDE, to.map_or(any, |to| to.1)));
    let (to, to_target) = to.unwrap_or((OUTSIDE, from_target));
    Resolved::Used {
        from,
        to,
        from_target,
        to_target,
        misplaced: None,
    }
}

fn walk(table: &mut TraceTable, stack: &[RawEntry], ends: &mut impl Ends) {
    let mut newer = Avma(0);
    for &entry in stack {
        let resolved = table.add(entry, newer, ends, || resolve(entry));
        assert_eq!(resolved, resolve(entry));
        ends.note(&resolved);
        newer = Avma(entry.from);
    }
}

fn count(tables: &mut [TraceTable], stacks: &[Vec<RawEntry>]) {
    for (index, stack) in stacks.iter().enumerate() {
        let table = &mut tables[index % 2];
        let mut ends = table.ends.take().expect("several targets");
        ends.begin();
        walk(table, stack, &mut ends);
        table.ends = Some(ends);
    }
}

/// Counts by llvm-profgen's rules, once for each binary: entries with no end in the binary are dropped, then
/// neighbours are paired.
fn count_alone(target: usize, stacks: &[Vec<RawEntry>]) -> TargetCounters {
    let svma = |offset: u32, owner: BinaryId| {
        if offset == OUTSIDE || owner != IDS[target] {
            EXTERNAL
        } else {
            Svma([0x1000, 0x9000][target] + u64::from(offset - target as u32 * SPAN))
        }
    };
    let mut found = TargetCounters::default();
    let (mut branches, mut pairs) = (Vec::new(), Vec::new());
    for stack in stacks {
        let mut newer = None;
        for &entry in stack {
            let Resolved::Used {
                from,
                to,
                from_target,
                to_target,
                ..
            } = resolve(entry)
            else {
                continue;
            };
            let (first, second) = (svma(from, from_target), svma(to, to_target));
            if (first, second) == (EXTERNAL, EXTERNAL) {
                continue;
            }
            found.entries += 1;
            if second != EXTERNAL {
                branches.push(Counter {
                    first,
                    second,
                    count: 1,
                });
            }
            pairs.extend(newer.map(|end| Counter {
                first: second,
                second: end,
                count: 1,
            }));
            newer = Some(first);
        }
    }
    (found.branches, found.pairs) = (CounterTable::new(branches), CounterTable::new(pairs));
    found
}

fn stacks() -> impl Strategy<Value = Vec<Vec<RawEntry>>> {
    // There are few addresses, so that entries repeat, and that two entries share a slot now and then.
    let address = || prop::sample::select(vec![0u64, 4, 8, 0x80, 0x100, 0x104, 0x180, 0x1_0000, 0x2_0000]);
    let stack = (prop::collection::vec((address(), address()), 0..12), 0u16..3).prop_map(|(entries, view)| {
        entries
            .into_iter()
            .map(|(from, to)| RawEntry { from, to, view })
            .collect()
    });
    prop::collection::vec(stack, 0..200)
}

proptest! {
    #[test]
    fn several_binaries_are_counted_like_each_alone(stacks in stacks()) {
        let mut tables = [TraceTable::new(PLACES), TraceTable::new(PLACES)];
        count(&mut tables, &stacks);
        let [mut all, rest] = tables;
        all.merge(rest);
        let (counters, ledger) = all.into_counters(&space());

        for (target, id) in IDS.iter().enumerate() {
            prop_assert_eq!(&counters[id], &count_alone(target, &stacks));
        }
        let entries = stacks.iter().flatten();
        let lost = entries.clone().filter(|entry| matches!(resolve(**entry), Resolved::Lost(_))).count();
        prop_assert_eq!(ledger[EntryClass::OutsideBinary], lost as u64);
        prop_assert_eq!(ledger[EntryClass::Used], (entries.count() - lost) as u64);
    }

    #[test]
    fn one_binary_is_counted_by_the_same_rules(mut stacks in stacks()) {
        let beyond = |entry: &mut RawEntry| {
            for address in [&mut entry.from, &mut entry.to] {
                if *address >= u64::from(SPAN) {
                    *address = 0x1_0000;
                }
            }
        };
        stacks.iter_mut().flatten().for_each(beyond);
        let mut table = TraceTable::new(None);
        prop_assert!(table.ends.is_none());
        for stack in &stacks {
            walk(&mut table, stack, &mut OneEnd::new());
        }
        let (counters, _) = table.into_counters(&CodeSpace::new([(IDS[0], Svma(0x1000), SPAN)]).expect("fits"));
        prop_assert_eq!(&counters[&IDS[0]], &count_alone(0, &stacks));
    }
}

#[test]
fn a_slot_that_is_full_loses_nothing() {
    let entry = RawEntry {
        from: 1,
        to: 2,
        view: 0,
    };
    let mut table = TraceTable::new(None);
    for _ in 0..200_000 {
        table.add(entry, Avma(0), &OneEnd::new(), || resolve(entry));
    }
    let (counters, ledger) = table.into_counters(&space());
    assert_eq!(counters[&IDS[0]].branches.rows()[0].count, 200_000);
    assert_eq!(
        (counters[&IDS[0]].entries, ledger[EntryClass::Used]),
        (200_000, 200_000)
    );
}
