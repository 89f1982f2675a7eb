//! Of a shard with many builds, only the row groups of the wanted build are read.
#![cfg(target_os = "linux")]

use std::path::Path;

use profgen::{Format, GenerateOptions, Input, Silent, generate};
use testkit::Fixture;
use traceshard::{BinaryKind, Metadata, Record, Row, Shard, ShardWriter};

/// Number of builds in the shard, and of rows of each build.
const BUILDS: u64 = 40;
const ROWS: u64 = 10_000;

/// Build id of the program `calc`.
const OWN: &str = "0645410aaf57b3646abef104f5623a0eff19246f";

fn write_shard(build_ids: &[String], path: &Path) {
    let mut writer = ShardWriter::new(Vec::new()).expect("memory");
    let rows = build_ids.iter().flat_map(|build_id| {
        (0..ROWS).map(move |number| {
            let address = |salt: u64| ((number + salt).pow(3).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) + 0x1000;
            // Other programs call this function of `calc`, and the run after the call has these ends in the file.
            let (from, to, end) = if build_id == OWN {
                (None, 0x179a, Some(0x17a2))
            } else {
                (Some(address(0)), address(ROWS), None)
            };
            Row {
                record: Record::Branch,
                build_id: Some(build_id),
                path: "/bin/calc",
                kind: Some(BinaryKind::User),
                event: Some("cycles"),
                from,
                to: Some(to),
                end,
                newest: end.is_none(),
                ..Row::ledger(traceshard::Loss::Entries, 1)
            }
        })
    });
    writer.write(&rows.collect::<Vec<_>>()).expect("memory");
    std::fs::write(path, writer.finish(&Metadata::default()).expect("memory")).expect("written");
}

/// Returns the number of bytes that this process has read so far (Linux: proc_pid_io(5)).
fn bytes_read() -> u64 {
    let counts = std::fs::read_to_string("/proc/self/io").expect("counts");
    let line = counts.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.expect("bytes read").parse().expect("a number")
}

/// This is the only test of this file, because the system counts the bytes of all tests.
#[test]
fn row_groups_of_other_builds_are_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let others = (0..BUILDS).map(|build| format!("{:040x}", u128::from(build + 1) << 90));
    let mut all: Vec<String> = others.chain([OWN.to_owned()]).collect();
    all.sort_unstable();
    let run = |build_ids: &[String], name: &str| {
        let path = folder.path().join(name);
        write_shard(build_ids, &path);
        let groups = Shard::open(&path).expect("a shard").groups() as u64;
        let options = GenerateOptions {
            skip_symbolization: true,
            jobs: 2,
            ..GenerateOptions::new(
                Fixture::named("calc-x86_64").program(),
                Input::Traces(vec![path.clone()]),
            )
        };
        let options = GenerateOptions {
            format: Format::Text,
            ..options
        };
        let before = bytes_read();
        let profile = generate(&options, &Silent).expect("a profile").bytes;
        let read = bytes_read() - before;
        (profile, read, groups, path.metadata().expect("a file").len())
    };
    let (alone, read_alone, ..) = run(&[OWN.to_owned()], "alone.parquet");
    let (among_others, read, groups, size) = run(&all, "all.parquet");
    assert_eq!(among_others, alone);
    assert_eq!(groups, BUILDS + 1);
    // The description of a group has about 2 KiB. It is read twice.
    let descriptions = groups * 6 * 1024;
    assert!(
        read - read_alone < descriptions && descriptions < size / 4,
        "{read} bytes of {size}, and {read_alone} of one build alone"
    );
}
