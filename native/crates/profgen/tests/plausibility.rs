//! Binaries whose code is not the code that ran, and whose build id does not tell; and texts with only some
//! kinds of branches.

#[path = "support/replay.rs"]
mod replay;
mod support;
#[path = "support/traced.rs"]
mod traced;

use std::fmt::Write;

use profgen::{Error, ErrorCode, GenerateOptions, Input, Outcome, Policy, Silent};
use replay::{PID, Replay};
use testkit::{EventSpec, Fixture, PerfDataBuilder};
use traced::generate;

fn run(options: &GenerateOptions) -> Result<Outcome, Error> {
    generate(options, &Silent)
}

/// Makes a recording whose addresses from `border` on (a share of the code, in percent) are moved by `bytes`,
/// as if the binary had longer code there.
fn moved(replay: &Replay, border: u64, bytes: u64) -> PerfDataBuilder {
    let (start, len, _) = replay.recorded.code;
    let code = start + len * border / 100..start + len;
    let at = |address: u64| address + if code.contains(&address) { bytes } else { 0 };
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(replay.code_map(PID, 0));
    for (index, stack) in replay.recorded.stacks.iter().enumerate() {
        let stack: Vec<_> = stack.iter().map(|&(from, to)| (at(from), at(to))).collect();
        builder.sample(replay.sample(event, index, PID, 0).branches(&stack));
    }
    builder
}

#[test]
fn another_binary_is_refused_unless_build_ids_are_ignored() {
    let replay = Replay::new();
    for (border, bytes) in [(0, 1), (0, 4), (0, 16), (0, 64)] {
        let mut options = replay.options(&[replay.write("perf.data", &moved(&replay, border, bytes))]);
        let error = run(&options).expect_err("it is another binary");
        assert_eq!(error.code, ErrorCode::BinaryMismatch, "{error}");
        assert!(error.message.contains("calc is not the binary that ran"), "{error}");
        assert!(error.hint.expect("a hint").contains("--ignore-build-id"));
        options.skip_symbolization = true;
        assert_eq!(
            run(&options).expect_err("counters, too").code,
            ErrorCode::BinaryMismatch
        );
        options.ignore_build_id = true;
        let told = run(&options).expect("counters all the same").diagnostics;
        assert!(told.iter().any(|found| found.code == "binary-mismatch"), "{told:?}");
    }
    replay.assert_expected(replay.generate(&moved(&replay, 0, 0)));
    let without_13 = Policy {
        refuses_implausible: false,
        ..Policy::OWN
    };
    for policy in [without_13, Policy::LLVM_PROFGEN] {
        let compatible = replay.generate_by(policy, &moved(&replay, 50, 16));
        compatible.expect("llvm-profgen does not look at the code");
    }
}

#[test]
fn a_binary_that_hardly_fits_is_doubted() {
    let replay = Replay::new();
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    builder.mmap(replay.code_map(PID, 0));
    for (index, stack) in replay.recorded.stacks.iter().enumerate() {
        // One of twenty branches is of other code.
        let by = if index % 20 == 0 { 1 } else { 0 };
        let stack: Vec<_> = stack.iter().map(|&(from, to)| (from + by, to + by)).collect();
        builder.sample(replay.sample(event, index, PID, 0).branches(&stack));
    }
    let outcome = replay.generate(&builder).expect("a profile");
    let doubt = outcome.diagnostics.iter().find(|found| found.code == "binary-doubtful");
    assert!(doubt.expect("a warning").message.contains("name that one with"));
}

#[test]
fn other_builds_of_the_same_source_are_refused() {
    for (recorded, binary) in [
        ("calc-x86_64", "calc-gcc"),
        ("calc-x86_64", "calc-probe"),
        ("calc-gcc", "calc-x86_64"),
        ("calc-aarch64", "calc-aarch64-v8.3"),
    ] {
        let (recorded, binary) = (Fixture::named(recorded), Fixture::named(binary));
        // The path says nothing about the build, and matching by name needs the same name.
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("calc");
        let bytes = std::fs::read(binary.program()).expect("the program");
        std::fs::write(&program, without_build_id(bytes)).expect("written");
        let options = GenerateOptions::new(program, Input::PerfData(vec![recorded.perf_data()]));
        assert_eq!(
            run(&options).expect_err("another build").code,
            ErrorCode::BinaryMismatch
        );
    }
}

/// Hides the build-id note by changing its owner name from GNU.
fn without_build_id(mut bytes: Vec<u8>) -> Vec<u8> {
    let note = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";
    let at = bytes.windows(note.len()).position(|window| window == note);
    bytes[at.expect("a build id") + 12] = b'X';
    bytes
}

#[test]
fn traces_for_bolt_of_another_binary_are_refused_and_counters_are_doubted() {
    let replay = Replay::new();
    let right = replay.write("perf.data", &moved(&replay, 0, 0));
    let other = replay.write("other.data", &moved(&replay, 0, 16));
    let mut options = replay.options(&[right]);
    options.for_bolt = Some(profgen::BoltFormat::PreAggregated);
    run(&options).expect("traces of the binary");
    options.input = Input::PerfData(vec![other.clone()]);
    assert_eq!(run(&options).expect_err("another").code, ErrorCode::BinaryMismatch);
    options.ignore_build_id = true;
    let told = run(&options).expect("traces all the same").diagnostics;
    assert!(told.iter().any(|found| found.code == "binary-mismatch"), "{told:?}");

    options = replay.options(&[other]);
    options.skip_symbolization = true;
    options.policy = Policy::LLVM_PROFGEN;
    let counters = replay.folder.path().join("counters");
    std::fs::write(&counters, run(&options).expect("counters").bytes.expect("bytes")).expect("written");
    options = GenerateOptions::new(replay.recorded.fixture.program(), Input::UnsymbolizedProfile(counters));
    let doubted = |options: &GenerateOptions| {
        let told = run(options).expect("a profile").diagnostics;
        told.iter().any(|found| found.code == "binary-doubtful")
    };
    assert!(doubted(&options));
    options.policy = Policy::LLVM_PROFGEN;
    assert!(!doubted(&options), "llvm-profgen does not look at the code");
}

/// The branches that a CPU with a filter records, by the class of the instruction. No filter selects direct
/// jumps.
const FILTERS: [(&str, &[elf::InstructionClass]); 6] = {
    use elf::InstructionClass::{Branch, Call, Return};
    [
        ("any_call", &[Call]),
        ("any_ret", &[Return]),
        ("cond", &[Branch]),
        ("any_call,any_ret", &[Call, Return]),
        ("any_call,cond", &[Call, Branch]),
        ("any_ret,cond", &[Return, Branch]),
    ]
};

#[test]
fn a_text_of_some_kinds_of_branches_only_is_refused() {
    let replay = Replay::new();
    let program = replay.recorded.fixture.program();
    let image = elf::Image::open(&program).expect("an image");
    let code = elf::Code::new(&image, elf::DecodePolicy::FULL).expect("code");
    let (start, len, offset) = replay.recorded.code;
    let linked =
        |address: u64| image.svma_of_file_offset(elf::FileOffset(address.wrapping_sub(start).wrapping_add(offset)));
    for (kinds, classes) in FILTERS {
        let mut text =
            format!("PERF_RECORD_MMAP2 1/1: [{start:#x}({len:#x}) @ {offset:#x} 08:01 77 0]: r-xp /bin/calc\n");
        for stack in &replay.recorded.stacks {
            let of_kind = stack.iter().filter(|(from, _)| {
                let class = linked(*from).and_then(|from| code.class_at(from));
                class.is_some_and(|class| classes.contains(&class))
            });
            let entries = of_kind.fold(String::new(), |mut line, (from, to)| {
                let _ = write!(line, " {from:#x}/{to:#x}/P/-/-/0 ");
                line
            });
            let _ = writeln!(text, "  4f{entries}");
        }
        let path = replay.folder.path().join("script");
        std::fs::write(&path, text.repeat(3)).expect("written");
        let mut options = GenerateOptions::new(program.clone(), Input::PerfScript(vec![path]));
        let error = run(&options).expect_err(kinds);
        assert_eq!(error.code, ErrorCode::NoBranchStacks, "{kinds}: {error}");
        assert!(
            error.message.starts_with("only some kinds of branches were recorded"),
            "{kinds}: {error}"
        );
        assert!(error.message.ends_with("direct jumps"), "{kinds}: {error}");
        options.policy = Policy::LLVM_PROFGEN;
        run(&options).expect("llvm-profgen does not look at them");
    }
}

/// Makes a program with code that no decoder knows from a known program: one instruction inside of the most
/// executed run becomes bytes that are no instruction, and a return.
#[test]
fn instructions_that_are_not_known_are_named() {
    let replay = Replay::new();
    let program = replay.recorded.fixture.program();
    let image = elf::Image::open(&program).expect("an image");
    let code = elf::Code::new(&image, elf::DecodePolicy::FULL).expect("code");
    let (start, len, offset) = replay.recorded.code;
    let file_offset = |address: u64| address.wrapping_sub(start).wrapping_add(offset);
    let linked = |address: u64| image.svma_of_file_offset(elf::FileOffset(file_offset(address)));
    let mut runs = std::collections::BTreeMap::new();
    for stack in &replay.recorded.stacks {
        for pair in stack.windows(2) {
            let (target, source) = (pair[1].1, pair[0].0);
            if (start..start + len).contains(&target) && target < source {
                *runs.entry((target, source)).or_insert(0) += 1;
            }
        }
    }
    let of_run = |&(target, source): &(u64, u64)| {
        let (first, last) = (linked(target)?, linked(source)?);
        let mut inside = code
            .instructions(first, last)
            .skip(1)
            .take_while(|found| found.svma < last);
        let long = inside.find(|found| found.length >= 2 && found.class == elf::InstructionClass::Other)?;
        Some((target + (long.svma.0 - first.0), usize::from(long.length)))
    };
    let (run, _) = runs
        .iter()
        .filter(|(run, _)| of_run(run).is_some())
        .max_by_key(|(_, count)| **count)
        .expect("a run");
    let (place, length) = of_run(run).expect("an instruction");
    let mut bytes = std::fs::read(&program).expect("the program");
    // The byte 06 was `push es` before there was 64-bit code.
    let at = usize::try_from(file_offset(place)).expect("an offset");
    bytes[at..at + length].fill(0x06);
    bytes[at + length - 1] = 0xc3;
    let patched = replay.folder.path().join("calc");
    std::fs::write(&patched, bytes).expect("written");

    let recording = replay.write("perf.data", &moved(&replay, 0, 0));
    let outcome = run_of(patched, recording).expect("a profile");
    let message = |code: &str| {
        let found = outcome.diagnostics.iter().find(|found| found.code == code);
        found
            .map(|found| found.message.clone())
            .unwrap_or_else(|| panic!("{code}: {:?}", outcome.diagnostics))
    };
    let at = linked(place).expect("code").0;
    assert!(message("instructions-unknown").contains(&format!(
        "first at {at:#x}. They are probably instructions of a newer CPU"
    )));
    assert!(message("crosses-barrier").contains("The warning above tells the probable cause"));
}

fn run_of(program: std::path::PathBuf, recording: std::path::PathBuf) -> Result<Outcome, Error> {
    run(&GenerateOptions::new(program, Input::PerfData(vec![recording])))
}
