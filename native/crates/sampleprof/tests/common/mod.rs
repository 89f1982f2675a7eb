//! Generators of profiles, and access to `llvm-profdata` for comparisons.
#![allow(dead_code, reason = "every test file uses another part")]

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use proptest::sample::select;
use sampleprof::{BodyRecord, CallTarget, Format, Frame, FunctionSamples, LineLocation, Profile, WriteOptions, write};
use tempfile::TempDir;

/// Finds `llvm-profdata` 22. If it is not installed, returns `None` and prints that the test `test` is skipped.
pub fn llvm_profdata(test: &str) -> Option<PathBuf> {
    let candidates = ["llvm-profdata-22", "/usr/lib/llvm-22/bin/llvm-profdata"];
    let found = candidates
        .into_iter()
        .find(|tool| Command::new(tool).arg("--version").output().is_ok());
    if found.is_none() {
        let message = format!("skipped: {test}: llvm-profdata 22 is not installed\n");
        std::io::Write::write_all(&mut std::io::stderr(), message.as_bytes()).unwrap();
    }
    found.map(PathBuf::from)
}

/// Runs the tool in a directory with the given files. Returns what the tool printed, or what it wrote to the file
/// `out`, because the tool cannot write extbinary to a pipe.
pub fn run(tool: &Path, arguments: &[&str], files: &[(&str, &[u8])]) -> Vec<u8> {
    try_run(tool, arguments, files).unwrap_or_else(|errors| panic!("{arguments:?}: {errors}"))
}

/// Runs the tool like [`run`]. Returns the error message of the tool if it fails.
pub fn try_run(tool: &Path, arguments: &[&str], files: &[(&str, &[u8])]) -> Result<Vec<u8>, String> {
    let directory = TempDir::new().unwrap();
    for (name, content) in files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    let output = Command::new(tool)
        .args(arguments)
        .current_dir(&directory)
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(std::fs::read(directory.path().join("out")).unwrap_or(output.stdout))
}

pub fn encode(profile: &Profile, format: Format) -> Vec<u8> {
    write(
        profile,
        &WriteOptions {
            format,
            ..WriteOptions::default()
        },
    )
    .unwrap()
}

pub fn text(profile: &Profile) -> String {
    String::from_utf8(encode(profile, Format::Text)).unwrap()
}

/// A body record.
type RecordSpec = (LineLocation, u64, Vec<(String, u64)>);

/// A function with names instead of ids, so that it can be generated without a name table.
#[derive(Clone, Debug)]
pub struct Spec {
    name: String,
    total: u64,
    head: u64,
    body: Vec<RecordSpec>,
    inlinees: Vec<(LineLocation, Spec)>,
    checksum: u64,
    attributes: u32,
}

/// Makes a profile of these functions. Leaves out functions whose name occurred before, because a profile has each
/// function once.
pub fn profile_of(specs: &[Spec], probe_based: bool) -> Profile {
    let mut profile = Profile::new();
    profile.flags.probe_based = probe_based;
    for spec in specs {
        let function = function_of(spec, &mut profile);
        if profile.functions.iter().all(|other| other.name != function.name) {
            profile.functions.push(function);
        }
    }
    profile
}

fn function_of(spec: &Spec, profile: &mut Profile) -> FunctionSamples {
    let mut function = FunctionSamples::new(profile.names.intern(spec.name.as_bytes()));
    function.total = spec.total;
    function.head = spec.head;
    for (location, count, targets) in &spec.body {
        let mut record = BodyRecord {
            location: *location,
            count: *count,
            targets: Vec::new(),
        };
        for (name, count) in targets {
            let target = CallTarget {
                name: profile.names.intern(name.as_bytes()),
                count: *count,
            };
            if record.targets.iter().all(|other| other.name != target.name) {
                record.targets.push(target);
            }
        }
        function.body.push(record);
    }
    function.body.sort_by_key(|record| record.location);
    function.body.dedup_by_key(|record| record.location);
    for (location, spec) in &spec.inlinees {
        let mut inlinee = function_of(spec, profile);
        inlinee.head = 0;
        function.inlinees.push((*location, inlinee));
    }
    let names = &profile.names;
    function
        .inlinees
        .sort_by(|a, b| a.0.cmp(&b.0).then_with(|| names.compare(a.1.name, b.1.name)));
    function.inlinees.dedup_by(|a, b| a.0 == b.0 && a.1.name == b.1.name);
    if profile.flags.probe_based {
        function.checksum = NonZeroU64::new(spec.checksum);
        function.attributes = spec.attributes;
        profile.flags.pre_inlined |= spec.attributes & sampleprof::attribute::SHOULD_BE_INLINED != 0;
    }
    function
}

/// A function of a context-sensitive profile: its callers, the outermost first, and the function itself.
#[derive(Clone, Debug)]
pub struct CalledSpec {
    callers: Vec<(String, LineLocation)>,
    function: Spec,
}

/// Makes a context-sensitive profile of these functions. Leaves out functions whose name and context occurred before.
pub fn context_profile_of(specs: &[CalledSpec], probe_based: bool) -> Profile {
    let mut profile = Profile::new();
    profile.flags.probe_based = probe_based;
    profile.flags.context_sensitive = true;
    for CalledSpec { callers, function } in specs {
        let frames: Vec<Frame> = callers
            .iter()
            .map(|(name, location)| Frame {
                function: profile.names.intern(name.as_bytes()),
                location: *location,
            })
            .collect();
        let context = profile.contexts.intern(&frames);
        let name = profile.names.intern(function.name.as_bytes());
        let same = |other: &FunctionSamples| other.name == name && other.context == context;
        // A function that is left out may not set a flag of the profile, either.
        if profile.functions.iter().any(same) {
            continue;
        }
        let mut function = function_of(function, &mut profile);
        function.context = context;
        // All contexts of a function have the checksum of its control flow graph.
        let guid = profile.names.get(name).guid();
        function.checksum = function.checksum.and(NonZeroU64::new(guid));
        profile.functions.push(function);
    }
    profile
}

/// Generates functions of a context-sensitive profile. Their names are few, so that some functions call others, and
/// their counts are small.
pub fn called_functions() -> impl Strategy<Value = Vec<CalledSpec>> {
    let name = || select(vec!["main", "_Z3fooi", "bar.__uniq.12345", "größe", "f<int>"]).prop_map(String::from);
    let place = || {
        prop_oneof![
            6 => (0u32..3, 0u32..2).prop_map(|(line, discriminator)| LineLocation::new(line, discriminator)),
            1 => location()
        ]
    };
    let record = (place(), 0u64..1000, prop::collection::vec((name(), 0u64..1000), 0..3));
    let attributes = select(vec![0, 2, 3]);
    let function = (
        name(),
        0u64..5000,
        0u64..50,
        prop::collection::vec(record, 0..5),
        attributes,
    )
        .prop_map(|(name, total, head, body, attributes)| Spec {
            name,
            total,
            head,
            body,
            inlinees: Vec::new(),
            checksum: 1,
            attributes,
        });
    let callers = prop::collection::vec((name(), place()), 0..5);
    let called = (callers, function).prop_map(|(callers, function)| CalledSpec { callers, function });
    prop::collection::vec(called, 1..12)
}

/// Generates names as compilers make them, and stranger ones: names of gcc have blanks and colons, and identifiers may
/// be in any script.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["main", "foo", "_ZN3fooEv", "bar.__uniq.12345", "f.llvm.99", "a.cold", "_ZTv0_n24_N1AD1Ev"]).prop_map(String::from),
        2 => select(vec![
            "std::vector<int, std::allocator<int> >::push_back",
            "operator int:8",
            "größe",
            "名前",
            "_R3mod::{closure#0}",
            "vector<int, 3>",
            "x:1 y:2z",
        ]).prop_map(String::from),
        1 => "[a-z_]{1,12}",
        1 => (1000usize..5000).prop_map(|len| "long_".repeat(len)),
    ]
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0u64..1000, 2 => any::<u32>().prop_map(u64::from), 1 => (0u64..3).prop_map(|n| u64::MAX - n)]
}

fn location() -> impl Strategy<Value = LineLocation> {
    let line = prop_oneof![4 => 0u32..20, 1 => Just(65_535), 1 => 0u32..=65_535];
    let discriminator = prop_oneof![3 => Just(0), 2 => 1u32..5, 1 => any::<u32>()];
    (line, discriminator).prop_map(|(line, discriminator)| LineLocation::new(line, discriminator))
}

/// Generates a function without inlined functions.
fn leaf() -> impl Strategy<Value = Spec> {
    // LLVM's text reader takes a call target `a b` for two targets, so targets have plain names.
    let target_name = prop_oneof![
        select(vec!["callee", "_ZN3barEv", "f<int>", "größe"]).prop_map(String::from),
        "[a-z]{1,5}"
    ];
    let targets = prop::collection::vec((target_name, count()), 0..4);
    let body = prop::collection::vec((location(), count(), targets), 0..6);
    // LLVM's binary forms store attributes only if some function should be inlined.
    let attributes = select(vec![0, 2, 3, 6]);
    // Checksums start at 1, because 0 means that there is no checksum.
    (name(), count(), count(), body, 1u64.., attributes).prop_map(|(name, total, head, body, checksum, attributes)| {
        Spec {
            name,
            total,
            head,
            body,
            inlinees: Vec::new(),
            checksum,
            attributes,
        }
    })
}

fn function() -> impl Strategy<Value = Spec> {
    leaf().prop_recursive(6, 24, 3, |inner| {
        (leaf(), prop::collection::vec((location(), inner), 0..3))
            .prop_map(|(spec, inlinees)| Spec { inlinees, ..spec })
    })
}

/// Generates functions of a profile. There is at least one function, because a text profile cannot be empty.
pub fn functions() -> impl Strategy<Value = Vec<Spec>> {
    prop::collection::vec(function(), 1..8)
}
