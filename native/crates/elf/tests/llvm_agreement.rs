//! Compares the decoded code with that of llvm-profgen 22 and llvm-mc 22. If these programs are not installed, each
//! test says that it is skipped.

mod support;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use elf::{Arch, Code, DecodePolicy, Image, Svma};
use support::*;
use testkit::Fixture;

/// Reads the instructions in llvm-profgen's disassembly. Each line has address, colon, tab, mnemonic and operands.
fn disassembly(arch: Arch, text: &str) -> BTreeSet<(Svma, u8)> {
    let line = |line: &str| {
        let (address, rest) = line.split_once(':')?;
        let address = u64::from_str_radix(address.trim(), 16).ok()?;
        let instruction = rest.trim_start();
        (instruction != "<unknown>").then(|| (Svma(address), class_of(arch, instruction) as u8))
    };
    text.lines().filter_map(line).collect()
}

/// Reads the runs of invalid bytes that llvm-profgen warns of.
fn invalid_runs(stderr: &str) -> Vec<(Svma, Svma)> {
    let line = |line: &str| {
        let (start, end) = line
            .strip_prefix("warning: Invalid instructions at ")?
            .split_once('-')?;
        let number = |text: &str| u64::from_str_radix(text.trim(), 16).ok().map(Svma);
        Some((number(start)?, number(end)?))
    };
    let mut runs: Vec<_> = stderr.lines().filter_map(line).collect();
    runs.sort_unstable();
    runs
}

#[test]
fn fixtures_have_the_code_that_llvm_profgen_finds() {
    const PROFGEN: &str = "llvm-profgen-22";
    if !is_installed("fixtures_have_the_code_that_llvm_profgen_finds", PROFGEN) {
        return;
    }
    for fixture in Fixture::all() {
        let program = fixture.program();
        let image = Image::open(&program).expect("a fixture's program");
        let code = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect("code");
        let output = Command::new(PROFGEN)
            .args([
                "--show-disassembly-only",
                "--show-detailed-warning",
                "--output=/dev/null",
            ])
            .arg("--binary")
            .arg(&program)
            .output()
            .expect("llvm-profgen runs");
        let want = disassembly(image.arch(), &String::from_utf8_lossy(&output.stdout));
        let ours = code.instructions(Svma(0), Svma(u64::MAX));
        let got: BTreeSet<_> = ours.map(|found| (found.svma, found.class as u8)).collect();
        let differing: Vec<_> = got.symmetric_difference(&want).take(5).collect();
        assert!(differing.is_empty(), "{}: {differing:x?}", fixture.name());
        assert!(
            code.is_empty() || want.len() > 100,
            "{}: {} instructions",
            fixture.name(),
            want.len()
        );
        assert_eq!(
            code.invalid_instructions(),
            invalid_runs(&String::from_utf8_lossy(&output.stderr))
        );
    }
}

/// Generates words that spread over all encoding groups, from a fixed linear congruential generator.
fn words(count: usize) -> Vec<u32> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let step = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as u32
    };
    (0..count).map(step).collect()
}

#[test]
fn aarch64_words_decode_where_llvm_mc_decodes_them() {
    const MC: &str = "llvm-mc-22";
    if !is_installed("aarch64_words_decode_where_llvm_mc_decodes_them", MC) {
        return;
    }
    let words = words(200_000);
    let lines: String = words
        .iter()
        .map(|word| word.to_le_bytes().map(|b| format!("{b:#04x} ")).concat() + "\n")
        .collect();
    let mut child = Command::new(MC)
        .args(["-disassemble", "-triple=aarch64"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("llvm-mc runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("llvm-mc ends");
    writer.join().expect("the writer ends").expect("llvm-mc reads all");
    // The line reads "<stdin>:LINE:COLUMN: warning: invalid instruction encoding".
    let invalid = |line: &str| {
        let line = line.strip_suffix(": warning: invalid instruction encoding")?;
        line.split(':').nth(1)?.parse::<usize>().ok().map(|line| line - 1)
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    let undecodable: BTreeSet<usize> = stderr.lines().filter_map(invalid).collect();
    assert!(
        undecodable.len() > words.len() / 3,
        "{} undecodable words",
        undecodable.len()
    );

    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let image = ElfBuilder::new(EM_AARCH64)
        .text(".text", 0, &bytes)
        .symbol("f", 0, 1)
        .image();
    let code = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect("code");
    for (index, word) in words.iter().enumerate() {
        assert_eq!(
            code.is_instruction(4 * index as u32),
            !undecodable.contains(&index),
            "{word:08x}"
        );
    }
}
