//! A stream of Arm SPE that runs for days: the trace is counted while it comes, in bounded memory and without files that
//! grow, and finished shards stay when the collection is killed.
#![cfg(unix)]

#[path = "support/counts_by_file.rs"]
mod counts_by_file;
#[path = "support/spe_rounds.rs"]
mod spe_rounds;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use counts_by_file::counts_by_file;
use profgen::{CollectOptions, Rotation, Silent, collect};
use spe_rounds::{BRANCHES, CPUS, PROCESSES, ROUNDS, part};
use testkit::{CountingAllocator, make_named_pipe};
use traceshard::Record;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

fn shards_in(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    let paths = files.map(|file| file.expect("readable").path());
    let is_shard = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "parquet");
    paths.filter(is_shard).collect()
}

/// Returns the number of bytes that this process has in files without a name.
fn bytes_in_nameless_files() -> u64 {
    let links = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let nameless = links.filter(|link| {
        std::fs::read_link(link.path()).is_ok_and(|target| target.to_string_lossy().ends_with("(deleted)"))
    });
    nameless
        .filter_map(|link| std::fs::metadata(link.path()).ok())
        .map(|file| file.len())
        .sum()
}

struct Collected {
    by_file: BTreeMap<String, u64>,
    /// Peak of the memory in MiB, and of temporary files in bytes.
    memory: usize,
    disk: u64,
    diagnostics: Vec<String>,
    shards: usize,
}

/// Collects a stream of some parts.
fn collect_parts(parts: u64, most_changes: usize, rotate: Option<Rotation>) -> Collected {
    let folder = tempfile::tempdir().expect("a folder");
    let (pipe, spool) = (folder.path().join("pipe"), folder.path().join("spool"));
    make_named_pipe(&pipe);
    let options = CollectOptions {
        rotate,
        jobs: 2,
        most_changes: Some(most_changes),
        ..CollectOptions::new(vec![pipe.clone()], &spool)
    };
    let mut disk = 0;
    let (outcome, memory) = ALLOCATOR.peak_of(|| {
        let job = thread::spawn(move || collect(&options, &Silent));
        let mut writer = OpenOptions::new().write(true).open(&pipe).expect("a reader");
        for number in 0..parts {
            writer.write_all(&part(number)).expect("written");
            disk = bytes_in_nameless_files().max(disk);
        }
        drop(writer);
        job.join().expect("no panic").expect("collected")
    });
    Collected {
        by_file: counts_by_file(&shards_in(&spool), Record::SampledBranch),
        memory,
        disk,
        diagnostics: outcome
            .diagnostics
            .iter()
            .map(|found| found.code.as_str().to_owned())
            .collect(),
        shards: outcome.shards.len(),
    }
}

fn times(counts: &BTreeMap<String, u64>, factor: u64) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(name, count)| (name.clone(), factor * count))
        .collect()
}

/// Number of changes of address spaces in a part.
const CHANGES: usize = (ROUNDS * CPUS * PROCESSES * 4) as usize;

/// This is the only test of this file, because the allocator counts the bytes of all tests.
#[test]
fn memory_and_disk_do_not_grow_with_the_trace() {
    let short = collect_parts(12, 4 * CHANGES, None);
    assert_eq!(short.by_file.len(), 20);
    assert_eq!(
        short.by_file.values().sum::<u64>(),
        12 * ROUNDS * CPUS * PROCESSES * BRANCHES
    );
    assert_eq!(short.diagnostics, ["branches-sampled", "build-ids-missing"]);
    for rotate in [None, Some(Rotation::Bytes(1))] {
        let long = collect_parts(36, 4 * CHANGES, rotate);
        assert_eq!(long.by_file, times(&short.by_file, 3));
        assert_eq!(long.diagnostics, short.diagnostics);
        assert_eq!(long.shards > 3, rotate.is_some(), "{}", long.shards);
        let (memory, most) = (long.memory, short.memory + short.memory / 4);
        assert!(memory < most, "{} MiB, then {memory} MiB", short.memory);
        // The trace has 92 MB, and a round 0.5 MB.
        assert!(long.disk < 16 << 20, "{}", long.disk);
    }
    // If the past is forgotten before its trace comes, a warning says so.
    let late = collect_parts(12, 1, None).diagnostics;
    assert!(late.iter().any(|code| code == "samples-late"), "{late:?}");
    // Nothing is lost because the past was forgotten.
    assert_eq!(collect_parts(12, usize::MAX, None).by_file, short.by_file);
}
