//! Collecting from a stream: files are finished in time although no records come, and a cancelled collection
//! keeps the samples that were read.
#![cfg(unix)]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use profgen::{CollectOptions, CollectOutcome, Error, ErrorCode, Observer, Progress, Rotation, collect};
use testkit::{EventSpec, MapSpec, PerfDataBuilder, SampleSpec, make_named_pipe};
use traceshard::{Row, Shard};

/// `PERF_RECORD_FINISHED_ROUND`, which means nothing to a collection: type 68, no flags, a size of 8 bytes.
const FINISHED_ROUND: [u8; 8] = [68, 0, 0, 0, 0, 0, 8, 0];

struct Cancellable(Arc<AtomicBool>);

impl Observer for Cancellable {
    fn progress(&self, _: Progress) {}

    fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

fn stream() -> Vec<u8> {
    stream_with(true)
}

fn stream_with(has_sample: bool) -> Vec<u8> {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(MapSpec::code(1, 0x40_0000, 0x1000, 0, "/bin/a").at(1));
    if has_sample {
        let branches = [(0x40_0010, 0x40_0100), (0x40_0200, 0x40_0008)];
        builder.sample(SampleSpec::of(event, 1).at(2).branches(&branches));
    }
    builder.build_pipe()
}

struct Collection {
    folder: tempfile::TempDir,
    cancel: Arc<AtomicBool>,
    job: thread::JoinHandle<Result<CollectOutcome, Error>>,
}

impl Collection {
    /// Begins to collect from a named pipe. Returns the pipe.
    fn begin(rotate: Option<Rotation>) -> (Self, std::fs::File) {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        make_named_pipe(&pipe);
        let options = CollectOptions {
            rotate,
            jobs: 2,
            ..CollectOptions::new(vec![pipe.clone()], folder.path().join("spool"))
        };
        let cancel = Arc::new(AtomicBool::new(false));
        let observer = Cancellable(Arc::clone(&cancel));
        let job = thread::spawn(move || collect(&options, &observer));
        let writer = OpenOptions::new().write(true).open(&pipe).expect("a reader");
        (Self { folder, cancel, job }, writer)
    }

    fn shards(&self) -> Vec<PathBuf> {
        shards_in(self.folder.path())
    }
}

fn shards_in(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder.join("spool")).into_iter().flatten();
    let paths = files.map(|file| file.expect("readable").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "parquet"))
        .collect()
}

/// Returns the number of branches in all files.
fn branches(shards: &[PathBuf]) -> u64 {
    let of_shard = |path: &PathBuf| {
        let shard = Shard::open(path).expect("a shard");
        let mut count = 0;
        for group in 0..shard.groups() {
            let add = |row: &Row<'_>| {
                count += if row.record == traceshard::Record::Branch {
                    row.count
                } else {
                    0
                };
                Ok::<(), traceshard::Error>(())
            };
            shard.read_group(group, add).expect("rows");
        }
        count
    };
    shards.iter().map(of_shard).sum()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_file_is_finished_in_time_although_nothing_comes() {
    let (collection, mut pipe) = Collection::begin(Some(Rotation::Every(Duration::from_secs(1))));
    pipe.write_all(&stream()).expect("written");
    wait_until("the branches are in a file", || branches(&collection.shards()) == 2);
    drop(pipe);
    let Collection { folder, job, .. } = collection;
    let outcome = job.join().expect("no panic").expect("collected");
    assert!(!outcome.shards.is_empty());
    assert_eq!(branches(&shards_in(folder.path())), 2);
}

/// Bytes that mean nothing. A pipe holds 64 KiB, and six times as much may wait after it (`perfdata/src/waiting.rs`). So
/// once these bytes have been written, the samples before them were read.
fn padding() -> Vec<u8> {
    FINISHED_ROUND.repeat((1 << 20) / FINISHED_ROUND.len())
}

#[test]
fn a_cancelled_stream_that_goes_on_is_cut_off_and_its_traces_are_kept() {
    for rotate in [None, Some(Rotation::Every(Duration::from_secs(600)))] {
        let (collection, mut pipe) = Collection::begin(rotate);
        pipe.write_all(&stream()).expect("written");
        pipe.write_all(&padding()).expect("written");
        assert_eq!(collection.shards(), Vec::<PathBuf>::new());
        collection.cancel.store(true, Ordering::Relaxed);
        // The pipe is open all the time.
        let Collection { folder, job, .. } = collection;
        let outcome = job.join().expect("no panic").expect("the traces are kept");
        assert!(outcome.interrupted);
        drop(pipe);
        assert_eq!(outcome.shards.len(), 1);
        assert_eq!(branches(&shards_in(folder.path())), 2);
    }
}

#[test]
fn what_perf_writes_after_a_signal_is_read() {
    let (collection, mut pipe) = Collection::begin(None);
    let before = stream_with(false);
    let all = stream();
    let sample = all.strip_prefix(&before[..]).expect("the sample comes last");
    pipe.write_all(&before).expect("written");
    pipe.write_all(&padding()).expect("written");
    collection.cancel.store(true, Ordering::Relaxed);
    thread::sleep(Duration::from_millis(500));
    pipe.write_all(sample).expect("written");
    drop(pipe);
    let Collection { folder, job, .. } = collection;
    let outcome = job.join().expect("no panic").expect("collected");
    assert!(!outcome.interrupted, "the stream ended by itself");
    assert_eq!(branches(&shards_in(folder.path())), 2);
}

#[test]
fn a_job_without_any_bytes_ends_at_once_when_it_is_cancelled() {
    let (collection, pipe) = Collection::begin(None);
    let begun = Instant::now();
    collection.cancel.store(true, Ordering::Relaxed);
    let error = collection.job.join().expect("no panic").expect_err("nothing was read");
    assert_eq!(error.code, ErrorCode::Aborted);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    drop(pipe);
}
