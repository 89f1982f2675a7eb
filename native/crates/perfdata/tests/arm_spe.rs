//! Tests of traces of Arm SPE between the records of a recording.

mod support;

use perfdata::{CpuMode, Moment, PerfData, TraceFormat, TraceStats};
use proptest::prelude::*;
use support::{OwnedSample, read_all, read_file, read_stream};
use testkit::{Compression, EventSpec, PerfDataBuilder, SpeRecord};

const PMU: u32 = 11;
const PID: i32 = 100;
const THREAD: u32 = 107;

/// Bits of an AUX record's flags.
const TRUNCATED: u64 = 1;
const PARTIAL: u64 = 4;

/// Returns words of 64 bits as the body of a record.
fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn halves(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Makes a recording with an event of Arm SPE, in which a tick of the timer takes a nanosecond. perf writes the
/// conversion of the timer before the record that names the kind of trace.
fn recording() -> PerfDataBuilder {
    recording_of(EventSpec::plain("arm_spe_0/branch_filter=1/u"))
}

fn recording_of(event: EventSpec) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec {
        event_type: PMU,
        period: 2048,
        ..event
    });
    builder.other(79, 0, &words(&[0, 1, 0, 0, 0, 1]));
    builder.other(70, 0, &words(&[4, PMU.into(), 1]));
    builder
}

/// Makes the trailer of a record of thread `tid` on a CPU: pid and tid, time, CPU, id.
fn trailer(tid: u32, time: u64, cpu: u32) -> Vec<u8> {
    words(&[halves(PID as u32, tid), time, cpu.into(), 1000])
}

fn aux(builder: &mut PerfDataBuilder, [offset, size, flags]: [u64; 3], tid: u32, cpu: u32) {
    let body = [words(&[offset, size, flags]), trailer(tid, 50, cpu)].concat();
    builder.other(11, 0, &body);
}

fn trace(builder: &mut PerfDataBuilder, bytes: &[u8], offset: u64, tid: i32, cpu: u32) {
    let size = bytes.len() as u64;
    let body = words(&[size, offset, 0, halves(0, tid as u32), cpu.into()]);
    builder.other(71, 0, &body);
    builder.record(bytes.to_vec());
}

fn fork_thread(builder: &mut PerfDataBuilder) {
    let body = [
        words(&[halves(PID as u32, PID as u32), halves(THREAD, PID as u32), 5]),
        trailer(THREAD, 5, 0),
    ]
    .concat();
    builder.other(7, 0, &body);
}

fn encode(records: &[SpeRecord]) -> Vec<u8> {
    records.iter().flat_map(SpeRecord::encode).collect()
}

fn stats_of(builder: &PerfDataBuilder) -> TraceStats {
    read_file(&builder.build_file()).chunk_stats.trace
}

#[test]
fn a_record_is_a_sample_of_one_branch() {
    let mut builder = recording();
    fork_thread(&mut builder);
    let records = [
        SpeRecord::taken(0x40_0010, 0x40_0100)
            .after_branch_to(0x40_0000)
            .in_thread(THREAD)
            .at(77),
        SpeRecord::taken(0x40_0020, 0x40_0200)
            .in_thread(PID as u32)
            .mispredicted()
            .at(78),
        SpeRecord::not_taken(0x40_0030).at(79),
        SpeRecord::taken(0xffff_8000_0000_0010, 0xffff_8000_0000_0020)
            .in_thread(1)
            .in_kernel()
            .at(80),
        SpeRecord::load(0x40_0040),
        SpeRecord::taken(0x40_0050, 0).speculative(),
    ];
    trace(&mut builder, &encode(&records), 0, -1, 3);
    let read = read_file(&builder.build_file());
    let sample = |pid, time, ip, entries: &[(u64, u64, u64)]| OwnedSample {
        event: 0,
        pid,
        time,
        cpu: 3,
        ip,
        period: 2048,
        entries: entries.to_vec(),
    };
    let expected = [
        sample(PID, 77, 0x40_0010, &[(0x40_0010, 0x40_0100, 2), (0, 0x40_0000, 0)]),
        sample(PID, 78, 0x40_0020, &[(0x40_0020, 0x40_0200, 1)]),
        sample(-1, 79, 0x40_0030, &[(0x40_0030, 0x40_0034, 2 | 1 << 33)]),
        sample(
            1,
            80,
            0xffff_8000_0000_0010,
            &[(0xffff_8000_0000_0010, 0xffff_8000_0000_0020, 2)],
        ),
    ];
    assert_eq!(read.samples, expected);
    assert!(read.moments.is_sorted_by(|a, b| a < b));
    let expected = TraceStats {
        packets: spe::Stats {
            records: 6,
            ..spe::Stats::default()
        },
        pieces: 1,
        branches: 4,
        not_taken: 1,
        with_previous_target: 1,
        other_operations: 1,
        not_retired: 1,
        incomplete: 0,
    };
    assert_eq!(read.chunk_stats.trace, expected);
    assert_eq!(
        read.input.metadata().trace,
        Some(TraceFormat::ArmSpe { event_type: PMU })
    );
    assert_eq!(read.input.metadata().arm_spe_event(), Some(0));

    // The other fields of a sample are checked here.
    let mut input = PerfData::from_bytes(builder.build_file(), "file").expect("it opens");
    let mut modes = Vec::new();
    while let Some(segment) = input.next_segment().expect("it reads") {
        for chunk in 0..segment.chunk_count() {
            assert!(segment.chunk_bytes(chunk) > 0);
            let decoded = segment.decode_chunk(chunk, &mut Default::default(), |sample| {
                assert!(sample.exact && sample.one_branch);
                modes.push((sample.cpumode, sample.tid));
            });
            decoded.expect("it decodes");
        }
    }
    let user = CpuMode::User;
    assert_eq!(
        modes,
        [(user, THREAD as i32), (user, PID), (user, -1), (CpuMode::Kernel, 1)]
    );
}

/// Since perf 6.14 the type of the event stands at another place.
#[test]
fn both_versions_of_what_perf_tells_of_the_trace() {
    for body in [words(&[4, 7, 1]), words(&[4, 2, 4, 7, 1, 0, 0])] {
        let mut builder = PerfDataBuilder::new();
        builder.event(EventSpec::plain("cycles"));
        builder.event(EventSpec {
            event_type: 7,
            ..EventSpec::plain("arm_spe//")
        });
        builder.other(70, 0, &body);
        let read = read_file(&builder.build_file());
        assert_eq!(read.input.metadata().arm_spe_event(), Some(1), "{body:?}");
    }
}

/// Each CPU has a buffer of its own. The pieces of a buffer stand among those of other buffers, and cut records
/// anywhere.
#[test]
fn buffers_of_several_cpus_in_pieces() {
    let of = |cpu: u64| -> Vec<SpeRecord> {
        let record =
            |number: u64| SpeRecord::taken(0x40_0000 + 0x1000 * cpu + 4 * number, 0x40_0000).in_thread(PID as u32);
        (0..50).map(record).collect()
    };
    let bytes = [0, 1].map(|cpu| encode(&of(cpu)));
    for piece in [1, 63, 64, 100, 1777, 4000] {
        let mut builder = recording();
        for at in (0..bytes[0].len()).step_by(piece) {
            for (cpu, bytes) in bytes.iter().enumerate() {
                let end = bytes.len().min(at + piece);
                trace(&mut builder, &bytes[at..end], at as u64, -1, cpu as u32);
            }
        }
        let read = read_file(&builder.build_file());
        let ips = |cpu: u32| -> Vec<u64> { read.samples.iter().filter(|s| s.cpu == cpu).map(|s| s.ip).collect() };
        for cpu in [0, 1] {
            let expected: Vec<u64> = of(cpu.into()).iter().map(|record| record.pc).collect();
            assert_eq!(ips(cpu), expected, "pieces of {piece} bytes, CPU {cpu}");
        }
        assert_eq!(
            read.chunk_stats.trace.packets,
            spe::Stats {
                records: 100,
                ..spe::Stats::default()
            }
        );
    }
}

/// Where the kernel lost data, one record is lost and no other.
#[test]
fn gaps_in_a_buffer() {
    let [a, b, c] = [0x10, 0x20, 0x30].map(|pc| SpeRecord::taken(pc, 0x100).encode());
    let whole = [0x10, 0x20, 0x30];
    let ips = |builder: &PerfDataBuilder| -> Vec<u64> {
        read_file(&builder.build_file())
            .samples
            .iter()
            .map(|sample| sample.ip)
            .collect()
    };
    // The position of the next piece shows the loss.
    let mut builder = recording();
    trace(&mut builder, &[&a[..], &b[..40]].concat(), 0, -1, 0);
    trace(&mut builder, &c, 4096, -1, 0);
    assert_eq!(ips(&builder), [0x10, 0x30]);
    assert_eq!(stats_of(&builder).packets.cut, 1);
    // Only the AUX record shows the loss.
    let mut builder = recording();
    aux(&mut builder, [0, 104, TRUNCATED | PARTIAL], PID as u32, 0);
    trace(&mut builder, &[&a[..], &b[..40], &c].concat(), 0, -1, 0);
    assert_eq!(ips(&builder), [0x10, 0x30]);
    assert_eq!(stats_of(&builder).packets.cut, 1);
    assert_eq!(read_file(&builder.build_file()).stats.traces_truncated, 1);
    // The snapshot begins with bytes that the snapshot before had.
    let mut builder = recording();
    trace(&mut builder, &[&a[..], &b].concat(), 64, -1, 0);
    trace(&mut builder, &[&b[..], &c].concat(), 128, -1, 0);
    trace(&mut builder, &b, 128, -1, 0);
    assert_eq!(ips(&builder), whole);
    assert_eq!(
        stats_of(&builder).packets,
        spe::Stats {
            records: 3,
            ..spe::Stats::default()
        }
    );
}

/// If a record has no thread id, the thread is the owner of the buffer, the thread that ran at that time, or the
/// thread that ran when the stretch was written.
#[test]
fn records_belong_to_the_thread_that_ran() {
    let record = |time| SpeRecord::taken(0x10, 0x20).at(time).encode();
    let pids = |builder: &PerfDataBuilder| -> Vec<i32> {
        read_file(&builder.build_file())
            .samples
            .iter()
            .map(|sample| sample.pid)
            .collect()
    };
    let mut builder = recording();
    fork_thread(&mut builder);
    trace(&mut builder, &record(7), 0, THREAD as i32, u32::MAX);
    assert_eq!(pids(&builder), [PID]);

    let switch = |builder: &mut PerfDataBuilder, pid: u32, time, cpu, out: bool| {
        let body = words(&[halves(pid, pid), time, u64::from(cpu as u32), 1000]);
        builder.other(14, if out { 1 << 13 } else { 0 }, &body);
    };
    let mut builder = recording();
    switch(&mut builder, 5, 10, 0, false);
    switch(&mut builder, 5, 20, 0, true);
    switch(&mut builder, 6, 20, 0, false);
    switch(&mut builder, 9, 25, 1, false);
    trace(
        &mut builder,
        &[record(5), record(10), record(19), record(20), record(99)].concat(),
        0,
        -1,
        0,
    );
    assert_eq!(pids(&builder), [-1, 5, 5, 6, 6]);

    let mut builder = recording();
    builder.other(
        11,
        0,
        &[words(&[0, 64, 0]), words(&[halves(8, 8), 9, 0, 1000])].concat(),
    );
    builder.other(
        11,
        0,
        &[words(&[64, 64, 0]), words(&[halves(9, 9), 9, 0, 1000])].concat(),
    );
    trace(&mut builder, &[record(5), record(10), record(19)].concat(), 0, -1, 0);
    assert_eq!(pids(&builder), [8, 9, -1]);
}

/// A record without a time was made before its stretch of the buffer ended.
#[test]
fn moments_of_records_without_a_time() {
    let moments = |builder: &PerfDataBuilder| read_file(&builder.build_file()).moments;
    let records = encode(&[SpeRecord::taken(0x10, 0x20), SpeRecord::taken(0x30, 0x20).at(7)]);
    let mut builder = recording();
    aux(&mut builder, [0, 64, 0], PID as u32, 0);
    trace(&mut builder, &records, 0, -1, 0);
    assert_eq!(moments(&builder), [50, 7].map(Moment::at_time));
    // The stretch is not known.
    let mut builder = recording();
    trace(&mut builder, &records, 0, -1, 0);
    assert_eq!(moments(&builder), [Moment::END, Moment::at_time(7)]);
}

/// The CPU's timer cannot be converted to the times of a clock that was chosen with `perf record -k`.
#[test]
fn times_of_another_clock_are_not_compared() {
    const USE_CLOCKID: u64 = 1 << 25;
    for (flag, moment) in [(0, 7), (USE_CLOCKID, 50)] {
        let mut event = EventSpec::plain("arm_spe_0//");
        event.flags |= flag;
        let mut builder = recording_of(event);
        aux(&mut builder, [0, 64, 0], PID as u32, 0);
        trace(&mut builder, &SpeRecord::taken(0x10, 0x20).at(7).encode(), 0, -1, 0);
        assert_eq!(read_file(&builder.build_file()).moments, [Moment::at_time(moment)]);
    }
}

/// A stream cannot be read again. A file whose trace stands between compressed records is read as a stream.
#[test]
fn traces_in_streams_and_between_compressed_records() {
    let mut builder = recording();
    for number in 0..3 {
        let records = [SpeRecord::taken(0x10, 0x20), SpeRecord::not_taken(0x40 + number)];
        trace(&mut builder, &encode(&records), 128 * number, -1, 0);
    }
    let file = read_file(&builder.build_file());
    assert_eq!((file.samples.len(), file.chunk_stats.trace.pieces), (6, 3));
    for stream in [read_stream(&builder.build_pipe()), read_file(&builder.build_pipe())] {
        assert_eq!(stream.samples, file.samples);
        assert_eq!(stream.chunk_stats, file.chunk_stats);
    }
    let mut cut = builder.build_pipe();
    cut.truncate(cut.len() - 100);
    assert_eq!(read_stream(&cut).samples, file.samples[..4]);

    // perf compresses all records except these.
    let mut compressed = recording().build_compressed_pipe(Compression::V2, 64);
    let mut behind = PerfDataBuilder::new();
    trace(&mut behind, &encode(&[SpeRecord::taken(0x10, 0x20)]), 0, -1, 0);
    compressed.extend(behind.records());
    for read in [read_stream(&compressed), read_file(&compressed)] {
        assert_eq!(read.samples, file.samples[..1]);
        assert!(read.stats.complete());
    }
}

/// A trace whose records are missing cannot be decoded.
#[test]
fn traces_that_are_passed_over() {
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec {
        event_type: PMU,
        ..EventSpec::plain("arm_spe_0//")
    });
    trace(&mut builder, &SpeRecord::taken(0x10, 0x20).encode(), 0, -1, 0);
    assert_eq!(read_file(&builder.build_file()).samples, []);
}

fn spec() -> impl Strategy<Value = SpeRecord> {
    (
        0..1_u64 << 48,
        0..1_u64 << 48,
        prop::option::of(0..1_u64 << 48),
        any::<bool>(),
    )
        .prop_map(|(pc, target, before, taken)| {
            let record = if taken {
                SpeRecord::taken(pc, target)
            } else {
                SpeRecord::not_taken(pc)
            };
            SpeRecord {
                previous_target: before,
                ..record
            }
            .in_thread(9)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A file that is cut anywhere has the samples of all whole records before the cut, and reports the cut.
    #[test]
    fn a_file_that_is_cut(records in prop::collection::vec(spec(), 1..30), cut in 0.0..1.0) {
        let mut builder = recording();
        trace(&mut builder, &encode(&records), 0, -1, 0);
        let mut file = builder.build_file();
        let trace_start = file.len() - 64 * records.len();
        let there = (cut * (64 * records.len()) as f64) as usize;
        file.truncate(trace_start + there);
        let read = read_all(PerfData::from_bytes(file.clone(), "file").expect("it opens"));
        let ips: Vec<u64> = read.samples.iter().map(|sample| sample.ip).collect();
        let expected: Vec<u64> = records.iter().take(there / 64).map(|record| record.pc).collect();
        prop_assert_eq!(ips, expected);
        prop_assert!(!read.stats.complete());
        prop_assert_eq!(read.chunk_stats.trace.packets.cut, u64::from(!there.is_multiple_of(64)));
        read_file(&file);
    }

    /// Any bytes with any numbers around them give the same result, whichever way the file is read.
    #[test]
    fn any_trace(bytes in prop::collection::vec(any::<u8>(), 0..600), numbers in prop::array::uniform8(any::<u64>())) {
        let mut builder = recording();
        let [a, b, c, d, e, f, g, h] = numbers;
        aux(&mut builder, [a % 700, b % 700, c], d as u32, e as u32 % 3);
        aux(&mut builder, [f, g, PARTIAL], d as u32, 1);
        builder.other(79, 0, &words(&[a % 70, b, c, d, e, f]));
        builder.other(14, h as u16, &words(&[a, b, c, d]));
        let middle = bytes.len() / 2;
        trace(&mut builder, &bytes[..middle], a % 700, -1, 1);
        trace(&mut builder, &bytes[middle..], g, d as i32, e as u32 % 3);
        read_file(&builder.build_file());
    }
}
