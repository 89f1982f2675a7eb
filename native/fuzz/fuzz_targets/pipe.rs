//! Reads records of a pipe. The first byte chooses the byte order. A stream and a file with the same bytes must give
//! the same result.
#![no_main]

use autofdo_gen_fuzz::read_both_ways;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, records)) = bytes.split_first() else {
        return;
    };
    let mut stream = if choice & 1 == 0 {
        [b"PERFILE2".as_slice(), &16_u64.to_le_bytes()].concat()
    } else {
        [b"2ELIFREP".as_slice(), &16_u64.to_be_bytes()].concat()
    };
    stream.extend_from_slice(records);
    let (file, stream) = read_both_ways(&stream);
    // The declaration of an event may stand after its samples. Only the reader of a file knows such an event from the
    // start.
    let same =
        |summary: &autofdo_gen_fuzz::Summary| (summary.mmaps, summary.complete, summary.samples + summary.unusable);
    assert_eq!(file.as_ref().map(same), stream.as_ref().map(same));
});
