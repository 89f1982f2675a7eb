//! Addresses for generated recordings, and the sum of trace shards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use traceshard::{Metadata, Row, Shard, ShardWriter};

/// Returns addresses of `calc`, relative to the load address of its code: stubs and padding at the beginning,
/// other code, and the middle of instructions.
pub fn address(code: (u64, u64, u64), known: Vec<u64>) -> impl Strategy<Value = u64> {
    let (start, len, _) = code;
    prop_oneof![
        2 => (0u64..0x60).prop_map(move |offset| start + offset),
        6 => prop::sample::select(known.clone()),
        1 => (prop::sample::select(known), 1u64..40).prop_map(|(address, offset)| address + offset),
        1 => (0..len).prop_map(move |offset| start + offset),
        2 => Just(0x7f00_0000_0000),
        1 => Just(0xffff_ffff_8100_0000),
    ]
}

/// Adds up the rows of files as an engine does it, after the counts of each file are multiplied by its weight. Rows with
/// the weight 0 stay.
pub fn sum(shards: &[PathBuf], weights: &[u64], to: &Path) {
    let mut texts = BTreeMap::new();
    for (path, weight) in shards.iter().zip(weights) {
        let shard = Shard::open(path).expect("a shard");
        for group in 0..shard.groups() {
            let add = |row: &Row<'_>| {
                // The key is text, because rows do not outlive the group.
                let key = format!(
                    "{:?}",
                    Row {
                        count: 0,
                        mispredicted: 0,
                        ..*row
                    }
                );
                let entry = texts.entry(key).or_insert_with(|| (own(row), 0u64, 0u64));
                entry.1 += row.count * weight;
                entry.2 += row.mispredicted * weight;
                Ok::<(), traceshard::Error>(())
            };
            shard.read_group(group, add).expect("rows");
        }
    }
    let rows: Vec<_> = texts
        .values()
        .map(|(row, count, mispredicted)| Row {
            count: *count,
            mispredicted: *mispredicted,
            ..*row
        })
        .collect();
    let mut writer = ShardWriter::new(Vec::new()).expect("memory");
    writer.write(&rows).expect("memory");
    std::fs::write(to, writer.finish(&Metadata::default()).expect("memory")).expect("written");
}

/// Returns each path as often as its weight says.
pub fn repeated(paths: &[PathBuf], weights: &[u64]) -> Vec<PathBuf> {
    let each = paths.iter().zip(weights);
    each.flat_map(|(path, weight)| std::iter::repeat_n(path.clone(), *weight as usize))
        .collect()
}

/// Returns weights for up to five files. The first weight is not 0.
pub fn weights() -> impl Strategy<Value = Vec<u64>> {
    let weights = (1u64..4, prop::collection::vec(0u64..4, 4));
    weights.prop_map(|(first, others)| [vec![first], others].concat())
}

/// Returns a row with texts of its own, which are never freed, because a test is short.
fn own(row: &Row<'_>) -> Row<'static> {
    fn leak(text: &str) -> &'static str {
        Box::leak(text.to_owned().into_boxed_str())
    }
    Row {
        build_id: row.build_id.map(leak),
        path: leak(row.path),
        event: row.event.map(leak),
        arch: row.arch.map(leak),
        via: row.via.map(leak),
        patch: row.patch.map(leak),
        branch_stack: row.branch_stack.map(leak),
        call_chain: row.call_chain.map(leak),
        ..Row {
            build_id: None,
            path: "",
            event: None,
            arch: None,
            via: None,
            patch: None,
            branch_stack: None,
            call_chain: None,
            ..*row
        }
    }
}
