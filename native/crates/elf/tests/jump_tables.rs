//! Compares jump tables with those in the assembler text of the compiler that made them, which names each entry.
//! Compilers that are not installed are skipped by name.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use elf::{Code, DecodePolicy, Image, Instruction, InstructionClass, Svma, jump_targets};
use support::is_installed;

/// The numbers of targets of the tables of each function, in ascending order.
type Tables = BTreeMap<String, Vec<usize>>;

/// Returns the tables in assembler text. They are lines `.quad label`, `.long label-table` and their like after a label.
fn written(text: &str) -> Tables {
    let mut tables = Tables::new();
    let mut function = String::new();
    let mut targets: BTreeSet<&str> = BTreeSet::new();
    let mut close = |function: &str, targets: &mut BTreeSet<&str>| {
        if !targets.is_empty() {
            tables.entry(function.to_owned()).or_default().push(targets.len());
        }
        targets.clear();
    };
    for line in text.lines() {
        if let Some((label, _)) = line.split_once(':').filter(|_| !line.starts_with(char::is_whitespace)) {
            close(&function, &mut targets);
            if label.starts_with(|c: char| c.is_alphabetic()) {
                label.clone_into(&mut function);
            }
            continue;
        }
        let mut words = line.split_whitespace();
        let is_entry = matches!(
            words.next(),
            Some(".quad" | ".long" | ".xword" | ".word" | ".hword" | ".2byte" | ".byte")
        );
        let label = words
            .next()
            .filter(|_| is_entry)
            .map(|operand| operand.trim_start_matches('('));
        if let Some(label) = label.filter(|label| label.starts_with(".L")) {
            let end = label.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_'));
            targets.insert(&label[..end.unwrap_or(label.len())]);
        }
    }
    close(&function, &mut targets);
    tables.values_mut().for_each(|tables| tables.sort_unstable());
    tables
}

/// Returns the tables that are found in the code of a program.
fn found(program: &Path) -> Tables {
    let image = Image::open(program).expect("the program that was linked");
    let code = Code::new(&image, DecodePolicy::FULL).expect("code");
    // The mapping symbols of AArch64 begin with `$`.
    let is_function = |name: &[u8]| name.first().is_some_and(u8::is_ascii_alphabetic);
    let symbols = image.code_symbols();
    let symbols: Vec<_> = symbols
        .filter(|symbol| is_function(image.symbol_name(symbol)))
        .collect();
    let mut tables = Tables::new();
    for symbol in &symbols {
        let behind = symbols.iter().map(|next| next.svma).filter(|next| *next > symbol.svma);
        let end = behind.min().unwrap_or(Svma(u64::MAX));
        let instructions: Vec<Instruction> = code.instructions(symbol.svma, Svma(end.0 - 1)).collect();
        let inside = |svma: Svma| instructions.binary_search_by_key(&svma, |found| found.svma).is_ok();
        // Several jumps can use one table.
        let mut different: BTreeSet<Vec<Svma>> = BTreeSet::new();
        for (number, instruction) in instructions.iter().enumerate() {
            if instruction.class == InstructionClass::Branch && code.direct_target(instruction.svma).is_none() {
                different.insert(jump_targets(&image, &code, &instructions[..=number], &inside));
            }
        }
        if !different.is_empty() {
            let name = String::from_utf8_lossy(image.symbol_name(symbol)).into_owned();
            tables.insert(name, different.iter().map(Vec::len).collect());
        }
    }
    tables.values_mut().for_each(|tables| tables.sort_unstable());
    tables
}

fn compare(test: &str, compiler: &str, targets: &[&[&str]]) {
    if !is_installed(test, compiler) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jump_tables.c");
    for target in targets {
        for level in ["-O1", "-O2", "-O3", "-Os"] {
            let run = |more: &[&str], output: &str| {
                let output = folder.path().join(output);
                let flags = [level, "-fno-asynchronous-unwind-tables", "-nostdlib", "-o"];
                let mut command = Command::new(compiler);
                command.args(*target).args(more).args(flags).arg(&output).arg(&source);
                let done = command.output().expect("the compiler runs");
                assert!(
                    done.status.success(),
                    "{command:?}: {}",
                    String::from_utf8_lossy(&done.stderr)
                );
                output
            };
            let text = std::fs::read_to_string(run(&["-S"], "tables.s")).expect("assembler text");
            let expected = written(&text);
            assert!(
                expected.values().map(Vec::len).sum::<usize>() >= 8,
                "{target:?} {level}: {expected:?}"
            );
            assert_eq!(
                found(&run(&["-Wl,-e,entry"], "program")),
                expected,
                "{target:?} {level}"
            );
        }
    }
}

#[test]
fn tables_of_clang_for_x86() {
    let targets: &[&[&str]] = &[
        &["-fno-pie", "-no-pie"],
        &["-fpie", "-pie"],
        &["-fpie", "-pie", "-fcf-protection=branch"],
    ];
    compare("tables_of_clang_for_x86", "clang-22", targets);
}

#[test]
fn tables_of_gcc_for_x86() {
    let targets: &[&[&str]] = &[
        &["-fno-pie", "-no-pie"],
        &["-fpie", "-pie"],
        &["-fno-pie", "-no-pie", "-fcf-protection=branch"],
    ];
    compare("tables_of_gcc_for_x86", "gcc", targets);
}

#[test]
fn tables_of_clang_for_aarch64() {
    let target: &[&str] = &["--target=aarch64-linux-gnu", "-fuse-ld=lld"];
    compare("tables_of_clang_for_aarch64", "clang-22", &[target]);
}
