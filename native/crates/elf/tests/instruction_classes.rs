//! Tests the classes of single instructions. The expected classes are those of LLVM 22's tables.

mod support;

use elf::{Code, DecodePolicy, InstructionClass, Svma};
use support::*;

/// Returns the length and class of the instruction that `bytes` begin with; `None` if `bytes` do not decode.
fn first(machine: u16, policy: DecodePolicy, bytes: &[u8]) -> Option<(u8, InstructionClass)> {
    let image = ElfBuilder::new(machine)
        .text(".text", 0x1000, bytes)
        .symbol("f", 0x1000, 1)
        .image();
    let code = Code::new(&image, policy).expect("code");
    let instruction = code.instructions(Svma(0x1000), Svma(0x1000)).next();
    instruction.map(|found| (found.length, found.class))
}

fn x86(bytes: &[u8]) -> Option<(u8, InstructionClass)> {
    first(EM_X86_64, DecodePolicy::LLVM_PROFGEN, bytes)
}

#[test]
fn x86_transfers() {
    use InstructionClass::{Branch, Call, Jump, Other, Return};
    let cases: &[(&[u8], InstructionClass, &str)] = &[
        (&[0xe8, 0, 0, 0, 0], Call, "call rel32"),
        (&[0x66, 0x66, 0x48, 0xe8, 0, 0, 0, 0], Call, "data16 data16 rex.W call"),
        (&[0xff, 0xd0], Call, "call rax"),
        (&[0xff, 0x15, 0, 0, 0, 0], Call, "call [rip]"),
        (&[0x3e, 0xff, 0xd0], Call, "notrack call rax"),
        (&[0xff, 0x18], Call, "call far [rax]"),
        (&[0xc3], Return, "ret"),
        (&[0xf3, 0xc3], Return, "rep ret"),
        (&[0xf2, 0xc3], Return, "bnd ret"),
        (&[0xc2, 8, 0], Return, "ret imm16"),
        (&[0xcb], Return, "retf"),
        (&[0x48, 0xcf], Return, "iretq"),
        (&[0xcf], Return, "iret"),
        (&[0xeb, 0], Jump, "jmp rel8"),
        (&[0xe9, 0, 0, 0, 0], Jump, "jmp rel32"),
        (&[0xf2, 0xe9, 0, 0, 0, 0], Jump, "bnd jmp rel32"),
        (&[0xff, 0xe0], Branch, "jmp rax"),
        (&[0x3e, 0xff, 0xe0], Branch, "notrack jmp rax"),
        (&[0xff, 0x25, 0, 0, 0, 0], Branch, "jmp [rip]"),
        (&[0xff, 0x28], Branch, "jmp far [rax]"),
        (&[0x74, 0], Branch, "je rel8"),
        (&[0x2e, 0x0f, 0x85, 0, 0, 0, 0], Branch, "jne rel32, not taken"),
        (&[0xe3, 0], Branch, "jrcxz"),
        (&[0x67, 0xe3, 0], Branch, "jecxz"),
        (&[0xe2, 0], Branch, "loop"),
        (&[0xe0, 0], Branch, "loopne"),
        (&[0xc7, 0xf8, 0, 0, 0, 0], Branch, "xbegin"),
        (&[0x0f, 0x01, 0xd5], Other, "xend"),
        (&[0x0f, 0x05], Other, "syscall"),
        (&[0x48, 0x0f, 0x07], Other, "sysretq"),
        (&[0x0f, 0x34], Other, "sysenter"),
        (&[0x0f, 0x35], Other, "sysexit"),
        (&[0xcd, 0x80], Other, "int 0x80"),
        (&[0xcc], Other, "int3"),
        (&[0x0f, 0x0b], Other, "ud2"),
        (&[0xf4], Other, "hlt"),
        (&[0x0f, 0x01, 0xc1], Other, "vmcall"),
        (&[0x0f, 0xaa], Other, "rsm"),
        (&[0xf3, 0x0f, 0x1e, 0xfa], Other, "endbr64"),
        (&[0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], Other, "nopw"),
    ];
    for (bytes, class, name) in cases {
        assert_eq!(x86(bytes), Some((bytes.len() as u8, *class)), "{name}");
    }
}

#[test]
fn x86_prefixes_that_llvm_takes_for_instructions() {
    // LLVM decodes the prefix alone, and the bytes after the prefix as the next instruction.
    let alone = |bytes: &[u8], length| assert_eq!(x86(bytes), Some((length, InstructionClass::Other)), "{bytes:02x?}");
    alone(&[0xf0, 0x48, 0x0f, 0xb1, 0x0f], 1); // lock cmpxchg
    alone(&[0xf0, 0x90], 1); // lock, of no use here
    alone(&[0xf2, 0xf0, 0x01, 0x00], 1); // xacquire lock
    alone(&[0xf3, 0x87, 0x00], 1); // xrelease xchg
    alone(&[0xf3, 0xc6, 0x00, 0x00], 1); // xrelease mov
    alone(&[0xf3, 0x90], 2); // pause
    alone(&[0xf3, 0xa4], 2); // rep movsb
    alone(&[0x3e, 0xf0, 0x0f, 0xb1, 0x0f], 5); // lock after another prefix belongs to its instruction
}

#[test]
fn x86_boundaries_that_llvm_sees_otherwise() {
    use InstructionClass::{Branch, Call, Jump};
    assert_eq!(x86(&[0x66, 0xe9, 0, 0, 0x90, 0x90]), Some((4, Jump)), "jmp rel16");
    assert_eq!(
        x86(&[0x66, 0x0f, 0x84, 0, 0, 0x90, 0x90]),
        Some((5, Branch)),
        "je rel16"
    );
    assert_eq!(
        x86(&[0x66, 0xe8, 0, 0, 0, 0]),
        Some((6, Call)),
        "call rel32 all the same"
    );
    assert_eq!(x86(&[0x66, 0xe8, 0, 0, 0]), None, "cut off");
    for undecodable in [
        &[0xf1][..],
        &[0xd0, 0xf0],
        &[0xf6, 0xc8, 0x00],
        &[0x06],
        &[0x0f, 0x0b][..1],
    ] {
        assert_eq!(x86(undecodable), None, "{undecodable:02x?}");
    }
}

#[test]
fn x86_instructions_of_newer_processors() {
    use InstructionClass::{Branch, Call, Jump, Other, Return};
    let cases: &[(&[u8], InstructionClass, &str)] = &[
        (&[0xd5, 0x48, 0x01, 0xc0], Other, "add rax, r16"),
        (&[0xd5, 0x10, 0xff, 0xd0], Call, "call r16"),
        (&[0xd5, 0x10, 0xff, 0xe0], Branch, "jmp r16"),
        (&[0xd5, 0x00, 0xc3], Return, "ret after REX2"),
        (&[0xd5, 0x80, 0x84, 0, 0, 0, 0], Branch, "je rel32, in map 1 of REX2"),
        (&[0x62, 0xf4, 0x64, 0x18, 0xff, 0xf0], Other, "push2 rbx, rax"),
        (&[0x62, 0xf4, 0x04, 0x02, 0x83, 0xf8, 0x01], Other, "ccmpb eax, 1"),
        (
            &[0x62, 0xf4, 0x7d, 0x18, 0x81, 0xc0, 0x34, 0x12],
            Other,
            "add ax, ax, imm16",
        ),
        (&[0x62, 0xf3, 0x75, 0x08, 0x52, 0xc2, 0x00], Other, "vminmaxps"),
        (&[0xc4, 0xe7, 0x7b, 0xf8, 0xc0, 0, 0, 0, 0], Other, "urdmsr imm32"),
    ];
    for (bytes, class, name) in cases {
        assert_eq!(x86(bytes), Some((bytes.len() as u8, *class)), "{name}");
    }
    // LLVM's tables do not mark this instruction as a jump.
    let jmpabs = [0xd5, 0x00, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(x86(&jmpabs), Some((11, Other)));
    assert_eq!(first(EM_X86_64, DecodePolicy::FULL, &jmpabs), Some((11, Jump)));
}

#[test]
fn x86_in_32_bit_mode() {
    use InstructionClass::{Branch, Call, Jump, Other, Return};
    let x86 = |bytes: &[u8]| first(EM_386, DecodePolicy::LLVM_PROFGEN, bytes);
    let cases: &[(&[u8], InstructionClass, &str)] = &[
        (&[0x40], Other, "inc eax"),
        (&[0x62, 0x01], Other, "bound"),
        (&[0xc5, 0x01], Other, "lds"),
        (&[0xc5, 0xf8, 0x77], Other, "vzeroupper"),
        (&[0xa1, 0, 0, 0, 0], Other, "mov eax, [moffs32]"),
        (&[0x67, 0x8b, 0x46, 0x00], Other, "mov eax, [bp], with 16-bit addresses"),
        (&[0x9a, 0, 0, 0, 0, 0, 0], Call, "call far"),
        (&[0x66, 0xe8, 0, 0], Call, "call rel16"),
        (&[0xea, 0, 0, 0, 0, 0, 0], Branch, "jmp far"),
        (&[0xe9, 0, 0, 0, 0], Jump, "jmp rel32"),
        (&[0xcf], Return, "iret"),
    ];
    for (bytes, class, name) in cases {
        assert_eq!(x86(bytes), Some((bytes.len() as u8, *class)), "{name}");
    }
}

/// Words with the class that LLVM gives them: `c`all, `r`eturn, `u`nconditional branch, `o`ther branch, `n`one, or
/// `X` if Armv8.0-A has no such instruction. The last column is the class with extensions.
const AARCH64: &str = "
    14000002 u u  17ffffff u u  94000002 c c  97ffffff c c  d63f0200 c c  d63f03e0 c c
    d65f03c0 r r  d65f0020 r r  d65f0000 r r  d65f03e0 r r  d69f03e0 r r  d6bf03e0 r r
    54000040 o o  5400004e o o  5400004f o o  b4000040 o o  35000040 o o  34ffffff o o
    36180040 o o  b7080040 o o  36000000 o o  d61f0200 o o  d61f03e0 o o
    d71f0801 X o  d61f081f X o  d73f0801 X c  d63f0c1f X c  d61f0c1f X o  d73f0c01 X c
    d65f0bff X r  d65f0fff X r  d65f0be1 X r  5500005f X r  d69f0bff X r  d69f0fff X r
    54000050 X o  f4c10040 X o  74010040 X o  f5028040 X o
    d61f0201 X n  d61e0200 X n  d63f0001 X n  d65f03c1 X n  d69f03c0 X n  d69f03e1 X n  d6bf03c0 X n  55000000 X n
    d4600020 X n  d4000000 X n  d4000004 X n  00010000 X n  ffffffff X n
    d4000001 n n  d4000002 n n  d4000003 n n  d4200000 n n  d4400000 n n  d4a00001 n n  00000000 n n  0000ffff n n
    d503201f n n  d503233f n n  d50323bf n n  d503245f n n  d50320ff n n  d5033fdf n n  d503207f n n  d50330ff n n
    58000040 n n  10000040 n n  f8200041 X n  c8dffc20 n n
";

#[test]
fn aarch64_vectors() {
    let class = |letter: &str| match letter {
        "c" => Some(InstructionClass::Call),
        "r" => Some(InstructionClass::Return),
        "u" => Some(InstructionClass::Jump),
        "o" => Some(InstructionClass::Branch),
        "n" => Some(InstructionClass::Other),
        _ => None,
    };
    let fields: Vec<_> = AARCH64.split_whitespace().collect();
    for vector in fields.chunks_exact(3) {
        let word = u32::from_str_radix(vector[0], 16).expect("hexadecimal").to_le_bytes();
        let decoded = |policy| first(EM_AARCH64, policy, &word).map(|(_, class)| class);
        assert_eq!(decoded(DecodePolicy::LLVM_PROFGEN), class(vector[1]), "{}", vector[0]);
        assert_eq!(decoded(DecodePolicy::FULL), class(vector[2]), "{}", vector[0]);
    }
}
