//! Tests which bytes count as code, and the answers of `Code` about them.

mod support;

use elf::{Code, DecodePolicy, Image, ImageError, InstructionClass, Svma};
use support::*;

const NOP: u8 = 0x90;
const RET: u8 = 0xc3;

fn code(image: &Image) -> Code<'_> {
    Code::new(image, DecodePolicy::LLVM_PROFGEN).expect("code")
}

fn everything(code: &Code<'_>) -> Vec<(u64, u8)> {
    code.instructions(Svma(0), Svma(u64::MAX))
        .map(|i| (i.svma.0, i.length))
        .collect()
}

#[test]
fn begins_at_the_first_symbol_of_a_section() {
    let image = ElfBuilder::new(EM_X86_64)
        .text(".text", 0x1000, &[NOP; 4])
        .text(".unnamed", 0x2000, &[NOP; 4])
        .text(".plt", 0x3000, &[NOP; 4])
        .section(".data", SHT_PROGBITS, SHF_ALLOC, 0x4000, &[NOP; 4])
        .symbol("f", 0x1002, 1)
        .symbol("stub", 0x3000, 3)
        .symbol("variable", 0x4000, 4)
        .image();
    let code = code(&image);
    assert_eq!(everything(&code), [(0x1002, 1), (0x1003, 1)]);
    assert_eq!(
        (code.base(), code.span()),
        (Svma(0x1000), 0x2004),
        "the stubs lie inside"
    );
    let starts: Vec<_> = (0..0x2000).filter(|&offset| code.is_instruction(offset)).collect();
    assert_eq!(starts, [2, 3]);
    assert!(!code.is_instruction(u32::MAX));
}

#[test]
fn decoding_starts_anew_at_each_symbol() {
    // The code is mov eax, imm32. A symbol of any type lies inside the immediate.
    let image = ElfBuilder::new(EM_X86_64)
        .text(".text", 0x1000, &[0xb8, NOP, NOP, NOP, RET])
        .symbol("f", 0x1000, 1)
        .symbol("alias", 0x1000, 1)
        .symbol("inner", 0x1003, 1)
        .image();
    assert_eq!(everything(&code(&image)), [(0x1000, 5), (0x1003, 1), (0x1004, 1)]);
}

#[test]
fn symbols_outside_their_section_are_no_code() {
    let image = ElfBuilder::new(EM_X86_64)
        .text(".text", 0x1000, &[NOP; 2])
        .symbol("before", 0xfff, 1)
        .symbol("f", 0x1001, 1)
        .symbol("__bss_start", 0x1002, 1)
        .symbol("_end", 0x9000, 1)
        .image();
    assert_eq!(everything(&code(&image)), [(0x1001, 1)]);
}

#[test]
fn an_image_without_symbols_has_no_code() {
    let image = ElfBuilder::new(EM_X86_64).text(".text", 0x1000, &[NOP; 2]).image();
    let code = code(&image);
    assert!(code.is_empty());
    assert!(!code.is_instruction(0));
    assert_eq!(everything(&code), []);
    assert_eq!(code.class_at(Svma(0x1000)), None);
}

#[test]
fn ranges_are_inclusive_and_cross_sections_in_order_of_address() {
    let image = ElfBuilder::new(EM_X86_64)
        .text(".text.b", 0x2000, &[NOP, RET])
        .text(".text.a", 0x1000, &[0x66, NOP, RET])
        .symbol("b", 0x2000, 1)
        .symbol("a", 0x1000, 2)
        .image();
    let code = code(&image);
    let range = |from, through| {
        code.instructions(Svma(from), Svma(through))
            .map(|i| i.svma.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(range(0x1000, 0x2001), [0x1000, 0x1002, 0x2000, 0x2001]);
    assert_eq!(range(0x1001, 0x2000), [0x1002, 0x2000]);
    assert_eq!(range(0x1000, 0x1000), [0x1000]);
    assert_eq!(range(0x1001, 0x1001), []);
    assert_eq!(range(0x1003, 0x1fff), []);
    assert_eq!(range(0x2001, 0x1000), []);
    assert_eq!(range(0, 0xfff), []);
    assert_eq!(range(0x2002, u64::MAX), []);
}

#[test]
fn a_barrier_ends_a_straight_run() {
    // The code is nop; jmp +0 | ret; jmp rax; je +0; nop.
    let image = ElfBuilder::new(EM_X86_64)
        .text(".text", 0x1000, &[NOP, 0xeb, 0, RET, 0xff, 0xe0, 0x74, 0, NOP])
        .symbol("f", 0x1000, 1)
        .symbol("g", 0x1003, 1)
        .image();
    let code = code(&image);
    let valid = |start, end| code.is_valid_fall_through(Svma(start), Svma(end));
    assert!(valid(0x1000, 0x1000));
    assert!(valid(0x1000, 0x1001), "the barrier itself may end the run");
    assert!(!valid(0x1000, 0x1003));
    assert!(!valid(0x1001, 0x1003));
    assert!(valid(0x1003, 0x1003));
    assert!(!valid(0x1003, 0x1004));
    assert!(valid(0x1004, 0x1008), "indirect and conditional jumps are no barriers");
    assert!(!valid(0x1005, 0x1004));
    assert_eq!(code.class_at(Svma(0x1001)), Some(InstructionClass::Jump));
    assert_eq!(code.class_at(Svma(0x1002)), None);
    assert_eq!(code.class_at(Svma(0x1004)), Some(InstructionClass::Branch));
}

#[test]
fn many_chunks_without_barriers_cost_one_pass() {
    let length = 50_000_u64;
    let mut built = ElfBuilder::new(EM_X86_64).text(".text", 0x1000, &vec![NOP; length as usize]);
    for svma in 0x1000..0x1000 + length {
        built = built.symbol("", svma, 1);
    }
    let image = built.image();
    let code = code(&image);
    // A separate walk for each range would take 1.25 thousand million steps.
    assert!((0..length).all(|from| code.is_valid_fall_through(Svma(0x1000 + from), Svma(0x1000 + length - 1))));
}

#[test]
fn runs_of_undecodable_bytes_end_with_their_symbol() {
    let image = ElfBuilder::new(EM_X86_64)
        .text(".text", 0x1000, &[0x06, 0x06, 0x06, RET, 0x06])
        .symbol("f", 0x1000, 1)
        .symbol("g", 0x1002, 1)
        .image();
    let runs = [
        (Svma(0x1000), Svma(0x1001)),
        (Svma(0x1002), Svma(0x1002)),
        (Svma(0x1004), Svma(0x1004)),
    ];
    assert_eq!(code(&image).invalid_instructions(), runs);
    assert_eq!(everything(&code(&image)), [(0x1003, 1)]);
}

#[test]
fn threads_see_one_code() {
    let text: Vec<u8> = (0..40_000_u32).map(|index| (index * 7 + index / 256) as u8).collect();
    let mut built = ElfBuilder::new(EM_X86_64).text(".text", 0x1000, &text);
    for svma in (0x1000..0x1000 + 40_000).step_by(37) {
        built = built.symbol("", svma, 1);
    }
    let image = built.image();
    let expected: Vec<u32> = everything(&code(&image))
        .iter()
        .map(|&(svma, _)| (svma - 0x1000) as u32)
        .collect();
    let shared = code(&image);
    let starts = || {
        (0..shared.span())
            .filter(|&offset| shared.is_instruction(offset))
            .collect::<Vec<_>>()
    };
    std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(starts));
        for thread in threads {
            assert_eq!(thread.join().expect("no panic"), expected);
        }
    });
}

#[test]
fn sections_that_share_their_bytes_are_refused_as_code() {
    let built = ElfBuilder::new(EM_X86_64)
        .text(".text", 0x1000, &[NOP; 4096])
        .text(".again", 0x3000, &[NOP; 1])
        .symbol("f", 0x1000, 1);
    let mut bytes = built.build();
    let table = u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize;
    let (first, second) = (table + 64, table + 128);
    bytes.copy_within(first + 24..first + 40, second + 24); // sh_offset, sh_size
    let image = Image::from_bytes(bytes, "shared".as_ref()).expect("an image");
    let error = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect_err("more code than bytes");
    assert!(error.to_string().contains("larger than the file"), "{error}");
}

#[test]
fn code_that_no_offset_reaches_is_refused() {
    let image = ElfBuilder::new(EM_X86_64)
        .text(".low", 0x1000, &[NOP])
        .text(".high", 0x1_0000_1000, &[NOP])
        .symbol("low", 0x1000, 1)
        .image();
    let error = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect_err("too far apart");
    assert!(
        matches!(
            error,
            ImageError::CodeSpan {
                span: 0x1_0000_0001,
                ..
            }
        ),
        "{error}"
    );
}

/// Builds an image with a word of data between two functions.
fn with_data_in_code() -> ElfBuilder {
    let words: [u32; 4] = [0xd65f_03c0, 0xffff_ffff, 0xd65f_03c0, 0xd65f_0bff];
    ElfBuilder::new(EM_AARCH64)
        .text(".text", 0x1000, &words.map(u32::to_le_bytes).concat())
        .symbol("$x", 0x1000, 1)
        .symbol("f", 0x1000, 1)
        .symbol("$d.1", 0x1004, 1)
        .symbol("table", 0x1008, 1)
        .symbol("$x.2", 0x100c, 1)
        .symbol("$dollar", 0x100c, 1)
}

#[test]
fn policies_differ_in_data_and_in_extensions() {
    let image = with_data_in_code().image();
    let as_llvm = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect("code");
    assert_eq!(everything(&as_llvm), [(0x1000, 4), (0x1008, 4)]);
    let runs = [(Svma(0x1004), Svma(0x1007)), (Svma(0x100c), Svma(0x100f))];
    assert_eq!(as_llvm.invalid_instructions(), runs);

    let full = Code::new(&image, DecodePolicy::FULL).expect("code");
    assert_eq!(everything(&full), [(0x1000, 4), (0x100c, 4)]);
    assert_eq!(full.class_at(Svma(0x100c)), Some(InstructionClass::Return), "retaa");
    assert!(!full.is_instruction(8));
}

#[test]
fn words_follow_their_symbol_or_the_alignment() {
    let nops = [0x1f, 0x20, 0x03, 0xd5].repeat(4);
    let image = ElfBuilder::new(EM_AARCH64)
        .text(".text", 0x1000, &nops)
        .symbol("f", 0x1006, 1)
        .image();
    let as_llvm = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect("code");
    let starts: Vec<_> = (0..16).filter(|&offset| as_llvm.is_instruction(offset)).collect();
    assert!(starts.iter().all(|offset| offset % 4 == 2), "{starts:?}");
    let full = Code::new(&image, DecodePolicy::FULL).expect("code");
    assert_eq!(everything(&full), [(0x1008, 4), (0x100c, 4)]);
}

#[test]
fn the_instruction_before_may_lie_in_another_section() {
    let image = ElfBuilder::new(EM_X86_64)
        .text(".text", 0x1000, &[0xb8, NOP, NOP, NOP, NOP, RET])
        .text(".more", 0x2000, &[NOP, RET])
        .symbol("f", 0x1000, 1)
        .symbol("g", 0x2001, 2)
        .image();
    let code = code(&image);
    let before = |svma| {
        code.instruction_before(Svma(svma))
            .map(|found| (found.svma.0, found.class))
    };
    assert_eq!(before(0), None);
    assert_eq!(before(0x1000), None);
    assert_eq!(before(0x1003), Some((0x1000, InstructionClass::Other)));
    for svma in [0x1006, 0x2000, 0x2001] {
        assert_eq!(before(svma), Some((0x1005, InstructionClass::Return)), "{svma:#x}");
    }
    assert_eq!(before(u64::MAX), Some((0x2001, InstructionClass::Return)));
}

#[test]
fn jumps_of_thunks_are_found() {
    let target = |machine: u16, policy: DecodePolicy, bytes: &[u8]| {
        let builder = ElfBuilder::new(machine)
            .text(".text", 0x1000, bytes)
            .symbol("f", 0x1000, 1);
        let image = builder.image();
        let code = Code::new(&image, policy).expect("code");
        code.jump_at(Svma(0x1000)).map(|target| target.0)
    };
    let x86 = |bytes: &[u8]| target(EM_X86_64, DecodePolicy::FULL, bytes);
    assert_eq!(x86(&[0xe9, 0x0b, 0, 0, 0, 0xcc]), Some(0x1010));
    assert_eq!(x86(&[0xf3, 0x0f, 0x1e, 0xfa, 0xeb, 0xfe]), Some(0x1004));
    assert_eq!(x86(&[0xe8, 0x0b, 0, 0, 0]), None, "a call");
    assert_eq!(x86(&[0xff, 0xe0]), None, "an indirect jump");
    assert_eq!(x86(&[0x74, 0x00]), None, "a conditional jump");
    assert_eq!(target(EM_X86_64, DecodePolicy::LLVM_PROFGEN, &[0xeb, 0xfe]), None);
    let arm = |words: &[u32]| {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        target(EM_AARCH64, DecodePolicy::FULL, &bytes)
    };
    assert_eq!(arm(&[0x1400_0002]), Some(0x1008));
    assert_eq!(arm(&[0xd503_245f, 0x17ff_ffff]), Some(0x1000), "bti c; b .-4");
    assert_eq!(arm(&[0x9400_0002]), None, "bl");
}
