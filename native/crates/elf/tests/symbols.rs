//! Tests which symbols are read, and in which order.

mod support;

use elf::{Image, Svma};
use support::*;

fn names(image: &Image) -> Vec<(u32, u64, String)> {
    let name = |symbol| String::from_utf8(image.symbol_name(symbol).to_vec()).expect("ASCII");
    image
        .symbols()
        .iter()
        .map(|symbol| (symbol.section, symbol.svma.0, name(symbol)))
        .collect()
}

fn two_sections() -> ElfBuilder {
    ElfBuilder::new(EM_X86_64)
        .text(".text", 0x1000, &[0x90; 16])
        .text(".text.hot", 0x2000, &[0x90; 16])
}

#[test]
fn sorts_by_section_address_and_name() {
    let image = two_sections()
        .symbol("late", 0x2008, 2)
        .symbol("b", 0x1004, 1)
        .symbol("a", 0x1004, 1)
        .symbol("first", 0x1000, 1)
        .symbol("early", 0x2000, 2)
        .image();
    let got = names(&image);
    let want = [
        (1, 0x1000, "first"),
        (1, 0x1004, "a"),
        (1, 0x1004, "b"),
        (2, 0x2000, "early"),
        (2, 0x2008, "late"),
    ];
    assert_eq!(got, want.map(|(section, svma, name)| (section, svma, name.to_owned())));
}

#[test]
fn leaves_out_symbols_without_a_section() {
    let image = two_sections()
        .symbol("undefined", 0, 0)
        .symbol("absolute", 0x1000, SHN_ABS)
        .symbol("common", 8, 0xfff2)
        .symbol("no such section", 0x1000, 99)
        .symbol("kept", 0x1000, 1)
        .image();
    assert_eq!(names(&image), [(1, 0x1000, "kept".to_owned())]);
    assert_eq!(image.symbol_named(b"kept"), Some(Svma(0x1000)));
    assert_eq!(image.symbol_named(b"absolute"), None);
}

#[test]
fn a_nameless_section_symbol_has_the_name_of_its_section() {
    let mut built = two_sections().symbol("", 0x2000, 2).symbol("", 0x1000, 1);
    built.symbols[0].kind = STT_SECTION;
    assert_eq!(
        names(&built.image()),
        [(1, 0x1000, String::new()), (2, 0x2000, ".text.hot".into())]
    );
}

#[test]
fn an_image_without_symbol_table_has_no_symbols() {
    let image = ElfBuilder {
        has_symtab: false,
        ..two_sections()
    }
    .image();
    assert!(image.symbols().is_empty());
    assert_eq!(image.symbol_named(b"kept"), None);
}

#[test]
fn code_symbols_are_those_of_disassembled_sections() {
    let image = two_sections()
        .text(".plt", 0x3000, &[0x90; 16])
        .section(".data", SHT_PROGBITS, SHF_ALLOC, 0x4000, &[0; 16])
        .symbol("hot", 0x2000, 2)
        .symbol("stub", 0x3000, 3)
        .symbol("variable", 0x4000, 4)
        .symbol("f", 0x1000, 1)
        .image();
    let got: Vec<_> = image.code_symbols().map(|symbol| image.symbol_name(symbol)).collect();
    assert_eq!(got, [&b"f"[..], b"hot"]);
}

#[test]
fn the_discriminator_marker_counts_in_constant_data_only() {
    const MARKER: &str = "__llvm_fs_discriminator__";
    let with = |kind, flags, data: &[u8]| {
        let built = two_sections()
            .section(".marked", kind, flags, 0x5000, data)
            .symbol(MARKER, 0x5000, 3);
        built.image().has_fs_discriminators()
    };
    assert!(with(SHT_PROGBITS, SHF_ALLOC, &[1]));
    assert!(!with(SHT_PROGBITS, SHF_ALLOC, &[]));
    assert!(!with(SHT_PROGBITS, 0, &[1]));
    assert!(!with(SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, &[1]));
    assert!(!with(SHT_NOBITS, SHF_ALLOC, &[1]));
    assert!(!two_sections().image().has_fs_discriminators());
}
