//! Tests that samples with any fields are read as they were written.

mod support;

use proptest::prelude::*;
use support::{OwnedSample, read_file, read_stream};
use testkit::{Endian, EventSpec, MapSpec, PerfDataBuilder, SampleSpec};

const IP: u64 = 1 << 0;
const TID: u64 = 1 << 1;
const TIME: u64 = 1 << 2;
const READ: u64 = 1 << 4;
const CPU: u64 = 1 << 7;
const PERIOD: u64 = 1 << 8;
const BRANCH_STACK: u64 = 1 << 11;
const HW_INDEX: u64 = 1 << 17;

/// Generates any combination of the sample fields up to the branch stack.
fn fields() -> impl Strategy<Value = u64> {
    (0_u64..1 << 12, any::<bool>()).prop_map(|(fields, identifier)| fields | u64::from(identifier) << 16)
}

/// Makes the words of a READ field of this format.
fn read_words(format: u64, members: u64) -> Vec<u64> {
    let once = (format & 0b11).count_ones() as u64;
    let each = 1 + (format & 0b1_0100).count_ones() as u64;
    let len = if format & 0b1000 != 0 {
        1 + once + members * each
    } else {
        once + each
    };
    let mut words: Vec<u64> = (0..len).map(|word| word + 100).collect();
    if format & 0b1000 != 0 {
        words[0] = members;
    }
    words
}

/// Generates bytes in which small numbers are frequent, so that counts are sometimes right.
fn body() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..300)
}

fn sample() -> impl Strategy<Value = SampleSpec> {
    let numbers = (any::<i32>(), any::<u64>(), any::<u32>(), any::<u64>(), any::<u64>());
    let variable = (
        prop::collection::vec(any::<u64>(), 0..20),
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 0..65),
        prop::collection::vec(any::<u8>(), 0..40),
        any::<bool>(),
    );
    (numbers, variable).prop_map(
        |((pid, time, cpu, ip, period), (callchain, raw, entries, rest, lone_zero))| {
            SampleSpec {
                time,
                cpu,
                ip,
                period,
                callchain,
                raw,
                // Only the end of the sample shows that a zero is not followed by hw_idx.
                rest: if lone_zero { Vec::new() } else { rest },
                entries,
                lone_zero,
                ..SampleSpec::of(0, pid)
            }
        },
    )
}

fn expected(sample: &SampleSpec, fields: u64) -> OwnedSample {
    let has = |bit| fields & bit != 0;
    OwnedSample {
        event: 0,
        pid: if has(TID) { sample.pid } else { -1 },
        time: if has(TIME) { sample.time } else { 0 },
        cpu: if has(CPU) { sample.cpu } else { u32::MAX },
        ip: if has(IP) { sample.ip } else { 0 },
        period: if has(PERIOD) { sample.period } else { 1009 },
        entries: if has(BRANCH_STACK) {
            sample.entries.clone()
        } else {
            Vec::new()
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_fields_are_decoded(
        fields in fields(),
        read_format in 0_u64..32,
        members in 0_u64..5,
        hw_index in any::<bool>(),
        big in any::<bool>(),
        samples in prop::collection::vec(sample(), 1..20),
    ) {
        let mut builder = PerfDataBuilder::with_endian(if big { Endian::Big } else { Endian::Little });
        let branch_sample_type = 9 | if hw_index { HW_INDEX } else { 0 };
        builder.event(EventSpec {
            read_format,
            branch_sample_type,
            ..EventSpec::branch_stacks("cycles").sample_type(fields)
        });
        for sample in &samples {
            let read = if fields & READ != 0 { read_words(read_format, members) } else { Vec::new() };
            builder.sample(SampleSpec { read, ..sample.clone() });
        }
        let expected: Vec<_> = samples.iter().map(|sample| expected(sample, fields)).collect();
        let all = read_file(&builder.build_file());
        prop_assert_eq!(&all.samples, &expected);
        prop_assert!(all.stats.complete());
        prop_assert_eq!(&read_stream(&builder.build_pipe()).samples, &expected);
    }

    /// Decoding ends for any sample, and every sample is counted once.
    #[test]
    fn any_bytes_are_counted(
        fields in any::<u64>(),
        read_format in any::<u64>(),
        branch_sample_type in any::<u64>(),
        bodies in prop::collection::vec(body(), 0..50),
    ) {
        let mut builder = PerfDataBuilder::new();
        builder.event(EventSpec { read_format, branch_sample_type, ..EventSpec::branch_stacks("any").sample_type(fields) });
        builder.mmap(MapSpec::code(1, 0x1000, 0x1000, 0, "/bin/a"));
        for body in &bodies {
            builder.other(9, 2, body);
        }
        let all = read_file(&builder.build_file());
        prop_assert_eq!(all.chunk_stats.samples + all.chunk_stats.malformed, bodies.len() as u64);
        prop_assert_eq!(all.stats.samples(), bodies.len() as u64);
    }
}

/// A block of a file that is read in two passes ends within a run of samples.
#[test]
fn long_runs_of_equal_headers_are_decoded() {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::plain("cycles"));
    let samples = |builder: &mut PerfDataBuilder, count: u64| {
        for number in 0..count {
            builder.sample(SampleSpec::of(event, 7).at(number).ip(number * 16));
        }
    };
    samples(&mut builder, 20_000);
    builder.mmap(MapSpec::code(7, 0x1000, 0x1000, 0, "/bin/a").at(20_000));
    samples(&mut builder, 10_000);
    let all = read_file(&builder.build_file());
    let addresses: Vec<u64> = all.samples.iter().map(|sample| sample.ip).collect();
    let expected = |count: u64| (0..count).map(|number| number * 16);
    assert_eq!(addresses, expected(20_000).chain(expected(10_000)).collect::<Vec<_>>());
    assert_eq!(all.stats.samples(), 30_000);
    assert_eq!(read_stream(&builder.build_pipe()).samples, all.samples);
}

#[test]
fn branch_counters_behind_the_stack_do_not_disturb() {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    let counters: Vec<u8> = (0..3_u64).flat_map(|counter| counter.to_le_bytes()).collect();
    let stack = [(1, 2, 0), (3, 4, 0), (5, 6, 0)];
    builder.sample(SampleSpec {
        rest: counters,
        ..SampleSpec::of(event, 1).entries(&stack)
    });
    assert_eq!(read_file(&builder.build_file()).samples[0].entries, stack);
}

#[test]
fn flags_are_told() {
    use perfdata::{BranchFlags, Speculation};
    let flags = BranchFlags(1 | 1 << 2 | 0x1234 << 4 | 5 << 20 | 1 << 24 | 3 << 26 | 2 << 30);
    assert!(flags.mispredicted() && !flags.predicted() && flags.in_transaction() && !flags.transaction_abort());
    assert_eq!(
        (flags.cycles(), flags.branch_type(), flags.new_type(), flags.privilege()),
        (0x1234, 5, 3, 2)
    );
    assert_eq!(flags.speculation(), Speculation::WrongPath);
}
