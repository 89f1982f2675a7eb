//! Recordings without branch stacks.

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "support/replay.rs"]
mod replay;
mod support;
#[path = "support/traced.rs"]
mod traced;

use profgen::{CollectOptions, ErrorCode, GenerateOptions, Policy, SampleUse, Silent, collect};
use proptest::prelude::*;
use replay::{PID, Replay, text};

use testkit::{Endian, EventSpec, MapSpec, PerfDataBuilder, SampleSpec};
use traced::generate;

/// Makes a recording of an event that has the sampled addresses of the fixture, and no stacks.
fn plain(replay: &Replay, event: &str) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::plain(event));
    builder.mmap(replay.code_map(PID, 0));
    add_addresses(&mut builder, replay, event);
    builder.describe_events();
    builder
}

/// Adds a sample for each branch of the fixture's stacks. Its address is the target of the branch.
fn add_addresses(builder: &mut PerfDataBuilder, replay: &Replay, event: usize) {
    for (index, stack) in replay.recorded.stacks.iter().enumerate() {
        for (_, to) in stack.iter().take(4) {
            builder.sample(SampleSpec::of(event, PID).at(10 + index as u64).ip(*to));
        }
    }
}

#[test]
fn addresses_count_where_no_sample_has_a_stack() {
    let replay = Replay::new();
    let outcome = replay.generate(&plain(&replay, "cycles")).expect("a profile");
    assert!(outcome.statistics.by_addresses);
    let ledger = &outcome.statistics.ledger;
    assert_eq!(ledger.accounted(), ledger.entries());
    assert_eq!(ledger.entries(), outcome.statistics.samples);
    assert!(text(&outcome).contains("main:"), "{}", text(&outcome));
    let codes: Vec<_> = outcome.diagnostics.iter().map(|found| found.code.as_str()).collect();
    assert!(codes.contains(&"inferred-counts"), "{codes:?}");
    assert!(!codes.contains(&"density-low"), "{codes:?}");
}

#[test]
fn an_empty_branch_stack_counts_as_no_stack() {
    let replay = Replay::new();
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(replay.code_map(PID, 0));
    add_addresses(&mut builder, &replay, event);
    let empty = replay.generate(&builder).expect("a profile");
    assert!(empty.statistics.by_addresses);
    assert_eq!(
        text(&empty),
        text(&replay.generate(&plain(&replay, "cycles")).expect("a profile"))
    );

    // One sample has a stack, so the samples without a stack do not count.
    let middle = replay.recorded.stacks.len() / 2;
    builder.sample(replay.sample(event, middle, PID, 0));
    let some = replay.generate(&builder).expect("a profile");
    assert!(!some.statistics.by_addresses);
    assert_eq!(
        some.statistics.ledger.entries(),
        replay.recorded.stacks[middle].len() as u64
    );
}

#[test]
fn branches_alone_are_asked_for() {
    let replay = Replay::new();
    let path = replay.write("plain.data", &plain(&replay, "cycles"));
    let options = GenerateOptions {
        samples: SampleUse::Branches,
        ..replay.options(std::slice::from_ref(&path))
    };
    assert_eq!(
        generate(&options, &Silent).expect_err("no stacks").code,
        ErrorCode::NoBranchStacks
    );
    let without_17 = Policy {
        infers_from_addresses: false,
        ..Policy::OWN
    };
    for policy in [without_17, Policy::LLVM_PROFGEN] {
        let compatible = replay.generate_by(policy, &plain(&replay, "cycles"));
        assert_eq!(compatible.expect_err("as llvm-profgen").code, ErrorCode::NoBranchStacks);
    }
}

#[test]
fn a_collection_refuses_what_a_profile_refuses() {
    let replay = Replay::new();
    let collect_of = |event: &str, samples| {
        let path = replay.write("plain.data", &plain(&replay, event));
        let options = CollectOptions {
            samples,
            ..CollectOptions::new(vec![path], replay.folder.path().join("traces.parquet"))
        };
        collect(&options, &Silent).map_err(|error| (error.code, error.hint.unwrap_or_default()))
    };
    let (code, hint) = collect_of("cycles", SampleUse::Branches).expect_err("no branches");
    assert_eq!(code, ErrorCode::NoBranchStacks);
    assert!(hint.contains("perf record"), "{hint}");
    let (_, hint) = collect_of("intel_pt//u", SampleUse::Any).expect_err("a raw trace");
    assert!(hint.contains("perf inject") && !hint.contains("addresses"), "{hint}");
    let (_, hint) = collect_of("cache-misses", SampleUse::Any).expect_err("no time");
    assert!(hint.contains("{--samples=addresses}"), "{hint}");
    assert!(collect_of("cache-misses", SampleUse::Addresses).is_ok());
}

#[test]
fn addresses_of_other_events_are_used_if_that_is_asked_for() {
    let replay = Replay::new();
    let path = replay.write("misses.data", &plain(&replay, "cache-misses"));
    let options = replay.options(std::slice::from_ref(&path));
    assert_eq!(
        generate(&options, &Silent).expect_err("no time").code,
        ErrorCode::NoBranchStacks
    );
    let options = GenerateOptions {
        samples: SampleUse::Addresses,
        ..options
    };
    let outcome = generate(&options, &Silent).expect("a profile");
    let codes: Vec<_> = outcome.diagnostics.iter().map(|found| found.code.as_str()).collect();
    assert!(codes.contains(&"addresses-of-other-events"), "{codes:?}");
}

#[test]
fn recordings_with_and_without_stacks_are_not_added_up() {
    let replay = Replay::new();
    let mut stacks = PerfDataBuilder::new();
    let event = stacks.event(EventSpec::branch_stacks("cycles"));
    stacks.mmap(replay.code_map(PID, 0));
    for index in 0..replay.recorded.stacks.len() {
        stacks.sample(replay.sample(event, index, PID, 0));
    }
    let paths = [
        replay.write("plain.data", &plain(&replay, "cycles")),
        replay.write("stacks.data", &stacks),
    ];
    let outcome = generate(&replay.options(&paths), &Silent).expect("a profile");
    assert_eq!(
        text(&outcome),
        String::from_utf8_lossy(&replay.recorded.fixture.read("expected.prof"))
    );
    let told = outcome
        .diagnostics
        .iter()
        .any(|found| found.message.contains("plain.data has no branch stacks"));
    assert!(told, "{:?}", outcome.diagnostics);
}

#[test]
fn threads_change_nothing() {
    let replay = Replay::new();
    let path = replay.write("plain.data", &plain(&replay, "cpu-clock"));
    let with = |jobs| {
        let options = GenerateOptions {
            jobs,
            ..replay.options(std::slice::from_ref(&path))
        };
        text(&generate(&options, &Silent).expect("a profile"))
    };
    assert_eq!(with(1), with(4));
}

#[test]
fn a_raw_trace_is_refused_with_the_line_that_makes_stacks_of_it() {
    let replay = Replay::new();
    for (event, helps) in [
        (
            "intel_pt//u",
            "perf inject -i perf.data -o stacks.data --itrace=i100usle --strip",
        ),
        (
            "cs_etm/@tmc_etr0/u",
            "perf inject -i perf.data -o stacks.data --itrace=i100000il128 --strip",
        ),
        // The recording has the event alone, without its trace.
        (
            "arm_spe_0/branch_filter=1/u",
            "perf record -e arm_spe/branch_filter=1/u",
        ),
    ] {
        let error = replay.generate(&plain(&replay, event)).expect_err("no stacks");
        assert_eq!(error.code, ErrorCode::NoBranchStacks, "{event}");
        assert!(error.message.contains(event), "{error}");
        assert!(error.hint.is_some_and(|hint| hint.contains(helps)), "{event}");
    }
}

/// A step of a recording.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The code is mapped, moved by this many times 16 MiB.
    Map(u64),
    /// Another file is mapped there.
    Cover(u64),
    Fork(i32),
    Exec,
    /// A sample of this event and this cpumode at one of the fixture's addresses, moved by this many times 16
    /// MiB, or at an address that no CPU has.
    Sample(usize, u16, usize, u64),
}

fn steps() -> impl Strategy<Value = Vec<(i32, Step)>> {
    const EXACT: u16 = 1 << 14;
    let cpumode = prop::sample::select(vec![2, 2, 2 | EXACT, 1, 5, 0]);
    let step = prop_oneof![
        1 => (0..3u64).prop_map(Step::Map),
        1 => (0..3u64).prop_map(Step::Cover),
        1 => (PID..PID + 3).prop_map(Step::Fork),
        1 => Just(Step::Exec),
        30 => (0..2usize, 0..30usize, 0..4u64).prop_map(|(event, index, slide)| Step::Sample(event, 0, index, slide)),
    ];
    // Each process runs for some steps, and its samples have one cpumode meanwhile.
    let run = (PID..PID + 3, cpumode, prop::collection::vec(step, 1..40));
    let in_process = |(pid, cpumode, steps): (i32, u16, Vec<Step>)| {
        steps.into_iter().map(move |step| match step {
            Step::Sample(event, _, index, slide) => (pid, Step::Sample(event, cpumode, index, slide)),
            other => (pid, other),
        })
    };
    prop::collection::vec(run, 1..12).prop_map(move |runs| runs.into_iter().flat_map(in_process).collect())
}

/// Makes a recording of `events` events with these steps. The fields of `without` are missing in the samples.
fn happening(replay: &Replay, steps: &[(i32, Step)], events: usize, without: u64, endian: Endian) -> PerfDataBuilder {
    const SLIDE: u64 = 1 << 24;
    let mut builder = PerfDataBuilder::with_endian(endian);
    let plain = EventSpec::plain("cycles");
    let event = plain.clone().sample_type(plain.sample_type & !without);
    let events: Vec<_> = (0..events).map(|_| builder.event(event.clone())).collect();
    builder.mmap(replay.code_map(PID, 0));
    add_addresses(&mut builder, replay, events[0]);
    let (start, len, _) = replay.recorded.code;
    let stacks = &replay.recorded.stacks;
    for (index, &(pid, step)) in steps.iter().enumerate() {
        let time = 10 + index as u64 / 2;
        match step {
            Step::Map(slide) => builder.mmap(replay.code_map(pid, slide * SLIDE).at(time)),
            Step::Cover(slide) => {
                builder.mmap(MapSpec::code(pid, start + slide * SLIDE, len, 0, "/lib/other.so").at(time))
            }
            Step::Fork(parent) => builder.fork(pid, parent, time),
            Step::Exec => builder.comm(pid, "calc", true, time),
            Step::Sample(event, cpumode, index, slide) => {
                let (_, to) = stacks[index % stacks.len()][0];
                let ip = if slide == 3 { to | 1 << 60 } else { to + slide * SLIDE };
                let sample = SampleSpec::of(events[event % events.len()], pid).at(time).ip(ip);
                builder.sample(SampleSpec { cpumode, ..sample })
            }
        };
    }
    builder.describe_events();
    builder
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Samples that may be deselected are counted in the slow way. The fast way must give the same result.
    #[test]
    fn the_short_way_gives_what_the_long_way_gives(
        steps in steps(),
        events in 1..3usize,
        without in prop::sample::select(vec![0, 1 << 2, 1 << 7, 1 << 8]),
        big in any::<bool>(),
    ) {
        let replay = Replay::new();
        let endian = if big { Endian::Big } else { Endian::Little };
        let path = replay.write("perf.data", &happening(&replay, &steps, events, without, endian));
        let short = replay.options(std::slice::from_ref(&path));
        let mut long = short.clone();
        long.select.time = Some((0, u64::MAX));
        let [short, long] = [short, long].map(|options| match profgen::generate(&options, &Silent) {
            Ok(outcome) => {
                let statistics = &outcome.statistics;
                Ok((text(&outcome), statistics.samples, statistics.ledger))
            }
            // The message states the fate of the samples.
            Err(error) => Err((error.code, error.message)),
        });
        prop_assert_eq!(short, long);
    }
}
