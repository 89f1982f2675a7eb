//! Trace shards of recordings with call chains: `stack` rows have whole samples, and give the profiles with calling
//! contexts that the recordings give.

#[path = "support/counts_by_file.rs"]
mod counts_by_file;
#[path = "support/summed.rs"]
mod summed;
mod support;

use std::path::{Path, PathBuf};

use counts_by_file::counts_by_file;
use job::{DiagnosticCode, ErrorCode};
use profgen::{CollectOptions, Error, Format, GenerateOptions, Input, Outcome, Selection, Silent, collect, generate};
use proptest::prelude::*;
use summed::{address, repeated, sum, weights};
use support::Recorded;
use testkit::{EventSpec, Fixture, MapSpec, PerfDataBuilder, SampleSpec};
use traceshard::{Loss, Metadata, Record, Row, Shard, ShardWriter};

/// Bits of `sample_type`: call chains, and pieces of the stack (`--call-graph dwarf`).
const CALL_CHAIN: u64 = 1 << 5;
const STACK_USER: u64 = 1 << 13;
/// Markers in front of the frames of the kernel and of user space.
const KERNEL: u64 = 128_u64.wrapping_neg();
const USER: u64 = 512_u64.wrapping_neg();
const LIBRARY: u64 = 0x7f00_0000_0000;

/// A sample of a generated recording.
#[derive(Debug, Clone)]
struct Taken {
    stack: Vec<(u64, u64)>,
    chain: Vec<u64>,
    /// True if the sample is of an event without call chains.
    chainless: bool,
}

fn record(recorded: &Recorded, samples: &[Taken], sample_type: u64, path: &Path) {
    let mut builder = PerfDataBuilder::new();
    let mut event = EventSpec::branch_stacks("cycles");
    event.sample_type |= sample_type;
    let event = builder.event(event);
    let chainless = samples.iter().any(|sample| sample.chainless).then(|| {
        builder.event(EventSpec {
            config: 4,
            ..EventSpec::branch_stacks("branches")
        })
    });
    let (start, len, pgoff) = recorded.code;
    let program = recorded.fixture.program();
    builder.mmap(MapSpec::code(1, start, len, pgoff, program.to_str().expect("ASCII")).at(1));
    builder.mmap(MapSpec::code(1, LIBRARY, 0x1000, 0, "/lib/library.so").at(1));
    for (time, sample) in (2..).zip(samples) {
        let spec = SampleSpec::of(
            if sample.chainless {
                chainless.unwrap_or(event)
            } else {
                event
            },
            1,
        );
        let callchain = if sample.chainless || sample_type & CALL_CHAIN == 0 {
            Vec::new()
        } else {
            sample.chain.clone()
        };
        builder.sample(SampleSpec {
            callchain,
            ..spec.at(time).branches(&sample.stack)
        });
    }
    std::fs::write(path, builder.build_file()).expect("written");
}

fn shard_of(recording: &Path, to: &Path) -> PathBuf {
    let options = CollectOptions {
        jobs: 2,
        ..CollectOptions::new(vec![recording.to_owned()], to)
    };
    collect(&options, &Silent).expect("a shard");
    to.to_owned()
}

fn options(recorded: &Recorded, input: Input) -> GenerateOptions {
    GenerateOptions {
        format: Format::Text,
        ignore_build_id: true,
        jobs: 2,
        ..GenerateOptions::new(recorded.fixture.program(), input)
    }
}

/// Returns addresses after calls: a branch went from there into a function, and another branch came back.
fn return_addresses(recorded: &Recorded) -> Vec<u64> {
    let mut found = Vec::new();
    for stack in &recorded.stacks {
        for (at, &(_, back)) in stack.iter().enumerate() {
            if stack[at..].iter().any(|(from, _)| back == from + 5) {
                found.push(back);
            }
        }
    }
    found
}

/// Returns samples with stacks and chains that may or may not fit together.
fn samples(recorded: &Recorded) -> impl Strategy<Value = Vec<Taken>> + use<> {
    let ends = recorded.stacks.iter().take(60).flatten();
    let known: Vec<u64> = ends.flat_map(|(from, to)| [*from, *to]).collect();
    let code = recorded.code;
    let any = move || address(code, known.clone());
    let returns = return_addresses(recorded);
    let stack = prop_oneof![
        1 => prop::collection::vec((any(), any()), 1..10),
        3 => prop::sample::select(recorded.stacks.clone()),
    ];
    let caller = prop_oneof![
        5 => prop::sample::select(returns),
        1 => any(),
        1 => (0u64..64).prop_map(|offset| LIBRARY + offset),
    ];
    let callers = prop::collection::vec(caller, 0..6);
    let sample = (stack, any(), callers, 0..8u8, prop::bool::weighted(0.1));
    let sample = sample.prop_map(|(stack, leaf, callers, kind, chainless)| {
        // Most samples were taken where the newest branch went.
        let leaf = stack.first().filter(|_| kind < 5).map_or(leaf, |(_, to)| *to);
        let mut chain = Vec::new();
        if kind == 6 {
            chain.extend([KERNEL, 0xffff_ffff_8100_0000, 0xffff_ffff_8100_0040]);
        }
        if kind < 7 {
            chain.extend([USER, leaf]);
            chain.extend(callers);
        }
        Taken {
            stack,
            chain,
            chainless,
        }
    });
    prop::collection::vec(sample, 1..60)
}

fn run(recorded: &Recorded, input: Input, change: impl Fn(&mut GenerateOptions)) -> Result<Outcome, Error> {
    let mut options = options(recorded, input);
    change(&mut options);
    generate(&options, &Silent)
}

/// Checks that traces give the bytes of the recordings, with contexts and without, as profiles and as counters.
fn assert_same(recorded: &Recorded, recordings: &[PathBuf], traces: &[PathBuf]) -> Result<usize, TestCaseError> {
    let mut profiles = 0;
    for format in [Format::Text, Format::ExtBinary] {
        for (ignore, counters) in [(false, false), (true, false), (false, true), (true, true)] {
            let profile = |input| {
                run(recorded, input, |options| {
                    options.format = format;
                    options.ignore_stack_samples = ignore;
                    options.skip_symbolization = counters;
                })
            };
            let whole = profile(Input::PerfData(recordings.to_vec()));
            let traced = profile(Input::Traces(traces.to_vec()));
            match (&whole, &traced) {
                (Ok(whole), Ok(traced)) => {
                    prop_assert_eq!(&whole.bytes, &traced.bytes, "{:?} {} {}", format, ignore, counters);
                    profiles += 1;
                }
                (Err(_), Err(_)) => {}
                _ => prop_assert!(false, "{:?} but {:?}", whole, traced),
            }
        }
    }
    Ok(profiles)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// The samples are in any parts and any order, added up or not, of a program with line tables or pseudo probes.
    #[test]
    fn any_samples_in_any_parts_give_the_same_contexts(
        samples in samples(&Recorded::read()),
        of_probes in samples(&Recorded::of(Fixture::named("calc-probe"))),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        weights in weights(),
    ) {
        for (fixture, mut samples) in [("calc-x86_64", samples), ("calc-probe", of_probes)] {
            let recorded = Recorded::of(Fixture::named(fixture));
            let folder = tempfile::tempdir().expect("a folder");
            let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut.index(samples.len())).collect();
            bounds.extend([0, samples.len()]);
            bounds.sort_unstable();
            // Each part has a sample with a call chain, because recordings with chains and without do not mix.
            bounds.dedup();
            for pair in bounds.windows(2) {
                samples[pair[0]].chainless = false;
            }
            let (mut recordings, mut shards) = (Vec::new(), Vec::new());
            for (index, pair) in bounds.windows(2).enumerate() {
                let path = folder.path().join(format!("{index}.data"));
                record(&recorded, &samples[pair[0]..pair[1]], CALL_CHAIN, &path);
                shards.push(shard_of(&path, &folder.path().join(format!("{index}.parquet"))));
                recordings.push(path);
            }
            let summed = folder.path().join("sum.parquet");
            sum(&shards, &weights, &summed);
            // A recording that counts twice is read twice.
            let [recordings, mut shards] = [recordings, shards].map(|paths| repeated(&paths, &weights));
            shards.reverse();
            assert_same(&recorded, &recordings, &shards)?;
            assert_same(&recorded, &recordings, &[summed])?;
        }
    }
}

/// Returns the samples of the recording, each with a call chain of the sampled address and a caller.
fn plain(recorded: &Recorded) -> Vec<Taken> {
    let returns = return_addresses(recorded);
    let stacks = recorded.stacks.iter().filter(|stack| !stack.is_empty());
    let sample = |(index, stack): (usize, &Vec<(u64, u64)>)| Taken {
        stack: stack.clone(),
        chain: vec![USER, stack[0].1, returns[index % returns.len()]],
        chainless: false,
    };
    stacks.enumerate().map(sample).collect()
}

fn text(outcome: &Outcome) -> String {
    String::from_utf8(outcome.bytes.clone().expect("in memory")).expect("text")
}

fn has_contexts(outcome: &Outcome) -> bool {
    text(outcome).contains(" @ ")
}

/// Makes profiles that name each context.
fn with_contexts(options: &mut GenerateOptions) {
    options.csspgo_preinliner = false;
    options.gen_cs_nested_profile = false;
    options.csprof_merge_cold_context = Some(false);
}

fn codes(diagnostics: &[job::Diagnostic], code: DiagnosticCode) -> usize {
    diagnostics.iter().filter(|found| found.code == code).count()
}

#[test]
fn contexts_come_from_the_traces() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = Recorded::read();
    let recording = folder.path().join("perf.data");
    record(&recorded, &plain(&recorded), CALL_CHAIN, &recording);
    let shard = shard_of(&recording, &folder.path().join("a.parquet"));
    assert_eq!(
        assert_same(&recorded, &[recording], std::slice::from_ref(&shard)).expect("equal"),
        8
    );
    let traced = run(&recorded, Input::Traces(vec![shard]), with_contexts).expect("a profile");
    assert!(has_contexts(&traced), "{}", text(&traced));
}

#[test]
fn call_chains_that_are_left_out_are_in_the_ledger() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = Recorded::read();
    let samples = plain(&recorded);
    let (with, without) = (folder.path().join("with.data"), folder.path().join("without.data"));
    record(&recorded, &samples, CALL_CHAIN, &with);
    record(&recorded, &samples, 0, &without);
    let shard = folder.path().join("a.parquet");
    let options = CollectOptions {
        ignore_stack_samples: true,
        ..CollectOptions::new(vec![with], &shard)
    };
    let collected = collect(&options, &Silent).expect("a shard");
    assert_eq!(codes(&collected.diagnostics, DiagnosticCode::CallChainsUnused), 0);
    let chains = samples.len() as u64;
    assert!(
        collected.ledger.contains(&(Loss::CallChains, chains)),
        "{:?}",
        collected.ledger
    );
    let traced = |ignore| {
        let input = Input::Traces(vec![shard.clone()]);
        run(&recorded, input, |options| options.ignore_stack_samples = ignore).expect("a profile")
    };
    let flat = run(&recorded, Input::PerfData(vec![without]), |_| ()).expect("a profile");
    for (ignore, notes) in [(false, 1), (true, 0)] {
        let traced = traced(ignore);
        assert_eq!(text(&traced), text(&flat));
        assert_eq!(codes(&traced.diagnostics, DiagnosticCode::CallChainsUnused), notes);
    }
}

#[test]
fn chains_without_frames_of_user_space_give_no_contexts() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = Recorded::read();
    let recording = folder.path().join("perf.data");
    record(&recorded, &plain(&recorded), CALL_CHAIN | STACK_USER, &recording);
    let shard = folder.path().join("a.parquet");
    let collected = collect(&CollectOptions::new(vec![recording.clone()], &shard), &Silent).expect("a shard");
    assert_eq!(codes(&collected.diagnostics, DiagnosticCode::CallChainsUnused), 1);
    assert_eq!(rows_of(&shard, Record::Stack), 0);
    assert_same(&recorded, &[recording], &[shard]).expect("equal");
}

fn rows_of(shard: &Path, record: Record) -> usize {
    let shard = Shard::open(shard).expect("a shard");
    let mut rows = 0;
    for group in 0..shard.groups() {
        let count = |row: &Row<'_>| {
            rows += usize::from(row.record == record);
            Ok::<(), traceshard::Error>(())
        };
        shard.read_group(group, count).expect("rows");
    }
    rows
}

#[test]
fn recordings_with_call_chains_and_without_do_not_mix() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = Recorded::read();
    let samples = plain(&recorded);
    let path = |name| folder.path().join(name);
    record(&recorded, &samples[..20], CALL_CHAIN, &path("with.data"));
    record(&recorded, &samples[20..], 0, &path("without.data"));
    let recordings = vec![path("with.data"), path("without.data")];
    let shards = vec![
        shard_of(&recordings[0], &path("with.parquet")),
        shard_of(&recordings[1], &path("without.parquet")),
    ];
    sum(&shards, &[1, 1], &path("sum.parquet"));
    for traces in [shards, vec![path("sum.parquet")]] {
        let error = run(&recorded, Input::Traces(traces.clone()), |_| ()).expect_err("mixed");
        assert_eq!(error.code, ErrorCode::InvalidOptions);
        assert_eq!(
            error.message,
            "some samples of the traces come from recordings with call chains and others do not"
        );
        assert!(error.hint.is_some_and(|hint| hint.contains("{--ignore-stack-samples}")));
        // Without contexts they mix, as recordings do.
        assert_eq!(assert_same(&recorded, &recordings, &traces).expect("equal"), 4);
    }
    let zeros = |options: &mut GenerateOptions| options.fill_zero_for_all_funcs = true;
    let error = run(&recorded, Input::Traces(vec![path("with.parquet")]), zeros).expect_err("no contexts");
    assert_eq!(error.code, ErrorCode::Unsupported);
    assert!(error.message.starts_with("the traces have call chains"), "{error}");
}

#[test]
fn an_event_without_call_chains_counts_alone_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = Recorded::read();
    let mut samples = plain(&recorded);
    samples.iter_mut().step_by(2).for_each(|sample| sample.chainless = true);
    let recording = folder.path().join("perf.data");
    record(&recorded, &samples, CALL_CHAIN, &recording);
    let shard = shard_of(&recording, &folder.path().join("a.parquet"));
    for events in [&["branches"][..], &["cycles"], &["branches", "cycles"], &[]] {
        let profile = |input| {
            let select = Selection {
                events: events.iter().map(|event| (*event).to_owned()).collect(),
                ..Selection::default()
            };
            run(&recorded, input, |options| {
                with_contexts(options);
                options.select = select.clone();
            })
            .expect("a profile")
        };
        let traced = profile(Input::Traces(vec![shard.clone()]));
        assert_eq!(
            text(&traced),
            text(&profile(Input::PerfData(vec![recording.clone()]))),
            "{events:?}"
        );
        assert_eq!(has_contexts(&traced), events != ["branches"], "{events:?}");
    }
}

/// Writes the rows of a shard anew. Rows for which `change` returns `None` are left out.
fn rewritten(shard: &Path, to: &Path, change: impl for<'r> Fn(Row<'r>) -> Option<Row<'r>>) -> PathBuf {
    let shard = Shard::open(shard).expect("a shard");
    let mut writer = ShardWriter::new(Vec::new()).expect("memory");
    for group in 0..shard.groups() {
        let write = |row: &Row<'_>| match change(*row) {
            Some(row) => writer.write(&[row]),
            None => Ok(()),
        };
        shard.read_group(group, write).expect("rows");
    }
    std::fs::write(to, writer.finish(&Metadata::default()).expect("memory")).expect("written");
    to.to_owned()
}

#[test]
fn rows_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = Recorded::read();
    let (start, len, _) = recorded.code;
    let is_code = |sample: &Taken| sample.stack.iter().all(|(from, _)| (start..start + len).contains(from));
    let samples: Vec<_> = plain(&recorded).into_iter().filter(is_code).take(3).collect();
    let path = |name| folder.path().join(name);
    record(&recorded, &samples, CALL_CHAIN, &path("perf.data"));
    record(&recorded, &samples, 0, &path("flat.data"));
    let shard = shard_of(&path("perf.data"), &path("a.parquet"));
    let profile = |shard: &Path| run(&recorded, Input::Traces(vec![shard.to_owned()]), |_| ());

    let without = rewritten(&shard, &path("b.parquet"), |row| {
        (row.record != Record::Stack).then_some(row)
    });
    let error = profile(&without).expect_err("no stacks");
    assert_eq!(error.code, ErrorCode::InputInvalid);
    assert!(error.message.contains("no rows of the record `stack`"), "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("NULL")));
    // This is the remedy that the message names.
    let flat = rewritten(&without, &path("c.parquet"), |row| {
        Some(Row {
            has_call_chain: None,
            ..row
        })
    });
    let of_recording = run(&recorded, Input::PerfData(vec![path("flat.data")]), |_| ()).expect("a profile");
    assert_eq!(text(&profile(&flat).expect("a profile")), text(&of_recording));

    let refused = |change: for<'r> fn(&mut Row<'r>)| {
        let changed = rewritten(&shard, &path("d.parquet"), |mut row| {
            if row.record == Record::Stack {
                change(&mut row);
            }
            Some(row)
        });
        let error = profile(&changed).expect_err("refused");
        assert_eq!(error.code, ErrorCode::InputInvalid);
        let path = path("d.parquet").display().to_string();
        error.message.replace(&path, "d.parquet")
    };
    assert_eq!(
        refused(|row| row.branch_stack = Some("1>2,3>4")),
        "d.parquet: the column `branch_stack` has the value \"1>2,3>4\", which no version of the schema allows"
    );
    assert_eq!(
        refused(|row| row.call_chain = Some("1  2")),
        "d.parquet: the column `call_chain` has the value \"1  2\", which no version of the schema allows"
    );
    assert_eq!(
        refused(|row| row.count = u64::MAX / 2),
        "d.parquet: with this file the counts add up to more than 64 bits hold"
    );
    let long: &'static str = Box::leak("1>2 ".repeat(5000).into_boxed_str());
    let rows = rewritten(&shard, &path("d.parquet"), |row| {
        let branch_stack = row.branch_stack.map(|_| long.trim_end());
        Some(Row { branch_stack, ..row })
    });
    let error = profile(&rows).expect_err("refused");
    assert!(error.message.len() < 400, "{error}");
    assert!(error.message.contains("1>2 \" and more, which no version"), "{error}");
}

/// A collection with little room writes its rows in several parts.
#[test]
fn rows_that_are_written_early_add_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = Recorded::read();
    let samples = plain(&recorded);
    let samples: Vec<_> = (0..40).flat_map(|_| samples.clone()).collect();
    let (recording, shard) = (folder.path().join("perf.data"), folder.path().join("a.parquet"));
    record(&recorded, &samples, CALL_CHAIN, &recording);
    let options = CollectOptions {
        most_rows: Some(10),
        ..CollectOptions::new(vec![recording.clone()], &shard)
    };
    collect(&options, &Silent).expect("a shard");
    assert_same(&recorded, &[recording], &[shard]).expect("equal");
}

/// Each process has one sample, and all samples have the same addresses. There are more processes than are remembered at
/// a time.
#[test]
fn equal_samples_of_many_processes_are_of_their_own_files() {
    const PROCESSES: i32 = 3000;
    let folder = tempfile::tempdir().expect("a folder");
    let mut builder = PerfDataBuilder::new();
    let mut event = EventSpec::branch_stacks("cycles");
    event.sample_type |= CALL_CHAIN;
    let event = builder.event(event);
    for pid in 1..=PROCESSES {
        let name = format!("/bin/{}", pid % 3);
        builder.mmap(MapSpec::code(pid, 0x40_0000, 0x1000, 0, &name).at(1));
        builder.sample(SampleSpec {
            callchain: vec![USER, 0x40_0010, 0x40_0200],
            ..SampleSpec::of(event, pid).at(2).branches(&[(0x40_0010, 0x40_0100)])
        });
    }
    let recording = folder.path().join("perf.data");
    std::fs::write(&recording, builder.build_file()).expect("written");
    let shard = shard_of(&recording, &folder.path().join("a.parquet"));
    let counts = counts_by_file(&[shard], Record::Stack);
    let expected = ["/bin/0", "/bin/1", "/bin/2"].map(|path| (path.to_owned(), 1000));
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}
