//! Tests that an early answer is either still right at the end, or found to be wrong.

use proptest::prelude::*;

use super::*;
use crate::address_spaces::tests::{changes, map, record, user, visible};

/// Asks for some spaces before all records are known.
fn ask(spaces: &AddressSpaces, asked: &[(i32, u64)], consulted: &mut Consulted) -> Vec<Vec<(u64, u64, String)>> {
    let answer = |&(pid, time)| {
        consulted.note(pid, Moment(time));
        visible(spaces, pid, time)
    };
    asked.iter().map(answer).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_answer_changes_unnoticed(
        records in changes(),
        sorted in any::<bool>(),
        first in 0_usize..100,
        asked in prop::collection::vec((0..4_i32, 0_u64..41), 1..4),
    ) {
        let mut records = records;
        if sorted {
            records.sort_by_key(|record| record.moment);
        }
        let (early, late) = records.split_at(first.min(records.len()));
        let mut spaces = AddressSpaces::default();
        spaces.extend(early);
        let mut consulted = Consulted::default();
        let before = ask(&spaces, &asked, &mut consulted);
        spaces.extend(late);
        let contradicted = spaces.contradict(&consulted, late);
        if before != ask(&spaces, &asked, &mut Consulted::default()) {
            prop_assert!(contradicted);
        }
        if late.iter().all(|record| asked.iter().all(|&(_, time)| Moment(time) < record.moment)) {
            prop_assert!(!contradicted, "nothing of it is late");
        }
    }
}

#[test]
fn only_what_concerns_a_process_is_a_contradiction() {
    let fork = |pid, parent| Change::Fork { pid, parent };
    let after = |late: SideRecord| {
        let mut spaces = AddressSpaces::default();
        spaces.extend(&[
            record(1, 0, user(1, 0, 9, "sh")),
            record(5, 1, fork(2, 1)),
            record(7, 2, fork(3, 2)),
        ]);
        let mut consulted = Consulted::default();
        consulted.note(3, Moment(10));
        let late = [late];
        spaces.extend(&late);
        spaces.contradict(&consulted, &late)
    };
    assert!(after(record(10, 9, user(3, 0, 9, "own"))));
    assert!(!after(record(11, 9, user(3, 0, 9, "own, but later"))));
    assert!(after(record(6, 9, user(2, 0, 9, "its parent's"))));
    assert!(!after(record(8, 9, user(2, 0, 9, "its parent's, but after the fork"))));
    assert!(after(record(2, 9, user(1, 0, 9, "its grandparent's"))));
    assert!(!after(record(2, 9, user(4, 0, 9, "a stranger's"))));
    assert!(after(record(99, 9, map(-1, 1 << 63, 9, "[module]", CpuMode::Kernel))));
}
