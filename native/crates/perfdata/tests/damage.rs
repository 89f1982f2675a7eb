//! Tests of damaged inputs: the records before the damage are kept, and the damage is reported.

mod support;

use std::path::Path;

use perfdata::{DamageKind, Error, Lookalike, PerfData};
use support::{read_file, read_stream, small_recording};
use testkit::{Compression, PerfDataBuilder};

fn open_error(bytes: &[u8]) -> Error {
    PerfData::from_bytes(bytes.to_vec(), "bytes").expect_err("it is no recording")
}

#[test]
fn cut_at_every_byte() {
    let builder = small_recording(4);
    let (file, pipe) = (builder.build_file(), builder.build_pipe());
    let whole = read_file(&file).samples;
    for len in 0..file.len() {
        let Ok(input) = PerfData::from_bytes(file[..len].to_vec(), "cut") else {
            continue;
        };
        let all = support::read_all(input);
        assert!(!all.stats.complete(), "cut to {len} of {} bytes", file.len());
        assert_eq!(all.samples[..], whole[..all.samples.len()]);
    }
    for len in 16..pipe.len() {
        let all = read_stream(&pipe[..len]);
        assert_eq!(all.samples[..], whole[..all.samples.len()]);
        let from_file = read_file(&pipe[..len]);
        assert_eq!(from_file.samples, all.samples);
        assert_eq!(from_file.stats.damage, all.stats.damage, "cut to {len} bytes");
    }
}

#[test]
fn cut_compressed_file_keeps_what_can_be_decompressed() {
    let file = small_recording(200).build_compressed_file(Compression::V1, 512);
    let whole = read_file(&file);
    let mut most = 0;
    for len in (0..file.len()).step_by(37) {
        let Ok(input) = PerfData::from_bytes(file[..len].to_vec(), "cut") else {
            continue;
        };
        let all = support::read_all(input);
        assert!(!all.stats.complete());
        assert_eq!(all.samples[..], whole.samples[..all.samples.len()]);
        most = most.max(all.samples.len());
    }
    assert!(most > 190, "{most} samples before the last cut");
}

#[test]
fn compressed_maps_cannot_fill_the_memory() {
    let mut builder = small_recording(10);
    for _ in 0..200_000 {
        builder.mmap(testkit::MapSpec::code(7, 0x7000_0000, 0x1000, 0, "/lib/same.so").at(3));
    }
    let bytes = builder.build_compressed_file(Compression::V1, 1 << 16);
    assert!(bytes.len() < 100_000, "{} bytes for 200,000 maps", bytes.len());
    let all = read_file(&bytes);
    assert_eq!(
        all.stats.damage.map(|damage| damage.kind),
        Some(DamageKind::InflatedTooFar)
    );
    assert_eq!(all.samples.len(), 10);
    assert!((60_000..120_000).contains(&all.stats.mmaps()));
}

#[test]
fn compressed_garbage_is_damage() {
    let mut builder = small_recording(10);
    builder.other(81, 0, &[0x55; 100]);
    let all = read_file(&builder.build_file());
    assert_eq!(all.samples.len(), 10);
    assert_eq!(
        all.stats.damage.map(|damage| damage.kind),
        Some(DamageKind::BadCompression)
    );
}

#[test]
fn killed_perf_leaves_samples() {
    let builder = small_recording(50);
    let all = read_file(&builder.build_killed_file());
    assert_eq!(all.samples.len(), 50);
    assert_eq!(
        all.stats.damage.map(|damage| damage.kind),
        Some(DamageKind::NotFinished)
    );
    assert_eq!(read_stream(&builder.build_killed_file()).samples, all.samples);
}

#[test]
fn record_of_impossible_size_ends_the_input() {
    for size in 0..8_u16 {
        let mut builder = small_recording(5);
        let mut record = 9_u32.to_le_bytes().to_vec();
        record.extend(0_u16.to_le_bytes());
        record.extend(size.to_le_bytes());
        builder.record(record);
        support::fill(&mut builder, 0, 5);
        for all in [read_file(&builder.build_file()), read_stream(&builder.build_pipe())] {
            assert_eq!(all.samples.len(), 5);
            assert_eq!(
                all.stats.damage.map(|damage| damage.kind),
                Some(DamageKind::RecordTooSmall { size })
            );
        }
    }
}

#[test]
fn unknown_records_and_ids_are_counted() {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(testkit::EventSpec::branch_stacks("cycles"));
    let other = builder.event(testkit::EventSpec::branch_stacks("instructions"));
    builder.other(40, 0, &[0; 16]).other(200, 0, &[0; 24]);
    builder.sample(testkit::SampleSpec::of(event, 1));
    let mut strange = builder.clone();
    strange.sample(testkit::SampleSpec::of(other, 1));
    let records = strange.records();
    let sample = &records[records.len() - 64..];
    let mut with_unknown_id = sample.to_vec();
    with_unknown_id[8..16].copy_from_slice(&0xdead_u64.to_le_bytes());
    builder.record(with_unknown_id);
    builder.record(sample.to_vec());
    let all = read_file(&builder.build_file());
    assert_eq!(all.stats.unknown_records, 2);
    assert_eq!(all.chunk_stats.unknown_event, 1);
    assert_eq!(
        all.samples.iter().map(|sample| sample.event).collect::<Vec<_>>(),
        [0, 1]
    );
    assert!(all.stats.complete());
}

#[test]
fn sample_too_short_for_its_event_is_counted() {
    let mut builder = small_recording(0);
    builder.other(9, 2, &[0; 40]);
    // One branch stack states more entries than there are, and another has a size that overflows.
    for count in [3_u64, u64::MAX, u64::MAX / 24 + 2] {
        let mut body = vec![0; 48];
        body.extend(count.to_le_bytes());
        body.extend([0; 48]);
        builder.other(9, 2, &body);
    }
    let all = read_file(&builder.build_file());
    assert_eq!(all.chunk_stats.malformed, 4);
    assert!(all.samples.is_empty());
    assert!(all.stats.complete());
}

#[test]
fn short_records_are_counted() {
    let mut builder = small_recording(1);
    for record_type in [1, 2, 3, 7, 10, 13, 64, 65, 67, 78, 80] {
        builder.other(record_type, 0, &[]);
    }
    let all = read_file(&builder.build_file());
    assert_eq!(all.stats.malformed_records, 11);
    assert_eq!(all.samples.len(), 1);
}

#[test]
fn messages_of_perf_after_a_pipe_are_not_damage() {
    let mut pipe = small_recording(10).build_pipe();
    pipe.extend_from_slice(
        b"[ perf record: Woken up 1 times to write data ]\n[ perf record: Captured and wrote 0.001 MB - ]\n",
    );
    for all in [read_file(&pipe), read_stream(&pipe)] {
        assert_eq!(all.samples.len(), 10);
        assert_eq!(all.stats.damage, None);
    }
}

#[test]
fn missing_features_are_told() {
    let mut builder = small_recording(3);
    builder.string_feature(3, "host").string_feature(4, "6.1.0");
    let file = builder.build_file();
    let all = read_file(&file[..file.len() - 40]);
    assert_eq!(all.samples.len(), 3);
    assert_eq!(all.input.metadata().hostname.as_deref(), Some("host"));
    assert_eq!(all.input.metadata().unreadable_features, [4]);
    assert_eq!(
        all.stats.damage.map(|damage| damage.kind),
        Some(DamageKind::FeaturesCutOff)
    );
}

#[test]
fn files_of_other_kinds_are_named() {
    for (bytes, expected) in [
        (&b""[..], Lookalike::Empty),
        (
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0",
            Lookalike::Elf,
        ),
        (b"\x1f\x8b\x08\0\0\0\0\0", Lookalike::Gzip),
        (b"\xfd7zXZ\0", Lookalike::Xz),
        (b"\x28\xb5\x2f\xfd\0", Lookalike::Zstd),
        (b"PAR1\x15\x04\x15\x14", Lookalike::Parquet),
        (b"\x84\xe4\xd0\xb1\xf4\xc9\x94\xa8\x53\x67", Lookalike::SampleProfile),
        (b"\xff\xe5\xd0\xb1\xf4\xc9\x94\xa8\x53\x67", Lookalike::SampleProfile),
        (b"zstd 1234 100.0: cycles:\n", Lookalike::Text),
        (b"\0\x01\x02", Lookalike::Unknown([0, 1, 2, 0, 0, 0, 0, 0])),
    ] {
        assert!(
            matches!(open_error(bytes), Error::NotPerfData { found, .. } if found == expected),
            "{expected:?}"
        );
    }
}

#[test]
fn headers_that_cannot_be_right_are_refused() {
    let file = small_recording(1).build_file();
    assert!(matches!(
        open_error(&file[..104]),
        Error::SectionOutOfFile { section: "attr", .. }
    ));
    assert!(matches!(
        open_error(&file[..60]),
        Error::HeaderTooShort {
            found: 60,
            expected: 104,
            ..
        }
    ));
    let with = |at: usize, value: u64| {
        let mut file = file.clone();
        file[at..at + 8].copy_from_slice(&value.to_le_bytes());
        file
    };
    assert!(matches!(
        open_error(&with(16, 0)),
        Error::AttrEntrySize { found: 0, .. }
    ));
    assert!(matches!(
        open_error(&with(24, u64::MAX)),
        Error::SectionOutOfFile { section: "attr", .. }
    ));
    assert!(matches!(open_error(&with(32, 0)), Error::NoEvents { .. }));
    assert!(matches!(open_error(&with(40, 104)), Error::AttrsOverlapData { .. }));
    // The offset and size of the ids stand after the 136 bytes of the attr.
    assert!(matches!(
        open_error(&with(112 + 136 + 8, 1 << 60)),
        Error::SectionOutOfFile {
            section: "event id",
            ..
        }
    ));
}

#[test]
fn directory_without_data_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    assert!(matches!(
        PerfData::open(directory.path()),
        Err(Error::NotPerfDirectory { .. })
    ));
    assert!(matches!(
        PerfData::open(Path::new("/nonexistent/perf.data")),
        Err(Error::Io { .. })
    ));
}
