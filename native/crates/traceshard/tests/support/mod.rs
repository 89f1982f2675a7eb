//! Builds rows for tests.

use traceshard::{BinaryKind, Metadata, Record, Row, ShardWriter};

/// Makes a row of a branch of the build `ab`.
pub fn branch(from: u64, to: u64, count: u64) -> Row<'static> {
    Row {
        record: Record::Branch,
        build_id: Some("ab"),
        path: "/bin/a",
        kind: Some(BinaryKind::User),
        event: Some("cycles"),
        arch: Some("x86_64"),
        from: Some(from),
        to: Some(to),
        end: None,
        newest: true,
        stack_end: None,
        crosses_kernel: Some(false),
        via: None,
        patch: None,
        exact: None,
        taken: None,
        run_start: None,
        branch_stack: None,
        call_chain: None,
        has_call_chain: None,
        count,
        mispredicted: 0,
    }
}

/// Builds a shard of these rows.
pub fn shard(rows: &[Row<'_>]) -> Vec<u8> {
    let mut writer = ShardWriter::new(Vec::new()).expect("memory");
    writer.write(rows).expect("memory");
    writer.finish(&Metadata::default()).expect("memory")
}
