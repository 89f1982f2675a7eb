//! Decodes samples of any event. The input is an attr of 136 bytes, then the bodies of the samples, each after a byte
//! that gives its length in words.
#![no_main]

use autofdo_gen_fuzz::read_both_ways;
use libfuzzer_sys::fuzz_target;
use testkit::{Endian, EventSpec, PerfDataBuilder};

fuzz_target!(|bytes: &[u8]| {
    let Some((&[choice, sample_type @ .., a, b, c], mut rest)) = bytes.split_first_chunk::<12>() else {
        return;
    };
    let word = |bytes: [u8; 8]| u64::from_le_bytes(bytes);
    let mut builder = PerfDataBuilder::with_endian(if choice & 1 == 0 { Endian::Little } else { Endian::Big });
    builder.event(EventSpec {
        read_format: u64::from(a),
        branch_sample_type: u64::from(b) << 10 | 9,
        flags: if c & 1 == 0 { 1 << 18 } else { 0 },
        ..EventSpec::plain("any").sample_type(word(sample_type))
    });
    if choice & 2 != 0 {
        builder.event(EventSpec::branch_stacks("other"));
    }
    while let Some((&words, after)) = rest.split_first() {
        let (body, after) = after.split_at(after.len().min(8 * usize::from(words)));
        builder.other(9, 2, body);
        rest = after;
    }
    let (file, stream) = read_both_ways(&builder.build_pipe());
    assert_eq!(file, stream);
});
