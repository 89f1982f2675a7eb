//! Profiles from trace shards equal the profiles from the recordings, byte for byte, however the recordings
//! are split.

#[path = "support/counts_by_file.rs"]
mod counts_by_file;
#[path = "support/summed.rs"]
mod summed;
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::thread;

use counts_by_file::counts_by_file;
use job::{DiagnosticCode, ErrorCode};
use profgen::{CollectOptions, Format, GenerateOptions, Input, Ledger, Outcome, Selection, Silent, collect, generate};
use proptest::prelude::*;
use summed::{address, repeated, sum, weights};
use support::Recorded;
use testkit::{EventSpec, Fixture, MapSpec, PerfDataBuilder, SampleSpec, make_named_pipe};
use traceshard::{Metadata, Record, Row, ShardWriter};

fn options(program: &Path, input: Input, format: Format) -> GenerateOptions {
    GenerateOptions {
        format,
        jobs: 2,
        ..GenerateOptions::new(program, input)
    }
}

fn shard_of(recordings: &[PathBuf], select: Selection, folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let options = CollectOptions {
        select,
        jobs: 2,
        ..CollectOptions::new(recordings.to_vec(), &path)
    };
    collect(&options, &Silent).unwrap_or_else(|error| panic!("{recordings:?}: {error:?}"));
    path
}

/// Returns everything that a job reports, except where its samples came from.
fn told(outcome: &Outcome) -> (&[u8], Ledger, Vec<String>, u64, u64) {
    let statistics = &outcome.statistics;
    let diagnostics = outcome.diagnostics.iter();
    // It names the files of the samples.
    let diagnostics = diagnostics.filter(|found| found.code != DiagnosticCode::InputRepeated);
    let diagnostics = diagnostics.map(|found| format!("{found:?}")).collect();
    let bytes = outcome.bytes.as_deref().expect("in memory");
    (
        bytes,
        statistics.ledger,
        diagnostics,
        statistics.samples,
        statistics.branch_samples,
    )
}

#[test]
fn every_fixture_has_the_profile_of_its_recording() {
    let folder = tempfile::tempdir().expect("a folder");
    for fixture in Fixture::all() {
        let shard = shard_of(&[fixture.perf_data()], Selection::default(), folder.path(), "a.parquet");
        for format in [Format::Text, Format::ExtBinary, Format::Binary] {
            for (counters, bolt) in [(false, false), (true, false), (false, true)] {
                let run = |input| {
                    let options = GenerateOptions {
                        skip_symbolization: counters,
                        for_bolt: bolt.then_some(profgen::BoltFormat::PreAggregated),
                        ..options(&fixture.program(), input, format)
                    };
                    generate(&options, &Silent)
                };
                let recorded = run(Input::PerfData(vec![fixture.perf_data()]));
                let traced = run(Input::Traces(vec![shard.clone()]));
                match (&traced, &recorded) {
                    (Ok(traced), Ok(recorded)) => {
                        assert_eq!(
                            told(traced),
                            told(recorded),
                            "{} {format:?} {counters} {bolt}",
                            fixture.name()
                        );
                    }
                    // The oldest encoding cannot hold every profile.
                    (Err(traced), Err(recorded)) => assert_eq!(traced.message, recorded.message),
                    _ => panic!("{}: {traced:?} but {recorded:?}", fixture.name()),
                }
            }
        }
    }
}

#[test]
fn no_split_changes_a_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = Fixture::named("calc-x86_64");
    let whole = Input::PerfData(vec![fixture.perf_data()]);
    let whole = generate(&options(&fixture.program(), whole, Format::ExtBinary), &Silent).expect("a profile");
    let times = [0, 3_000_000, 11_000_000, 12_000_000, u64::MAX];
    let mut parts = Vec::new();
    for (index, bounds) in times.windows(2).enumerate() {
        let select = Selection {
            time: Some((bounds[0] + u64::from(index > 0), bounds[1])),
            ..Selection::default()
        };
        let name = format!("day={index}/x.parquet");
        std::fs::create_dir(folder.path().join(format!("day={index}"))).expect("a folder");
        parts.push(shard_of(&[fixture.perf_data()], select, folder.path(), &name));
    }
    let counts = |outcome: &Outcome| {
        (
            outcome.bytes.clone(),
            outcome.statistics.ledger[profgen::EntryClass::Used],
        )
    };
    let run = |input| {
        generate(
            &options(&fixture.program(), Input::Traces(input), Format::ExtBinary),
            &Silent,
        )
    };
    let in_folder = run(vec![folder.path().to_owned()]).expect("a profile");
    parts.reverse();
    let reversed = run(parts).expect("a profile");
    assert_eq!(counts(&in_folder), counts(&whole));
    assert_eq!(counts(&reversed), counts(&whole));
}

fn recording(stacks: &[Vec<(u64, u64)>], code: (u64, u64, u64), program: &Path) -> Vec<u8> {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    let (start, len, pgoff) = code;
    builder.mmap(MapSpec::code(1, start, len, pgoff, program.to_str().expect("ASCII")).at(1));
    for (time, stack) in (2..).zip(stacks) {
        builder.sample(SampleSpec::of(event, 1).at(time).branches(stack));
    }
    builder.build_file()
}

/// Each selection takes a part of the samples, and together the selections of one line take all of them.
#[test]
fn no_split_by_process_thread_or_cpu_changes_a_byte() {
    const SHIFT: u64 = 0x1000_0000;
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = Recorded::read();
    let program = recorded.fixture.program();
    let (start, len, pgoff) = recorded.code;
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    for (pid, start) in [(1, start), (2, start + SHIFT)] {
        builder.mmap(MapSpec::code(pid, start, len, pgoff, program.to_str().expect("ASCII")).at(1));
    }
    for (index, stack) in recorded.stacks.iter().enumerate() {
        let (pid, shift) = if index % 2 == 0 { (1, 0) } else { (2, SHIFT) };
        let stack: Vec<_> = stack.iter().map(|(from, to)| (from + shift, to + shift)).collect();
        let sample = SampleSpec::of(event, pid).at(2 + index as u64).branches(&stack);
        builder.sample(SampleSpec {
            cpu: index as u32 % 3,
            ..sample
        });
    }
    let recording = folder.path().join("perf.data");
    std::fs::write(&recording, builder.build_file()).expect("written");
    let run = |input| {
        let options = GenerateOptions {
            ignore_build_id: true,
            ..options(&program, input, Format::ExtBinary)
        };
        generate(&options, &Silent).expect("a profile")
    };
    let whole = run(Input::PerfData(vec![recording.clone()]));
    let nothing = Selection::default;
    let splits = [
        [1, 2]
            .map(|pid| Selection {
                pids: vec![pid],
                ..nothing()
            })
            .to_vec(),
        [2, 1]
            .map(|tid| Selection {
                tids: vec![tid],
                ..nothing()
            })
            .to_vec(),
        [2, 0, 1]
            .map(|cpu| Selection {
                cpus: vec![cpu],
                ..nothing()
            })
            .to_vec(),
    ];
    let used = |outcome: &Outcome| {
        (
            outcome.bytes.clone(),
            outcome.statistics.ledger[profgen::EntryClass::Used],
        )
    };
    for (split, selections) in splits.into_iter().enumerate() {
        let shard = |(index, select)| {
            let name = format!("{split}-{index}.parquet");
            shard_of(std::slice::from_ref(&recording), select, folder.path(), &name)
        };
        let shards: Vec<_> = selections.into_iter().enumerate().map(shard).collect();
        let first = run(Input::Traces(vec![shards[0].clone()]));
        assert!(used(&first).1 < used(&whole).1, "a part of the samples");
        assert_eq!(used(&run(Input::Traces(shards))), used(&whole), "split {split}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// The stacks have any branches between any addresses, in any parts and any order, added up or not. The
    /// traces for BOLT must be those of the recording. So must the counters, if the shards say that they are
    /// sure.
    #[test]
    fn any_stacks_in_any_parts_give_the_same_counters(
        stacks in {
            let recorded = Recorded::read();
            let known: Vec<u64> = recorded.stacks.iter().take(40).flatten().flat_map(|(from, to)| [*from, *to]).collect();
            let address = || address(recorded.code, known.clone());
            let stack = prop::collection::vec((address(), address()), 1..14);
            let real = prop::sample::select(recorded.stacks.clone());
            prop::collection::vec(prop_oneof![stack, real], 1..40)
        },
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        weights in weights(),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let recorded = Recorded::read();
        let program = recorded.fixture.program();
        let run = |input, bolt: bool| {
            let options = GenerateOptions {
                skip_symbolization: !bolt,
                for_bolt: bolt.then_some(profgen::BoltFormat::PreAggregated),
                ignore_build_id: true,
                ..options(&program, input, Format::Text)
            };
            generate(&options, &Silent)
        };
        let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut.index(stacks.len())).collect();
        bounds.extend([0, stacks.len()]);
        bounds.sort_unstable();
        let mut recordings = Vec::new();
        let mut shards = Vec::new();
        for (index, pair) in bounds.windows(2).enumerate() {
            let path = folder.path().join(format!("{index}.data"));
            std::fs::write(&path, recording(&stacks[pair[0]..pair[1]], recorded.code, &program)).expect("written");
            shards.push(shard_of(std::slice::from_ref(&path), Selection::default(), folder.path(), &format!("{index}.parquet")));
            recordings.push(path);
        }
        let summed = folder.path().join("sum.parquet");
        sum(&shards, &weights, &summed);
        // A recording that counts twice is read twice.
        let [recordings, mut shards] = [recordings, shards].map(|paths| repeated(&paths, &weights));
        shards.reverse();
        let whole = run(Input::PerfData(recordings.clone()), false);
        let whole_for_bolt = run(Input::PerfData(recordings), true);
        for input in [shards, vec![summed]] {
            let traced = run(Input::Traces(input.clone()), true);
            match (&whole_for_bolt, &traced) {
                (Ok(whole), Ok(traced)) => prop_assert_eq!(&whole.bytes, &traced.bytes),
                (Err(_), Err(_)) => {}
                _ => prop_assert!(false, "for BOLT {:?} but {:?}", whole_for_bolt, traced),
            }
            let traced = run(Input::Traces(input), false);
            match (&whole, &traced) {
                (Ok(whole), Ok(traced)) => {
                    if traced.diagnostics.iter().all(|found| found.code != DiagnosticCode::RunEndsUnsure) {
                        prop_assert_eq!(told(whole), told(traced));
                    }
                }
                // Both refuse, perhaps for different reasons: traces do not have mappings without branches.
                (Err(_), Err(_)) => {}
                _ => prop_assert!(false, "{:?} but {:?}", whole, traced),
            }
        }
    }
}

/// Writes a shard of one row, with the branch of a loop of `calc`.
fn shard_of_count(count: u64, path: &Path) -> PathBuf {
    shard_with(path, |row| row.count = count)
}

/// Writes the same shard, with another value in some column.
fn shard_with<'a>(path: &Path, change: impl FnOnce(&mut Row<'a>)) -> PathBuf {
    let recorded = Recorded::read();
    let (start, len, pgoff) = recorded.code;
    let is_code = |address: u64| (start..start + len).contains(&address);
    let mut pairs = recorded.stacks.iter().flat_map(|stack| stack.windows(2));
    let pair =
        pairs.find(|pair| is_code(pair[0].0) && is_code(pair[1].0) && is_code(pair[1].1) && pair[1].1 < pair[0].0);
    let Some(&[(end, _), (from, to)]) = pair else {
        panic!("a run in the program");
    };
    let offset = |address| Some(address - start + pgoff);
    let mut row: Row<'a> = Row {
        record: Record::Branch,
        path: "/bin/calc",
        kind: Some(traceshard::BinaryKind::User),
        from: offset(from),
        to: offset(to),
        end: offset(end),
        ..Row::ledger(traceshard::Loss::Entries, 1)
    };
    change(&mut row);
    let mut writer = ShardWriter::new(Vec::new()).expect("memory");
    writer.write(&[row]).expect("memory");
    std::fs::write(path, writer.finish(&Metadata::default()).expect("memory")).expect("written");
    path.to_owned()
}

/// Number of samples of a [`long_recording`], and of the entries of each. They have more bytes than are read at a time.
const SAMPLES: u64 = 21_000;
const ENTRIES: u64 = 32;

/// Builds a recording whose last record says that its samples are of `/bin/second`.
fn long_recording() -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    let map = |name: &str, time| MapSpec::code(1, 0x40_0000, 0x1000_0000, 0, name).at(time);
    builder.mmap(map("/bin/first", 1));
    for sample in 0..SAMPLES {
        let stack: Vec<_> = (0..ENTRIES)
            .map(|entry| 0x50_0000 + (sample % 100 * ENTRIES + entry) * 64)
            .map(|address| (address, address + 4096))
            .collect();
        builder.sample(SampleSpec::of(event, 1).at(10 + sample).branches(&stack));
    }
    builder.mmap(map("/bin/second", 2));
    builder
}

#[test]
fn late_records_change_rows_that_were_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let recording = folder.path().join("perf.data");
    std::fs::write(&recording, long_recording().build_file()).expect("written");
    let shard = folder.path().join("a.parquet");
    let options = CollectOptions {
        most_rows: Some(1000),
        ..CollectOptions::new(vec![recording], &shard)
    };
    collect(&options, &Silent).expect("a shard");
    let expected = BTreeMap::from([("/bin/second".to_owned(), SAMPLES * ENTRIES)]);
    assert_eq!(counts_by_file(&[shard], Record::Branch), expected);
}

#[test]
fn files_have_no_more_row_groups_than_readers_take() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    make_named_pipe(&pipe);
    let into = |output: &Path| {
        let options = CollectOptions {
            most_rows: Some(1000),
            most_groups: Some(1),
            ..CollectOptions::new(vec![pipe.clone()], output)
        };
        let job = thread::spawn(move || collect(&options, &Silent));
        std::fs::write(&pipe, long_recording().build_pipe()).expect("a reader");
        job.join().expect("no panic")
    };
    let outcome = into(&folder.path().join("shards")).expect("shards");
    let files: Vec<_> = outcome.shards.into_iter().map(|shard| shard.path).collect();
    assert!(files.len() > 1, "{files:?}");
    let found = counts_by_file(&files, Record::Branch);
    assert_eq!(found.values().sum::<u64>(), SAMPLES * ENTRIES);

    let file = folder.path().join("a.parquet");
    let error = into(&file).expect_err("one file does not suffice");
    assert_eq!(error.code, ErrorCode::Unsupported);
    assert!(error.message.contains("row groups") && error.hint.is_some(), "{error}");
    assert!(!file.exists());
}

#[test]
fn a_shard_that_does_not_tell_where_bolt_ends_runs_is_refused_for_bolt_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Fixture::named("calc-x86_64").program();
    // The schema of version 1 has this form.
    let shard = shard_of_count(5, &folder.path().join("a.parquet"));
    let run = |bolt: bool| {
        let options = GenerateOptions {
            skip_symbolization: !bolt,
            for_bolt: bolt.then_some(profgen::BoltFormat::PreAggregated),
            ignore_build_id: true,
            ..options(&program, Input::Traces(vec![shard.clone()]), Format::Text)
        };
        generate(&options, &Silent)
    };
    assert!(run(false).is_ok());
    let error = run(true).expect_err("refused");
    assert_eq!(error.code, ErrorCode::InputInvalid);
    assert!(
        error
            .message
            .contains("rows without a value in the column `crosses_kernel`"),
        "{error}"
    );
    assert!(
        error
            .hint
            .is_some_and(|hint| hint.contains("{collect --perfdata --output}"))
    );
}

#[test]
fn build_ids_that_other_programs_write_are_used_or_refused_but_never_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Fixture::named("calc-x86_64").program();
    let run = |build_id: Option<&str>, bolt: bool| {
        let shard = shard_with(&folder.path().join("a.parquet"), |row| {
            (row.build_id, row.crosses_kernel) = (build_id, Some(false));
        });
        let options = GenerateOptions {
            skip_symbolization: !bolt,
            for_bolt: bolt.then_some(profgen::BoltFormat::PreAggregated),
            ..options(&program, Input::Traces(vec![shard]), Format::Text)
        };
        generate(&options, &Silent)
    };
    let own = "0645410aaf57b3646abef104f5623a0eff19246f";
    let nameless = run(None, false).expect("found by its name").bytes;
    // perf cuts a build id of 32 bytes to 20 bytes, and other programs do not.
    for build_id in [own, &format!("{own}0123456789abcdef01234567"), "", "00"] {
        for bolt in [false, true] {
            let outcome = run(Some(build_id), bolt).unwrap_or_else(|error| panic!("{build_id}: {error}"));
            assert_eq!(outcome.statistics.ledger[profgen::EntryClass::Used], 1, "{build_id}");
            assert!(bolt || outcome.bytes == nameless);
        }
    }
    for build_id in [&own.to_uppercase(), "FF", "zz", "00 11"] {
        let error = run(Some(build_id), false).expect_err("refused");
        assert_eq!(error.code, ErrorCode::InputInvalid);
        assert!(
            error.message.contains(&format!("`build_id` has {build_id:?}")),
            "{error}"
        );
    }
    let error = run(Some("01"), false).expect_err("another build");
    assert_eq!(error.code, ErrorCode::BuildIdMismatch, "{error}");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_in_a_folder_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Fixture::named("calc-x86_64").program();
    let run = |path: &Path| {
        let options = options(&program, Input::Traces(vec![path.to_owned()]), Format::Text);
        generate(&options, &Silent).expect_err("refused").message
    };
    let in_folder = |name: &str| folder.path().join(name);
    shard_of_count(1, &in_folder("a.parquet"));
    for (name, target, expected) in [
        ("up", folder.path(), "up: it is a link to the folder"),
        ("b.parquet", Path::new("missing"), "b.parquet: no such file"),
    ] {
        std::os::unix::fs::symlink(target, in_folder(name)).expect("a link");
        let message = run(folder.path());
        assert!(message.to_lowercase().contains(expected), "{message}");
        std::fs::remove_file(in_folder(name)).expect("removed");
    }
    let pipe = in_folder("pipe.parquet");
    make_named_pipe(&pipe);
    // Nothing writes to the pipe.
    assert!(run(&pipe).ends_with("it is not a regular file"));
}

#[test]
fn no_row_has_more_mispredictions_than_branches() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Fixture::named("calc-x86_64").program();
    let shard = shard_with(&folder.path().join("a.parquet"), |row| {
        (row.crosses_kernel, row.mispredicted) = (Some(false), 1 << 63);
    });
    let options = GenerateOptions {
        for_bolt: Some(profgen::BoltFormat::Fdata),
        ..options(&program, Input::Traces(vec![shard.clone(), shard]), Format::Text)
    };
    let error = generate(&options, &Silent).expect_err("the sum does not fit into 64 bits");
    assert_eq!(error.code, ErrorCode::InputInvalid);
    assert!(
        error
            .message
            .ends_with("a row counts 9223372036854775808 mispredicted branches of 1"),
        "{error}"
    );
}

#[test]
fn sums_end_at_64_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name| folder.path().join(name);
    let program = Fixture::named("calc-x86_64").program();
    let run = |shards: &[&PathBuf]| {
        let input = Input::Traces(shards.iter().map(|path| (*path).clone()).collect());
        let options = GenerateOptions {
            skip_symbolization: true,
            ignore_build_id: true,
            ..options(&program, input, Format::Text)
        };
        generate(&options, &Silent)
    };
    let large = shard_of_count(1 << 40, &path("large.parquet"));
    let counters = run(&[&large, &large]).expect("counters").bytes.expect("in memory");
    let counters = String::from_utf8(counters).expect("text");
    assert!(counters.contains(&format!(":{}\n", 1u64 << 41)), "{counters}");
    let (half, rest) = (
        shard_of_count(1 << 63, &path("half.parquet")),
        shard_of_count((1 << 63) - 1, &path("rest.parquet")),
    );
    // The counts fit into 64 bits, but the sum of the counts of all lines does not.
    let error = run(&[&half, &rest]).expect_err("too much for a profile");
    assert!(error.message.contains("the largest count of a profile"), "{error}");
    let error = run(&[&half, &rest, &half]).expect_err("too much");
    assert!(
        error.message.ends_with("the counts add up to more than 64 bits hold"),
        "{error}"
    );
}

#[test]
fn traces_that_are_of_little_use_come_with_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let found = |build_ids: [bool; 2], pid: i32| {
        let mut builder = PerfDataBuilder::new();
        let event = builder.event(EventSpec::branch_stacks("cycles"));
        for (number, has_build_id) in (1..).zip(build_ids) {
            let map = MapSpec::code(number, 0x40_0000, 0x1000, 0, &format!("/bin/{number}")).at(1);
            builder.mmap(if has_build_id { map.with_build_id(&[7; 20]) } else { map });
            let branches = [(0x40_0010, 0x40_0100), (0x40_0200, 0x40_0008)];
            builder.sample(SampleSpec::of(event, number).at(2).branches(&branches));
        }
        let recording = folder.path().join("perf.data");
        std::fs::write(&recording, builder.build_file()).expect("written");
        let options = CollectOptions {
            select: Selection {
                pids: vec![pid],
                ..Selection::default()
            },
            ..CollectOptions::new(vec![recording], folder.path().join("a.parquet"))
        };
        let outcome = collect(&options, &Silent).expect("collected");
        let mut warnings = outcome.diagnostics.into_iter().map(|found| (found.code, found.message));
        (warnings.next(), warnings.count())
    };
    assert_eq!(found([true, true], 1), (None, 0));
    let (code, message) = found([false, true], 1).0.expect("a warning");
    assert_eq!(code, DiagnosticCode::BuildIdsMissing);
    assert!(message.contains("100.0 % of the traces of programs"), "{message}");
    assert_eq!(found([false, true], 2), (None, 0));
    let (code, message) = found([true, true], 3).0.expect("a warning");
    assert_eq!(code, DiagnosticCode::NoSamples);
    assert_eq!(
        message,
        "no profile can be made of these traces, because none of 4 branch entries and 0 sampled addresses is in a file and was selected: 4 \
         entries deselected"
    );
}

#[test]
fn traces_are_not_replaced_and_files_beside_them_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = folder.path().join("day=1/build_id=ab/more/more");
    std::fs::create_dir_all(&deep).expect("made");
    let fixture = Fixture::named("calc-x86_64");
    let shard = shard_of(&[fixture.perf_data()], Selection::default(), &deep, "a.parquet");
    std::fs::write(deep.join("calc.afdo"), b"text").expect("written");
    let run = |output: &Path| {
        let options = GenerateOptions {
            output: profgen::Output::File(output.to_owned()),
            ..options(
                &fixture.program(),
                Input::Traces(vec![folder.path().to_owned()]),
                Format::Text,
            )
        };
        generate(&options, &Silent).map_err(|error| error.code)
    };
    assert_eq!(run(&shard).err(), Some(ErrorCode::InvalidOptions));
    run(&deep.join("calc.afdo")).expect("replaced");
    run(&deep.join("calc.afdo")).expect("replaced again");
}
