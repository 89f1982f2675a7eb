//! Tests recordings with known content, as files, as streams and cut short.

use inspect::{EventCounts, Image, Inspection, inspect, inspect_shard};
use job::{ErrorCode, Silent};
use testkit::{Compression, EventSpec, MapSpec, PerfDataBuilder, SampleSpec, SpeRecord};
use traceshard::{BinaryKind, Loss, Metadata, Record, Row, ShardWriter};

const APP: u64 = 0x10_0000;
const LIBRARY: u64 = 0x20_0000;
const KERNEL: u64 = 0xffff_ffff_8100_0000;
const BUILD_ID: [u8; 20] = [0xab; 20];

/// Builds a recording of two events. Process 1 runs the program, process 2 runs the library, and the kernel is
/// mapped.
fn recording() -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let branches = builder.event(EventSpec::branch_stacks("branches"));
    let plain = builder.event(EventSpec::plain("plain"));
    builder.describe_events();
    builder.build_ids(&[("/bin/app", &BUILD_ID)]);
    builder.mmap(MapSpec::kernel(KERNEL, 0x100_0000, "_text", KERNEL));
    builder.mmap(MapSpec::code(1, APP, 0x1000, 0, "/bin/app"));
    builder.mmap(MapSpec::code(2, LIBRARY, 0x1000, 0, "/lib/library.so"));
    let stack = [(APP + 8, APP + 16), (APP + 32, APP)];
    builder.sample(SampleSpec::of(branches, 1).at(30).ip(APP + 8).branches(&stack));
    builder.sample(SampleSpec::of(branches, 1).at(20).ip(APP + 9).branches(&stack[..1]));
    builder.sample(SampleSpec::of(branches, 2).at(50).ip(LIBRARY).branches(&[]));
    builder.sample(SampleSpec::of(plain, 1).at(40).ip(APP));
    builder.sample(SampleSpec::of(plain, 1).at(45).ip(0x9999_0000));
    builder.lost(7, 60);
    builder
}

fn found(bytes: &[u8]) -> Inspection {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("perf.data");
    std::fs::write(&path, bytes).expect("written");
    inspect(&path, &Silent).expect("a recording")
}

fn image(path: &str, build_id: Option<&str>, samples: u64) -> Image {
    Image {
        path: path.to_owned(),
        build_id: build_id.map(str::to_owned),
        samples,
    }
}

fn assert_complete(found: &Inspection) {
    let counts = |samples, branch_samples, branch_entries| EventCounts {
        samples,
        branch_samples,
        branch_entries,
    };
    assert_eq!(found.events, [counts(3, 2, 3), counts(2, 0, 0)]);
    assert_eq!((found.branch_depth, found.time_span), (2, Some((20, 50))));
    assert_eq!((found.unknown_event, found.too_short), (0, 0));
    assert_eq!(found.stats.lost_records, 7);
    assert!(found.stats.complete(), "{:?}", found.stats.damage);
    let labels: Vec<String> = found.metadata.attrs.iter().map(perfdata::EventAttr::label).collect();
    assert_eq!(labels, ["branches", "plain"]);
}

#[test]
fn every_container_tells_the_same() {
    let builder = recording();
    for bytes in [
        builder.build_file(),
        builder.build_pipe(),
        builder.build_compressed_file(Compression::V1, 100),
    ] {
        assert_complete(&found(&bytes));
    }
}

#[test]
fn images_have_their_samples_and_build_ids() {
    let found = found(&recording().build_file());
    let id = "ab".repeat(20);
    assert_eq!(
        found.images,
        [
            image("/bin/app", Some(&id), 3),
            image("/lib/library.so", None, 1),
            image("[kernel.kallsyms]", None, 0),
        ]
    );
    assert_eq!(found.build_ids, [(id, "/bin/app".to_owned())]);
}

#[test]
fn a_mapping_that_comes_late_holds_for_samples_after_its_time() {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::plain("plain"));
    for time in [10, 30] {
        builder.sample(SampleSpec::of(event, 1).at(time).ip(APP));
    }
    builder.mmap(MapSpec::code(1, APP, 0x1000, 0, "/bin/app").at(20));
    assert_eq!(found(&builder.build_file()).images, [image("/bin/app", None, 1)]);
}

#[test]
fn records_that_cannot_be_read_are_counted() {
    let mut builder = recording();
    // These are a PERF_RECORD_SAMPLE without content, and one with an id that no event has.
    builder.other(9, 2, &[]);
    let ids = [0x7777_u64; 12].map(u64::to_le_bytes).concat();
    builder.other(9, 2, &ids);
    let found = found(&builder.build_file());
    assert_eq!(found.unknown_event + found.too_short, 2);
    assert_eq!(found.events.iter().map(|event| event.samples).sum::<u64>(), 5);
}

#[test]
fn a_cut_file_tells_what_comes_before_the_cut() {
    let whole = recording().build_pipe();
    let cut = found(&whole[..whole.len() - 20]);
    assert!(!cut.stats.complete());
    assert_eq!(cut.events[0].samples, 3);
}

#[test]
fn another_file_is_an_error_with_its_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "nothing that perf writes").expect("written");
    let error = inspect(&path, &Silent).expect_err("no recording");
    assert_eq!(
        (error.code, error.path.as_deref()),
        (ErrorCode::InputInvalid, Some(path.as_path()))
    );
    let missing = inspect(&folder.path().join("missing"), &Silent).expect_err("no file");
    assert_eq!(missing.code, ErrorCode::InputUnreadable);
}

#[test]
fn branches_of_a_raw_trace_are_samples() {
    let words = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec {
        event_type: 9,
        ..EventSpec::plain("arm_spe_0/branch_filter=1/u")
    });
    builder.other(70, 0, &words(&[4, 9, 1]));
    let bytes = SpeRecord::taken(0x10, 0x20).encode().repeat(3);
    builder.other(71, 0, &words(&[bytes.len() as u64, 0, 0, u64::from(u32::MAX) << 32, 0]));
    builder.record(bytes);
    for bytes in [builder.build_file(), builder.build_pipe()] {
        let found = found(&bytes);
        assert_eq!((found.stats.samples(), found.traced), (0, 3));
        assert_eq!(found.events[0].branch_samples, 3);
    }
}

#[test]
fn a_branch_from_one_file_to_another_is_one_branch_of_its_event_and_a_call_is_no_sample() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("traces.parquet");
    let row = |path, from, to| Row {
        record: Record::Branch,
        path,
        kind: Some(BinaryKind::User),
        event: Some("cycles"),
        from,
        to,
        ..Row::ledger(Loss::Entries, 5)
    };
    let address = Row {
        record: Record::Address,
        exact: Some(true),
        ..row("/bin/plain", Some(1), None)
    };
    let call = Row {
        record: Record::Call,
        ..row("/bin/plain", None, Some(1))
    };
    let rows = [
        row("/bin/app", Some(1), None),
        row("/bin/app", Some(1), Some(2)),
        row("/lib/library.so", None, Some(3)),
        address,
        call,
        Row {
            record: Record::Stack,
            branch_stack: Some("1>- 3>4"),
            call_chain: Some("1 -"),
            ..row("/bin/app", None, None)
        },
    ];
    let mut writer = ShardWriter::new(Vec::new()).expect("memory");
    writer.write(&rows).expect("memory");
    std::fs::write(&path, writer.finish(&Metadata::default()).expect("memory")).expect("written");
    let found = inspect_shard(&path, &Silent).expect("traces");
    assert_eq!(found.events, [("cycles".to_owned(), 15)]);
    let counts: Vec<_> = found
        .binaries
        .iter()
        .map(|(file, sums)| (file.path.as_str(), sums.rows, sums.count, sums.addresses, sums.stacks))
        .collect();
    assert_eq!(
        counts,
        [
            ("/bin/app", 3, 10, 0, 5),
            ("/lib/library.so", 1, 5, 0, 0),
            ("/bin/plain", 2, 0, 5, 0)
        ]
    );
}

#[test]
fn the_first_stack_that_cannot_be_read_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("traces.parquet");
    let message = |stack: &str, chain: Option<&str>| {
        let row = Row {
            record: Record::Stack,
            path: "/bin/app",
            kind: Some(BinaryKind::User),
            branch_stack: Some(stack),
            call_chain: chain,
            ..Row::ledger(Loss::Entries, 5)
        };
        let mut writer = ShardWriter::new(Vec::new()).expect("memory");
        writer.write(&[row]).expect("memory");
        std::fs::write(&path, writer.finish(&Metadata::default()).expect("memory")).expect("written");
        let error = inspect_shard(&path, &Silent).err()?;
        Some(error.message.replace(&path.display().to_string(), "a.parquet"))
    };
    assert_eq!(message("1>2", None), None);
    assert_eq!(message("1>2", Some("- 2")), None);
    let refused = |branch_stack: &str, call_chain: Option<&str>| message(branch_stack, call_chain).expect("refused");
    let found = refused("->-", None);
    let expected = "a.parquet: row 0: column `branch_stack` has \"->-\", and it must be `FROM>TO` in hexadecimal";
    assert!(found.starts_with(expected), "{found}");
    let found = refused("1>2", Some(""));
    let expected = "a.parquet: row 0: column `call_chain` has \"\", and it must be addresses in hexadecimal";
    assert!(found.starts_with(expected), "{found}");
    let long = message(&"x".repeat(100_000), None).expect("refused");
    assert!(
        long.len() < 300 && long.contains("\" and more, and it must be"),
        "{long}"
    );
}
