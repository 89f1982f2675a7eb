//! Tests kernel modules whose debug information is in a separate file, which is relocatable as well.

mod support;

use std::path::Path;
use std::sync::Arc;

use ::elf::Svma;
use object::elf;
use object::write::{Object, Relocation};
use object::{Architecture, BinaryFormat, Endianness, RelocationFlags, SectionFlags, SectionKind};
use support::*;
use symbolize::{DebugFileSource, DebugInfo, DebugOptions, Diagnostic, FileSystem, FollowLinks};

/// Address at which `::elf::lay_out` puts the first byte of code, followed by the offset of the function in the
/// code.
const BASE: u64 = 0x10_0000;
const FUNCTION: u64 = 4;

/// Builds an object file with a build id and, if requested, the debug information of `f`, whose address is a
/// relocation.
fn object_file(id: u8, with_debug_info: bool) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let text = object.add_section(vec![], b".text".to_vec(), SectionKind::Text);
    object.append_section_data(text, &[0x90; 16], 16);
    let note = object.add_section(vec![], b".note.gnu.build-id".to_vec(), SectionKind::Note);
    let header = Bytes::default().u32(4).u32(20).u32(3).string("GNU");
    object.append_section_data(note, &header.raw(&[id; 20]).0, 4);
    object.section_mut(note).flags = SectionFlags::Elf {
        sh_type: elf::SHT_NOTE,
        sh_flags: elf::SHF_ALLOC,
    };
    if with_debug_info {
        let subprogram = [(AT_NAME, FORM_STRING), (AT_LOW_PC, FORM_ADDR), (AT_HIGH_PC, FORM_DATA4)];
        let mut abbreviations = abbreviation(1, TAG_COMPILE_UNIT, true, &[]);
        abbreviations.extend(abbreviation(2, TAG_SUBPROGRAM, false, &subprogram));
        abbreviations.push(0);
        let section = object.add_section(vec![], b".debug_abbrev".to_vec(), SectionKind::Debug);
        object.append_section_data(section, &abbreviations, 1);
        let dies = Bytes::default().u8(1).u8(2).string("f").u64(0).u32(8).u8(0);
        let section = object.add_section(vec![], b".debug_info".to_vec(), SectionKind::Debug);
        object.append_section_data(section, &unit(&dies), 1);
        let relocation = Relocation {
            offset: u64::from(HEADER) + 4,
            symbol: object.section_symbol(text),
            addend: FUNCTION.cast_signed(),
            flags: RelocationFlags::Elf {
                r_type: elf::R_X86_64_64,
            },
        };
        object.add_relocation(section, relocation).expect("a relocation");
    }
    object.write().expect("an object file")
}

/// Loads the debug information of a module. Its debug file has the build id 7 and the name `debug_file`.
fn load(module: &str, id: u8, debug_file: &str, follow_links: FollowLinks) -> DebugInfo {
    let root = tempfile::tempdir().expect("a folder");
    let root = root.path().canonicalize().expect("a path");
    let folder = root.join("lib/modules");
    let tree = root.join("debug");
    let below = tree.join(folder.strip_prefix("/").expect("below the root"));
    for folder in [&folder, &below] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    std::fs::write(below.join(debug_file), object_file(7, true)).expect("written");
    let path = folder.join(module);
    let module = ::elf::lay_out(&object_file(id, false), Path::new("module")).expect("laid out");
    std::fs::write(&path, b"compressed, for example").expect("written");
    let options = DebugOptions {
        debug_directories: vec![tree],
        follow_links,
        ..DebugOptions::default()
    };
    DebugInfo::load(Arc::new(module.bytes), &path, None, &options, &FileSystem).expect("loaded")
}

#[test]
fn the_file_at_the_same_path_below_a_debug_directory_is_used_if_it_is_of_the_same_build() {
    for (module, debug_file) in [("m.ko", "m.ko"), ("m.ko.xz", "m.ko"), ("m.ko.zst", "m.ko.debug")] {
        let debug = load(module, 7, debug_file, FollowLinks::ALL);
        let found = functions(&debug).find(Svma(BASE + FUNCTION + 7)).expect("the function");
        assert_eq!(
            (found.start, found.end),
            (Svma(BASE + FUNCTION), Svma(BASE + FUNCTION + 8)),
            "{module}"
        );
        let source = |found: &Diagnostic| {
            matches!(
                found,
                Diagnostic::DebugFile {
                    source: DebugFileSource::Path,
                    ..
                }
            )
        };
        assert!(debug.diagnostics().iter().any(source), "{:?}", debug.diagnostics());
    }
    let debug = load("m.ko", 8, "m.ko", FollowLinks::ALL);
    assert!(functions(&debug).is_empty());
    assert!(
        matches!(debug.diagnostics(), [Diagnostic::CandidateRejected { .. }]),
        "{:?}",
        debug.diagnostics()
    );
    for links in [FollowLinks::LLVM, FollowLinks::NONE] {
        assert!(functions(&load("m.ko", 7, "m.ko", links)).is_empty());
    }
}

#[test]
fn a_debug_binary_named_by_hand_may_be_relocatable() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("m.ko.debug");
    std::fs::write(&path, object_file(7, true)).expect("written");
    let options = DebugOptions {
        debug_binary: Some(path),
        follow_links: FollowLinks::NONE,
        ..DebugOptions::default()
    };
    let module = ::elf::lay_out(&object_file(7, false), Path::new("module")).expect("laid out");
    let debug = DebugInfo::load(
        Arc::new(module.bytes),
        Path::new("/nonexistent/m.ko"),
        None,
        &options,
        &FileSystem,
    )
    .expect("loaded");
    assert_eq!(
        functions(&debug)
            .start_ranges()
            .map(|range| range.start)
            .collect::<Vec<_>>(),
        [Svma(BASE + FUNCTION)]
    );
}
