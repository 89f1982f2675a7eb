//! Tests kernel modules: addresses of sections, relocations, tables of patch sites, compressed files, and files
//! whose headers lie.

#[path = "support/module.rs"]
mod module;
mod support;

use std::io::Write;
use std::path::Path;

use ::elf::{Code, DecodePolicy, Image, ImageError, ImageKind, LayoutProblem, Svma, lay_out};
use module::ModuleBuilder;
use object::Architecture::{Aarch64, X86_64};
use object::elf;
use object::read::elf::SectionHeader as _;
use proptest::prelude::*;
use support::gnu_note;

/// Address of the first byte of code of a module.
const BASE: u64 = 0x10_0000;
const ALLOC: u64 = 2;

/// The code `call; nop; ret`.
const CODE: [u8; 7] = [0xe8, 0, 0, 0, 0, 0x90, 0xc3];

#[track_caller]
fn section(image: &Image, name: &str) -> u64 {
    image.section(name).expect(name).svma.0
}

/// Compares with offsets that were worked out by hand from the rules in the kernel's `layout_sections`.
#[test]
fn code_lies_where_the_loader_puts_it() {
    let mut module = ModuleBuilder::new(X86_64, "m");
    module.section(".rodata", ALLOC, 64, &[0; 100]);
    let text = module.text(".text", 16, &[0x90; 0x13]);
    let init = module.text(".init.text", 16, &[0xc3; 5]);
    module.text(".altinstr_replacement", 1, &[0x90; 2]);
    let unlikely = module.text(".text.unlikely", 8, &[0xc3; 3]);
    let exit = module.text(".exit.text", 1, &[0xc3; 1]);
    for (name, section, offset) in [
        ("f", text, 2),
        ("init", init, 1),
        ("cold", unlikely, 0),
        ("exit", exit, 0),
    ] {
        module.symbol(name, Some(section), offset);
    }
    module.build_id(&gnu_note(3, &[7; 20]));
    let image = module.image();
    assert_eq!(
        (image.kind(), image.module_name()),
        (ImageKind::Module, Some(&b"m"[..]))
    );
    assert_eq!(image.build_id(), Some(&[7; 20][..]));
    assert_eq!(image.layout_problems(), []);
    for (name, offset) in [
        (".text", 0),
        (".altinstr_replacement", 0x13),
        (".text.unlikely", 0x18),
        (".exit.text", 0x1b),
    ] {
        assert_eq!(section(&image, name), BASE + offset, "{name}");
    }
    assert_eq!(
        (image.preferred_base(), image.text_segment().mem_size),
        (Svma(BASE), 0x1c)
    );
    let init = section(&image, ".init.text");
    assert!(image.load_segments()[1].svma == Svma(init) && init >= BASE + 0x1c);
    for (name, svma) in [
        ("f", BASE + 2),
        ("cold", BASE + 0x18),
        ("exit", BASE + 0x1b),
        ("init", init + 1),
    ] {
        assert_eq!(image.symbol_named(name.as_bytes()), Some(Svma(svma)), "{name}");
    }
    let code = Code::new(&image, DecodePolicy::FULL).expect("code");
    let starts: Vec<u64> = code
        .instructions(Svma(BASE + 0x12), Svma(init + 9))
        .map(|instruction| instruction.svma.0 - BASE)
        .collect();
    let init = init - BASE;
    assert_eq!(
        starts,
        [0x12, 0x18, 0x19, 0x1a, 0x1b, init + 1, init + 2, init + 3, init + 4]
    );
}

#[test]
fn sections_after_one_that_the_loader_enlarges_are_uncertain() {
    for (before, uncertain) in [(true, true), (false, false)] {
        let mut module = ModuleBuilder::new(Aarch64, "m");
        if !before {
            module.text(".text", 8, &[0; 8]);
        }
        module.text(".plt", 1, &[0]);
        module.text(".text.ftrace_trampoline", 1, &[0]);
        if before {
            module.text(".text", 8, &[0; 8]);
        }
        let image = module.image();
        let expected = LayoutProblem::UncertainOffset {
            section: ".text".into(),
            enlarged: ".text.ftrace_trampoline",
        };
        assert_eq!(image.layout_problems(), if uncertain { vec![expected] } else { vec![] });
    }
}

#[test]
fn debug_sections_are_relocated() {
    let cases = [
        (
            X86_64,
            [
                elf::R_X86_64_64,
                elf::R_X86_64_32,
                elf::R_X86_64_PC64,
                elf::R_X86_64_PC32,
                elf::R_X86_64_NONE,
            ],
        ),
        (
            Aarch64,
            [
                elf::R_AARCH64_ABS64,
                elf::R_AARCH64_ABS32,
                elf::R_AARCH64_PREL64,
                elf::R_AARCH64_PREL32,
                elf::R_AARCH64_NONE,
            ],
        ),
    ];
    for (architecture, kinds) in cases {
        let mut module = ModuleBuilder::new(architecture, "m");
        let text = module.text(".text", 16, &[0; 32]);
        let strings = module.section(".debug_str", 0, 1, b"\0abc\0");
        let info = module.section(".debug_info", 0, 1, &[0xee; 40]);
        let f = module.symbol("f", Some(text), 8);
        let strings = module.section_symbol(strings);
        for (kind, (offset, symbol, addend)) in
            kinds
                .into_iter()
                .zip([(0, f, 4), (8, strings, 3), (12, f, 0), (20, f, -1), (24, f, 0)])
        {
            module.relocation(info, offset, kind.0, symbol, addend);
        }
        let image = module.image();
        assert_eq!(image.layout_problems(), []);
        let found = image.section(".debug_info").expect("the section").data;
        let f = BASE + 8;
        let mut expected = (f + 4).to_le_bytes().to_vec();
        expected.extend(3_u32.to_le_bytes());
        // A section that is not in memory has the address zero, so these distances count from zero.
        expected.extend((f - 12).to_le_bytes());
        expected.extend((f as u32 - 1 - 20).to_le_bytes());
        expected.resize(40, 0xee);
        assert_eq!(found, expected, "{architecture:?}");
    }
}

#[test]
fn relocations_that_cannot_be_applied_are_told_and_the_others_applied() {
    let mut module = ModuleBuilder::new(X86_64, "m");
    let text = module.text(".text", 16, &[0; 32]);
    let info = module.section(".debug_info", 0, 1, &[0; 16]);
    let f = module.symbol("f", Some(text), 1);
    module.relocation(info, 0, elf::R_X86_64_DTPOFF64.0, f, 0);
    module.relocation(info, 9, elf::R_X86_64_64.0, f, 0);
    module.relocation(info, u64::MAX, elf::R_X86_64_64.0, f, 0);
    module.relocation(info, 8, elf::R_X86_64_64.0, f, 0);
    let image = module.image();
    let problems: Vec<String> = image.layout_problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["section .debug_info: 3 relocations could not be applied: unknown relocation type 17"]
    );
    assert_eq!(
        image.section(".debug_info").expect("the section").data[8..],
        (BASE + 1).to_le_bytes()
    );
}

fn passes(image: &Image) -> (bool, Vec<String>) {
    let code = Code::new(image, DecodePolicy::FULL).expect("code");
    let problems = code.patch_sites().problems().iter().map(ToString::to_string).collect();
    (code.is_valid_fall_through(Svma(BASE), Svma(BASE + 5)), problems)
}

#[test]
fn tables_of_patch_sites_are_sections_of_a_module() {
    type Relocations<'a> = &'a [(u64, elf::RelocationType, i64)];
    let tables: [(&str, usize, Relocations<'_>); 4] = [
        ("__mcount_loc", 8, &[(0, elf::R_X86_64_64, 0)]),
        (
            "__jump_table",
            16,
            &[(0, elf::R_X86_64_PC32, 0), (4, elf::R_X86_64_PC32, 6)],
        ),
        (
            ".static_call_sites",
            8,
            &[(0, elf::R_X86_64_PC32, 0), (4, elf::R_X86_64_PC32, 2)],
        ),
        ("__patchable_function_entries", 8, &[(0, elf::R_X86_64_64, 0)]),
    ];
    for (name, size, relocations) in tables {
        let mut module = ModuleBuilder::new(X86_64, "m");
        let text = module.text(".text", 16, &CODE);
        let f = module.symbol("f", Some(text), 0);
        assert_eq!(passes(&module.image()), (false, vec![]));
        let table = module.section(name, ALLOC, 8, &vec![0; size]);
        for &(offset, kind, addend) in relocations {
            module.relocation(table, offset, kind.0, f, addend);
        }
        assert_eq!(passes(&module.image()), (true, vec![]), "{name}");
        // Without relocations all addresses are wrong. An address of zero means "none".
        let mut damaged = ModuleBuilder::new(X86_64, "m");
        let text = damaged.text(".text", 16, &CODE);
        damaged.symbol("f", Some(text), 0);
        damaged.section(name, ALLOC, 8, &vec![0x55; size]);
        let (passes, problems) = passes(&damaged.image());
        assert!(
            !passes && problems[0].contains("have no known layout"),
            "{name}: {problems:?}"
        );
    }
}

/// The last bit of the key marks a tail call. The keys are symbols of the kernel.
#[test]
fn undefined_symbols_keep_what_is_added_to_them() {
    for (mark, gone) in [(0, true), (1, false)] {
        let mut module = ModuleBuilder::new(X86_64, "m");
        let text = module.text(".text", 16, &CODE);
        let f = module.symbol("f", Some(text), 0);
        let key = module.symbol("__SCK__key", None, 0);
        let table = module.section(".static_call_sites", ALLOC, 1, &[0; 8]);
        module.relocation(table, 0, elf::R_X86_64_PC32.0, f, 0);
        module.relocation(table, 4, elf::R_X86_64_PC32.0, key, mark);
        assert_eq!(passes(&module.image()), (gone, vec![]));
    }
}

fn small_module() -> Vec<u8> {
    let mut module = ModuleBuilder::new(X86_64, "m");
    let text = module.text(".text", 16, &CODE);
    let f = module.symbol("f", Some(text), 0);
    let info = module.section(".debug_info", 0, 1, &[0; 64]);
    module.relocation(info, 8, elf::R_X86_64_64.0, f, 1);
    let table = module.section("__mcount_loc", ALLOC, 8, &[0; 8]);
    module.relocation(table, 0, elf::R_X86_64_64.0, f, 0);
    module.build()
}

/// Most of a module are relocations of debug sections. They are applied and not needed any more.
#[test]
fn only_relocations_of_debug_sections_are_left_out_of_the_copy() {
    let bytes = small_module();
    let laid_out = lay_out(&bytes, Path::new("m.ko")).expect("laid out").bytes;
    let endian = object::LittleEndian;
    let file = object::read::elf::ElfFile64::<object::LittleEndian>::parse(&*bytes).expect("an ELF file");
    let sections = file.elf_section_table();
    let mut kept = Vec::new();
    for section in sections
        .iter()
        .filter(|section| section.sh_type(endian) == elf::SHT_RELA)
    {
        let (start, size) = section.file_range(endian).expect("content");
        let range = start as usize..(start + size) as usize;
        let relocated = sections.section(section.info_link(endian)).expect("a section");
        let is_debug = sections.section_name(endian, relocated) == Ok(b".debug_info");
        assert!(bytes[range.clone()].iter().any(|&byte| byte != 0));
        let expected = if is_debug {
            vec![0; range.len()]
        } else {
            bytes[range.clone()].to_vec()
        };
        assert_eq!(laid_out[range], expected);
        kept.push(!is_debug);
    }
    kept.sort_unstable();
    assert_eq!(kept, [false, true]);
}

fn open(bytes: Vec<u8>) -> Result<Image, ImageError> {
    Image::from_bytes(bytes, Path::new("m.ko"))
}

#[test]
fn compressed_files_are_read_as_what_is_in_them() {
    let plain = small_module();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).expect("written");
    let gzip = gzip.finish().expect("compressed");
    let image = open(gzip.clone()).expect("an image");
    assert_eq!(image.data(), open(plain).expect("an image").data());
    let error = open(gzip[..gzip.len() / 2].to_vec()).expect_err("damaged");
    assert!(matches!(error, ImageError::Compressed { .. }), "{error}");
    let error = open(b"\x1f\x8b\x08 and so on".to_vec())
        .expect_err("damaged")
        .to_string();
    assert!(error.starts_with("m.ko: compressed file: "), "{error}");
}

/// With `CONFIG_DEBUG_INFO_COMPRESSED`, the offsets of relocations count in the uncompressed content.
#[test]
fn compressed_sections_are_relocated() {
    let content = [0xee; 4096];
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    zlib.write_all(&content).expect("written");
    // In `Elf64_Chdr` (gABI), type 1 is zlib.
    let header = [1, 4096, 1_u64].map(u64::to_le_bytes).concat();
    let compressed = [header, zlib.finish().expect("compressed")].concat();
    let mut module = ModuleBuilder::new(X86_64, "m");
    let text = module.text(".text", 16, &CODE);
    let f = module.symbol("f", Some(text), 0);
    let info = module.section(".debug_info", elf::SHF_COMPRESSED.0, 1, &compressed);
    module.relocation(info, 4088, elf::R_X86_64_64.0, f, 1);
    let image = module.image();
    assert_eq!(image.layout_problems(), []);
    let found = image.section(".debug_info").expect("the section").data;
    assert_eq!(
        (&found[..4088], &found[4088..]),
        (&content[..4088], &(BASE + 1).to_le_bytes()[..])
    );
}

#[test]
fn object_files_are_no_modules() {
    let mut object = object::write::Object::new(object::BinaryFormat::Elf, X86_64, object::Endianness::Little);
    let note = object.add_section(vec![], b".note".to_vec(), object::SectionKind::Note);
    object.append_section_data(note, &gnu_note(3, &[1; 20]), 4);
    let error = open(object.write().expect("an object file")).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "m.ko: is a relocatable object file that is not a kernel module, expected an executable, shared object, vmlinux or kernel module"
    );
}

/// Returns the position of a field of the header of the section whose content starts with `content`.
fn header_field(bytes: &[u8], content: &[u8], field: usize) -> usize {
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes")) as usize;
    let headers = (number(0x28)..bytes.len() - 63).step_by(64);
    let mut headers = headers.filter(|header| bytes[number(header + 24)..].starts_with(content));
    headers.next().expect("the section") + field
}

#[test]
fn impossible_sections_are_refused_with_the_reason() {
    let cases = [
        (48, 3, "has the alignment 0x3, which is not a power of two"),
        (32, u64::MAX, "exceeds the address space"),
    ];
    for (field, value, reason) in cases {
        let mut bytes = small_module();
        let at = header_field(&bytes, &CODE, field);
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        let error = open(bytes).expect_err("refused").to_string();
        assert!(
            error.starts_with("m.ko: malformed ELF file: section ") && error.ends_with(reason),
            "{error}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn damaged_modules_do_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)) {
        let mut bytes = small_module();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(laid_out) = lay_out(&bytes, Path::new("m.ko")) {
            prop_assert_eq!(laid_out.bytes.len(), bytes.len());
        }
        if let Ok(image) = open(bytes)
            && let Ok(code) = Code::new(&image, DecodePolicy::FULL)
        {
            let _ = (image.symbols().len(), code.invalid_instructions().len());
        }
    }
}
