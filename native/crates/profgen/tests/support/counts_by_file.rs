//! Adds up the rows of trace shards by file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use traceshard::{Error, Record, Row, Shard};

/// Returns the sum of the counts of one kind of rows for each path of a file.
pub fn counts_by_file(shards: &[PathBuf], record: Record) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for shard in shards {
        let shard = Shard::open(shard).expect("a shard");
        for group in 0..shard.groups() {
            let add = |row: &Row<'_>| {
                if row.record == record {
                    *counts.entry(row.path.to_owned()).or_default() += row.count;
                }
                Ok::<(), Error>(())
            };
            shard.read_group(group, add).expect("rows");
        }
    }
    counts
}
