//! Reads a trace shard as a job does: its description and all its rows. A fault in the shard must give an error.
#![no_main]

use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use traceshard::{Error, Needs, Row, Shard, branches_of, parse_branch_stack, parse_call_chain, parse_patch};

/// The Parquet library panics on some damage, and `traceshard` catches these panics. The fuzzer's hook would end the
/// process first, so the target replaces the hook. A panic that nothing catches still ends the process.
static QUIET: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| ())));
    let Ok(shard) = Shard::from_bytes(bytes.to_vec()) else {
        return;
    };
    for group in 0..shard.groups() {
        let _ = shard.build_ids_of(group);
        let mut rows = 0;
        let (mut entries, mut frames) = (Vec::new(), Vec::new());
        let _ = shard.record_of(group);
        let read = shard.read_group(group, |row: &Row<'_>| {
            let _ = row.via.map(|via| branches_of(via).count());
            let _ = row.patch.map(parse_patch);
            let _ = row.branch_stack.map(|stack| parse_branch_stack(stack, &mut entries));
            let _ = row.call_chain.map(|chain| parse_call_chain(chain, &mut frames));
            rows += 1;
            Ok::<(), Error>(())
        });
        assert!(read.is_err() || rows == shard.rows_of(group));
        // The rows of a profile need fewer columns, so they may be sound where all columns are not.
        let mut needed = 0;
        let for_profile = shard.read_blocks(group, Needs::NotForBolt, |block| {
            for row in block.rows() {
                row?;
                needed += 1;
            }
            Ok::<(), Error>(())
        });
        assert!(for_profile.is_ok() || read.is_err());
        assert!(for_profile.is_err() || needed == shard.rows_of(group));
        let _ = shard.read_binaries(group, |_| ());
    }
});
