//! Each difference between this project's profile and llvm-profgen's, and the switch that takes the
//! difference back, alone and with all others.
//!
//! The samples are those of a fixture, replayed under other circumstances. Where llvm-profgen is right in
//! principle, the expected profile is llvm-profgen's profile of the undisturbed recording.

#[path = "support/replay.rs"]
mod replay;
mod support;
#[path = "support/traced.rs"]
mod traced;

use std::path::Path;

use elf::Image;
use profgen::{EntryClass, Error, ErrorCode, GenerateOptions, Outcome, Policy, Silent};
use testkit::{EventSpec, MapSpec, PerfDataBuilder, SampleSpec};

use replay::{PID, Replay, text};
use traced::generate;

impl Replay {
    /// Makes a recording that has all samples in one process, with `maps` before them.
    fn recording(&self, maps: Vec<MapSpec>) -> PerfDataBuilder {
        let mut builder = PerfDataBuilder::new();
        let event = builder.event(EventSpec::branch_stacks("cycles"));
        for map in maps {
            builder.mmap(map);
        }
        for index in 0..self.recorded.stacks.len() {
            builder.sample(self.sample(event, index, PID, 0));
        }
        builder
    }

    /// Returns llvm-profgen's result for a recording in which one difference shows. The result is the same if
    /// only this difference is taken back.
    #[track_caller]
    fn without(&self, difference: fn(&mut Policy) -> &mut bool, builder: &PerfDataBuilder) -> Result<Outcome, Error> {
        let mut policy = Policy::OWN;
        *difference(&mut policy) = false;
        let outcomes = [policy, Policy::LLVM_PROFGEN].map(|policy| self.generate_by(policy, builder));
        let [alone, all] = outcomes.each_ref().map(|outcome| match outcome {
            Ok(outcome) => Ok(text(outcome)),
            Err(error) => Err(error.to_string()),
        });
        assert_eq!(alone, all);
        let [_, all] = outcomes;
        all
    }

    /// Checks that both profiles are equal, and that neither equals the profile of the undisturbed recording.
    #[track_caller]
    fn assert_same(&self, outcome: Result<Outcome, Error>, wanted: Result<Outcome, Error>) {
        let wanted = text(&wanted.expect("a profile"));
        assert_eq!(text(&outcome.expect("a profile")), wanted);
        assert_ne!(
            wanted,
            String::from_utf8_lossy(&self.recorded.fixture.read("expected.prof"))
        );
    }
}

fn build_id(program: &Path) -> Vec<u8> {
    Image::open(program)
        .expect("an image")
        .build_id()
        .expect("a build id")
        .to_vec()
}

#[test]
fn the_replay_itself_changes_nothing() {
    let replay = Replay::new();
    let builder = replay.recording(vec![replay.code_map(PID, 0)]);
    replay.assert_expected(replay.generate(&builder));
    replay.assert_expected(replay.generate_by(Policy::LLVM_PROFGEN, &builder));
}

#[test]
fn processes_at_different_addresses_keep_their_samples() {
    const SLIDE: u64 = 0x1234_5000;
    let replay = Replay::new();
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder
        .mmap(replay.code_map(PID, 0))
        .mmap(replay.code_map(PID + 1, SLIDE));
    let mut of_second = PerfDataBuilder::new();
    let alone = of_second.event(EventSpec::branch_stacks("cycles"));
    of_second.mmap(replay.code_map(PID, 0));
    for index in 0..replay.recorded.stacks.len() {
        let second = index % 2;
        builder.sample(replay.sample(event, index, PID + second as i32, second as u64 * SLIDE));
        if second == 1 {
            of_second.sample(replay.sample(alone, index, PID, 0));
        }
    }
    replay.assert_expected(replay.generate(&builder));
    // llvm-profgen uses the newest mapping alone, so the first process's samples are lost.
    let compatible = replay.without(|policy| &mut policy.own_mappings, &builder);
    replay.assert_same(compatible, replay.generate(&of_second));
}

#[test]
fn forks_and_execs_are_followed() {
    const SLIDE: u64 = 0x1234_5000;
    let replay = Replay::new();
    let half = replay.recorded.stacks.len() / 2;
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    // A child inherits the mapping. Later the child starts the program again, and the program is loaded at
    // another address.
    builder.mmap(replay.code_map(PID, 0)).fork(PID + 1, PID, 5);
    for index in 0..half {
        builder.sample(replay.sample(event, index, PID + 1, 0));
    }
    let again = 10 + half as u64;
    builder
        .comm(PID + 1, "calc", true, again)
        .mmap(replay.code_map(PID + 1, SLIDE).at(again));
    for index in half..replay.recorded.stacks.len() {
        builder.sample(replay.sample(event, index, PID + 1, SLIDE));
    }
    replay.assert_expected(replay.generate(&builder));
}

#[test]
fn a_renamed_binary_is_known_by_its_build_id() {
    let replay = Replay::new();
    let mut map = replay
        .code_map(PID, 0)
        .with_build_id(&build_id(&replay.recorded.fixture.program()));
    map.name = "/opt/service".to_owned();
    let builder = replay.recording(vec![map]);
    replay.assert_expected(replay.generate(&builder));
    // The result is the same if one load address holds for all processes.
    let one_address = Policy {
        own_mappings: false,
        ..Policy::OWN
    };
    replay.assert_expected(replay.generate_by(one_address, &builder));
    let by_name = replay.generate_by(
        Policy {
            build_ids: false,
            ..Policy::OWN
        },
        &builder,
    );
    for outcome in [by_name, replay.generate_by(Policy::LLVM_PROFGEN, &builder)] {
        assert_eq!(outcome.expect_err("no such name").code, ErrorCode::NoMapping);
    }
}

#[test]
fn another_build_is_refused_unless_asked_for() {
    let replay = Replay::new();
    let builder = replay.recording(vec![replay.code_map(PID, 0).with_build_id(&[0xab; 20])]);
    let error = replay.generate(&builder).expect_err("another build");
    assert_eq!(error.code, ErrorCode::BuildIdMismatch);
    assert!(
        error.message.contains(&"ab".repeat(20)),
        "names the recorded id: {error}"
    );
    let own: String = build_id(&replay.recorded.fixture.program())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert!(error.message.contains(&own), "names the binary's id: {error}");

    let options = replay.options(&[replay.write("perf.data", &builder)]);
    replay.assert_expected(generate(
        &GenerateOptions {
            ignore_build_id: true,
            ..options
        },
        &Silent,
    ));
    let by_name = replay
        .without(|policy| &mut policy.build_ids, &builder)
        .expect("a profile");
    assert!(by_name.diagnostics.iter().all(|found| found.code != "other-build"));
    replay.assert_expected(Ok(by_name));
    let one_address = Policy {
        own_mappings: false,
        ..Policy::OWN
    };
    let refused = replay.generate_by(one_address, &builder).expect_err("another build");
    assert_eq!(refused.code, ErrorCode::NoMapping);
}

#[test]
fn the_build_id_table_speaks_for_mappings_without_ids() {
    let replay = Replay::new();
    let mut builder = replay.recording(vec![replay.code_map(PID, 0)]);
    builder.build_ids(&[("/somewhere/else/calc", &[0xcd; 20])]);
    assert_eq!(
        replay.generate(&builder).expect_err("another build").code,
        ErrorCode::BuildIdMismatch
    );
}

#[test]
fn data_mappings_of_the_binary_are_ignored() {
    let replay = Replay::new();
    let (start, ..) = replay.recorded.code;
    let data = MapSpec::code(PID, start - 0x10_0000, 0x1000, 0, "/somewhere/else/calc")
        .at(1)
        .data();
    let builder = replay.recording(vec![replay.code_map(PID, 0), data]);
    replay.assert_expected(replay.generate(&builder));
    let error = replay
        .without(|policy| &mut policy.own_mappings, &builder)
        .expect_err("llvm-profgen ends with an error");
    assert_eq!(error.message, "File offset not found");
}

#[test]
fn wrong_path_entries_and_unfilled_slots_are_dropped() {
    const WRONG_PATH: u64 = 1 << 24;
    let replay = Replay::new();
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(replay.code_map(PID, 0));
    let mut unmarked = PerfDataBuilder::new();
    let unmarked_event = unmarked.event(EventSpec::branch_stacks("cycles"));
    unmarked.mmap(replay.code_map(PID, 0));
    let mut inserted = 0;
    for (index, stack) in replay.recorded.stacks.iter().enumerate() {
        let mut entries: Vec<(u64, u64, u64)> = stack.iter().map(|&(from, to)| (from, to, 0)).collect();
        // The entry is a branch that never happened, between two that did.
        if entries.len() > 4 {
            entries.insert(2, (entries[3].0, entries[0].1, WRONG_PATH));
            inserted += 1;
        }
        let as_taken: Vec<_> = entries.iter().map(|&(from, to, _)| (from, to, 0)).collect();
        unmarked.sample(
            SampleSpec::of(unmarked_event, PID)
                .at(10 + index as u64)
                .entries(&as_taken),
        );
        entries.extend([(0, 0, 0), (0, 0, 0)]);
        builder.sample(SampleSpec::of(event, PID).at(10 + index as u64).entries(&entries));
    }
    let outcome = replay.generate(&builder).expect("a profile");
    assert_eq!(outcome.statistics.ledger[EntryClass::WrongPath], inserted);
    assert_eq!(
        outcome.statistics.ledger[EntryClass::UnfilledSlot],
        2 * replay.recorded.stacks.len() as u64
    );
    replay.assert_expected(Ok(outcome));
    // llvm-profgen ignores the mark, and counts an unfilled slot as outside of all code.
    replay.assert_same(
        replay.without(|policy| &mut policy.drops_unreal_entries, &builder),
        replay.generate_by(Policy::LLVM_PROFGEN, &unmarked),
    );
}

#[test]
fn a_recording_of_wrong_paths_only_says_so() {
    let replay = Replay::new();
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(replay.code_map(PID, 0));
    for (index, stack) in replay.recorded.stacks.iter().enumerate() {
        let entries: Vec<_> = stack.iter().map(|&(from, to)| (from, to, 1 << 24)).collect();
        builder.sample(SampleSpec::of(event, PID).at(10 + index as u64).entries(&entries));
    }
    let error = replay.generate(&builder).expect_err("nothing ran");
    assert_eq!(error.code, ErrorCode::EmptyProfile);
    assert!(error.message.contains("on wrong paths"), "{error}");
    let hint = error.hint.expect("a hint");
    assert!(
        hint.contains("SPEC_WRONG_PATH") && hint.contains("--compat=llvm-profgen"),
        "{hint}"
    );
    replay.assert_expected(replay.without(|policy| &mut policy.drops_unreal_entries, &builder));
}

#[test]
fn mappings_rounded_to_large_pages_are_followed() {
    const PAGE: u64 = 0x1_0000;
    let replay = Replay::new();
    let (start, len, pgoff) = replay.recorded.code;
    // The program must be placed so that address and file offset agree within a page of that size.
    let slide = (pgoff.wrapping_sub(start)) & (PAGE - 1);
    let (first, last) = (
        (start + slide) & !(PAGE - 1),
        (start + slide + len).next_multiple_of(PAGE),
    );
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(MapSpec::code(PID, first, last - first, pgoff & !(PAGE - 1), "/somewhere/else/calc").at(1));
    for index in 0..replay.recorded.stacks.len() {
        builder.sample(replay.sample(event, index, PID, slide));
    }
    replay.assert_expected(replay.generate(&builder));
    let error = replay
        .without(|policy| &mut policy.own_mappings, &builder)
        .expect_err("llvm-profgen ends with an error");
    assert_eq!(error.message, "File offset not found");
}

#[test]
fn code_that_a_program_moved_is_still_its_code() {
    let replay = Replay::new();
    let (start, len, _) = replay.recorded.code;
    for name in ["//anon", "/anon_hugepage (deleted)", "/memfd:text (deleted)"] {
        for (from, length) in [(start, len), (start, 0x1000), (start & !0x1f_ffff, 4 << 20)] {
            let memory = MapSpec::code(PID, from, length, from, name).at(2);
            let builder = replay.recording(vec![replay.code_map(PID, 0), memory]);
            replay.assert_expected(replay.generate(&builder));
            // llvm-profgen has one load address for all, which mappings of memory do not change.
            replay.assert_expected(replay.generate_by(Policy::LLVM_PROFGEN, &builder));
        }
    }
}

#[test]
fn several_inputs_give_what_one_with_all_samples_gives() {
    let replay = Replay::new();
    let half = |parity: usize| {
        let mut builder = PerfDataBuilder::new();
        let event = builder.event(EventSpec::branch_stacks("cycles"));
        // Each recording has its own boot: another load address, another process.
        let slide = parity as u64 * 0x7_0000_0000;
        builder.mmap(replay.code_map(PID, slide));
        for index in (0..replay.recorded.stacks.len()).filter(|index| index % 2 == parity) {
            builder.sample(replay.sample(event, index, PID, slide));
        }
        builder
    };
    let paths = [replay.write("even", &half(0)), replay.write("odd", &half(1))];
    replay.assert_expected(generate(&replay.options(&paths), &Silent));
    let [even, odd] = paths;
    replay.assert_expected(generate(&replay.options(&[odd, even]), &Silent));
}

#[test]
fn nothing_of_the_binary_is_an_error_that_lists_what_there_is() {
    let replay = Replay::new();
    let mut map = replay.code_map(PID, 0);
    map.name = "/opt/calculator".to_owned();
    let other = MapSpec::code(PID, 0x7000_0000, 0x1000, 0, "/usr/lib/libfar.so").at(1);
    let error = replay
        .generate(&replay.recording(vec![other, map]))
        .expect_err("no mapping");
    assert_eq!(error.code, ErrorCode::NoMapping);
    let near = error.message.find("/opt/calculator").expect("listed");
    assert!(
        near < error.message.find("libfar.so").expect("listed"),
        "nearest name first: {error}"
    );
}

#[test]
fn samples_that_hit_nothing_are_an_error_with_the_account() {
    let replay = Replay::new();
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(replay.code_map(PID, 0));
    builder.sample(
        SampleSpec::of(event, PID)
            .at(10)
            .branches(&[(0x10, 0x20), (0x30, 0x40)]),
    );
    let error = replay.generate(&builder).expect_err("an empty profile");
    assert_eq!(error.code, ErrorCode::EmptyProfile);
    assert!(error.message.contains("2 where nothing was mapped"), "{error}");

    let no_stacks = PerfDataBuilder::new();
    let mut builder = no_stacks;
    let event = builder.event(EventSpec::plain("branches"));
    builder.sample(SampleSpec::of(event, PID).at(10));
    builder.describe_events();
    let error = replay.generate(&builder).expect_err("no stacks");
    assert_eq!(error.code, ErrorCode::NoBranchStacks);
    assert!(error.hint.is_some_and(|hint| hint.contains("--samples=addresses")));
}
