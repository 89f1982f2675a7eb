//! Reads compressed records. The first byte chooses between payloads as the input has them and records that are
//! compressed here. The latter reach the code after the decompression.
#![no_main]

use autofdo_gen_fuzz::read_both_ways;
use libfuzzer_sys::fuzz_target;
use testkit::{Compression, EventSpec, PerfDataBuilder};

fuzz_target!(|bytes: &[u8]| {
    let Some((&[choice, piece], rest)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec::branch_stacks("cycles"));
    let compression = match choice & 5 {
        0 => Compression::V1,
        1 => Compression::V2,
        _ => Compression::V2Merged,
    };
    if choice & 2 == 0 {
        // The input is a list of payloads, each after a byte that gives its length.
        let mut rest = rest;
        while let Some((&len, after)) = rest.split_first() {
            let (payload, after) = after.split_at(after.len().min(usize::from(len)));
            builder.other(if choice & 1 == 0 { 81 } else { 83 }, 0, payload);
            rest = after;
        }
        let (file, stream) = read_both_ways(&builder.build_pipe());
        assert_eq!(file, stream);
        return;
    }
    builder.record(rest.to_vec());
    let piece = usize::from(piece) + 1;
    let compressed = builder.build_compressed_pipe(compression, piece);
    let (file, stream) = read_both_ways(&compressed);
    assert_eq!(file, stream);
});
