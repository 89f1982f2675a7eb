//! Tests every opcode of every map with prefixes and ModR/M bytes against llvm-profgen 22: whether there is an
//! instruction, its length, and its class. If `EXHAUSTIVE` is set in the environment, all encodings are tested.

mod support;

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use elf::{Arch, Code, DecodePolicy, Svma};
use support::*;

const SLOT: usize = 32;
const BASE: u64 = 0x10_0000;
/// Distance between the encodings that are tested, unless `EXHAUSTIVE` is set.
const SAMPLED: usize = 997;

/// Returns ModR/M bytes, with a SIB byte where one follows: each kind of memory operand, and registers, with each
/// value of the reg field.
fn operands() -> Vec<Vec<u8>> {
    let memory: [&[u8]; 6] = [
        &[0x00],
        &[0x05],
        &[0x04, 0x00],
        &[0x44, 0x25],
        &[0x84, 0x65],
        &[0x04, 0x05],
    ];
    let mut all = Vec::new();
    for reg in 0..8 {
        for bytes in memory {
            let mut operand = bytes.to_vec();
            operand[0] |= reg << 3;
            all.push(operand);
        }
        all.extend((0..8).map(|rm| vec![0xc0 | reg << 3 | rm]));
    }
    all
}

/// Returns the bytes before the opcode: legacy prefixes with REX, REX2 and the bytes that select a map; VEX and
/// XOP; EVEX. The number N beside them says that one of N operands is tested.
fn openings(is_64_bit: bool) -> Vec<(Vec<u8>, usize)> {
    let mut all = Vec::new();
    legacy(is_64_bit, |bytes| all.push((bytes, 1)));
    vex_and_xop(is_64_bit, |bytes| all.push((bytes, 13)));
    evex(is_64_bit, |bytes| all.push((bytes, 53)));
    all
}

fn legacy(is_64_bit: bool, mut add: impl FnMut(Vec<u8>)) {
    let prefixes: [&[u8]; 15] = [
        &[],
        &[0x66],
        &[0xf2],
        &[0xf3],
        &[0x67],
        &[0x66, 0xf2],
        &[0xf2, 0x66],
        &[0x66, 0xf3],
        &[0xf3, 0x2e],
        &[0x66, 0x67],
        &[0xf3, 0x67],
        &[0x2e, 0x66],
        &[0x66, 0x2e],
        &[0xf0],
        &[0x66, 0xf0],
    ];
    let mut extensions: Vec<Vec<u8>> = vec![vec![]];
    if is_64_bit {
        extensions.extend([0x41, 0x44, 0x48, 0x4f].map(|rex| vec![rex]));
        extensions.extend([0x00, 0x08, 0x10, 0x40, 0x80, 0x88, 0x90, 0xff].map(|payload| vec![0xd5, payload]));
    }
    let maps: [&[u8]; 4] = [&[], &[0x0f], &[0x0f, 0x38], &[0x0f, 0x3a]];
    for prefix in prefixes {
        for extension in &extensions {
            maps.iter().for_each(|map| add([prefix, extension, map].concat()));
        }
    }
}

/// Prefixes that may stand before these encodings, with or without effect.
const BEFORE: [&[u8]; 4] = [&[], &[0x66], &[0x67], &[0xf3]];

fn vex_and_xop(is_64_bit: bool, mut add: impl FnMut(Vec<u8>)) {
    // In 32-bit mode the upper bits are set; otherwise these bytes begin other instructions.
    let extensions: &[u8] = if is_64_bit { &[0xe0, 0x60, 0xc0, 0x00] } else { &[0xe0] };
    for before in BEFORE {
        for payload in 0..=u8::MAX {
            add([before, &[0xc5, payload | if is_64_bit { 0 } else { 0xc0 }]].concat());
        }
        for payload in (0..=u8::MAX).filter(|payload| matches!(payload >> 3 & 15, 7 | 15)) {
            for extension in extensions {
                for map in 0..12 {
                    add([before, &[0xc4, extension | map, payload]].concat());
                }
                for map in 8..12 {
                    add([before, &[0x8f, extension | map, payload]].concat());
                }
            }
        }
    }
}

fn evex(is_64_bit: bool, mut add: impl FnMut(Vec<u8>)) {
    const PLAIN: (u8, u8) = (0xf0, 0x7c);
    let mut extensions = vec![PLAIN, (0xf0, 0x78), (0xf0, 0x3c), (0xf0, 0x74)];
    if is_64_bit {
        extensions.extend([0x70, 0xb0, 0xd0, 0xe0, 0xf8].map(|first| (first, 0x7c)));
    }
    let third_bytes = |is_plain: bool| {
        // This byte has z, L'L, b, not V', aaa.
        (0..=u8::MAX).filter(move |third| match third & 7 {
            0 => is_plain || third & 0xc0 == 0,
            1 | 4 => is_plain && third & 8 != 0,
            _ => false,
        })
    };
    for map in 0..8 {
        for pp_and_w in [0, 1, 2, 3, 0x80, 0x81, 0x82, 0x83] {
            for &(first, second) in &extensions {
                for before in BEFORE {
                    for third in third_bytes((first, second) == PLAIN && before.is_empty()) {
                        add([before, &[0x62, first | map, second | pp_and_w, third]].concat());
                    }
                }
            }
        }
    }
}

/// Reads the address, whether there is an instruction, and its class, from each line of llvm-profgen's listing.
fn listed(arch: Arch, text: &str) -> Vec<(u64, Option<u8>)> {
    let line = |line: &str| {
        let (address, rest) = line.split_once(':')?;
        let address = u64::from_str_radix(address.trim(), 16).ok()?;
        let instruction = rest.trim_start();
        let class = (instruction != "<unknown>").then(|| class_of(arch, instruction) as u8);
        Some((address, class))
    };
    text.lines().filter_map(line).collect()
}

/// Calls `check` with the encodings, one in each slot. llvm-profgen lists each part in a few seconds.
fn for_each_part(is_64_bit: bool, step: usize, mut check: impl FnMut(&[u8])) {
    const PART: usize = 400_000 * SLOT;
    let operands = operands();
    let (mut number, mut bytes) = (0_usize, Vec::new());
    for (opening, stride) in openings(is_64_bit) {
        for opcode in 0..=u8::MAX {
            for operand in operands.iter().skip(usize::from(opcode) % stride).step_by(stride) {
                number += 1;
                if !number.is_multiple_of(step) {
                    continue;
                }
                bytes.extend([&opening[..], &[opcode], operand].concat());
                bytes.resize(bytes.len().next_multiple_of(SLOT), 0);
            }
        }
        if bytes.len() >= PART {
            check(&std::mem::take(&mut bytes));
        }
    }
    check(&bytes);
}

fn check(machine: u16, arch: Arch) {
    const PROFGEN: &str = "llvm-profgen-22";
    if !is_installed("x86_opcodes", PROFGEN) {
        return;
    }
    let step = if std::env::var_os("EXHAUSTIVE").is_some() {
        1
    } else {
        SAMPLED
    };
    let folder = tempfile::tempdir().expect("a folder");
    let (mut tried, mut valid) = (0_usize, 0_usize);
    for_each_part(arch == Arch::X86_64, step, |bytes| {
        let starts = (0..bytes.len()).step_by(SLOT).map(|offset| BASE + offset as u64);
        let mut builder = ElfBuilder::new(machine).text(".text", BASE, bytes);
        for start in starts.clone() {
            builder = builder.symbol("s", start, 1);
        }
        let path = folder.path().join("opcodes");
        fs::write(&path, builder.build()).expect("the program is written");
        let output = Command::new(PROFGEN)
            .args(["--show-disassembly-only", "--output=/dev/null", "--binary"])
            .arg(&path)
            .output()
            .expect("llvm-profgen runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = listed(arch, &String::from_utf8_lossy(&output.stdout));
        let lengths: HashMap<u64, u64> = lines
            .windows(2)
            .map(|pair| (pair[0].0, pair[1].0 - pair[0].0))
            .collect();
        let classes: HashMap<u64, Option<u8>> = lines.into_iter().collect();

        let image = builder.image();
        let code = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect("code");
        let section = image.executable_sections().next().expect("a section");
        for start in starts {
            let offset = (start - BASE) as usize;
            let slot = &bytes[offset..offset + 16];
            let mut ours = None;
            section.decode(
                arch,
                DecodePolicy::LLVM_PROFGEN,
                offset,
                offset + 1,
                |_, length, is_code| {
                    let class = code
                        .instructions(Svma(start), Svma(start))
                        .next()
                        .map(|found| found.class as u8);
                    ours = Some((u64::from(length), class.filter(|_| is_code)));
                },
            );
            // The last line has no length, because no line follows it.
            let theirs = lengths.get(&start).map(|length| (*length, classes[&start]));
            if theirs.is_some() {
                assert_eq!(ours, theirs, "{slot:02x?}");
                tried += 1;
                valid += usize::from(theirs.is_some_and(|(_, class)| class.is_some()));
            }
        }
    });
    assert!(valid > tried / 20 && tried > 5000, "{valid} valid of {tried}");
}

#[test]
fn opcodes_of_64_bit_mode() {
    check(EM_X86_64, Arch::X86_64);
}

#[test]
fn opcodes_of_32_bit_mode() {
    check(EM_386, Arch::X86);
}
