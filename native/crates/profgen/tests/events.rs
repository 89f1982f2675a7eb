//! The events of a recording that can be used, by the kinds of branches that they recorded.

#[path = "support/replay.rs"]
mod replay;
mod support;
#[path = "support/traced.rs"]
mod traced;

use profgen::{CollectOptions, EntryClass, ErrorCode, Policy, Silent, collect};
use replay::{PID, Replay};
use testkit::{EventSpec, PerfDataBuilder};
use traced::generate;

const USER: u64 = 1 << 0;
const ANY: u64 = 1 << 3;

/// Makes a recording with an event for each value of `branch_sample_type`. Each event has all samples.
fn recording(replay: &Replay, branch_types: &[u64]) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let events: Vec<_> = branch_types
        .iter()
        .enumerate()
        .map(|(index, &branch_sample_type)| {
            let name = format!("event{index}");
            builder.event(EventSpec {
                branch_sample_type,
                ..EventSpec::branch_stacks(&name)
            })
        })
        .collect();
    builder.describe_events();
    builder.mmap(replay.code_map(PID, 0));
    for &event in &events {
        for index in 0..replay.recorded.stacks.len() {
            builder.sample(replay.sample(event, index, PID, 0));
        }
    }
    builder
}

#[test]
fn filters_that_perf_adds_to_any_branch_change_nothing() {
    let replay = Replay::new();
    // The values are: privileges, no_flags, no_cycles, save_type, priv (hw_index is left out, because it
    // changes the layout); 0, as perf inject writes it; other kinds of branches beside `any`; inside and
    // outside of transactions.
    for branch_type in [
        ANY,
        USER | 1 << 1 | ANY,
        ANY | 0b1_1100_0000_0000_0000,
        0,
        ANY | 1 << 4 | 1 << 10,
        ANY | 0x300,
        ANY | 1 << 9,
    ] {
        replay.assert_expected(replay.generate(&recording(&replay, &[branch_type])));
    }
}

#[test]
fn some_kinds_of_branches_are_refused() {
    let replay = Replay::new();
    for (branch_type, kinds) in [
        (USER | 1 << 4, "any_call"),
        (USER | 1 << 5, "any_ret"),
        (1 << 6, "ind_call"),
        (1 << 10 | 1 << 16, "cond"),
        (1 << 12, "ind_jmp"),
        (1 << 4 | 1 << 5, "any_call,any_ret"),
        (ANY | 1 << 8, "in_tx"),
        (1 << 7, "abort_tx"),
        (1 << 9, "no_tx"),
        (1 << 13, "call"),
    ] {
        let builder = recording(&replay, &[branch_type]);
        let error = replay.generate(&builder).expect_err("it is refused");
        assert_eq!(error.code, ErrorCode::NoBranchStacks);
        assert!(
            error
                .message
                .contains(&format!("`event0` hold only some kinds of branches (-j {kinds})")),
            "{error}"
        );
        assert!(error.hint.expect("a hint").contains("perf record -e"));
        // llvm-profgen takes such stacks for straight runs. Sampled addresses need no branches.
        replay.assert_expected(replay.generate_by(Policy::LLVM_PROFGEN, &builder));
        let mut options = replay.options(&[replay.write("perf.data", &builder)]);
        (options.leading_ip_only, options.policy) = (true, Policy::OWN);
        generate(&options, &Silent).expect("a profile of addresses");
    }
}

#[test]
fn of_several_events_the_useful_ones_count_and_the_others_are_named() {
    let replay = Replay::new();
    let builder = recording(&replay, &[USER | 1 << 4, USER | ANY, 1 << 11]);
    let shard = replay.folder.path().join("traces.parquet");
    let collecting = CollectOptions::new(vec![replay.write("perf.data", &builder)], shard);
    let told = collect(&collecting, &Silent).expect("one event is good").diagnostics;
    assert_eq!(told.iter().filter(|found| found.code == "event-left-out").count(), 2);
    let outcome = replay.generate(&builder).expect("one event is good");
    let ledger = &outcome.statistics.ledger;
    assert_eq!(ledger[EntryClass::Deselected] * 3, ledger.entries() * 2);
    let left_out: Vec<_> = outcome
        .diagnostics
        .iter()
        .filter(|found| found.code == "event-left-out")
        .collect();
    assert_eq!(left_out.len(), 2);
    assert!(left_out[0].message.contains("`event0`") && left_out[0].message.contains("-j any_call"));
    assert!(left_out[1].message.contains("`event2`") && left_out[1].message.contains("call-stack mode"));
    replay.assert_expected(Ok(outcome));

    let error = replay
        .generate(&recording(&replay, &[1 << 4, 1 << 11]))
        .expect_err("none is good");
    assert!(
        error.message.starts_with("the branch stacks of `event0` hold only"),
        "{error}"
    );
}

#[test]
fn facts_that_a_recording_could_have_had_are_noted() {
    /// Bits of `sample_type` that `--call-graph dwarf` sets. The call chains have no frames of user space.
    const STACK_DUMPS: u64 = 1 << 5 | 1 << 13;
    let replay = Replay::new();
    let codes = |builder: &PerfDataBuilder| -> Vec<String> {
        let outcome = replay.generate(builder).expect("a profile");
        let notes = outcome
            .diagnostics
            .into_iter()
            .filter(|found| found.severity == profgen::Severity::Note);
        notes.map(|note| note.code.to_string()).collect()
    };
    assert_eq!(codes(&recording(&replay, &[ANY])), [""; 0]);
    assert_eq!(codes(&recording(&replay, &[ANY | 1 << 9])), ["transactions-left-out"]);
    let mut builder = PerfDataBuilder::new();
    let mut spec = EventSpec::branch_stacks("cycles");
    spec.sample_type |= STACK_DUMPS;
    let event = builder.event(spec);
    builder.mmap(replay.code_map(PID, 0));
    for index in 0..replay.recorded.stacks.len() {
        builder.sample(replay.sample(event, index, PID, 0));
    }
    assert_eq!(codes(&builder), ["call-chains-unused"]);
    assert_eq!(
        replay
            .generate_by(Policy::LLVM_PROFGEN, &builder)
            .expect("a profile")
            .diagnostics
            .iter()
            .filter(|found| found.severity == profgen::Severity::Note)
            .count(),
        0
    );
}
