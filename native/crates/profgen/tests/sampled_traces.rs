//! Trace shards of samples without branch stacks: sampled addresses with their call chains, and branches of Arm
//! SPE. Profiles equal those from the recordings, byte for byte, however the recordings are split.

#[path = "support/spe_recording.rs"]
mod spe_recording;
#[path = "support/summed.rs"]
mod summed;
mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use job::DiagnosticCode;
use profgen::{
    BoltFormat, CollectOptions, EntryClass, Error, ErrorCode, Format, GenerateOptions, Input, Ledger, Outcome,
    Rotation, SampleUse, Silent, collect, generate,
};
use proptest::prelude::*;
use spe_recording::spe_recording;
use summed::{address, repeated, sum, weights};
use support::Recorded;
use testkit::{EventSpec, Fixture, MapSpec, PerfDataBuilder, SampleSpec, SpeRecord, make_named_pipe};

const PID: i32 = 1;
/// Bit of `sample_type` for call chains, and the marker in front of addresses of user space.
const CALL_CHAIN: u64 = 1 << 5;
const USER: u64 = 512_u64.wrapping_neg();
/// Bits of the header's `misc`: the exact address, and the two modes.
const EXACT: u16 = 1 << 14;
const OF_USER: u16 = 2;
const OF_GUEST: u16 = 5;

/// A sample without a branch stack.
#[derive(Debug, Clone)]
struct Sampled {
    ip: u64,
    misc: u16,
    event: usize,
    chain: Vec<u64>,
}

fn code_map(recorded: &Recorded) -> MapSpec {
    let (start, len, pgoff) = recorded.code;
    let program = recorded.fixture.program();
    MapSpec::code(PID, start, len, pgoff, program.to_str().expect("ASCII")).at(1)
}

/// Makes a recording of these samples. The second event counts instructions, so its samples do not count.
fn addresses(samples: &[Sampled], recorded: &Recorded) -> Vec<u8> {
    let mut builder = PerfDataBuilder::new();
    let events = ["cycles", "instructions"].map(|name| {
        let mut event = EventSpec::plain(name);
        event.sample_type |= CALL_CHAIN;
        builder.event(event)
    });
    builder.mmap(code_map(recorded));
    for (time, sample) in (2..).zip(samples) {
        let mut callchain = vec![USER, sample.ip];
        callchain.extend(&sample.chain);
        builder.sample(SampleSpec {
            cpumode: sample.misc,
            callchain,
            ..SampleSpec::of(events[sample.event], PID).at(time).ip(sample.ip)
        });
    }
    builder.describe_events();
    builder.build_file()
}

/// Makes a recording with these records of Arm SPE in the buffer of one CPU.
fn arm_spe(records: &[SpeRecord], recorded: &Recorded) -> Vec<u8> {
    spe_recording(code_map(recorded), records).build_file()
}

fn shard_of(recordings: &[PathBuf], samples: SampleUse, path: PathBuf) -> PathBuf {
    let options = CollectOptions {
        samples,
        jobs: 2,
        ..CollectOptions::new(recordings.to_vec(), &path)
    };
    collect(&options, &Silent).unwrap_or_else(|error| panic!("{recordings:?}: {error:?}"));
    path
}

/// Writes recordings of parts of the samples, and a shard of each. Returns the recordings and, in another order, the
/// shards, each as often as its weight says, and the weighted sum of the shards.
fn divided<T>(
    samples: &[T],
    (cuts, weights): (&[prop::sample::Index], &[u64]),
    folder: &Path,
    recording: impl Fn(&[T]) -> Vec<u8>,
) -> [Vec<PathBuf>; 3] {
    let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut.index(samples.len())).collect();
    bounds.extend([0, samples.len()]);
    bounds.sort_unstable();
    // A recording of Arm SPE without branches is refused, and collected with a warning.
    bounds.dedup();
    let (mut recordings, mut shards) = (Vec::new(), Vec::new());
    for (index, pair) in bounds.windows(2).enumerate() {
        let path = folder.join(format!("{index}.data"));
        std::fs::write(&path, recording(&samples[pair[0]..pair[1]])).expect("written");
        let shard = folder.join(format!("{index}.parquet"));
        shards.push(shard_of(std::slice::from_ref(&path), SampleUse::Any, shard));
        recordings.push(path);
    }
    let summed = folder.join("sum.parquet");
    sum(&shards, weights, &summed);
    let [recordings, mut shards] = [recordings, shards].map(|paths| repeated(&paths, weights));
    shards.reverse();
    [recordings, shards, vec![summed]]
}

/// The forms of a result: the profile in each encoding, the counters, and traces for BOLT.
const FORMS: [(Format, bool, bool); 5] = [
    (Format::Text, false, false),
    (Format::ExtBinary, false, false),
    (Format::Binary, false, false),
    (Format::Text, true, false),
    (Format::Text, false, true),
];

fn run(input: Input, (format, counters, bolt): (Format, bool, bool), jobs: usize) -> Result<Outcome, Error> {
    let options = GenerateOptions {
        format,
        jobs,
        skip_symbolization: counters,
        for_bolt: bolt.then_some(BoltFormat::PreAggregated),
        ignore_build_id: true,
        ..GenerateOptions::new(Fixture::named("calc-x86_64").program(), input)
    };
    generate(&options, &Silent)
}

fn told(outcome: &Outcome) -> (&[u8], Ledger, u64, u64, bool) {
    let statistics = &outcome.statistics;
    (
        outcome.bytes.as_deref().expect("in memory"),
        statistics.ledger,
        statistics.samples,
        statistics.branch_samples,
        statistics.by_addresses,
    )
}

fn compare([recordings, shards, summed]: &[Vec<PathBuf>; 3]) -> Result<usize, TestCaseError> {
    let mut equal = 0;
    for form in FORMS {
        let whole = run(Input::PerfData(recordings.clone()), form, 2);
        for (input, jobs) in [(shards, 1), (shards, 2), (summed, 2)] {
            let traced = run(Input::Traces(input.clone()), form, jobs);
            match (&whole, &traced) {
                // A branch between the kernel and unmapped memory is of another class in the ledger for BOLT.
                (Ok(whole), Ok(traced)) if form.2 => prop_assert_eq!(&whole.bytes, &traced.bytes),
                (Ok(whole), Ok(traced)) => prop_assert_eq!(told(whole), told(traced), "{:?}", form),
                // Both refuse, perhaps for different reasons: traces do not have mappings without samples.
                (Err(_), Err(_)) => continue,
                _ => prop_assert!(false, "{:?}: {:?} but {:?}", form, whole, traced),
            }
            equal += 1;
        }
    }
    Ok(equal)
}

fn some_address() -> impl Strategy<Value = u64> {
    let recorded = Recorded::read();
    let stacks = recorded.stacks.iter().take(40).flatten();
    let known: Vec<u64> = stacks.flat_map(|(from, to)| [*from, *to]).collect();
    address(recorded.code, known)
}

fn sampled() -> impl Strategy<Value = Sampled> {
    let misc = prop::sample::select(vec![OF_USER, OF_USER, OF_USER | EXACT, OF_USER | EXACT, OF_GUEST]);
    let event = prop::sample::select(vec![0, 0, 0, 1]);
    let chain = prop::collection::vec(some_address(), 0..5);
    (some_address(), misc, event, chain).prop_map(|(ip, misc, event, chain)| Sampled { ip, misc, event, chain })
}

fn sampled_branch() -> impl Strategy<Value = SpeRecord> {
    let record = |(from, to, before, taken): (u64, u64, Option<u64>, bool)| {
        let record = if taken {
            SpeRecord::taken(from, to)
        } else {
            SpeRecord::not_taken(from)
        };
        SpeRecord {
            previous_target: before,
            ..record.in_thread(PID as u32).at(20)
        }
    };
    let before = prop_oneof![Just(None), some_address().prop_map(Some)];
    (some_address(), some_address(), before, prop::bool::weighted(0.7)).prop_map(record)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The samples have any addresses, in any parts and any order, added up or not.
    #[test]
    fn any_samples_in_any_parts_give_the_same_profile(
        samples in prop::collection::vec(sampled(), 1..80),
        branches in prop::collection::vec(sampled_branch(), 1..80),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        weights in weights(),
    ) {
        let recorded = Recorded::read();
        let folder = tempfile::tempdir().expect("a folder");
        compare(&divided(&samples, (&cuts, &weights), folder.path(), |samples| addresses(samples, &recorded)))?;
        let folder = tempfile::tempdir().expect("a folder");
        compare(&divided(&branches, (&cuts, &weights), folder.path(), |records| arm_spe(records, &recorded)))?;
    }
}

/// Returns samples at the targets of the fixture's branches, whose callers are after these branches.
fn fixture_samples(recorded: &Recorded) -> Vec<Sampled> {
    let stacks = recorded.stacks.iter();
    let pairs = stacks.flat_map(|stack| stack.windows(2).take(4));
    pairs
        .enumerate()
        .map(|(index, pair)| Sampled {
            ip: pair[0].1,
            misc: if index % 3 == 0 { OF_USER } else { OF_USER | EXACT },
            event: usize::from(index % 7 == 0),
            chain: vec![pair[0].0 + 5, pair[1].0 + 5],
        })
        .collect()
}

#[test]
fn every_form_of_a_profile_by_addresses_and_by_arm_spe_is_that_of_the_recordings() {
    let recorded = Recorded::read();
    let cuts = [];
    let folder = tempfile::tempdir().expect("a folder");
    let samples = fixture_samples(&recorded);
    let of_addresses = divided(&samples, (&cuts, &[2, 1, 3, 1, 1]), folder.path(), |samples| {
        addresses(samples, &recorded)
    });
    // There are no branches for BOLT.
    assert_eq!(compare(&of_addresses).expect("equal"), 3 * (FORMS.len() - 1));
    let folder = tempfile::tempdir().expect("a folder");
    let stacks = recorded.stacks.iter();
    let branches: Vec<_> = stacks
        .flat_map(|stack| stack.windows(2))
        .enumerate()
        .map(|(index, pair)| {
            let record = SpeRecord::taken(pair[0].0, pair[0].1).in_thread(PID as u32).at(20);
            if index % 2 == 0 {
                record
            } else {
                record.after_branch_to(pair[1].1)
            }
        })
        .collect();
    let of_branches = divided(&branches, (&cuts, &[2, 1, 3, 1, 1]), folder.path(), |records| {
        arm_spe(records, &recorded)
    });
    assert_eq!(compare(&of_branches).expect("equal"), 3 * FORMS.len());
}

/// perf writes the trace after the other records, so the rows are in the last file.
#[cfg(unix)]
#[test]
fn a_stream_of_arm_spe_in_several_files_gives_the_profile_of_the_recording() {
    let recorded = Recorded::read();
    let folder = tempfile::tempdir().expect("a folder");
    let branches = recorded.stacks.iter().flatten();
    let records: Vec<SpeRecord> = branches
        .map(|(from, to)| SpeRecord::taken(*from, *to).in_thread(PID as u32))
        .collect();
    let recording = folder.path().join("perf.data");
    std::fs::write(&recording, arm_spe(&records, &recorded)).expect("written");
    let stream = spe_recording(code_map(&recorded), &records).build_pipe();
    for rotate in [Rotation::Bytes(1), Rotation::Every(Duration::from_secs(1))] {
        let pipe = folder.path().join("pipe");
        make_named_pipe(&pipe);
        let spool = folder.path().join(format!("{rotate:?}"));
        let options = CollectOptions {
            rotate: Some(rotate),
            jobs: 2,
            ..CollectOptions::new(vec![pipe.clone()], &spool)
        };
        let job = std::thread::spawn(move || collect(&options, &Silent));
        let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).expect("a reader");
        let (first, second) = stream.split_at(stream.len() / 2);
        writer.write_all(first).expect("written");
        if let Rotation::Every(time) = rotate {
            // The first file is finished meanwhile.
            std::thread::sleep(2 * time);
        }
        writer.write_all(second).expect("written");
        drop(writer);
        let outcome = job.join().expect("no panic").expect("collected");
        assert!(matches!(rotate, Rotation::Bytes(_)) || outcome.shards.len() > 1);
        std::fs::remove_file(&pipe).expect("removed");
        for form in [(Format::Text, false, false), (Format::Text, false, true)] {
            let whole = run(Input::PerfData(vec![recording.clone()]), form, 2).expect("a profile");
            let traced = run(Input::Traces(vec![spool.clone()]), form, 2).expect("a profile");
            assert_eq!(traced.bytes, whole.bytes, "{rotate:?} {form:?}");
            assert!(form.2 || told(&traced) == told(&whole));
        }
    }
}

/// The instruction after the last one of a mapping is where nothing is mapped. The shard has a row for the branch.
#[test]
fn a_branch_at_the_end_of_a_mapping_is_lost_in_the_same_class() {
    let recorded = Recorded::read();
    let folder = tempfile::tempdir().expect("a folder");
    let (start, len, _) = recorded.code;
    let taken = recorded
        .stacks
        .iter()
        .flatten()
        .map(|&(from, to)| SpeRecord::taken(from, to));
    let records = std::iter::once(SpeRecord::not_taken(start + len - 4)).chain(taken);
    let records: Vec<_> = records.map(|record| record.in_thread(PID as u32).at(20)).collect();
    let inputs = divided(&records, (&[], &[1]), folder.path(), |records| {
        arm_spe(records, &recorded)
    });
    let outcome = run(Input::PerfData(inputs[0].clone()), FORMS[0], 1).expect("a profile");
    assert_eq!(compare(&inputs).expect("equal"), 3 * FORMS.len());
    assert_eq!(outcome.statistics.ledger[EntryClass::OutsideBinary], 1);
}

#[test]
fn of_branches_and_addresses_the_branches_count_unless_addresses_are_wanted() {
    let recorded = Recorded::read();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("plain.data"), addresses(&fixture_samples(&recorded), &recorded)).expect("written");
    let stacks = recorded.fixture.perf_data();
    let shards = [
        shard_of(&[path("plain.data")], SampleUse::Any, path("plain.parquet")),
        shard_of(std::slice::from_ref(&stacks), SampleUse::Any, path("stacks.parquet")),
    ];
    let of_all = |input, samples| {
        let options = GenerateOptions {
            format: Format::Text,
            samples,
            ignore_build_id: true,
            ..GenerateOptions::new(recorded.fixture.program(), input)
        };
        generate(&options, &Silent)
    };
    let left_out = |outcome: &Outcome| {
        let found = outcome.diagnostics.iter();
        let found = found.filter(|found| found.code == DiagnosticCode::EventLeftOut);
        found.map(|found| found.message.clone()).collect::<Vec<_>>()
    };
    let recordings = Input::PerfData(vec![path("plain.data"), stacks.clone()]);
    let expected = of_all(recordings.clone(), SampleUse::Any).expect("a profile");
    let traced = of_all(Input::Traces(shards.to_vec()), SampleUse::Any).expect("a profile");
    assert_eq!(told(&traced), told(&expected));
    assert!(left_out(&traced)[0].contains("have no branch stack, and others have"));

    // The addresses of the samples with branch stacks are in no shard, so a warning tells what is left out.
    let alone = of_all(Input::Traces(vec![shards[0].clone()]), SampleUse::Any).expect("a profile");
    let wanted = of_all(Input::Traces(shards.to_vec()), SampleUse::Addresses).expect("a profile");
    assert_eq!(wanted.bytes, alone.bytes);
    assert!(left_out(&wanted)[0].contains("{collect --samples=addresses}"));
    let error = of_all(Input::Traces(vec![shards[1].clone()]), SampleUse::Addresses).expect_err("no addresses");
    assert_eq!(error.code, ErrorCode::InvalidOptions);
    let error = of_all(Input::Traces(vec![shards[0].clone()]), SampleUse::Branches).expect_err("no branches");
    assert_eq!(error.code, ErrorCode::NoBranchStacks);

    // A collection of addresses has them all.
    let both = [path("plain.data"), stacks];
    let collected = shard_of(&both, SampleUse::Addresses, path("addresses.parquet"));
    let expected = of_all(recordings, SampleUse::Addresses).expect("a profile");
    for samples in [SampleUse::Any, SampleUse::Addresses] {
        let traced = of_all(Input::Traces(vec![collected.clone()]), samples).expect("a profile");
        assert_eq!(told(&traced), told(&expected));
        assert!(left_out(&traced).is_empty());
    }
}
