//! Tests the symbols of a stripped image that come from its debug file.

mod support;

use elf::{Image, Svma, SymbolFileProblem};
use support::*;

const MARKER: &str = "__llvm_fs_discriminator__";

/// Builds a program, with or without sections between the others that are not loaded.
fn program(with_notes: bool) -> ElfBuilder {
    let mut built = ElfBuilder::new(EM_X86_64).text(".text", 0x1000, &[0x90; 16]);
    if with_notes {
        built = built.section(".rela.text", SHT_PROGBITS, 0, 0, &[0; 24]);
    }
    built
        .text(".text.hot", 0x2000, &[0x90; 32])
        .section(".rodata", SHT_PROGBITS, SHF_ALLOC, 0x3000, &[1])
}

fn stripped() -> Image {
    let built = ElfBuilder {
        has_symtab: false,
        ..program(false)
    };
    built.image()
}

/// Builds the program with its symbols. In a debug file, sections have no content.
fn debug_file() -> ElfBuilder {
    let mut built = program(true)
        .symbol("f", 0x1004, 1)
        .symbol("note", 0, 2)
        .symbol("hot", 0x2008, 3)
        .symbol(MARKER, 0x3000, 4)
        .symbol("", 0x2000, 3);
    built.symbols[4].kind = STT_SECTION;
    for section in &mut built.sections {
        section.kind = SHT_NOBITS;
    }
    built
}

#[test]
fn symbols_lie_in_the_sections_of_the_stripped_image() {
    let mut image = stripped();
    assert!(!image.has_code_symbols() && !image.has_fs_discriminators() && image.symbols().is_empty());
    assert_eq!(image.use_symbol_file(debug_file().image()), Ok(()));
    let name = |symbol| String::from_utf8_lossy(image.symbol_name(symbol)).into_owned();
    let found: Vec<_> = image.symbols().iter().map(|s| (s.section, s.svma.0, name(s))).collect();
    let expected = [
        (1, 0x1004, "f"),
        (2, 0x2000, ".text.hot"),
        (2, 0x2008, "hot"),
        (3, 0x3000, MARKER),
    ];
    assert_eq!(
        found,
        expected.map(|(section, svma, name)| (section, svma, name.to_owned()))
    );
    assert!(image.has_code_symbols() && image.has_fs_discriminators());
    assert_eq!(image.symbol_named(b"hot"), Some(Svma(0x2008)));
    assert_eq!(image.symbol_table().count(), 6, "the null symbol, too");
    assert_eq!(image.symbol_file(), Some(std::path::Path::new("built")));
}

#[test]
fn a_file_whose_code_is_elsewhere_is_refused() {
    let elsewhere = |change: fn(&mut ElfBuilder)| {
        let mut built = debug_file();
        change(&mut built);
        let (mut image, found) = (stripped(), built.image());
        let refused = image.use_symbol_file(found);
        assert!(image.symbols().is_empty() && image.symbol_file().is_none());
        refused
    };
    let other = |name: &str| Err(SymbolFileProblem::OtherSections(name.to_owned()));
    assert_eq!(elsewhere(|built| built.sections[0].svma += 16), other(".text"));
    assert_eq!(elsewhere(|built| built.sections[2].data.push(0x90)), other(".text.hot"));
    assert_eq!(
        elsewhere(|built| built.sections[2].flags = SHF_ALLOC),
        other(".text.hot")
    );
    assert_eq!(elsewhere(|built| drop(built.sections.remove(2))), other(".text.hot"));
    assert_eq!(
        elsewhere(|built| built.machine = EM_AARCH64),
        Err(SymbolFileProblem::OtherBuild)
    );
}

#[test]
fn a_file_of_another_build_is_refused() {
    let id = |byte: u8| {
        let header = [4_u32, 20, 3].map(u32::to_le_bytes).concat();
        [&header[..], b"GNU\0", &[byte; 20]].concat()
    };
    let with_id = |built: ElfBuilder, id: &[u8]| built.section(".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, 0x4000, id);
    let stripped = |byte| {
        let built = ElfBuilder {
            has_symtab: false,
            ..with_id(program(false), &id(byte))
        };
        built.image()
    };
    let mut file = with_id(debug_file(), &id(7)).image();
    assert_eq!(stripped(8).use_symbol_file(file), Err(SymbolFileProblem::OtherBuild));
    file = with_id(debug_file(), &id(7)).image();
    assert_eq!(stripped(7).use_symbol_file(file), Ok(()));
    assert_eq!(
        stripped(7).use_symbol_file(debug_file().image()),
        Ok(()),
        "it does not say"
    );
}

#[test]
fn damaged_files_are_survived() {
    let whole = debug_file().build();
    for at in 0..whole.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            read(bytes);
        }
        read(whole[..at].to_vec());
    }
}

/// Checks that every symbol that is read from these bytes lies in an existing section.
fn read(bytes: Vec<u8>) {
    let mut image = stripped();
    let Ok(file) = Image::from_bytes(bytes, std::path::Path::new("damaged")) else {
        return;
    };
    let _ = image.use_symbol_file(file);
    assert!(image.symbols().iter().all(|symbol| symbol.section <= 3));
    image
        .symbols()
        .iter()
        .for_each(|symbol| drop(image.symbol_name(symbol).to_vec()));
    image.code_symbols().count();
    image.symbol_table().count();
    image.has_fs_discriminators();
}
