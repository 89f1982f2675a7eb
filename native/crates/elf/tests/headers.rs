//! Tests the values that are read from the headers of an image, and the errors for files that are refused.

mod support;

use std::path::Path;

use elf::{Arch, Code, DecodePolicy, FileOffset, Image, ImageError, ImageKind, Svma};
use support::*;

const RET: &[u8] = &[0xc3];

fn small() -> ElfBuilder {
    ElfBuilder::new(EM_X86_64)
        .text(".text", 0x1000, RET)
        .symbol("f", 0x1000, 1)
}

fn refused(bytes: Vec<u8>) -> String {
    Image::from_bytes(bytes, Path::new("x"))
        .expect_err("not an image")
        .to_string()
}

/// Returns the small file with the byte at `offset` replaced.
fn patched(offset: usize, byte: u8) -> Vec<u8> {
    let mut bytes = small().build();
    bytes[offset] = byte;
    bytes
}

#[test]
fn tells_kinds_and_machines_apart() {
    assert_eq!(small().image().kind(), ImageKind::SharedObject);
    assert_eq!(
        ElfBuilder {
            kind: ET_EXEC,
            ..small()
        }
        .image()
        .kind(),
        ImageKind::Executable
    );
    let kernel = ElfBuilder::new(EM_X86_64).text(".text", 0xffff_ffff_8100_0000, RET);
    assert_eq!(kernel.image().kind(), ImageKind::Kernel);
    assert_eq!(small().image().arch(), Arch::X86_64);
    assert_eq!(
        ElfBuilder {
            machine: EM_AARCH64,
            ..small()
        }
        .image()
        .arch(),
        Arch::AArch64
    );
}

#[test]
fn files_of_32_bits_have_segments_sections_and_symbols() {
    for (machine, arch) in [(EM_386, Arch::X86), (EM_X86_64, Arch::X86_64)] {
        let builder = ElfBuilder {
            class: CLASS_32,
            ..ElfBuilder::new(machine)
        };
        let note = gnu_note(3, b"identity");
        let builder = builder
            .text(".text", 0x804_9000, &[0x90, 0xc3, 0x40, 0xc3])
            .section(".note", SHT_NOTE, 0, 0, &note)
            .symbol("first", 0x804_9000, 1)
            .symbol("second", 0x804_9002, 1);
        let image = builder.image();
        assert_eq!(image.arch(), arch);
        assert_eq!(image.build_id(), Some(&b"identity"[..]));
        assert_eq!(image.preferred_base(), Svma(0x804_9000));
        let names: Vec<_> = image.symbols().iter().map(|symbol| image.symbol_name(symbol)).collect();
        assert_eq!(names, [b"first".as_slice(), b"second"]);
        // The byte 40 is `inc eax` in 32-bit mode, and a prefix of `ret` in 64-bit mode.
        let code = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect("code");
        let found: Vec<_> = code
            .instructions(Svma(0), Svma(u64::MAX))
            .map(|i| (i.svma.0, i.length))
            .collect();
        let end: &[(u64, u8)] = match arch {
            Arch::X86 => &[(0x804_9002, 1), (0x804_9003, 1)],
            _ => &[(0x804_9002, 2)],
        };
        assert_eq!(found, [&[(0x804_9000, 1), (0x804_9001, 1)], end].concat());
    }
}

#[test]
fn names_what_is_wrong() {
    let missing = Image::open(Path::new("/nonexistent/program")).expect_err("missing");
    assert!(matches!(missing, ImageError::Io { .. }), "{missing}");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let error = Image::open(directory.path()).expect_err("a directory").to_string();
    assert!(error.ends_with("is a directory, expected an ELF file"), "{error}");

    assert_eq!(refused(vec![]), "x: is empty, expected an ELF file");
    assert_eq!(refused(b"#!/bin/sh\n".to_vec()), "x: is a script, expected an ELF file");
    let ilp32 = ElfBuilder {
        class: CLASS_32,
        machine: EM_AARCH64,
        ..small()
    };
    assert_eq!(
        refused(ilp32.build()),
        "x: is a 32-bit ELF file for AArch64 (ILP32); of 32-bit files only those for x86 are supported"
    );
    let cut = ilp32.build()[..48].to_vec();
    assert!(refused(cut).contains("ELF header"));
    assert_eq!(
        refused(patched(5, 2)),
        "x: is a big-endian ELF file, only little-endian ones are supported"
    );
    assert_eq!(
        refused(patched(18, 243)),
        "x: is for ELF machine 243 (RISC-V), expected x86-64 (62), i386 (3) or AArch64 (183)"
    );
    assert!(refused(patched(16, 4)).contains("is a core dump"));
    assert!(refused(patched(16, 1)).contains("is a relocatable object file"));
    let data_only = ElfBuilder::new(EM_X86_64).section(".data", SHT_PROGBITS, SHF_ALLOC, 0x1000, &[1]);
    assert_eq!(refused(data_only.build()), "x: no executable segment found");
}

#[test]
fn says_where_a_cut_off_file_should_end() {
    let whole = small().build();
    let mut cut = whole.clone();
    cut.truncate(whole.len() - 1);
    let (end, size) = (whole.len(), cut.len());
    let want = format!("x: truncated: section header table ends at offset {end:#x}, the file at {size:#x}");
    assert_eq!(refused(cut), want);
    for length in 4..whole.len() {
        let mut cut = whole.clone();
        cut.truncate(length);
        assert!(refused(cut).contains("truncated"), "{length}");
    }
}

#[test]
fn a_cut_off_code_section_is_an_error_and_other_sections_are_not() {
    let mut bytes = small().section(".debug_info", SHT_PROGBITS, 0, 0, &[1; 4]).build();
    let table = u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize;
    let size_of = |section: usize| table + 64 * section + 32;
    bytes[size_of(2) + 4] = 1;
    let image = Image::from_bytes(bytes.clone(), Path::new("x")).expect("debug information is not read here");
    assert_eq!(image.section(".debug_info").expect("the section").data, b"");
    bytes[size_of(1) + 4] = 1;
    assert!(refused(bytes).contains("truncated: section content"));
}

#[test]
fn finds_the_text_segment_as_llvm_profgen_does() {
    let image = ElfBuilder::new(EM_X86_64)
        .segment(false, 0, 0, 0x200)
        .segment(true, 0x1234, 0x234, 0x100)
        .segment(false, 0x3000, 0x200, 0x80)
        .text(".text", 0x1234, RET)
        .image();
    assert_eq!(image.preferred_base(), Svma(0x1000));
    assert_eq!(image.first_loadable_address(true), Svma(0x1000));
    assert_eq!(image.first_loadable_address(false), Svma(0));
    assert_eq!(image.load_segments().len(), 4);
    assert_eq!(image.text_segment().offset, FileOffset(0x234));
    let all_at_zero = ElfBuilder::new(EM_X86_64).text(".text", 0x10, RET).image();
    assert_eq!(all_at_zero.first_loadable_address(true), Svma(0));
}

#[test]
fn maps_file_offsets_through_segments_and_prefers_the_executable() {
    let image = ElfBuilder::new(EM_X86_64)
        .segment(false, 0x10_0000, 0x1000, 0x100)
        .segment(true, 0x20_1080, 0x1080, 0x100)
        .text(".text", 0x30_0000, RET)
        .image();
    assert_eq!(image.svma_of_file_offset(FileOffset(0x1000)), Some(Svma(0x10_0000)));
    assert_eq!(image.svma_of_file_offset(FileOffset(0x1080)), Some(Svma(0x20_1080)));
    assert_eq!(image.svma_of_file_offset(FileOffset(0x117f)), Some(Svma(0x20_117f)));
    assert_eq!(image.svma_of_file_offset(FileOffset(0x1180)), None);
    assert_eq!(image.svma_of_file_offset(FileOffset(u64::MAX)), None);
}

#[test]
fn finds_the_build_id_among_other_notes() {
    let notes = [gnu_note(1, &[0; 16]), gnu_note(3, &[0xab; 20])].concat();
    let image = small()
        .section(".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, 0x200, &notes)
        .image();
    assert_eq!(image.build_id(), Some(&[0xab; 20][..]));
    assert_eq!(small().image().build_id(), None);
}

#[test]
fn finds_the_build_id_through_the_program_headers_alone() {
    let note = gnu_note(3, &[0xcd; 8]);
    let built = small()
        .segment(false, 0x5000, 0, 0)
        .section(".custom", SHT_PROGBITS, 0, 0, &note);
    let mut bytes = built.build();
    let offset = built.image().section(".custom").expect("the section").offset.0;
    let program_header = &mut bytes[64..64 + 56];
    program_header[..4].copy_from_slice(&4_u32.to_le_bytes()); // PT_NOTE
    program_header[8..16].copy_from_slice(&offset.to_le_bytes());
    program_header[32..40].copy_from_slice(&(note.len() as u64).to_le_bytes());
    program_header[48..56].copy_from_slice(&4_u64.to_le_bytes());
    let image = Image::from_bytes(bytes, Path::new("x")).expect("an image");
    assert_eq!(image.build_id(), Some(&[0xcd; 8][..]));
}

#[test]
fn hands_out_sections() {
    let built = small()
        .section(".debug_line", SHT_PROGBITS, 0, 0, b"lines")
        .section(".bss", SHT_NOBITS, SHF_ALLOC, 0x4000, &[0; 64]);
    let image = built.image();
    let lines = image.section(".debug_line").expect("the section");
    assert_eq!(lines.data, b"lines");
    assert_eq!(&image.data()[lines.offset.0 as usize..][..5], b"lines");
    assert_eq!(
        image.section(".text").map(|text| (text.svma, text.data)),
        Some((Svma(0x1000), RET))
    );
    assert_eq!(image.section(".bss").map(|bss| bss.data), Some(&b""[..]));
    assert!(image.section(".nothing").is_none());
    assert!(!image.has_pseudo_probes());
    let half = small().section(".pseudo_probe", SHT_PROGBITS, 0, 0, &[1]);
    assert!(!half.image().has_pseudo_probes());
    assert!(
        half.section(".pseudo_probe_desc", SHT_PROGBITS, 0, 0, &[1])
            .image()
            .has_pseudo_probes()
    );
}
