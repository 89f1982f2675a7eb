//! Compares printed instructions with the output of llvm-profgen 22.

use disasm::{Printer, Syntax};

/// Address, bytes, and the output of llvm-profgen 22 in both syntaxes, for instructions of
/// `test/differential/programs/instructions.s`. The differential test compares the whole program if llvm-profgen is
/// installed.
const INSTRUCTIONS: &[(u64, &str, &str, &str)] = &[
    (0x201120, "ac", "\tlodsb\t(%rsi), %al", "\tlodsb\tal, byte ptr [rsi]"),
    (
        0x201126,
        "ae",
        "\tscasb\t%es:(%rdi), %al",
        "\tscasb\tal, byte ptr es:[rdi]",
    ),
    (
        0x201127,
        "48af",
        "\tscasq\t%es:(%rdi), %rax",
        "\tscasq\trax, qword ptr es:[rdi]",
    ),
    (
        0x201129,
        "f2ae",
        "\trepne\t\tscasb\t%es:(%rdi), %al",
        "\trepne\t\tscasb\tal, byte ptr es:[rdi]",
    ),
    (
        0x201131,
        "aa",
        "\tstosb\t%al, %es:(%rdi)",
        "\tstosb\tbyte ptr es:[rdi], al",
    ),
    (0x20114b, "0f34", "\tsysenter", "\tsysenter"),
    (0x201154, "c2ffff", "\tretq\t$-1", "\tret\t-1"),
    (0x201161, "6afd", "\tpushq\t$-3", "\tpush\t-3"),
    (0x201172, "8ed8", "\tmovl\t%eax, %ds", "\tmov\tds, eax"),
    (0x20117c, "0f0110", "\tlgdtq\t(%rax)", "\tlgdt\t[rax]"),
    (0x20119e, "0f0138", "\tinvlpg\t(%rax)", "\tinvlpg\tbyte ptr [rax]"),
    (
        0x2011be,
        "480fa4c3c8",
        "\tshldq\t$200, %rax, %rbx",
        "\tshld\trbx, rax, 200",
    ),
    (0x2011c7, "c0c0c8", "\trolb\t$200, %al", "\trol\tal, 200"),
    (0x2011ca, "c03881", "\tsarb\t$129, (%rax)", "\tsar\tbyte ptr [rax], 129"),
    (
        0x2011e3,
        "66c700409c",
        "\tmovw\t$40000, (%rax)",
        "\tmov\tword ptr [rax], 40000",
    ),
    (
        0x2011fc,
        "48b8ffffffffffffffff",
        "\tmovabsq\t$-1, %rax",
        "\tmovabs\trax, -1",
    ),
    (0x201221, "3cc8", "\tcmpb\t$-56, %al", "\tcmp\tal, -56"),
    (0x20122d, "666bd8fc", "\timulw\t$-4, %ax, %bx", "\timul\tbx, ax, -4"),
    (
        0x201231,
        "6b18fc",
        "\timull\t$-4, (%rax), %ebx",
        "\timul\tebx, dword ptr [rax], -4",
    ),
    (
        0x201247,
        "488700",
        "\txchgq\t%rax, (%rax)",
        "\txchg\tqword ptr [rax], rax",
    ),
    (0x201253, "f0", "\tlock", "\tlock"),
    (0x20127d, "90", "\tnop", "\tnop"),
    (0x20129e, "f3480faec0", "\trdfsbaseq\t%rax", "\trdfsbase\trax"),
    (0x2012b8, "0f0d08", "\tprefetchw\t(%rax)", "\tprefetchw\tbyte ptr [rax]"),
    (0x201304, "db38", "\tfstpt\t(%rax)", "\tfstp\ttbyte ptr [rax]"),
    (0x201326, "ddeb", "\tfucomp\t%st(3)", "\tfucomp\tst(3)"),
    (0x201334, "dce2", "\tfsub\t%st, %st(2)", "\tfsubr\tst(2), st"),
    (0x20133e, "d9cc", "\tfxch\t%st(4)", "\tfxch\tst(4)"),
    (0x201368, "9b", "\twait", "\twait"),
    (
        0x201393,
        "f2480f2a00",
        "\tcvtsi2sdq\t(%rax), %xmm0",
        "\tcvtsi2sd\txmm0, qword ptr [rax]",
    ),
    (0x201398, "f30f2ac0", "\tcvtsi2ss\t%eax, %xmm0", "\tcvtsi2ss\txmm0, eax"),
    (
        0x2013c7,
        "660f3a44c111",
        "\tpclmulqdq\t$17, %xmm1, %xmm0",
        "\tpclmulqdq\txmm0, xmm1, 17",
    ),
    (
        0x2013fe,
        "660f3814d1",
        "\tblendvps\t%xmm0, %xmm1, %xmm2",
        "\tblendvps\txmm2, xmm1, xmm0",
    ),
    (
        0x201474,
        "0f38cbd1",
        "\tsha256rnds2\t%xmm0, %xmm1, %xmm2",
        "\tsha256rnds2\txmm2, xmm1, xmm0",
    ),
    (
        0x2014b6,
        "c5fd5ad1",
        "\tvcvtpd2ps\t%ymm1, %xmm2",
        "\tvcvtpd2ps\txmm2, ymm1",
    ),
    (
        0x2014ba,
        "c5fd5a10",
        "\tvcvtpd2psy\t(%rax), %xmm2",
        "\tvcvtpd2ps\txmm2, ymmword ptr [rax]",
    ),
    (
        0x201501,
        "62f16c1858d9",
        "\tvaddps\t{rn-sae}, %zmm1, %zmm2, %zmm3",
        "\tvaddps\tzmm3, zmm2, zmm1, {rn-sae}",
    ),
    (
        0x20150d,
        "62f16cd95818",
        "\tvaddps\t(%rax){1to16}, %zmm2, %zmm3 {%k1} {z}",
        "\tvaddps\tzmm3 {k1} {z}, zmm2, dword ptr [rax]{1to16}",
    ),
    (
        0x20151a,
        "62f16c18c2c903",
        "\tvcmpunordps\t{sae}, %zmm1, %zmm2, %k1",
        "\tvcmpunordps\tk1, zmm2, zmm1, {sae}",
    ),
    (
        0x20153b,
        "62f36d481fc903",
        "\tvpcmpd\t$3, %zmm1, %zmm2, %k1",
        "\tvpcmpd\tk1, zmm2, zmm1, 3",
    ),
    (
        0x201549,
        "62f27d49921c90",
        "\tvgatherdps\t(%rax,%zmm2,4), %zmm3 {%k1}",
        "\tvgatherdps\tzmm3 {k1}, dword ptr [rax + 4*zmm2]",
    ),
    (
        0x201550,
        "62f2fd49a20cd0",
        "\tvscatterdpd\t%zmm1, (%rax,%ymm2,8) {%k1}",
        "\tvscatterdpd\tqword ptr [rax + 8*ymm2] {k1}, zmm1",
    ),
    (
        0x201570,
        "62f37d4866c9c8",
        "\tvfpclassps\t$200, %zmm1, %k1",
        "\tvfpclassps\tk1, zmm1, 200",
    ),
    (
        0x201585,
        "62f36d1850d914",
        "\tvrangeps\t$20, {sae}, %zmm1, %zmm2, %zmm3",
        "\tvrangeps\tzmm3, zmm2, zmm1, {sae}, 20",
    ),
    (
        0x2015ba,
        "ff54d808",
        "\tcallq\t*8(%rax,%rbx,8)",
        "\tcall\tqword ptr [rax + 8*rbx + 8]",
    ),
    (0x2015c3, "3eff20", "\tjmpq\t*%ds:(%rax)", "\tjmp\tqword ptr ds:[rax]"),
    (0x2015c9, "ff28", "\tljmpl\t*(%rax)", "\tjmp\t[rax]"),
    (0x2015cb, "e3fe", "\tjrcxz\t0x2015cb", "\tjrcxz\t0x2015cb"),
    (0x2015d4, "e0fe", "\tloopne\t0x2015d4", "\tloopne\t0x2015d4"),
    (
        0x2015ea,
        "660f4b18",
        "\tcmovnpw\t(%rax), %bx",
        "\tcmovnp\tbx, word ptr [rax]",
    ),
    (0x2015f1, "0f9bc0", "\tsetnp\t%al", "\tsetnp\tal"),
    (
        0x2015f4,
        "64488b042500000000",
        "\tmovq\t%fs:0, %rax",
        "\tmov\trax, qword ptr fs:[0]",
    ),
    (
        0x2015fd,
        "65488b5808",
        "\tmovq\t%gs:8(%rax), %rbx",
        "\tmov\trbx, qword ptr gs:[rax + 8]",
    ),
    (
        0x201609,
        "8b0425f8ffffff",
        "\tmovl\t-8, %eax",
        "\tmov\teax, dword ptr [-8]",
    ),
    (
        0x201610,
        "8b1cc500000000",
        "\tmovl\t(,%rax,8), %ebx",
        "\tmov\tebx, dword ptr [8*rax]",
    ),
    (
        0x201621,
        "678b1d04000000",
        "\tmovl\t4(%eip), %ebx",
        "\tmov\tebx, dword ptr [eip + 4]",
    ),
    (0x20162e, "488d0424", "\tleaq\t(%rsp), %rax", "\tlea\trax, [rsp]"),
    (0x201668, "f3c3", "\trep\t\tretq", "\trep\t\tret"),
    (0x20166f, "66e800000000", "\tcallq\t0x201675", "\tcall\t0x201675"),
    (
        0x201685,
        "67e800000000",
        "\taddr32\t\tcallq\t0x20168b",
        "\taddr32\t\tcall\t0x20168b",
    ),
    (0x2016b8, "f30f1efa", "\tendbr64", "\tendbr64"),
    (
        0x2016ce,
        "f30f0128",
        "\trstorssp\t(%rax)",
        "\trstorssp\tdword ptr [rax]",
    ),
    (
        0x2016ed,
        "0f38f903",
        "\tmovdiri\t%eax, (%rbx)",
        "\tmovdiri\tdword ptr [rbx], eax",
    ),
    (0x20170a, "0f02d8", "\tlarl\t%ax, %ebx", "\tlar\tebx, ax"),
    (0x201710, "0f00e0", "\tverr\t%ax", "\tverr\tax"),
    (0x20171b, "d7", "\txlatb", "\txlatb"),
    (
        0x20171b,
        "66f00fc108",
        "\tlock\t\txaddw\t%cx, (%rax)",
        "\tlock\t\txadd\tword ptr [rax], cx",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal"))
        .collect()
}

#[test]
fn instructions_are_spelled_as_llvm_spells_them() {
    for &(address, hex, att, intel) in INSTRUCTIONS {
        for (syntax, expected) in [(Syntax::Att, att), (Syntax::Intel, intel)] {
            let bytes = bytes(hex);
            let mut text = String::new();
            Printer::new(syntax, true).print(&bytes, bytes.len() as u8, address, &mut text);
            assert_eq!(text, expected, "{hex}");
        }
    }
}

#[test]
fn instructions_that_iced_does_not_know_are_printed_as_bytes() {
    // These bytes are push2 %rax, %rbx.
    let bytes = bytes("62f46418fff0");
    let mut text = String::new();
    Printer::new(Syntax::Att, true).print(&bytes, 6, 0, &mut text);
    assert_eq!(text, "\t.byte\t0x62, 0xf4, 0x64, 0x18, 0xff, 0xf0");
}

#[test]
fn no_bytes_make_it_panic() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut printers = [Printer::new(Syntax::Att, true), Printer::new(Syntax::Intel, true)];
    let mut text = String::new();
    for _ in 0..200_000 {
        let mut bytes = [0; 16];
        for chunk in bytes.chunks_mut(8) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            chunk.copy_from_slice(&random.to_le_bytes());
        }
        let length = 1 + (random >> 60) as u8 % 15;
        for printer in &mut printers {
            text.clear();
            printer.print(&bytes[..usize::from(length)], length, random, &mut text);
            assert!(text.starts_with('\t'));
        }
    }
}
