//! Decodes a trace of Arm SPE: its packets in pieces of any size, and the same trace between the records of a
//! recording.
#![no_main]

use autofdo_gen_fuzz::read_both_ways;
use libfuzzer_sys::fuzz_target;
use spe::Decoder;
use testkit::{EventSpec, PerfDataBuilder};

fuzz_target!(|bytes: &[u8]| {
    let Some((&[piece, offset, flags], trace)) = bytes.split_first_chunk::<3>() else {
        return;
    };
    let decode = |length: usize| {
        let mut decoder = Decoder::new();
        let mut records = Vec::new();
        let mut at = u64::from(offset);
        for piece in trace.chunks(length) {
            decoder.feed(piece, at, |record, end| records.push((*record, end)));
            at += piece.len() as u64;
        }
        decoder.note_gap();
        (records, decoder.stats())
    };
    let whole = decode(trace.len().max(1));
    assert_eq!(decode(usize::from(piece) + 1), whole);
    let (records, stats) = whole;
    assert_eq!(records.len() as u64, stats.records);

    let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec {
        event_type: 9,
        ..EventSpec::plain("arm_spe_0//")
    });
    builder.other(70, 0, &words(&[4, 9, 1]));
    builder.other(11, 0, &words(&[offset.into(), piece.into(), flags.into(), 0, 0, 0, 0]));
    for (number, part) in trace.chunks(usize::from(piece) + 1).enumerate() {
        let at = u64::from(offset) + number as u64 * (u64::from(piece) + 1);
        builder.other(
            71,
            0,
            &words(&[
                part.len() as u64,
                at,
                0,
                u64::from(u32::MAX) << 32,
                u64::from(flags & 1),
            ]),
        );
        builder.record(part.to_vec());
    }
    let _ = read_both_ways(&builder.build_file());
});
