//! Several binaries in one job: each gets the same result as alone.
//!
//! The code of three fixtures is mapped into one process, as if they were a program and its libraries. Their
//! recorded branches are mixed into common stacks, and some of these branches go from one file to another.

#[path = "../../elf/tests/support/mod.rs"]
mod elf_builder;
#[path = "support/traced.rs"]
mod traced;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use elf::Image;
use elf_builder::{EM_X86_64, ET_EXEC, ElfBuilder};
use perfdata::{Change, ChunkBuffer, PerfData};
use profgen::{ErrorCode, Format, GenerateOptions, Input, Outcome, Output, Policy, Severity, Silent};
use proptest::prelude::*;
use testkit::{EventSpec, Fixture, MapSpec, PerfDataBuilder, SampleSpec};
use traced::generate;

const PID: i32 = 100;
/// Bit of `sample_type` for call chains, and the marker in front of their frames of user space.
const CALL_CHAIN: u64 = 1 << 5;
const USER: u64 = 512_u64.wrapping_neg();
/// Distance between the load addresses of neighbouring files.
const DISTANCE: u64 = 1 << 32;

/// A fixture's code and branches. Addresses count from the load address of the code.
struct Recorded {
    program: PathBuf,
    len: u64,
    pgoff: u64,
    branches: Vec<(u64, u64)>,
}

impl Recorded {
    fn new(name: &str) -> Self {
        let fixture = Fixture::named(name);
        let program = fixture.program();
        let own = program.file_name().expect("a name").to_str().expect("ASCII");
        let mut recording = PerfData::open(&fixture.perf_data()).expect("a recording");
        let segment = recording.next_segment().expect("readable").expect("records");
        let map = segment.side_records().iter().find_map(|record| match &record.change {
            Change::Map(map) if Path::new(&map.file.name).ends_with(own) && map.executable => Some(map.clone()),
            _ => None,
        });
        let map = map.expect("the program is mapped");
        let mut branches = Vec::new();
        for chunk in 0..segment.chunk_count() {
            let keep = |sample: &perfdata::Sample<'_>| {
                let relative = |address: u64| address.wrapping_sub(map.start.0);
                let entries = sample
                    .branches
                    .iter()
                    .map(|entry| (relative(entry.from.0), relative(entry.to.0)));
                // The other files that the program ran are not there.
                branches.extend(entries.filter(|(from, to)| *from.min(to) < map.len));
            };
            segment
                .decode_chunk(chunk, &mut ChunkBuffer::default(), keep)
                .expect("readable");
        }
        Self {
            program,
            len: map.len,
            pgoff: map.pgoff,
            branches,
        }
    }

    fn name(&self) -> &str {
        self.program.file_name().and_then(|name| name.to_str()).expect("ASCII")
    }

    fn build_id(&self) -> Vec<u8> {
        let image = Image::open(&self.program).expect("a program");
        image.build_id().expect("a build id").to_vec()
    }
}

/// Files that are mapped together.
struct Mix {
    files: Vec<Recorded>,
    folder: tempfile::TempDir,
}

/// A choice of an entry of a stack: a file, an index in its recording, and the file that is branched to.
type Pick = (usize, usize, usize);

fn picks() -> impl Strategy<Value = Vec<Vec<Pick>>> {
    // Runs of consecutive entries of a file, as loops make them. Every fourth time their last entry goes to
    // any file.
    let run = (0usize..3, any::<u16>(), 1usize..6, 0usize..12).prop_map(|(file, start, len, to)| {
        let last = len - 1;
        let entry = |i| {
            (
                file,
                usize::from(start) + i,
                if i == last && to < 3 { to } else { file },
            )
        };
        (0..len).map(entry).collect::<Vec<Pick>>()
    });
    let stack = prop::collection::vec(run, 1..8).prop_map(|runs| runs.concat());
    prop::collection::vec(stack, 1..300)
}

impl Mix {
    fn new() -> Self {
        let files = ["calc-x86_64", "shapes-cpp", "life-rust"].map(Recorded::new).into();
        let folder = tempfile::tempdir().expect("a folder");
        Self { files, folder }
    }

    fn base(file: usize) -> u64 {
        (1 + file as u64) * DISTANCE
    }

    fn map(&self, file: usize) -> MapSpec {
        let recorded = &self.files[file];
        let name = format!("/somewhere/{}", recorded.name());
        MapSpec::code(PID, Self::base(file), recorded.len, recorded.pgoff, &name).at(1)
    }

    fn record(&self, stacks: &[Vec<Pick>], maps: impl IntoIterator<Item = MapSpec>) -> PathBuf {
        self.record_with_chains(stacks, &[], maps)
    }

    /// Records samples with branch stacks and, if `chains` is not empty, call chains.
    fn record_with_chains(
        &self,
        stacks: &[Vec<Pick>],
        chains: &[Vec<(usize, usize)>],
        maps: impl IntoIterator<Item = MapSpec>,
    ) -> PathBuf {
        let mut builder = PerfDataBuilder::new();
        let mut event = EventSpec::branch_stacks("cycles");
        if !chains.is_empty() {
            event.sample_type |= CALL_CHAIN;
        }
        let event = builder.event(event);
        for map in maps {
            builder.mmap(map);
        }
        for (index, stack) in stacks.iter().enumerate() {
            let entry = |&(file, index, to): &Pick| {
                let branch = |file: usize| {
                    let (from, to) = self.files[file].branches[index % self.files[file].branches.len()];
                    (from.wrapping_add(Self::base(file)), to.wrapping_add(Self::base(file)))
                };
                (branch(file).0, branch(to).1)
            };
            let entries: Vec<_> = stack.iter().map(entry).collect();
            let frame = |&(file, index): &(usize, usize)| match self.files.get(file) {
                Some(recorded) => recorded.branches[index % recorded.branches.len()]
                    .1
                    .wrapping_add(Self::base(file)),
                None => 0x10,
            };
            let chain = chains.get(index % chains.len().max(1));
            let callchain = chain.map(|chain| [USER].into_iter().chain(chain.iter().map(frame)).collect());
            builder.sample(SampleSpec {
                callchain: callchain.unwrap_or_default(),
                ..SampleSpec::of(event, PID).at(10 + index as u64).branches(&entries)
            });
        }
        let path = self.folder.path().join("perf.data");
        std::fs::write(&path, builder.build_file()).expect("written");
        path
    }

    /// Writes all files, mapped and recorded by the choices of a fixed seed.
    fn typical(&self) -> PathBuf {
        let stacks: Vec<Vec<Pick>> = (0..400usize)
            .map(|i| {
                (0..12)
                    .map(|j| (i % 3, i * 7 + j, if j == 11 { (i / 3) % 3 } else { i % 3 }))
                    .collect()
            })
            .collect();
        self.record(&stacks, (0..3).map(|file| self.map(file)))
    }

    fn options(&self, perf_data: &Path) -> GenerateOptions {
        let mut options = GenerateOptions::new("", Input::PerfData(vec![perf_data.to_owned()]));
        options.binaries = self.files.iter().map(|file| file.program.clone()).collect();
        options.format = Format::Text;
        options.jobs = 2;
        options
    }
}

fn one(options: &GenerateOptions, binary: &Path) -> Result<Outcome, profgen::Error> {
    let options = GenerateOptions {
        binaries: vec![binary.to_owned()],
        ..options.clone()
    };
    generate(&options, &Silent)
}

/// Checks that every binary's part of a job equals a job with only this binary.
fn assert_like_alone(options: &GenerateOptions) -> Result<(), TestCaseError> {
    let alone: Vec<_> = options.binaries.iter().map(|binary| one(options, binary)).collect();
    let together = match generate(options, &Silent) {
        Ok(together) => together,
        Err(error) => {
            prop_assert!(alone.iter().all(Result::is_err), "{error}");
            return Ok(());
        }
    };
    let ledger = &together.statistics.ledger;
    prop_assert!(options.policy == Policy::LLVM_PROFGEN || ledger.accounted() == ledger.entries());
    for (part, alone) in together.binaries.iter().zip(alone) {
        match alone {
            Ok(alone) => {
                prop_assert!(part.failure.is_none());
                prop_assert_eq!(&part.bytes, &alone.bytes);
                prop_assert_eq!(&part.statistics, &alone.binaries[0].statistics);
                prop_assert_eq!(&part.diagnostics, &alone.diagnostics);
            }
            Err(error) => prop_assert_eq!(part.failure.as_ref().map(|failure| failure.code), Some(error.code)),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn each_is_counted_as_if_alone(stacks in picks()) {
        let mix = Mix::new();
        let perf_data = mix.record(&stacks, (0..3).map(|file| mix.map(file)));
        let mut options = mix.options(&perf_data);
        assert_like_alone(&options)?;
        options.skip_symbolization = true;
        assert_like_alone(&options)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Frames are in the code of any file, or of none. The profile of each binary, with contexts or without, must be
    /// the one of a job with only this binary.
    #[test]
    fn call_chains_are_those_that_each_binary_has_alone(
        stacks in picks(),
        chains in prop::collection::vec(prop::collection::vec((0usize..4, any::<usize>()), 0..6), 1..40),
    ) {
        let mix = Mix::new();
        let perf_data = mix.record_with_chains(&stacks, &chains, (0..3).map(|file| mix.map(file)));
        let mut options = mix.options(&perf_data);
        for (ignore, counters) in [(false, false), (false, true), (true, false), (true, true)] {
            (options.ignore_stack_samples, options.skip_symbolization) = (ignore, counters);
            let alone = options.binaries.iter().map(|binary| one(&options, binary).ok().and_then(|outcome| outcome.bytes));
            let alone: Vec<_> = alone.collect();
            let together = match generate(&options, &Silent) {
                Ok(outcome) => outcome.binaries.into_iter().map(|binary| binary.bytes).collect(),
                Err(_) => vec![None; 3],
            };
            prop_assert_eq!(together, alone, "{} {}", ignore, counters);
        }
    }
}

#[test]
fn llvm_profgens_decisions_are_each_binarys_own() {
    let mix = Mix::new();
    let mut options = mix.options(&mix.typical());
    options.policy = Policy::LLVM_PROFGEN;
    for skip_symbolization in [false, true] {
        options.skip_symbolization = skip_symbolization;
        assert_like_alone(&options).expect("equal");
    }
}

/// Binaries come in each order, and one of them falls out: at once, at its mappings, or for want of samples.
/// Each of the others must have the samples of its own code.
#[test]
fn no_order_gives_samples_to_another_binary() {
    let mix = Mix::new();
    let perf_data = mix.typical();
    let symbolless = mix.folder.path().join("symbolless");
    let mut builder = ElfBuilder::new(EM_X86_64).text(".text", 0x1000, &[0x90; 16]);
    builder.kind = ET_EXEC;
    std::fs::write(&symbolless, builder.build()).expect("written");
    let unmapped = mix.folder.path().join("unmapped");
    let builder = builder.symbol("main", 0x1000, 1);
    std::fs::write(&unmapped, builder.build()).expect("written");

    let mut options = mix.options(&perf_data);
    let alone: BTreeMap<_, _> = options
        .binaries
        .iter()
        .map(|binary| (binary.clone(), one(&options, binary).expect("a profile")))
        .collect();
    let programs = options.binaries.clone();
    for compat in [Policy::OWN, Policy::LLVM_PROFGEN] {
        options.policy = compat;
        for turn in 0..programs.len() {
            for (place, fallen) in [&symbolless, &unmapped]
                .into_iter()
                .flat_map(|file| [(0, file), (1, file), (3, file)])
            {
                options.binaries = programs.clone();
                options.binaries.rotate_left(turn);
                options.binaries.insert(place, fallen.clone());
                let outcome = generate(&options, &Silent).expect("profiles");
                assert_eq!(outcome.binaries.len(), 4);
                for (binary, path) in outcome.binaries.iter().zip(&options.binaries) {
                    assert_eq!(&binary.path, path, "results are in the order of the options");
                    if let Some(alone) = alone.get(path) {
                        assert!(
                            binary.bytes == alone.bytes,
                            "{} in {:?}",
                            path.display(),
                            options.binaries
                        );
                        assert_eq!(binary.statistics, alone.binaries[0].statistics);
                    } else {
                        assert!(compat == Policy::LLVM_PROFGEN || binary.failure.is_some());
                    }
                }
            }
        }
    }
}

#[test]
fn threads_change_nothing() {
    let mix = Mix::new();
    let mut options = mix.options(&mix.typical());
    let all = [1, 2, 5].map(|jobs| {
        options.jobs = jobs;
        let outcome = generate(&options, &Silent).expect("profiles");
        outcome
            .binaries
            .into_iter()
            .map(|binary| binary.bytes)
            .collect::<Vec<_>>()
    });
    assert!(all[0] == all[1] && all[1] == all[2]);
}

#[test]
fn a_folder_gets_a_file_for_each() {
    let mix = Mix::new();
    let folder = mix.folder.path().join("profiles");
    let mut options = mix.options(&mix.typical());
    options.output = Output::File(folder.clone());
    let outcome = generate(&options, &Silent).expect("profiles");
    assert!(outcome.bytes.is_none());
    assert_eq!(std::fs::read_dir(&folder).expect("made").count(), 3);
    for (binary, program) in outcome.binaries.iter().zip(&options.binaries) {
        let output = binary.output.as_deref().expect("written");
        assert_eq!(output, folder.join(format!("{}.afdo", binary.name)));
        let written = std::fs::read(output).expect("there");
        options.output = Output::Memory;
        assert_eq!(Some(written), one(&options, program).expect("a profile").bytes);
    }

    let file = mix.folder.path().join("file");
    std::fs::write(&file, "kept").expect("written");
    options.output = Output::File(file.clone());
    assert_eq!(
        generate(&options, &Silent).expect_err("a file").code,
        ErrorCode::InvalidOptions
    );
    assert_eq!(std::fs::read(file).expect("there"), b"kept");
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn merged_profiles_are_those_of_llvm_profdata() {
    let mix = Mix::new();
    let mut options = mix.options(&mix.typical());
    let separate = mix.folder.path().join("separate");
    for (format, flag) in [(Format::Text, "--text"), (Format::ExtBinary, "--extbinary")] {
        options.format = format;
        options.output = Output::File(separate.clone());
        options.merge_binaries = false;
        let parts = generate(&options, &Silent).expect("profiles");
        options.output = Output::Memory;
        options.merge_binaries = true;
        let outcome = generate(&options, &Silent).expect("a profile");
        let expected = mix.folder.path().join("expected");
        let status = Command::new("llvm-profdata-22")
            .args(["merge", "--sample", flag, "-o"])
            .arg(&expected)
            .args(parts.binaries.iter().filter_map(|binary| binary.output.as_ref()))
            .status();
        if status.is_err() && std::env::var_os("CI").is_none() {
            eprintln!("skipped: merged_profiles_are_those_of_llvm_profdata: llvm-profdata-22 is not installed");
            return;
        }
        assert!(status.expect("llvm-profdata-22 runs").success());
        let bytes = outcome.bytes.expect("in memory");
        assert_eq!(outcome.size, bytes.len() as u64);
        assert!(bytes == std::fs::read(&expected).expect("written"), "{flag}");
        assert!(outcome.binaries.iter().all(|binary| binary.bytes.is_none()));
    }
}

#[test]
fn a_binary_without_samples_does_not_stop_the_others() {
    let mix = Mix::new();
    let perf_data = mix.record(&[vec![(0, 0, 0), (0, 1, 0), (0, 2, 0)]], [mix.map(0), mix.map(1)]);
    let mut options = mix.options(&perf_data);
    let outcome = generate(&options, &Silent).expect("the first has a profile");
    let codes = outcome
        .binaries
        .iter()
        .map(|binary| binary.failure.as_ref().map(|failure| failure.code));
    assert_eq!(
        codes.collect::<Vec<_>>(),
        [None, Some(ErrorCode::EmptyProfile), Some(ErrorCode::NoMapping)]
    );
    let warnings = outcome
        .diagnostics
        .iter()
        .filter(|found| found.code == "binary-without-profile");
    assert_eq!(warnings.clone().count(), 2);
    assert!(warnings.clone().all(|found| found.severity == Severity::Warning));

    options.binaries.remove(0);
    let error = generate(&options, &Silent).expect_err("none has a profile");
    assert!(
        error.message.contains("shapes") && error.message.contains("life"),
        "{error}"
    );
}

#[test]
fn binaries_are_found_by_build_id_and_then_by_name() {
    let mix = Mix::new();
    let shelf = mix.folder.path().join("shelf");
    std::fs::create_dir_all(shelf.join("deep/er")).expect("made");
    let copy = |file: usize, to: &str| std::fs::copy(&mix.files[file].program, shelf.join(to)).expect("copied");
    // The build id identifies the first file under any name, the name identifies the second, and the third is
    // of another build.
    copy(0, "deep/renamed");
    copy(1, "deep/er/shapes");
    copy(2, "life");
    std::fs::write(shelf.join("calc"), "no ELF file").expect("written");
    std::os::unix::fs::symlink(&shelf, shelf.join("deep/circle")).expect("linked");
    std::os::unix::fs::symlink("nowhere", shelf.join("dangling")).expect("linked");
    let maps = [
        mix.map(0).with_build_id(&mix.files[0].build_id()),
        mix.map(1),
        mix.map(2).with_build_id(&[7; 20]),
    ];
    let stacks: Vec<Vec<Pick>> = (0..90)
        .map(|i| (0..9).map(|j| (i % 3, i * 5 + j, i % 3)).collect())
        .collect();
    let perf_data = mix.record(&stacks, maps);
    let mut options = mix.options(&perf_data);
    let named = std::mem::take(&mut options.binaries);
    options.binary_dirs = vec![shelf.clone()];
    let outcome = generate(&options, &Silent).expect("profiles");
    let found: Vec<_> = outcome.binaries.iter().map(|binary| binary.name.as_str()).collect();
    assert_eq!(found, ["calc", "shapes"]);
    for (binary, program) in outcome.binaries.iter().zip(&named) {
        assert_eq!(
            binary.bytes,
            one(&options_of(&options), program).expect("a profile").bytes
        );
    }
    let note = outcome
        .diagnostics
        .iter()
        .find(|found| found.code == "binaries-not-found")
        .expect("a note");
    assert_eq!(note.message, "1 mapped file was not found: /somewhere/life");

    // A binary that is both named and found is profiled once.
    options.binaries = vec![named[0].clone()];
    assert_eq!(generate(&options, &Silent).expect("profiles").binaries.len(), 2);

    options.binaries.clear();
    options.binary_dirs = vec![shelf.join("calc")];
    assert_eq!(
        generate(&options, &Silent).expect_err("a file").code,
        ErrorCode::BinaryUnreadable
    );
    std::fs::create_dir(shelf.join("empty")).expect("made");
    options.binary_dirs = vec![shelf.join("empty")];
    assert_eq!(
        generate(&options, &Silent).expect_err("nothing").code,
        ErrorCode::NoMapping
    );
}

#[test]
fn binaries_that_are_mapped_late_are_found_too() {
    let mix = Mix::new();
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    let mut add = |file: usize, samples: u64, since: u64| {
        builder.mmap(mix.map(file).at(since));
        for index in 0..samples {
            let entry = |i: u64| {
                let branches = &mix.files[file].branches;
                let (from, to) = branches[(index * 5 + i) as usize % branches.len()];
                (from.wrapping_add(Mix::base(file)), to.wrapping_add(Mix::base(file)))
            };
            let entries: Vec<_> = (0..16).map(entry).collect();
            builder.sample(SampleSpec::of(event, PID).at(since + 1 + index).branches(&entries));
        }
    };
    add(0, 20_000, 1);
    add(1, 50, 1_000_000);
    let path = mix.folder.path().join("perf.data");
    let recording = builder.build_file();
    assert!(recording.len() > 8 << 20, "more than is looked at first");
    std::fs::write(&path, recording).expect("written");

    let shelf = mix.folder.path().join("shelf");
    std::fs::create_dir(&shelf).expect("made");
    for file in &mix.files {
        std::fs::copy(&file.program, shelf.join(file.name())).expect("copied");
    }
    let mut options = mix.options(&path);
    let named = std::mem::take(&mut options.binaries);
    options.binary_dirs = vec![shelf];
    let outcome = generate(&options, &Silent).expect("profiles");
    assert_eq!(outcome.binaries.len(), 2);
    for (binary, program) in outcome.binaries.iter().zip(&named) {
        let alone = one(&options_of(&options), program).expect("a profile");
        assert_eq!(binary.bytes, alone.bytes);
    }
    assert_eq!(outcome.statistics.samples, 20_050);
}

/// Returns the same options without a search for binaries.
fn options_of(options: &GenerateOptions) -> GenerateOptions {
    GenerateOptions {
        binary_dirs: Vec::new(),
        all_binaries: false,
        ..options.clone()
    }
}

#[test]
fn files_of_this_machine_are_profiled_unless_they_changed() {
    let mix = Mix::new();
    let here = |file: usize| {
        let name = mix.files[file].program.canonicalize().expect("there");
        MapSpec {
            name: name.to_str().expect("UTF-8").to_owned(),
            ..mix.map(file)
        }
    };
    let maps = [
        here(0).with_build_id(&mix.files[0].build_id()),
        here(1),
        here(2).with_build_id(&[7; 20]),
        MapSpec::code(PID, 64 * DISTANCE, 0x1000, 0, "/no/such/file"),
    ];
    let stacks: Vec<Vec<Pick>> = (0..90)
        .map(|i| (0..9).map(|j| (i % 3, i * 5 + j, i % 3)).collect())
        .collect();
    let mut options = mix.options(&mix.record(&stacks, maps));
    let named = std::mem::take(&mut options.binaries);
    options.all_binaries = true;
    let outcome = generate(&options, &Silent).expect("profiles");
    let found: Vec<_> = outcome.binaries.iter().map(|binary| binary.name.as_str()).collect();
    assert_eq!(found, ["calc", "shapes"]);
    for (binary, program) in outcome.binaries.iter().zip(&named) {
        assert_eq!(
            binary.bytes,
            one(&options_of(&options), program).expect("a profile").bytes
        );
    }
}

#[test]
fn copies_and_namesakes_are_told_apart() {
    let mix = Mix::new();
    let perf_data = mix.typical();
    let mut options = mix.options(&perf_data);
    let copy = mix.folder.path().join("copy");
    std::fs::copy(&options.binaries[0], &copy).expect("copied");
    options.binaries.push(copy);
    let outcome = generate(&options, &Silent).expect("profiles");
    assert_eq!(outcome.binaries.len(), 3);
    assert!(outcome.diagnostics.iter().any(|found| found.code == "binary-duplicate"));

    // This is another program of the same name. Results get the build ids in their names. If the recording
    // has no build ids, the first program gets the samples.
    let namesake = mix.folder.path().join("calc");
    std::fs::copy(&options.binaries[1], &namesake).expect("copied");
    options.binaries = vec![options.binaries[0].clone(), namesake];
    let outcome = generate(&options, &Silent).expect("a profile");
    assert!(outcome.diagnostics.iter().any(|found| found.code == "binaries-alike"));
    assert!(outcome.binaries[1].failure.is_some());

    let maps = [0, 1].map(|file| {
        let map = mix.map(file).with_build_id(&mix.files[file].build_id());
        MapSpec {
            name: "/x/calc".to_owned(),
            ..map
        }
    });
    let stacks: Vec<Vec<Pick>> = (0..40)
        .map(|i| (0..9).map(|j| (i % 2, i + j, i % 2)).collect())
        .collect();
    options.input = Input::PerfData(vec![mix.record(&stacks, maps)]);
    options.output = Output::File(mix.folder.path().join("out"));
    let outcome = generate(&options, &Silent).expect("profiles");
    for (binary, file) in outcome.binaries.iter().zip(&mix.files) {
        let id: String = file
            .build_id()
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let output = binary.output.as_deref().expect("written");
        assert!(output.ends_with(format!("calc-{id}.afdo")), "{}", output.display());
    }
}

#[test]
fn options_that_contradict_several_binaries_are_refused() {
    let mix = Mix::new();
    let perf_data = mix.typical();
    let refused = |change: &dyn Fn(&mut GenerateOptions), code: ErrorCode| {
        let mut options = mix.options(&perf_data);
        change(&mut options);
        let error = generate(&options, &Silent).expect_err("refused");
        assert_eq!(error.code, code, "{error}");
        assert!(error.hint.is_some(), "{error}");
    };
    refused(
        &|options| options.debug_binary = Some("x".into()),
        ErrorCode::InvalidOptions,
    );
    refused(&|options| options.binaries.clear(), ErrorCode::InvalidOptions);
    refused(
        &|options| options.input = Input::UnsymbolizedProfile(perf_data.clone()),
        ErrorCode::InvalidOptions,
    );
    refused(
        &|options| (options.merge_binaries, options.skip_symbolization) = (true, true),
        ErrorCode::InvalidOptions,
    );
    refused(
        &|options| options.binaries.push("/no/such".into()),
        ErrorCode::BinaryUnreadable,
    );
    refused(
        &|options| options.binaries.push(perf_data.clone()),
        ErrorCode::BinaryInvalid,
    );
    refused(
        &|options| {
            options.input = Input::PerfData(vec!["/dev/null".into()]);
            options.all_binaries = true;
        },
        ErrorCode::Unsupported,
    );
}
