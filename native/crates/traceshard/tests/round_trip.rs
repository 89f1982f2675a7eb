//! Tests that reading returns what was written, for generated rows.

mod support;

use proptest::prelude::*;
use support::{branch, shard};
use traceshard::{
    BinaryKind, Block, Error, Loss, MAX_GROUP_ROWS, MAX_GROUPS, Metadata, Needs, Record, Row, Shard, ShardWriter,
};

/// Reads the rows as owned values.
fn read(shard: &Shard) -> Vec<String> {
    let mut rows = Vec::new();
    for group in 0..shard.groups() {
        let visit = |row: &Row<'_>| {
            rows.push(format!("{row:?}"));
            Ok::<(), Error>(())
        };
        shard.read_group(group, visit).expect("rows");
    }
    rows
}

#[test]
fn metadata_is_kept() {
    let metadata = Metadata {
        schema_version: Some(traceshard::SCHEMA_VERSION),
        tool: Some("autofdo-gen 1".to_owned()),
        sample_times: Some((1, u64::MAX)),
        written: Some(3),
        host: Some("h".to_owned()),
    };
    let writer = ShardWriter::new(Vec::new()).expect("memory");
    let bytes = writer.finish(&metadata).expect("memory");
    assert_eq!(Shard::from_bytes(bytes).expect("a shard").metadata(), &metadata);
}

#[test]
fn the_description_of_a_file_does_not_grow_with_its_texts() {
    let of_length = |entries: usize| {
        let mut writer = ShardWriter::new(Vec::new()).expect("memory");
        for group in 0..20 {
            let rows = [1, 2].map(|row| vec![format!("{row}{group:x}>20"); entries].join(" "));
            let rows = rows.each_ref().map(|branch_stack| Row {
                record: Record::Stack,
                branch_stack: Some(branch_stack),
                ..branch(0, 0, 1)
            });
            writer.write(&rows).expect("memory");
        }
        let bytes = writer.finish(&Metadata::default()).expect("memory");
        let footer = bytes[bytes.len() - 8..].first_chunk().expect("four bytes");
        let shard = Shard::from_bytes(bytes.clone()).expect("a shard");
        (u32::from_le_bytes(*footer), read(&shard).concat().len())
    };
    let ((few, short), (many, long)) = (of_length(100), of_length(4000));
    assert!(long > 20 * short, "{short} {long}");
    assert!(many as usize / 20 * MAX_GROUPS < 16 << 20, "{many}");
    // The sizes of the pages, which the description states, have more digits.
    assert!(many < few + 20 * 32, "{few} {many}");
}

#[test]
fn groups_are_of_one_build_unless_they_are_small() {
    let many = |build_id: &'static str, rows: usize| {
        (0..rows as u64).map(move |from| Row {
            build_id: Some(build_id),
            ..branch(from, 1, 1)
        })
    };
    let mut rows: Vec<_> = many("01", 3).chain(many("02", 4)).collect();
    rows.extend(many("03", MAX_GROUP_ROWS + 10_000));
    // This group has as many rows as the one before, but another build.
    rows.extend(many("04", 10_000));
    rows.extend(many("05", 5).chain(many("06", 6)));
    rows.push(Row::ledger(Loss::Entries, 1));
    let shard = Shard::from_bytes(shard(&rows)).expect("a shard");
    let groups: Vec<_> = (0..shard.groups())
        .map(|group| (shard.build_ids_of(group), shard.rows_of(group)))
        .collect();
    let full = MAX_GROUP_ROWS as u64;
    let expected = [
        (Some(("01", "02")), 7),
        (Some(("03", "03")), full),
        (Some(("03", "03")), 10_000),
        (Some(("04", "04")), 10_000),
        (None, 12),
    ];
    assert_eq!(groups, expected);
    let written: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(read(&shard), written);
}

const RECORDS: [Record; 7] = [
    Record::Branch,
    Record::SampledBranch,
    Record::Address,
    Record::Call,
    Record::Stack,
    Record::Patch,
    Record::Ledger,
];

fn row() -> impl Strategy<Value = (u8, u8, [Option<u64>; 4], bool, Option<bool>, u64)> {
    let address = || prop_oneof![Just(None), any::<u64>().prop_map(Some), (0..9u64).prop_map(Some)];
    (
        0..7u8,
        0..4u8,
        [address(), address(), address(), address()],
        any::<bool>(),
        any::<Option<bool>>(),
        any::<u64>(),
    )
}

/// Removes the values that serve BOLT only.
fn for_profile(row: Row<'_>) -> Row<'_> {
    Row {
        stack_end: None,
        crosses_kernel: None,
        mispredicted: 0,
        ..row
    }
}

/// Reads the rows as a profile needs them, as owned values. Checks that each row agrees with its block.
fn read_for_profile(shard: &Shard) -> Vec<String> {
    let mut rows = Vec::new();
    for group in 0..shard.groups() {
        let visit = |block: &Block<'_>| {
            for row in block.rows() {
                let row = row?;
                let of_block = (
                    block.record,
                    block.build_id,
                    block.path,
                    block.kind,
                    block.event,
                    block.arch,
                );
                let of_row = (row.record, row.build_id, row.path, row.kind, row.event, row.arch);
                assert_eq!(of_block, of_row);
                rows.push(format!("{row:?}"));
            }
            Ok::<(), Error>(())
        };
        shard.read_blocks(group, Needs::NotForBolt, visit).expect("rows");
    }
    rows
}

#[test]
fn blocks_end_where_the_file_or_the_event_changes() {
    let rows = |build_id, event, count| {
        vec![
            Row {
                build_id,
                event,
                ..branch(1, 2, 3)
            };
            count
        ]
    };
    let parts = [
        (Some("ab"), Some("cycles"), 3),
        (Some("ab"), Some("instructions"), 1),
        (Some("ab"), None, 2),
        (Some("cd"), None, 4),
        (None, None, 1),
        (None, Some("cycles"), 5),
    ];
    let rows: Vec<_> = parts
        .iter()
        .flat_map(|&(build_id, event, count)| rows(build_id, event, count))
        .collect();
    let shard = Shard::from_bytes(shard(&rows)).expect("a shard");
    let mut blocks = Vec::new();
    let visit = |block: &Block<'_>| {
        blocks.push((
            block.build_id.map(str::to_owned),
            block.event.map(str::to_owned),
            block.rows().count(),
        ));
        Ok::<(), Error>(())
    };
    shard.read_blocks(0, Needs::All, visit).expect("rows");
    let expected = parts.map(|(build_id, event, count)| (build_id.map(str::to_owned), event.map(str::to_owned), count));
    assert_eq!(blocks, expected);
}

proptest! {
    #[test]
    fn rows_are_read_as_written(rows in prop::collection::vec(row(), 0..200)) {
        let texts = [None, Some(""), Some("ab"), Some("\u{e9}\0")];
        let build_ids = [None, Some("ab"), Some("abcd"), Some("01")];
        let rows: Vec<_> = rows
            .iter()
            .map(|&(record, text, [from, to, end, stack_end], newest, crosses_kernel, count)| Row {
                record: RECORDS[usize::from(record)],
                build_id: build_ids[usize::from(text)],
                path: texts[usize::from(text)].unwrap_or("p"),
                kind: (RECORDS[usize::from(record)] != Record::Ledger).then_some([BinaryKind::User, BinaryKind::Kernel][usize::from(text % 2)]),
                event: texts[usize::from(text ^ 1)],
                arch: texts[usize::from(text ^ 2)],
                // Addresses and calls have these ends in the file.
                from: from.or_else(|| (RECORDS[usize::from(record)] == Record::Address).then_some(7)),
                to: to.or_else(|| (RECORDS[usize::from(record)] == Record::Call).then_some(8)),
                end,
                newest,
                stack_end,
                crosses_kernel,
                via: texts[usize::from(text ^ 3)],
                patch: None,
                exact: (RECORDS[usize::from(record)] == Record::Address).then_some(newest),
                taken: (RECORDS[usize::from(record)] == Record::SampledBranch).then_some(newest),
                run_start: end.map(|end| end ^ 1),
                branch_stack: (RECORDS[usize::from(record)] == Record::Stack).then_some("1>2 ->3"),
                call_chain: texts[usize::from(text ^ 1)],
                has_call_chain: crosses_kernel,
                count,
                mispredicted: count / 3,
            })
            .collect();
        let shard = Shard::from_bytes(shard(&rows)).expect("a shard");
        let written: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
        prop_assert_eq!(read(&shard), written);
        let expected: Vec<_> = rows.iter().map(|row| format!("{:?}", for_profile(*row))).collect();
        prop_assert_eq!(read_for_profile(&shard), expected);
    }
}

#[test]
fn a_group_tells_the_record_of_all_its_rows() {
    let stack = Row {
        record: Record::Stack,
        branch_stack: Some("1>2"),
        ..branch(0, 0, 7)
    };
    let mut writer = ShardWriter::new(Vec::new()).expect("memory");
    for rows in [&[branch(1, 2, 3)][..], &[stack, stack], &[branch(5, 6, 7), stack]] {
        writer.write(rows).expect("memory");
    }
    let shard = Shard::from_bytes(writer.finish(&Metadata::default()).expect("memory")).expect("a shard");
    let records: Vec<_> = (0..shard.groups()).map(|group| shard.record_of(group)).collect();
    assert_eq!(records, [Some(Record::Branch), Some(Record::Stack), None]);
}
