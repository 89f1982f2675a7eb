use super::*;
use crate::request::policy::Policy;
use elf_builder::{EM_AARCH64, EM_X86_64, ElfBuilder};

#[path = "../../../elf/tests/support/mod.rs"]
mod elf_builder;

const START: u64 = 0x1000;

/// Returns the first address of each block, and the edges between blocks by these addresses. Addresses are
/// relative to the first block.
fn blocks_of(machine: u16, text: &[u8]) -> (Vec<u64>, Vec<(u64, u64)>) {
    let image = ElfBuilder::new(machine)
        .text(".text", START, text)
        .symbol("function", START, 1)
        .image();
    let code = Code::new(&image, Policy::OWN.decoding).expect("code");
    let found = Blocks::of(&image, &code, Svma(START), Svma(START + text.len() as u64)).expect("blocks");
    let begins: Vec<u64> = found
        .blocks
        .iter()
        .map(|block| found.instructions[block.first].svma.0 - START)
        .collect();
    let edges = found.edges.iter();
    let edges = edges
        .map(|&(from, to)| (begins[from as usize], begins[to as usize]))
        .collect();
    (begins, edges)
}

#[test]
fn padding_behind_a_jump_belongs_to_no_block_that_runs() {
    let text = [
        &[0x85, 0xff][..],         // 0: test edi, edi
        &[0x74, 0x06],             // 2: je a
        &[0xff, 0xe0],             // 4: jmp rax
        &[0x0f, 0x1f, 0x40, 0x00], // 6: nop, padding
        &[0x31, 0xc0],             // a: xor eax, eax
        &[0xc3],                   // c: ret
        &[0x0f, 0x1f, 0x00],       // d: nop, padding
        &[0xff, 0xc0],             // 10: inc eax
        &[0xc3],                   // 12: ret
    ];
    let (begins, edges) = blocks_of(EM_X86_64, &text.concat());
    assert_eq!(begins, [0, 4, 6, 0xa, 0xd, 0x10]);
    // The jump goes to the only block that no other edge leads to.
    assert_eq!(edges, [(0, 4), (0, 0xa), (4, 0x10)]);
}

#[test]
fn a_nop_that_is_a_target_is_not_padding() {
    let text = [
        &[0x74, 0x01][..], // 0: je 3
        &[0xc3],           // 2: ret
        &[0x90],           // 3: nop, to which the branch goes
        &[0x31, 0xc0],     // 4: xor eax, eax
        &[0xc3],           // 6: ret
    ];
    let (begins, edges) = blocks_of(EM_X86_64, &text.concat());
    assert_eq!(begins, [0, 2, 3]);
    assert_eq!(edges, [(0, 2), (0, 3)]);
}

#[test]
fn nops_of_aarch64_pad_too() {
    let words: [u32; 6] = [
        0x3400_0080, // 0: cbz w0, 10
        0xd61f_0020, // 4: br x1
        0xd503_201f, // 8: nop, padding
        0xd503_201f, // c: nop, padding
        0x5280_0000, // 10: mov w0, 0
        0xd65f_03c0, // 14: ret
    ];
    let text: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let (begins, edges) = blocks_of(EM_AARCH64, &text);
    assert_eq!(begins, [0, 4, 8, 0x10]);
    assert_eq!(edges, [(0, 4), (0, 0x10)]);
}

#[test]
fn nothing_runs_behind_a_trap() {
    let text = [
        &[0x74, 0x02][..], // 0: je 4
        &[0x0f, 0x0b],     // 2: ud2
        &[0xc3],           // 4: ret
    ];
    assert_eq!(
        blocks_of(EM_X86_64, &text.concat()),
        (vec![0, 2, 4], vec![(0, 2), (0, 4)])
    );
    let words: [u32; 3] = [
        0x3400_0040, // 0: cbz w0, 8
        0xd420_0020, // 4: brk 1
        0xd65f_03c0, // 8: ret
    ];
    let text: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(blocks_of(EM_AARCH64, &text), (vec![0, 4, 8], vec![(0, 4), (0, 8)]));
}
