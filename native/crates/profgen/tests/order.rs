//! Neither the order of records in a file nor the number of threads matters: the times of records decide.

mod support;
#[path = "support/traced.rs"]
mod traced;

use elf::Image;
use profgen::{ErrorCode, Format, GenerateOptions, Input, Silent};
use proptest::prelude::*;
use testkit::{EventSpec, MapSpec, PerfDataBuilder, SampleSpec};

use support::Recorded;
use traced::generate;

/// Number of samples. They fill several of the pieces that a file is read in.
const SAMPLES: usize = 6_000;
/// Distance between the load addresses of processes, in bytes.
const SLIDE: u64 = 0x10_0000;

/// An event in a process. Places are numbers of slides.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Map { place: u64 },
    Exec,
    Fork { parent: i32 },
    Sample { place: u64, stack: usize },
}

#[derive(Debug, Clone, Copy)]
struct Event {
    time: u64,
    pid: i32,
    what: Happening,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => (0..3_u64).prop_map(|place| Happening::Map { place }),
        1 => Just(Happening::Exec),
        2 => (0..4_i32).prop_map(|parent| Happening::Fork { parent }),
    ]
}

/// Returns a few changes between many samples, in the order of their times.
fn history(changes: &[(u64, i32, Happening)], seed: u64) -> Vec<Event> {
    let mut state = seed | 1;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let samples = (0..SAMPLES as u64).map(|index| Event {
        time: 10 + index,
        pid: random(4) as i32,
        what: Happening::Sample {
            place: random(3),
            stack: random(1000) as usize,
        },
    });
    let mut events: Vec<_> = samples.collect();
    // Every change has a time of its own, so that only times tell the order.
    events.extend(changes.iter().enumerate().map(|(index, &(time, pid, what))| Event {
        time: 10 + time * 50 + index as u64,
        pid,
        what,
    }));
    events.sort_by_key(|event| (event.time, matches!(event.what, Happening::Sample { .. })));
    events
}

/// Puts the elements of each window into another order.
fn shuffle(events: &mut [Event], window: usize, seed: u64) {
    let mut state = seed | 1;
    for part in events.chunks_mut(window) {
        for last in (1..part.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            part.swap(last, (state >> 33) as usize % (last + 1));
        }
    }
}

struct Replay {
    recorded: Recorded,
}

impl Replay {
    fn new() -> Self {
        Self {
            recorded: Recorded::read(),
        }
    }

    fn map(&self, pid: i32, place: u64, time: u64) -> MapSpec {
        let (start, len, pgoff) = self.recorded.code;
        MapSpec::code(pid, start + place * SLIDE, len, pgoff, "/somewhere/calc").at(time)
    }

    fn sample(&self, event: usize, pid: i32, place: u64, stack: usize, time: u64) -> SampleSpec {
        let stack = &self.recorded.stacks[stack % self.recorded.stacks.len()];
        let moved: Vec<_> = stack
            .iter()
            .map(|&(from, to)| (from + place * SLIDE, to + place * SLIDE))
            .collect();
        SampleSpec::of(event, pid).at(time).branches(&moved)
    }

    fn recording(&self, events: &[Event]) -> PerfDataBuilder {
        let mut builder = PerfDataBuilder::new();
        let cycles = builder.event(EventSpec::branch_stacks("cycles"));
        for &Event { time, pid, what } in events {
            match what {
                Happening::Map { place } => builder.mmap(self.map(pid, place, time)),
                Happening::Exec => builder.comm(pid, "calc", true, time),
                Happening::Fork { parent } => builder.fork(pid, parent, time),
                Happening::Sample { place, stack } => builder.sample(self.sample(cycles, pid, place, stack, time)),
            };
        }
        builder
    }

    /// Returns the profile and the ledger of the samples, or the error's code.
    fn outcome(&self, builder: &PerfDataBuilder, jobs: usize) -> Result<(Vec<u8>, String), ErrorCode> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), builder.build_file()).expect("written");
        let mut options = GenerateOptions::new(
            self.recorded.fixture.program(),
            Input::PerfData(vec![file.path().into()]),
        );
        options.format = Format::Text;
        options.jobs = jobs;
        let outcome = generate(&options, &Silent).map_err(|error| error.code)?;
        let statistics = format!("{:?}", outcome.statistics);
        Ok((outcome.bytes.unwrap_or_default(), statistics))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_and_threads_do_not_matter(
        changes in prop::collection::vec((0..120_u64, 0..4_i32, happening()), 1..40),
        window in prop_oneof![Just(1_usize), Just(60), Just(3000), Just(SAMPLES * 2)],
        seed in any::<u64>(),
    ) {
        let replay = Replay::new();
        let mut events = history(&changes, seed);
        let expected = replay.outcome(&replay.recording(&events), 1);
        shuffle(&mut events, window, seed);
        let shuffled = replay.recording(&events);
        for jobs in [1, 2, 7] {
            prop_assert_eq!(&replay.outcome(&shuffled, jobs), &expected);
        }
    }
}

#[test]
fn records_at_the_very_end_count_for_the_first_sample() {
    let replay = Replay::new();
    let map = Event {
        time: 1,
        pid: 0,
        what: Happening::Map { place: 1 },
    };
    let samples = (0..SAMPLES).map(|index| Event {
        time: 10 + index as u64,
        pid: 0,
        what: Happening::Sample { place: 1, stack: index },
    });
    let mut events: Vec<_> = std::iter::once(map).chain(samples).collect();
    let expected = replay.outcome(&replay.recording(&events), 2).expect("a profile");
    events.rotate_left(1);
    assert_eq!(replay.outcome(&replay.recording(&events), 2), Ok(expected));
}

#[test]
fn a_build_id_at_the_very_end_counts_for_the_first_mapping() {
    let replay = Replay::new();
    let own = Image::open(&replay.recorded.fixture.program())
        .expect("an image")
        .build_id()
        .expect("a build id")
        .to_vec();
    let of = |id: &[u8], at_the_end: bool| {
        let mut builder = PerfDataBuilder::new();
        let cycles = builder.event(EventSpec::branch_stacks("cycles"));
        // A HEADER_BUILD_ID record has the pid, 24 bytes for the id, and the file's name.
        let mut body = (-1_i32).to_le_bytes().to_vec();
        body.extend_from_slice(id);
        body.resize(28, 0);
        body.extend_from_slice(b"/somewhere/calc\0");
        body.resize(body.len().next_multiple_of(8) + 4, 0);
        if !at_the_end {
            builder.other(67, 2, &body);
        }
        builder.mmap(replay.map(0, 0, 1));
        for index in 0..SAMPLES {
            builder.sample(replay.sample(cycles, 0, 0, index, 10 + index as u64));
        }
        if at_the_end {
            builder.other(67, 2, &body);
        }
        replay.outcome(&builder, 2)
    };
    let matching = of(&own, false);
    assert!(matching.is_ok());
    assert_eq!(of(&own, true), matching);
    let other = of(&[7; 20], false);
    assert!(other.is_err());
    assert_eq!(of(&[7; 20], true), other);
}
