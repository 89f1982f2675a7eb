//! Call chains whose user-space part the kernel wrote later than the samples (perf record --call-graph
//! fp,defer).

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "support/replay.rs"]
mod replay;
mod support;
#[path = "support/traced.rs"]
mod traced;

use std::path::PathBuf;

use job::{DiagnosticCode, ErrorCode};
use profgen::{EntryClass, GenerateOptions, Outcome, Silent};
use testkit::{Compression, EventSpec, PerfDataBuilder, SampleSpec};

use replay::{PID, Replay, text};
use traced::generate;

const CALL_CHAIN: u64 = 1 << 5;
const CALLCHAIN_DEFERRED: u32 = 22;
const KERNEL: u64 = 128_u64.wrapping_neg();
const USER: u64 = 512_u64.wrapping_neg();
const USER_DEFERRED: u64 = 640_u64.wrapping_neg();

/// Where the user-space parts of call chains stand in the recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Parts {
    InTheSamples,
    Behind,
    Before,
    AtTheEnd,
    OfAnotherThread,
    Missing,
}

/// Returns an address after a call: a branch went from there into a function, and another branch came back.
fn return_address(replay: &Replay) -> u64 {
    let came_back = |stack: &Vec<(u64, u64)>| {
        let is_behind_call = |back: u64, older: &[(u64, u64)]| older.iter().any(|(from, _)| back == from + 5);
        let mut newer = stack.iter().enumerate();
        newer.find_map(|(at, &(_, to))| is_behind_call(to, &stack[at..]).then_some(to))
    };
    replay.recorded.stacks.iter().find_map(came_back).expect("a return")
}

/// Makes a recording with a caller for each sample. A sample was taken in the kernel or in the program.
fn recording(replay: &Replay, parts: Parts) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let mut event = EventSpec::branch_stacks("cycles");
    event.sample_type |= CALL_CHAIN;
    let event = builder.event(event);
    let caller = return_address(replay);
    builder.mmap(replay.code_map(PID, 0));
    let deferred = |builder: &mut PerfDataBuilder, cookie: u64, ip: u64| {
        let tid = if parts == Parts::OfAnotherThread { PID + 1 } else { PID };
        // The last words are the trailer of the event: TID, TIME, CPU, IDENTIFIER.
        let words = [cookie, 3, USER, ip, caller, tid as u64 | (tid as u64) << 32, 9, 0, 1000];
        let body: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        builder.other(CALLCHAIN_DEFERRED, 2, &body);
    };
    let mut late = Vec::new();
    for index in 0..replay.recorded.stacks.len() {
        let sample = replay.sample(event, index, PID, 0);
        let (cookie, ip) = (index as u64 + 1, sample.ip);
        // Every third sample was taken in the kernel.
        let kernel: &[u64] = if index % 3 == 0 {
            &[KERNEL, u64::MAX - 8192]
        } else {
            &[]
        };
        let user: &[u64] = match parts {
            Parts::InTheSamples => &[USER, ip, caller],
            _ => &[USER_DEFERRED, cookie],
        };
        let callchain = [kernel, user].concat();
        if parts == Parts::Before {
            deferred(&mut builder, cookie, ip);
        }
        builder.sample(SampleSpec { callchain, ..sample });
        match parts {
            Parts::Behind | Parts::OfAnotherThread => deferred(&mut builder, cookie, ip),
            Parts::AtTheEnd => late.push((cookie, ip)),
            Parts::InTheSamples | Parts::Before | Parts::Missing => {}
        }
    }
    if parts == Parts::AtTheEnd {
        // The parts stand so far away that a reader which reads the file once never has both in memory.
        // ITRACE_START means nothing here.
        for _ in 0..400 {
            builder.other(12, 0, &[0; 60_000]);
        }
        for (cookie, ip) in late {
            deferred(&mut builder, cookie, ip);
        }
    }
    builder
}

fn profile(replay: &Replay, path: PathBuf, ignore_stack_samples: bool) -> Outcome {
    let options = GenerateOptions {
        ignore_stack_samples,
        ..replay.options(&[path])
    };
    let outcome = generate(&options, &Silent).expect("a profile");
    let ledger = &outcome.statistics.ledger;
    assert_eq!(ledger.accounted(), ledger.entries());
    outcome
}

fn is_incomplete(outcome: &Outcome) -> bool {
    let mut found = outcome.diagnostics.iter();
    found.any(|found| found.code == DiagnosticCode::CallChainsIncomplete)
}

#[test]
fn chains_are_joined_wherever_their_user_parts_stand() {
    let replay = Replay::new();
    let write = |parts| replay.write("perf.data", &recording(&replay, parts));
    let whole = text(&profile(&replay, write(Parts::InTheSamples), false));
    assert_ne!(
        whole,
        text(&profile(&replay, write(Parts::Missing), false)),
        "callers matter"
    );
    for parts in [Parts::Behind, Parts::Before, Parts::AtTheEnd] {
        let joined = profile(&replay, write(parts), false);
        assert_eq!(text(&joined), whole, "{parts:?}");
        assert!(!is_incomplete(&joined), "{parts:?}");
        let path = replay.folder.path().join("compressed");
        let compressed = recording(&replay, parts).build_compressed_file(Compression::V1, 50_000);
        std::fs::write(&path, compressed).expect("written");
        assert_eq!(text(&profile(&replay, path, false)), whole, "{parts:?}, compressed");
    }
}

#[test]
fn chains_without_their_user_parts_are_counted_and_begin_at_the_sample() {
    let replay = Replay::new();
    let samples = replay.recorded.stacks.len() as u64;
    for parts in [Parts::Missing, Parts::OfAnotherThread] {
        let outcome = profile(&replay, replay.write("perf.data", &recording(&replay, parts)), false);
        let found: Vec<_> = outcome
            .diagnostics
            .iter()
            .filter(|found| found.code == DiagnosticCode::CallChainsIncomplete)
            .collect();
        let [found] = found[..] else { panic!("{found:?}") };
        assert!(
            found.message.contains(&format!("{samples} of {samples} samples")),
            "{}",
            found.message
        );
        assert!(
            found.message.contains("Record with `--call-graph fp`"),
            "{}",
            found.message
        );
        // Samples of user code have one frame, which is known.
        assert!(outcome.statistics.ledger[EntryClass::Used] > outcome.statistics.ledger.entries() / 2);
    }
}

#[test]
fn a_profile_by_branch_stacks_is_the_same_with_and_without_the_user_parts() {
    let replay = Replay::new();
    let by_branches = |parts| profile(&replay, replay.write("perf.data", &recording(&replay, parts)), true);
    let whole = by_branches(Parts::InTheSamples);
    for parts in [Parts::Behind, Parts::Missing] {
        let outcome = by_branches(parts);
        assert_eq!(text(&outcome), text(&whole), "{parts:?}");
        assert!(!is_incomplete(&outcome), "{parts:?}");
    }
}

#[test]
fn a_record_that_is_too_short_is_malformed() {
    let replay = Replay::new();
    let mut builder = recording(&replay, Parts::Behind);
    builder.other(CALLCHAIN_DEFERRED, 2, &[1, 2, 3, 4]);
    let path = replay.write("perf.data", &builder);
    let options = GenerateOptions {
        strict: true,
        ..replay.options(&[path])
    };
    let error = generate(&options, &Silent).expect_err("a damaged record");
    assert_eq!(error.code, ErrorCode::InputDamaged);
    assert!(error.message.contains("1 record"), "{error}");
}
