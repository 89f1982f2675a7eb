//! Recordings of Arm SPE. The fixture's branches are sampled one by one. The fixture is from another CPU,
//! which makes no difference.

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "support/replay.rs"]
mod replay;
#[path = "support/spe_recording.rs"]
mod spe_recording;
mod support;
#[path = "support/traced.rs"]
mod traced;

use std::collections::{BTreeMap, BTreeSet};

use profgen::{CollectOptions, EntryClass, ErrorCode, GenerateOptions, Outcome, Policy, Silent, collect};
use replay::{PID, Replay, text};
use spe_recording::{spe_recording, words};
use testkit::{EventSpec, PerfDataBuilder, SampleSpec, SpeRecord};
use traced::generate;

/// Makes a recording with these records in the buffer of one CPU.
fn recording(replay: &Replay, records: &[SpeRecord]) -> PerfDataBuilder {
    spe_recording(replay.code_map(PID, 0), records)
}

/// Makes a recording with the stacks that perf makes of these records.
fn injected(replay: &Replay, records: &[SpeRecord]) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec {
        branch_sample_type: 1 << 17,
        ..EventSpec::branch_stacks("branch")
    });
    builder.mmap(replay.code_map(PID, 0));
    for record in records {
        let flags = 1 << 1 | u64::from(record.events >> 6 & 1) << 33;
        let newest = (record.pc, record.target, flags);
        let entries: Vec<_> = [newest]
            .into_iter()
            .chain(record.previous_target.map(|to| (0, to, 0)))
            .collect();
        builder.sample(SampleSpec::of(event, PID).at(20).ip(record.pc).entries(&entries));
    }
    builder
}

/// Returns all branches but the oldest of each stack, each with the target of the branch before.
fn with_previous_targets(replay: &Replay) -> Vec<SpeRecord> {
    let neighbours = replay.recorded.stacks.iter().flat_map(|stack| stack.windows(2));
    neighbours
        .map(|pair| {
            SpeRecord::taken(pair[0].0, pair[0].1)
                .after_branch_to(pair[1].1)
                .in_thread(PID as u32)
                .at(20)
        })
        .collect()
}

fn without(records: &[SpeRecord]) -> Vec<SpeRecord> {
    let plain = |record: &SpeRecord| SpeRecord {
        previous_target: None,
        ..*record
    };
    records.iter().map(plain).collect()
}

fn run(
    replay: &Replay,
    builder: &PerfDataBuilder,
    change: impl Fn(&mut GenerateOptions),
) -> Result<Outcome, profgen::Error> {
    let mut options = replay.options(&[replay.write("perf.data", builder)]);
    change(&mut options);
    generate(&options, &Silent)
}

/// Counts of ranges, by the ends of the range.
type Ranges = BTreeMap<(u64, u64), u64>;

fn counters(outcome: &Outcome) -> (Ranges, Ranges) {
    let read = |separator: &str| {
        let text = text(outcome);
        let rows = text.lines().filter_map(|line| {
            let (ends, count) = line.trim().rsplit_once(':')?;
            let (first, second) = ends.split_once(separator)?;
            let end = |digits| u64::from_str_radix(digits, 16).ok();
            Some(((end(first)?, end(second)?), count.parse().ok()?))
        });
        rows.collect()
    };
    (read("-"), read("->"))
}

fn counters_of(replay: &Replay, builder: &PerfDataBuilder) -> (Ranges, Ranges) {
    let outcome = run(replay, builder, |options| options.skip_symbolization = true).expect("counters");
    let ledger = &outcome.statistics.ledger;
    assert_eq!(ledger.accounted(), ledger.entries());
    counters(&outcome)
}

fn stacks(replay: &Replay) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(replay.code_map(PID, 0));
    for index in 0..replay.recorded.stacks.len() {
        builder.sample(replay.sample(event, index, PID, 0));
    }
    builder
}

#[test]
fn runs_between_branches_are_those_of_branch_stacks() {
    let replay = Replay::new();
    let records = with_previous_targets(&replay);
    let (ranges, branches) = counters_of(&replay, &recording(&replay, &records));
    assert_eq!(ranges, counters_of(&replay, &stacks(&replay)).0);
    assert!(!branches.is_empty());
    assert_eq!(counters_of(&replay, &injected(&replay, &records)), (ranges, branches));
}

#[test]
fn a_branch_that_was_not_taken_adds_nothing_to_the_run_that_it_is_in() {
    let replay = Replay::new();
    let taken = with_previous_targets(&replay);
    let mut all = taken.clone();
    all.extend(taken.iter().map(|record| SpeRecord {
        previous_target: record.previous_target,
        ..SpeRecord::not_taken(record.pc).in_thread(PID as u32).at(20)
    }));
    let expected = counters_of(&replay, &recording(&replay, &taken));
    for builder in [recording(&replay, &all), injected(&replay, &all)] {
        assert_eq!(counters_of(&replay, &builder), expected);
        let outcome = run(&replay, &builder, |_| {}).expect("a profile");
        assert_eq!(outcome.statistics.ledger[EntryClass::NotTaken], taken.len() as u64);
        assert_eq!(outcome.statistics.ledger.entries(), all.len() as u64);
    }
}

/// llvm-profgen takes the branch stacks that perf makes of the trace for stacks of taken branches.
#[test]
fn branches_that_were_not_taken_count_as_taken_without_20() {
    let replay = Replay::new();
    let taken = with_previous_targets(&replay);
    let not_taken = taken.iter().map(|record| SpeRecord {
        previous_target: record.previous_target,
        ..SpeRecord::not_taken(record.pc).in_thread(PID as u32).at(20)
    });
    let all: Vec<_> = taken.iter().copied().chain(not_taken).collect();
    let counters_by = |policy| {
        let outcome = run(&replay, &injected(&replay, &all), |options| {
            options.skip_symbolization = true;
            // Many of these branches go to address 0, which 13 refuses.
            options.ignore_build_id = true;
            options.policy = policy;
        });
        counters(&outcome.expect("counters"))
    };
    let without_20 = Policy {
        reads_arm_spe: false,
        ..Policy::OWN
    };
    let (ranges, branches) = counters_by(without_20);
    assert_eq!(
        (ranges, branches.clone()),
        counters_by(Policy::LLVM_PROFGEN),
        "as llvm-profgen counts"
    );
    let (_, own) = counters_by(Policy::OWN);
    let all_of = |branches: &Ranges| branches.values().sum::<u64>();
    assert!(all_of(&own) > 0 && all_of(&branches) > all_of(&own));
}

/// Without the target of the branch before, the code after a branch is known up to the next branch. It is
/// never longer than the run up to the next taken branch.
#[test]
fn stretches_behind_branches_end_at_the_next_branch() {
    let replay = Replay::new();
    let all = with_previous_targets(&replay);
    let (runs, branches) = counters_of(&replay, &recording(&replay, &all));
    let (stretches, same_branches) = counters_of(&replay, &recording(&replay, &without(&all)));
    assert_eq!(same_branches, branches);
    let starts: BTreeSet<u64> = stretches.keys().map(|(start, _)| *start).collect();
    assert_eq!(starts.len(), stretches.len(), "one end for each start");
    let mut exact = 0;
    for (start, end) in stretches.keys() {
        let known = runs
            .range((*start, 0)..=(*start, u64::MAX))
            .map(|((_, end), _)| *end)
            .min();
        assert!(
            known.is_none_or(|known| start <= end && *end <= known),
            "{start:x}-{end:x}"
        );
        exact += u64::from(known == Some(*end));
    }
    assert!(exact > 0);
    // Each branch into the program has its stretch.
    let into: u64 = branches.values().sum();
    assert_eq!(stretches.values().sum::<u64>(), into);

    // A branch that was not taken has a stretch, too, and does not count as a branch.
    let not_taken: Vec<_> = all
        .iter()
        .map(|record| SpeRecord::not_taken(record.pc).in_thread(PID as u32))
        .collect();
    let outcome = run(&replay, &recording(&replay, &not_taken), |options| {
        options.skip_symbolization = true
    });
    let (ranges, branches) = counters(&outcome.expect("counters"));
    assert!(branches.is_empty() && !ranges.is_empty());
}

#[test]
fn the_profile_and_what_is_told() {
    let replay = Replay::new();
    let records = with_previous_targets(&replay);
    for (records, expected) in [
        (records.clone(), "where the branch before each of them went"),
        (without(&records), "up to the next branch"),
    ] {
        let builder = recording(&replay, &records);
        let outcome = run(&replay, &builder, |_| {}).expect("a profile");
        assert!(text(&outcome).contains("main:"));
        assert!(!outcome.statistics.by_addresses);
        assert_eq!(outcome.statistics.branch_samples, records.len() as u64);
        let note = outcome
            .diagnostics
            .iter()
            .find(|found| found.code.as_str() == "branches-sampled");
        assert!(
            note.is_some_and(|note| note.message.contains(expected)),
            "{:?}",
            outcome.diagnostics
        );
        let one = run(&replay, &builder, |options| options.jobs = 1).expect("a profile");
        assert_eq!(text(&one), text(&outcome));
    }
}

#[test]
fn a_damaged_trace_is_used_as_far_as_it_goes() {
    let replay = Replay::new();
    let records = with_previous_targets(&replay);
    let mut builder = recording(&replay, &records);
    // Flags: truncated; samples were given up (collision).
    builder.other(11, 0, &words(&[0, 64, 1, 0, 20, 0, 1000]));
    builder.other(11, 0, &words(&[64, 64, 8, 0, 21, 0, 1000]));
    let mut bytes = records[0].encode();
    // A packet of an unknown type stands before bytes that are no packet.
    bytes[9..12].copy_from_slice(&[0x40, 0, 0xff]);
    builder.other(71, 0, &words(&[64, 1 << 30, 0, u64::from(u32::MAX) << 32, 0]));
    builder.record(bytes);
    let expected = counters_of(&replay, &recording(&replay, &records));
    let outcome = run(&replay, &builder, |options| options.skip_symbolization = true).expect("counters");
    assert_eq!(counters(&outcome), expected);
    for expected in [
        "1 record of the trace is damaged or cut off",
        "1 packet of an unknown type was skipped in the trace",
        "the buffer of the trace was full 1 time,",
        "the CPU gave up samples at least 1 time, because",
    ] {
        let mut messages = outcome.diagnostics.iter().map(|found| &found.message);
        assert!(
            messages.any(|message| message.contains(expected)),
            "{:?}",
            outcome.diagnostics
        );
    }
    let error = run(&replay, &builder, |options| options.strict = true).expect_err("damage");
    assert_eq!(error.code, ErrorCode::InputDamaged);
}

/// Code that ran on a CPU while the recording does not tell its process belongs to no binary, and is
/// accounted for.
#[test]
fn a_buffer_of_a_cpu_whose_threads_are_not_known() {
    let replay = Replay::new();
    let records = with_previous_targets(&replay);
    let strangers = records.iter().take(10).map(|record| SpeRecord {
        context: None,
        ..*record
    });
    let bytes: Vec<u8> = strangers.flat_map(|record| record.encode()).collect();
    let mut builder = recording(&replay, &records);
    builder.other(71, 0, &words(&[bytes.len() as u64, 0, 0, u64::from(u32::MAX) << 32, 7]));
    builder.record(bytes);
    let alone = recording(&replay, &records);
    assert_eq!(counters_of(&replay, &builder), counters_of(&replay, &alone));
    let entries = |builder| {
        run(&replay, builder, |_| {})
            .expect("a profile")
            .statistics
            .ledger
            .entries()
    };
    assert_eq!(entries(&builder), entries(&alone) + 10);
}

#[test]
fn results_that_a_trace_cannot_give_are_refused_with_a_remedy() {
    let replay = Replay::new();
    let builder = recording(&replay, &with_previous_targets(&replay));
    let refused = |change: fn(&mut GenerateOptions), code: ErrorCode, hint: &str| {
        let error = run(&replay, &builder, change).expect_err(hint);
        assert_eq!(error.code, code, "{error}");
        assert!(
            error.hint.as_ref().is_some_and(|found| found.contains(hint)),
            "{error:?}"
        );
    };
    refused(
        |options| options.policy = Policy::LLVM_PROFGEN,
        ErrorCode::NoBranchStacks,
        "Leave out {--compat=llvm-profgen}",
    );
    let only = |records: &[SpeRecord]| {
        let error = run(&replay, &recording(&replay, records), |_| {}).expect_err("no branches");
        assert_eq!(error.code, ErrorCode::NoBranchStacks);
        assert!(error.hint.is_some_and(|hint| hint.contains("branch_filter=1")));
        error.message
    };
    assert!(only(&[SpeRecord::load(0x10), SpeRecord::taken(0x10, 0x20).speculative()]).contains("2 records"));
    assert!(only(&[]).contains("0 records"));

    // A fleet goes on where a host sampled no branch.
    let path = replay.write("perf.data", &recording(&replay, &[SpeRecord::load(0x10)]));
    let options = CollectOptions::new(vec![path], replay.folder.path().join("traces.parquet"));
    let outcome = collect(&options, &Silent).expect("an empty file");
    let told = outcome.diagnostics.iter().any(|found| {
        found.code.as_str() == "no-samples" && found.message.contains("none is of a branch that was executed")
    });
    assert!(told, "{:?}", outcome.diagnostics);
}
