//! A stream that runs for days: processes come and go, and the memory for those that are gone is freed.
#![cfg(unix)]

#[path = "support/counts_by_file.rs"]
mod counts_by_file;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::thread;

use counts_by_file::counts_by_file;
use profgen::{CollectOptions, Rotation, Silent, collect};
use testkit::{CountingAllocator, EventSpec, MapSpec, PerfDataBuilder, SampleSpec, make_named_pipe};
use traceshard::Record;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

/// Number of processes in a part of the stream, and of mappings of each process. A part has about 12 MiB.
const PROCESSES: u64 = 9_000;
const MAPPINGS: u64 = 10;

/// Process that runs all the time. Its parent is process 1.
const DAEMON: i32 = 2;

/// Process whose first thread ends at the beginning, while another thread runs all the time. It has no mapping later, so
/// it must not be taken for one that ended.
const POOL: i32 = 3;

/// Builds a part of a stream. In it, processes start one after the other. Each process runs a program of its own, has
/// one sample and ends: first its first thread, then another one. The daemon and the pool have a sample each at the end
/// of the part.
fn part(number: u64) -> Vec<u8> {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    let head = builder.clone().build_pipe().len();
    let mut time = 1 + number * (PROCESSES + 1) * 4;
    let stack = [(0x40_0010, 0x40_0100), (0x40_0200, 0x40_0008)];
    if number == 0 {
        builder.mmap(MapSpec::code(1, 0x40_0000, 0x1000, 0, "/bin/init").at(0));
        builder.mmap(MapSpec::code(DAEMON, 0x40_0000, 0x1000, 0, "/bin/daemon").at(0));
        builder.mmap(MapSpec::code(POOL, 0x40_0000, 0x1000, 0, "/bin/pool").at(0));
        builder.begin_thread(POOL, POOL + 1, 0).exit(POOL, 1, 1);
    }
    for process in 0..PROCESSES {
        let pid = 1000 + (process % 5000) as i32;
        builder.fork(pid, 1, time);
        builder.comm(pid, "program", true, time + 1);
        for mapping in 0..MAPPINGS {
            let name = format!("/bin/{}", (process + mapping) % 50);
            builder.mmap(MapSpec::code(pid, 0x40_0000 + mapping * 0x1_0000, 0x1000, 0, &name).at(time + 1));
        }
        builder.sample(SampleSpec::of(event, pid).at(time + 2).branches(&stack));
        // The records of a thread come from another CPU's buffer.
        builder.end_thread(pid, 1 << 20, time + 3);
        builder.begin_thread(pid, 1 << 20, time + 1);
        builder.exit(pid, 1, time + 2);
        time += 4;
    }
    for pid in [DAEMON, POOL] {
        builder.sample(SampleSpec::of(event, pid).at(time).branches(&stack));
    }
    let stream = builder.build_pipe();
    if number == 0 { stream } else { stream[head..].to_vec() }
}

/// Collects a stream of some parts. Returns the number of branches by file, and the peak of the memory in MiB.
fn collect_parts(parts: u64, most_changes: usize, rotate: Option<Rotation>) -> (BTreeMap<String, u64>, usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    make_named_pipe(&pipe);
    let options = CollectOptions {
        rotate,
        jobs: 2,
        most_changes: Some(most_changes),
        ..CollectOptions::new(vec![pipe.clone()], folder.path().join("spool"))
    };
    let run = || {
        let job = thread::spawn(move || collect(&options, &Silent));
        let mut writer = OpenOptions::new().write(true).open(&pipe).expect("a reader");
        for number in 0..parts {
            writer.write_all(&part(number)).expect("written");
        }
        drop(writer);
        job.join().expect("no panic").expect("collected");
    };
    let ((), peak) = ALLOCATOR.peak_of(run);
    let spool = std::fs::read_dir(folder.path().join("spool")).expect("a folder");
    let shards: Vec<_> = spool.map(|file| file.expect("readable").path()).collect();
    (counts_by_file(&shards, Record::Branch), peak)
}

/// This is the only test of this file, because the allocator counts the bytes of all tests.
#[test]
fn memory_does_not_grow_with_the_number_of_processes() {
    let changes = (PROCESSES * (MAPPINGS + 5)) as usize;
    let (short, peak) = collect_parts(8, changes, None);
    assert_eq!((short["/bin/daemon"], short["/bin/pool"]), (16, 16));
    for rotate in [None, Some(Rotation::Bytes(1 << 30))] {
        let (long, long_peak) = collect_parts(16, changes, rotate);
        let twice: BTreeMap<String, u64> = short.iter().map(|(name, count)| (name.clone(), 2 * count)).collect();
        assert_eq!(long, twice);
        assert!(long_peak < peak + peak / 4, "{peak} MiB, then {long_peak} MiB");
    }
    // Nothing is lost because the past was forgotten.
    assert_eq!(collect_parts(8, usize::MAX, None).0, short);
}
