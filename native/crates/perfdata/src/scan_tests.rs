use proptest::prelude::*;

use super::*;
use crate::stats::DamageKind;

/// The result that a scan must give, found the slow way: one record after the other.
#[derive(Debug, PartialEq, Eq)]
struct Serial {
    samples: u64,
    unknown: u64,
    /// Positions of all records.
    records: Vec<(u64, u16)>,
    damage: Option<DamageKind>,
    compressed_from: Option<u64>,
}

fn scan_serially(bytes: &[u8]) -> Serial {
    let mut found = Serial {
        samples: 0,
        unknown: 0,
        records: Vec::new(),
        damage: None,
        compressed_from: None,
    };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"[ perf record:") && rest.len() < 29216 {
            break;
        }
        let left = rest.len() as u64;
        if rest.len() < 8 {
            found.damage = Some(DamageKind::HeaderCutOff { left });
            break;
        }
        let record_type = u32::from_le_bytes(rest[..4].try_into().unwrap());
        let size = u16::from_le_bytes(rest[6..8].try_into().unwrap());
        if matches!(record_type, 81 | 83) {
            found.compressed_from = Some(at as u64);
            break;
        }
        if size < 8 {
            found.damage = Some(DamageKind::RecordTooSmall { size });
            break;
        }
        if rest.len() < usize::from(size) {
            found.damage = Some(DamageKind::RecordCutOff {
                size: u64::from(size),
                left,
            });
            break;
        }
        found.records.push((at as u64, size));
        found.samples += u64::from(record_type == 9);
        found.unknown += u64::from(!matches!(record_type, 1..=22 | 64..=84));
        at += usize::from(size);
        if record_type == 71 && size >= 16 {
            let payload = u64::from_le_bytes(rest[8..16].try_into().unwrap());
            let left = (bytes.len() - at) as u64;
            if payload > left {
                found.damage = Some(DamageKind::PayloadCutOff { size: payload, left });
                break;
            }
            at += payload as usize;
        }
    }
    found
}

fn scan_parallel(bytes: &[u8], piece_size: u64) -> Serial {
    let source = Arc::new(Source::memory(0, bytes.to_vec(), "test".to_owned()));
    let mut recording = Recording::new(ByteOrder::Little, false);
    let mut scanner = Scanner::new(source, 0..bytes.len() as u64, 0);
    scanner.piece_size = piece_size;
    let mut spare = SpareMemory::default();
    let mut stats = RecordStats::default();
    let mut records = Vec::new();
    while let Some(wave) = scanner.next_wave(&mut recording, &mut spare, None).unwrap() {
        // Chunks hold whole records, so each chunk can be walked.
        for (buffer, chunk) in &wave.chunks {
            let in_file = &bytes[chunk.start as usize..chunk.end as usize];
            assert_eq!(&wave.buffers[*buffer].from(chunk.start)[..in_file.len()], in_file);
            let mut at = chunk.start;
            while at < chunk.end {
                let size = u16::from_le_bytes(bytes[at as usize + 6..at as usize + 8].try_into().unwrap());
                records.push((at, size));
                at += u64::from(size);
            }
            assert_eq!(at, chunk.end);
        }
        stats.add(&wave.stats);
        spare.give(wave.buffers);
    }
    Serial {
        samples: stats.samples(),
        unknown: stats.unknown_records,
        records,
        damage: stats.damage.map(|damage| damage.kind),
        compressed_from: match scanner.end() {
            Some(ScanEnd::Compressed(position)) => Some(position),
            _ => None,
        },
    }
}

fn record(record_type: u32, body: &[u8]) -> Vec<u8> {
    let mut record = record_type.to_le_bytes().to_vec();
    record.extend([0, 0]);
    record.extend((body.len() as u16 + 8).to_le_bytes());
    record.extend_from_slice(body);
    record
}

/// Generates words that look like record headers, to make guesses wrong.
fn fake_headers() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => (1_u64..23, 1_u64..6).prop_map(|(kind, size)| kind | size << 51),
        1 => any::<u64>(),
        1 => Just(9 | 1 << 51),
    ];
    prop::collection::vec(word, 0..60).prop_map(|words| words.iter().flat_map(|word| word.to_le_bytes()).collect())
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        20 => fake_headers().prop_map(|body| record(9, &body)),
        4 => (0_usize..6, prop::collection::vec(any::<u64>(), 0..60)).prop_map(|(words, numbers)| {
            // These samples have equal headers.
            let bodies = numbers.iter().map(|number| number.to_le_bytes().repeat(words));
            bodies.flat_map(|body| record(9, &body)).collect()
        }),
        4 => (1_u32..85, fake_headers()).prop_map(|(kind, body)| {
            // Types of records with bytes after them are replaced by another type.
            record(if matches!(kind, 66 | 71 | 81 | 83) { 68 } else { kind }, &body)
        }),
        2 => (fake_headers(), fake_headers()).prop_map(|(body, payload)| {
            let mut body = [(payload.len() as u64).to_le_bytes().to_vec(), body].concat();
            body.resize(body.len().max(40), 0);
            [record(71, &body), payload].concat()
        }),
        1 => prop::collection::vec(any::<u8>(), 0..30).prop_map(|body| record(9, &body)),
        1 => prop::collection::vec(any::<u8>(), 0..12),
        1 => fake_headers(),
        1 => Just(record(81, &[1, 2, 3])),
        1 => Just(b"[ perf record: Woken up 1 times to write data ]\n".to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_bytes_scan_like_a_serial_walk(
        pieces in prop::collection::vec(piece(), 0..80),
        piece_size in 8_u64..3000,
        cut in 0_usize..40,
    ) {
        let mut bytes = pieces.concat();
        bytes.truncate(bytes.len().saturating_sub(cut));
        prop_assert_eq!(scan_parallel(&bytes, piece_size), scan_serially(&bytes));
    }

    #[test]
    fn whole_records_scan_like_a_serial_walk(
        bodies in prop::collection::vec(fake_headers(), 1..200),
        piece_size in 8_u64..3000,
    ) {
        let bytes: Vec<u8> = bodies.iter().flat_map(|body| record(9, body)).collect();
        let serial = scan_serially(&bytes);
        prop_assert_eq!(serial.samples, bodies.len() as u64);
        prop_assert_eq!(scan_parallel(&bytes, piece_size), serial);
    }
}

#[test]
fn guesses_are_right_in_an_ordinary_recording() {
    let bytes: Vec<u8> = (0..40_000_u64)
        .flat_map(|time| record(9, &[time.to_le_bytes(); 50].concat()))
        .collect();
    let source = Source::memory(0, bytes.clone(), "test".to_owned());
    for from in (1_000_003..16_000_000).step_by(1_000_003) {
        let bounds = from..from + 200_000;
        let mut piece = Piece::new(bounds, source.size(), Vec::new(), ByteOrder::Little);
        piece.buffer.read_on(&source, 200_000).unwrap();
        assert_eq!(piece.guess_boundary(0), Some(from.next_multiple_of(408)));
    }
}

#[test]
fn cancelling_ends_a_scan() {
    let bytes = record(9, &[0; 40]).repeat(1000);
    let size = bytes.len() as u64;
    let source = Arc::new(Source::memory(0, bytes, "test".to_owned()));
    let mut recording = Recording::new(ByteOrder::Little, false);
    let cancelled = AtomicBool::new(true);
    let result =
        Scanner::new(source, 0..size, 0).next_wave(&mut recording, &mut SpareMemory::default(), Some(&cancelled));
    assert!(matches!(result, Err(Error::Cancelled)));
}
