//! Reads the facts about a program that BOLT profiles need: symbols, unwind tables, stubs, relocations, blocks, and
//! the targets of indirect jumps.
#![no_main]

use std::path::Path;

use autofdo_gen_fuzz::use_one_thread;
use bolt::{Before, Program, Run};
use elf::{Code, DecodePolicy, Image, Instruction, InstructionClass, Svma, jump_targets};
use libfuzzer_sys::fuzz_target;

/// Largest number of functions that are read, and of instructions in each. More of them take time and test nothing
/// new.
const MOST_FUNCTIONS: usize = 64;
const MOST_INSTRUCTIONS: usize = 4096;

fuzz_target!(|file: &[u8]| {
    use_one_thread();
    let Ok(image) = Image::from_bytes(file.to_vec(), Path::new("program")) else {
        return;
    };
    let Ok(code) = Code::new(&image, DecodePolicy::FULL) else {
        return;
    };
    let program = Program::of(&image, &code);
    assert!(program.functions().is_sorted_by(|a, b| a.start < b.start));
    for (number, function) in program.functions().iter().enumerate().take(MOST_FUNCTIONS) {
        let through = Svma(function.start.0.saturating_add(function.size.saturating_sub(1)));
        let instructions: Vec<Instruction> = code
            .instructions(function.start, through)
            .take(MOST_INSTRUCTIONS)
            .collect();
        for (at, instruction) in instructions.iter().enumerate() {
            if instruction.class == InstructionClass::Branch && code.direct_target(instruction.svma).is_none() {
                let targets = jump_targets(&image, &code, &instructions[..=at], &|_| true);
                assert!(targets.is_sorted_by(|a, b| a < b));
            }
        }
        let Some(blocks) = program.blocks(number) else { continue };
        let run = Run {
            before: Before::Elsewhere,
            from: function.start,
            through,
        };
        for (last, next) in blocks.edges(run, false).unwrap_or_default() {
            assert!(function.start <= last && last < next && next <= through);
        }
    }
});
