//! Tests packets and records, both of a real CPU and synthetic ones.

use proptest::prelude::*;
use spe::{Address, Decoder, Packet, Parsed, Record, Stats, parse};
use testkit::SpeRecord;

/// Decodes all records of a trace that comes in pieces of these lengths, over and over.
fn decode(trace: &[u8], pieces: &[usize]) -> (Vec<Record>, Stats) {
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    let mut at = 0;
    for piece in pieces.iter().cycle() {
        if at == trace.len() {
            break;
        }
        let end = trace.len().min(at + piece);
        decoder.feed(&trace[at..end], at as u64, |record, end| {
            assert!(end > 0 && end <= trace.len() as u64);
            found.push(*record);
        });
        at = end;
    }
    (found, decoder.stats())
}

fn whole(trace: &[u8]) -> (Vec<Record>, Stats) {
    decode(trace, &[usize::MAX / 2])
}

fn address(virtual_address: u64, exception_level: u8) -> Option<Address> {
    Some(Address {
        virtual_address,
        exception_level,
    })
}

fn bytes(packets: &[&str]) -> Vec<u8> {
    let digits = packets.iter().flat_map(|packet| packet.split(' '));
    digits.map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect()
}

/// Decodes a load and a branch of a Neoverse N1 (the bytes that perf_data_converter decodes in
/// `arm_spe_decoder_test.cc`).
#[test]
fn bytes_that_a_cpu_wrote_are_decoded() {
    let trace = bytes(&[
        "b0 d0 c2 a1 ed 66 ba ff c0 00 00 00 00 00 65 80 5f 00 00 49 00 52 16 00 99 04 00 98 0c 00",
        "b2 28 6b 09 03 37 0e ff 00 9a 01 00 00 00 00 00 00 00 00 00 00 43 00 00 00 71 2e 65 2f 6a 0a 00 00 00",
        "b0 e0 b0 ef ed 66 ba ff c0 00 00 00 00 00 65 0e 00 00 00 4a 01 52 42 00 99 10 00 98 11 00",
        "b1 e4 b0 ef ed 66 ba ff c0 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 71 8d 65 2f 6a 0a 00 00 00",
    ]);
    let load = Record {
        pc: address(0xffff_ba66_eda1_c2d0, 2),
        events: Some(0x16),
        context: Some(0x5f80),
        timestamp: Some(44_731_163_950),
        operation: Some((1, 0)),
        ..Record::default()
    };
    let branch = Record {
        pc: address(0xffff_ba66_edef_b0e0, 2),
        target: address(0xffff_ba66_edef_b0e4, 2),
        events: Some(0x42),
        context: Some(0xe),
        timestamp: Some(44_731_164_045),
        operation: Some((2, 1)),
        ..Record::default()
    };
    let (found, stats) = whole(&trace);
    assert_eq!(found, [load, branch]);
    assert_eq!(
        stats,
        Stats {
            records: 2,
            ..Stats::default()
        }
    );
    assert!(!load.is_branch() && load.is_retired());
    assert!(branch.is_branch() && branch.is_retired() && branch.is_not_taken() && !branch.is_mispredicted());
}

/// The bytes are no trace (they are from the same file as those above): they begin with packets of unknown types, and
/// their record has no end.
#[test]
fn bytes_that_no_cpu_wrote_are_counted_as_damage() {
    let mut decoder = Decoder::new();
    let trace = bytes(&["ab cd ef ff 99 88 77 66 55 44"]);
    decoder.feed(&trace, 0, |record, _| panic!("{record:?}"));
    decoder.note_gap();
    let expected = Stats {
        cut: 1,
        unknown_packets: 2,
        ..Stats::default()
    };
    assert_eq!(decoder.stats(), expected);
}

/// In an address of a process, bit 55 is clear. The bits above stay clear, too, at any exception level.
#[test]
fn addresses_have_the_bits_above_that_bit_55_says() {
    for (packet, expected) in [
        ("b0 f0 ff ff ff ff ff 7f 80", address(0x7f_ffff_ffff_fff0, 0)),
        ("b0 00 00 00 00 00 80 ff e0", address(0xffff_8000_0000_0000, 3)),
        ("b0 00 10 00 00 aa aa 00 a0", address(0xaaaa_0000_1000, 1)),
    ] {
        let (found, _) = whole(&bytes(&[packet, "01"]));
        assert_eq!(found[0].pc, expected, "{packet}");
    }
}

#[test]
fn headers_of_two_bytes() {
    // The trace has an address packet with index 8 + 1, which is no target, a counter packet with this index, and
    // an unknown class.
    let trace = bytes(&[
        "21 b1 01 02 03 04 05 06 07 08",
        "22 99 01 02",
        "23 40 ff",
        "b1 10 00 00 00 00 00 00 80 01",
    ]);
    let (found, stats) = whole(&trace);
    assert_eq!(
        found,
        [Record {
            target: address(0x10, 0),
            ..Record::default()
        }]
    );
    assert_eq!((stats.unknown_packets, stats.bad_bytes), (1, 0));
}

/// Padding up to a boundary counts from the start of the buffer, wherever the pieces are cut.
#[test]
fn padding_up_to_a_boundary() {
    let mut trace = bytes(&["b1 10 00 00 00 00 00 00 80 01", "23 00 ff ff ff ff"]);
    assert_eq!(trace.len(), 16);
    trace.extend(bytes(&["b1 20 00 00 00 00 00 00 80 01"]));
    for piece in 1..trace.len() {
        let (found, stats) = decode(&trace, &[piece]);
        let targets: Vec<_> = found.iter().map(|record| record.target).collect();
        assert_eq!(targets, [address(0x10, 0), address(0x20, 0)], "pieces of {piece}");
        assert_eq!(
            stats,
            Stats {
                records: 2,
                ..Stats::default()
            }
        );
    }
}

#[test]
fn packets_of_unknown_types_are_passed_over() {
    for packet in [
        "40 ff",
        "51 01 01",
        "6c 01 01 01 01",
        "bf 01 01 01 01 01 01 01 01",
        "83 ff",
    ] {
        let (found, stats) = whole(&bytes(&[packet, "b1 10 00 00 00 00 00 00 80 01"]));
        assert_eq!(found[0].target, address(0x10, 0), "{packet}");
        assert_eq!((found.len(), stats.bad_bytes, stats.cut), (1, 0, 0), "{packet}");
    }
}

/// Bytes that are no packet spoil the record that they are in, and no other record.
#[test]
fn bytes_that_are_no_packets() {
    let [a, b, c] = [0x10, 0x20, 0x30].map(|pc| SpeRecord::taken(pc, 0).encode());
    let mut broken = b.clone();
    broken[9] = 0xff;
    let (found, stats) = whole(&[a, broken, c].concat());
    assert_eq!(
        found.iter().map(|record| record.pc).collect::<Vec<_>>(),
        [address(0x10, 0), address(0x30, 0)]
    );
    assert_eq!((stats.records, stats.cut), (2, 1));
    assert_eq!(stats.bad_bytes, 64 - 9);
}

#[test]
fn missing_bytes_cut_one_record() {
    let [a, b] = [0x10, 0x20].map(|pc| SpeRecord::taken(pc, 0).encode());
    for length in 0..a.len() {
        let mut decoder = Decoder::new();
        let mut found = Vec::new();
        decoder.feed(&a[..length], 0, |record, _| found.push(*record));
        decoder.note_gap();
        decoder.feed(&b, 4096, |record, _| found.push(*record));
        assert_eq!(
            found.iter().map(|record| record.pc).collect::<Vec<_>>(),
            [address(0x20, 0)]
        );
        assert_eq!(decoder.stats().cut, u64::from(length > 0), "{length} bytes");
    }
}

fn records() -> impl Strategy<Value = Vec<SpeRecord>> {
    let record = (
        0..1_u64 << 55,
        0..1_u64 << 55,
        prop::option::of(0..1_u64 << 55),
        any::<u16>(),
        prop::option::of(any::<u32>()),
        prop::option::of(any::<u64>()),
        (0..4_u8, any::<u8>()),
        0..4_u8,
    );
    let record = record.prop_map(
        |(pc, target, previous_target, events, context, timestamp, operation, exception_level)| SpeRecord {
            pc,
            target,
            previous_target,
            events,
            context,
            timestamp,
            operation,
            exception_level,
        },
    );
    prop::collection::vec(record, 0..20)
}

fn expected(record: &SpeRecord) -> Record {
    let at = |virtual_address| address(virtual_address, record.exception_level);
    Record {
        pc: at(record.pc),
        target: at(record.target).filter(|_| record.operation.0 == 2),
        previous_target: record.previous_target.and_then(at),
        events: Some(record.events.into()),
        context: record.context,
        timestamp: record.timestamp,
        operation: Some(record.operation),
    }
}

proptest! {
    #[test]
    fn any_records_in_any_pieces(records in records(), pieces in prop::collection::vec(1..80_usize, 1..8)) {
        let trace: Vec<u8> = records.iter().flat_map(SpeRecord::encode).collect();
        let (found, stats) = decode(&trace, &pieces);
        prop_assert_eq!(found, records.iter().map(expected).collect::<Vec<_>>());
        prop_assert_eq!(stats, Stats { records: records.len() as u64, ..Stats::default() });
    }

    /// The positions at which the bytes are cut change nothing, and each byte is counted.
    #[test]
    fn any_bytes_in_any_pieces(trace in prop::collection::vec(any::<u8>(), 0..400), pieces in prop::collection::vec(1..30_usize, 1..8)) {
        prop_assert_eq!(decode(&trace, &pieces), whole(&trace));
    }

    /// The header of a packet determines its length at any position.
    #[test]
    fn packets_do_not_depend_on_what_is_behind_them(trace in prop::collection::vec(any::<u8>(), 1..20), offset in any::<u64>()) {
        if let Parsed::Packet(packet, length) = parse(&trace, offset) {
            prop_assert!(length > 0 && length <= 16);
            prop_assert!(packet == Packet::Padding || parse(&trace[..length], offset) == Parsed::Packet(packet, length));
        }
        if let Parsed::Incomplete(length) = parse(&trace, offset) {
            prop_assert!(length > trace.len() && length <= 10);
        }
    }
}
