//! Which mapping belongs to which binary is decided by the same rules for recordings and for traces: by build ids in
//! records and in tables, by names, deleted files, memory without a file, and several builds of one name.

#[path = "support/traced.rs"]
mod traced;

#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::cell::Cell;
use std::path::PathBuf;

use elf::Image;
use profgen::{GenerateOptions, Input, Silent};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use support::Recorded;
use testkit::{EventSpec, Fixture, MapSpec, PerfDataBuilder, SampleSpec};
use traced::generate;

/// The programs that are mapped. The first two have the same name, as two builds of one program have.
const FIXTURES: [&str; 4] = ["calc-x86_64", "calc-gcc", "shapes-cpp", "life-rust"];
/// Distance between the places of mappings.
const DISTANCE: u64 = 1 << 32;

/// A program as its file and its recording have it.
struct Program {
    path: PathBuf,
    build_id: Vec<u8>,
    recorded: Recorded,
}

fn programs() -> Vec<Program> {
    let program = |name: &&str| {
        let fixture = Fixture::named(name);
        let path = fixture.program();
        let image = Image::open(&path).expect("a program");
        Program {
            build_id: image.build_id().map(<[u8]>::to_vec).unwrap_or_default(),
            path,
            recorded: Recorded::of(fixture),
        }
    };
    FIXTURES.iter().map(program).collect()
}

/// The build id that a record or a table states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stated {
    Nothing,
    Own,
    /// The build id of this program.
    Of(usize),
    Unknown,
}

#[derive(Debug, Clone)]
struct Mapped {
    pid: i32,
    place: u64,
    program: usize,
    name: usize,
    build_id: Stated,
    /// Pages by which the mapping begins later in the file, and by which it ends earlier.
    cut: (u64, u64),
    executable: bool,
    time: u64,
}

/// Returns the name of a mapping of a program.
fn name_of(program: &Program, form: usize) -> String {
    let file = program.path.file_name().and_then(|name| name.to_str()).expect("ASCII");
    match form {
        0 => program.path.to_str().expect("ASCII").to_owned(),
        1 => format!("/usr/bin/{file}"),
        2 => format!("/usr/bin/{file} (deleted)"),
        3 => format!("/memfd:{file} (deleted)"),
        4 => "//anon".to_owned(),
        5 => format!("/usr/lib/{file}.so"),
        _ => "[vdso]".to_owned(),
    }
}

fn stated() -> impl Strategy<Value = Stated> {
    prop_oneof![
        3 => Just(Stated::Nothing),
        3 => Just(Stated::Own),
        1 => (0..FIXTURES.len()).prop_map(Stated::Of),
        1 => Just(Stated::Unknown),
    ]
}

fn mapped() -> impl Strategy<Value = Mapped> {
    (
        (1..3i32, 1..4u64, 0..FIXTURES.len()),
        prop_oneof![4 => 0..3usize, 1 => 3..7usize],
        stated(),
        prop_oneof![3 => Just((0, 0)), 1 => (0..2u64, 0..2u64)],
        prop::bool::weighted(0.95),
        1..30u64,
    )
        .prop_map(
            |((pid, place, program), name, build_id, cut, executable, time)| Mapped {
                pid,
                place,
                program,
                name,
                build_id,
                cut,
                executable,
                time,
            },
        )
}

fn bytes_of(stated: Stated, program: usize, programs: &[Program]) -> Option<Vec<u8>> {
    match stated {
        Stated::Nothing => None,
        Stated::Own => Some(programs[program].build_id.clone()),
        Stated::Of(other) => Some(programs[other].build_id.clone()),
        Stated::Unknown => Some(vec![0xee; 20]),
    }
}

/// Returns the names and build ids of a table.
fn entries_of(programs: &[Program], table: &[(usize, usize, Stated)]) -> Vec<(String, Vec<u8>)> {
    let entry = |(program, name, stated): &(usize, usize, Stated)| {
        let id = bytes_of(*stated, *program, programs)?;
        Some((name_of(&programs[*program], *name), id))
    };
    table.iter().filter_map(entry).collect()
}

/// Leaves out mappings over a mapping with another path and the same build id or name. Two paths are two files in
/// traces, so branches between them go from file to file, and a recording takes both for one binary.
fn without_two_paths_of_a_binary(
    programs: &[Program],
    maps: Vec<Mapped>,
    table: &[(usize, usize, Stated)],
) -> Vec<Mapped> {
    let name = |map: &Mapped| name_of(&programs[map.program], map.name);
    let file = |map: &Mapped| programs[map.program].path.file_name();
    let of_maps = maps
        .iter()
        .filter_map(|map| Some((name(map), bytes_of(map.build_id, map.program, programs)?)));
    let stated: Vec<_> = of_maps.chain(entries_of(programs, table)).collect();
    // The build ids of the binaries that a mapping may be taken for, by its build id or by its name.
    let ids = |map: &Mapped| -> Vec<&Vec<u8>> {
        let of_path = stated.iter().filter(|(path, _)| *path == name(map)).map(|(_, id)| id);
        let of_name = programs.iter().filter(|program| program.path.file_name() == file(map));
        of_path.chain(of_name.map(|program| &program.build_id)).collect()
    };
    let mut left: Vec<Mapped> = Vec::new();
    for map in maps {
        let of_two_paths = left.iter().any(|other| {
            let shares_id = ids(&map).iter().any(|id| ids(other).contains(id));
            (map.pid, map.place) == (other.pid, other.place) && name(&map) != name(other) && shares_id
        });
        if !of_two_paths {
            left.push(map);
        }
    }
    left
}

/// Makes a recording in which each place of each process runs the branches of each program.
fn recording(
    programs: &[Program],
    maps: &[Mapped],
    table: &[(usize, usize, Stated)],
    samples: &[(i32, u64, usize, usize, u64)],
) -> Vec<u8> {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    for map in maps {
        let program = &programs[map.program];
        let (_, len, pgoff) = program.recorded.code;
        let (skipped, kept) = (map.cut.0 << 12, (len - ((map.cut.0 + map.cut.1) << 12).min(len)).max(1));
        let start = map.place * DISTANCE + skipped;
        let mut spec = MapSpec::code(map.pid, start, kept, pgoff + skipped, &name_of(program, map.name)).at(map.time);
        if let Some(id) = bytes_of(map.build_id, map.program, programs) {
            spec = spec.with_build_id(&id);
        }
        builder.mmap(if map.executable { spec } else { spec.data() });
    }
    for (pid, place, program, stack, time) in samples {
        let recorded = &programs[*program].recorded;
        let here = |address: u64| address.wrapping_sub(recorded.code.0).wrapping_add(place * DISTANCE);
        let stack = &recorded.stacks[stack % recorded.stacks.len()];
        let stack: Vec<_> = stack.iter().map(|(from, to)| (here(*from), here(*to))).collect();
        builder.sample(SampleSpec::of(event, *pid).at(*time).branches(&stack));
    }
    let entries = entries_of(programs, table);
    let entries: Vec<(&str, &[u8])> = entries
        .iter()
        .map(|(name, id)| (name.as_str(), id.as_slice()))
        .collect();
    builder.build_ids(&entries);
    builder.build_file()
}

/// [`generate`] compares the traces with the recording.
#[test]
fn mappings_belong_to_the_same_binaries() {
    let programs = programs();
    let inputs = (
        prop::collection::vec(mapped(), 1..14),
        prop::collection::vec((0..FIXTURES.len(), 0..7usize, stated()), 0..4),
        prop::collection::vec((1..3i32, 1..4u64, 0..FIXTURES.len(), any::<usize>(), 1..40u64), 1..60),
    );
    let profiles = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    });
    let found = runner.run(&inputs, |(maps, table, samples)| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("perf.data");
        let maps = without_two_paths_of_a_binary(&programs, maps, &table);
        std::fs::write(&path, recording(&programs, &maps, &table, &samples)).expect("written");
        for ignore_build_id in [false, true] {
            let options = GenerateOptions {
                binaries: programs.iter().map(|program| program.path.clone()).collect(),
                skip_symbolization: true,
                ignore_build_id,
                jobs: 2,
                ..GenerateOptions::new("", Input::PerfData(vec![path.clone()]))
            };
            let _ = generate(&options, &Silent);
            for binary in &options.binaries {
                let alone = GenerateOptions {
                    binaries: vec![binary.clone()],
                    ..options.clone()
                };
                profiles.set(profiles.get() + u32::from(generate(&alone, &Silent).is_ok()));
            }
        }
        Ok(())
    });
    found.unwrap_or_else(|error| panic!("{error}"));
    assert!(profiles.get() > 64, "{} profiles", profiles.get());
}

/// Only one of two overlapping mappings of a program has its build id. A branch between the two stays in the program.
#[test]
fn mappings_of_one_path_are_of_one_file() {
    let programs = programs();
    let map = |build_id, cut, time| Mapped {
        pid: 1,
        place: 1,
        program: 2,
        name: 0,
        build_id,
        cut,
        executable: true,
        time,
    };
    let samples: Vec<_> = (0..1000).map(|stack| (1, 1, 2, stack, 20)).collect();
    for [first, second] in [[Stated::Nothing, Stated::Own], [Stated::Own, Stated::Nothing]] {
        let maps = [map(first, (0, 0), 1), map(second, (0, 1), 2)];
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("perf.data");
        std::fs::write(&path, recording(&programs, &maps, &[], &samples)).expect("written");
        let options = GenerateOptions {
            binaries: vec![programs[2].path.clone()],
            skip_symbolization: true,
            jobs: 2,
            ..GenerateOptions::new("", Input::PerfData(vec![path]))
        };
        generate(&options, &Silent).expect("counters");
    }
}
