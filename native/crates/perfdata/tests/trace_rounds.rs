//! Streams of Arm SPE: the trace is decoded while the stream goes on, and gives the samples that it gives as a file.

mod support;

use std::io::Cursor;
use std::time::Duration;

use perfdata::{AddressSpaces, ChunkBuffer, ChunkStats, PerfData, RecordStats};
use proptest::prelude::*;
use support::Dribble;
use testkit::{Compression, EventSpec, MapSpec, PerfDataBuilder, SpeRecord};

const PMU: u32 = 11;
const FINISHED_ROUND: u32 = 68;
const CPUS: u32 = 3;
/// Threads of some processes. The number of a process is that of its first thread.
const THREADS: [(u32, u32); 5] = [(100, 100), (101, 100), (102, 100), (200, 200), (201, 200)];

/// Something that happened on a CPU, one tick of time after the event before.
#[derive(Debug, Clone, Copy)]
enum Happened {
    /// A thread began to run.
    Switch(usize),
    /// The process of a thread mapped another file.
    Map(usize, u64),
    /// A thread ended, and another process uses its number.
    Reuse(usize, u32),
    /// A branch was sampled.
    Branch {
        with_thread: Option<usize>,
        with_time: bool,
    },
    /// The CPU gave its trace to the kernel. If true, the last record before may be cut off.
    Flush(bool),
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn halves(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// What perf has to copy from a CPU, each with its time: records, and stretches of the trace.
#[derive(Debug, Default)]
struct Cpu {
    records: Vec<(u64, u32, u16, Vec<u8>)>,
    stretches: Vec<(u64, Vec<u8>)>,
    unflushed: Vec<u8>,
    flushed: u64,
    running: usize,
    copied: u64,
}

/// Lets things happen. Returns what each CPU has for perf.
fn machine(history: &[(u32, Happened)]) -> Vec<Cpu> {
    let mut cpus: Vec<Cpu> = (0..CPUS).map(|_| Cpu::default()).collect();
    let mut processes = THREADS.map(|(_, process)| process);
    for (time, (number, happened)) in (1000..).step_by(10).zip(history) {
        let cpu = &mut cpus[*number as usize];
        let trailer = |thread: usize| {
            let (tid, process) = (THREADS[thread].0, processes[thread]);
            words(&[halves(process, tid), time, (*number).into(), 1000])
        };
        match *happened {
            Happened::Switch(thread) => {
                cpu.running = thread;
                cpu.records.push((time, 14, 0, trailer(thread)));
            }
            Happened::Map(thread, file) => {
                let ids = halves(processes[thread], THREADS[thread].0);
                let name = format!("/bin/{file}");
                let mut body = words(&[ids, 0x40_0000, 0x10_0000, 0, 0, 0, 0, halves(5, 2)]);
                body.extend(name.as_bytes());
                body.resize(body.len().next_multiple_of(8) + 8, 0);
                body.extend(trailer(thread));
                cpu.records.push((time, 10, 2, body));
            }
            Happened::Reuse(thread, process) => {
                let tid = THREADS[thread].0;
                let ended = words(&[halves(processes[thread], 1), halves(tid, 1), time]);
                cpu.records.push((time, 4, 0, [ended, trailer(thread)].concat()));
                let body = words(&[halves(process, process), halves(tid, process), time + 1]);
                processes[thread] = process;
                let trailer = words(&[halves(process, tid), time + 1, (*number).into(), 1000]);
                cpu.records.push((time + 1, 7, 0, [body, trailer].concat()));
            }
            Happened::Branch { with_thread, with_time } => {
                let mut record = SpeRecord::taken(0x40_0000 + 4 * time, 0x40_0000);
                record.context = with_thread.map(|thread| THREADS[thread].0);
                record.timestamp = with_time.then_some(time);
                cpu.unflushed.extend(record.encode());
            }
            Happened::Flush(has_gap) => {
                let mut bytes = std::mem::take(&mut cpu.unflushed);
                if has_gap {
                    bytes.truncate(bytes.len().saturating_sub(20));
                }
                let size = bytes.len() as u64;
                let flags = if has_gap { 5 } else { 0 };
                let body = [words(&[cpu.flushed, size, flags]), trailer(cpu.running)].concat();
                cpu.records.push((time, 11, 0, body));
                cpu.stretches.push((time, bytes));
                cpu.flushed += size;
            }
        }
    }
    cpus
}

/// Makes the recording that perf writes of a machine, in rounds. A CPU's records are copied at some time and its trace
/// a little later; then follows the next CPU. `cut` divides the copied trace into several pieces.
fn record(history: &[(u32, Happened)], rounds: &[u64], cut: usize) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec {
        event_type: PMU,
        period: 2048,
        ..EventSpec::plain("arm_spe_0/branch_filter=1/u")
    });
    // perf writes the clock first. A tick of the timer takes a nanosecond.
    builder.other(79, 0, &words(&[0, 1, 0, 0, 0, 1]));
    builder.other(70, 0, &words(&[4, PMU.into(), 1]));
    for (tid, process) in THREADS {
        builder.comm(process as i32, "synthesized", false, 0);
        let body = words(&[
            halves(process, process),
            halves(tid, process),
            0,
            halves(process, tid),
            0,
            0,
            1000,
        ]);
        builder.other(7, 1 << 13, &body);
        builder.mmap(MapSpec::code(process as i32, 0x40_0000, 0x10_0000, 0, "/bin/first").at(0));
    }
    for cpu in 0..u64::from(CPUS) {
        let thread = halves(THREADS[0].1, THREADS[0].0);
        builder.other(12, 0, &words(&[thread, thread, 900, cpu, 1000]));
    }
    let mut cpus = machine(history);
    let mut now = 1000;
    for length in rounds.iter().copied().chain([u64::MAX / 2]) {
        for (number, cpu) in cpus.iter_mut().enumerate() {
            now += length / 4;
            let behind = cpu.records.partition_point(|(time, ..)| *time <= now);
            for (_, record_type, misc, body) in cpu.records.drain(..behind) {
                builder.other(record_type, misc, &body);
            }
            now += length / 12;
            let behind = cpu.stretches.partition_point(|(time, _)| *time <= now);
            let bytes: Vec<u8> = cpu.stretches.drain(..behind).flat_map(|(_, bytes)| bytes).collect();
            for bytes in bytes.chunks(cut) {
                let body = words(&[bytes.len() as u64, cpu.copied, 0, halves(0, u32::MAX), number as u64]);
                builder.other(71, 0, &body);
                builder.record(bytes.to_vec());
                cpu.copied += bytes.len() as u64;
            }
        }
        builder.other(FINISHED_ROUND, 0, &[]);
    }
    builder
}

/// A sample: process, thread, time, CPU, source of the branch, and the file that is mapped there.
type Found = (i32, i32, u64, u32, u64, Option<String>);

#[derive(Debug, PartialEq)]
struct Read {
    samples: Vec<Found>,
    trace: ChunkStats,
    stats: RecordStats,
}

/// Reads a recording. Looks up each sample when it is handed out. Returns the number of segments with parts of the
/// trace, and what was found.
fn read(mut input: PerfData) -> (usize, Read) {
    let mut spaces = AddressSpaces::default();
    let mut samples: Vec<Found> = Vec::new();
    let (mut trace, mut stats) = (ChunkStats::default(), RecordStats::default());
    let mut segments = 0;
    let mut earliest = None;
    while let Some(segment) = input.next_segment().expect("reading works") {
        spaces.extend(segment.side_records());
        stats.add(segment.stats());
        let before = samples.len();
        for chunk in 0..segment.chunk_count() {
            let counted = segment.decode_chunk(chunk, &mut ChunkBuffer::default(), |sample| {
                assert!(earliest.is_none_or(|earliest| earliest <= sample.moment), "{sample:?}");
                let space = spaces.space(sample.pid, sample.moment);
                let file = space
                    .find(sample.ip)
                    .map(|found| spaces.mapping(found.map).file.name.clone());
                samples.push((sample.pid, sample.tid, sample.time, sample.cpu, sample.ip.0, file));
            });
            trace.add(counted.expect("decoding works"));
        }
        earliest = segment.trace_to_come().map(|to_come| to_come.earliest);
        segments += usize::from(samples.len() > before);
    }
    samples.sort();
    (segments, Read { samples, trace, stats })
}

fn read_file(bytes: Vec<u8>) -> Read {
    read(PerfData::from_bytes(bytes, "file").expect("it opens")).1
}

/// Reads a stream that delivers a few bytes at a time. Without patience, each segment has one record.
fn read_stream(bytes: &[u8], at_once: usize, patience: Option<Duration>) -> (usize, Read) {
    let reader = Dribble(Cursor::new(bytes.to_vec()), at_once);
    let mut input = PerfData::from_reader(Box::new(reader), "stream").expect("it opens");
    if let Some(patience) = patience {
        input.hand_out_after(patience).expect("a thread");
    }
    read(input)
}

fn happened() -> impl Strategy<Value = (u32, Happened)> {
    let thread = || 0..THREADS.len();
    let what = prop_oneof![
        2 => thread().prop_map(Happened::Switch),
        1 => (thread(), 0_u64..4).prop_map(|(thread, file)| Happened::Map(thread, file)),
        1 => (thread(), 300_u32..304).prop_map(|(thread, process)| Happened::Reuse(thread, process)),
        8 => (prop::option::of(thread()), prop::bool::weighted(0.9))
            .prop_map(|(with_thread, with_time)| Happened::Branch { with_thread, with_time }),
        3 => prop::bool::weighted(0.2).prop_map(Happened::Flush),
    ];
    (0..CPUS, what)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_stream_has_the_samples_of_the_file(
        history in prop::collection::vec(happened(), 1..150),
        rounds in prop::collection::vec(1_u64..800, 0..12),
        cut in 1_usize..300,
        at_once in 1_usize..3000,
    ) {
        let builder = record(&history, &rounds, cut);
        let (file, pipe) = (read_file(builder.build_file()), builder.build_pipe());
        for patience in [None, Some(Duration::ZERO)] {
            let (_, stream) = read_stream(&pipe, at_once, patience);
            prop_assert_eq!(&stream.samples, &file.samples);
            prop_assert_eq!(stream.trace, file.trace);
        }
    }
}

/// Several branches on each CPU, in many rounds.
fn busy() -> Vec<(u32, Happened)> {
    let branch = Happened::Branch {
        with_thread: None,
        with_time: true,
    };
    let of_cpu = |cpu| [Happened::Switch(cpu as usize), branch, branch, Happened::Flush(false)].map(|what| (cpu, what));
    (0..300).flat_map(|number| of_cpu(number % CPUS)).collect()
}

#[test]
fn the_trace_is_decoded_two_rounds_later() {
    let builder = record(&busy(), &[120; 100], 100);
    let file = read_file(builder.build_file());
    assert_eq!(file.samples.len(), 600);
    let (segments, stream) = read_stream(&builder.build_pipe(), 1013, Some(Duration::ZERO));
    assert!(segments > 50, "{segments}");
    assert_eq!(stream.samples, file.samples);
}

/// Without the ends of rounds, and in a file that comes through a pipe, the trace is decoded in the end.
#[test]
fn without_rounds_the_trace_is_decoded_in_the_end() {
    let builder = record(&busy(), &[], 100);
    let file = read_file(builder.build_file());
    for bytes in [builder.build_pipe(), record(&busy(), &[120; 100], 100).build_file()] {
        let (segments, stream) = read_stream(&bytes, 1013, Some(Duration::ZERO));
        assert_eq!((segments, stream.samples), (1, file.samples.clone()));
    }
}

/// perf compresses the records of the kernel only: not the trace, nor the ends of rounds.
#[test]
fn compressed_streams_have_rounds_as_well() {
    let builder = record(&busy(), &[120; 100], 100);
    let file = read_file(builder.build_file());
    for compression in [Compression::V1, Compression::V2] {
        let compressed = builder.build_pipe_of_compressed_kernel_records(compression);
        let (segments, stream) = read_stream(&compressed, 1013, Some(Duration::ZERO));
        assert!(segments > 50, "{segments}");
        assert_eq!(stream.samples, file.samples);
        assert_eq!(read_file(compressed).samples, file.samples);
    }
}
