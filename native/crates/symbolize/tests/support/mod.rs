//! Assembles DWARF by hand, byte for byte, for cases that compilers do not write.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::Path;
use std::sync::Arc;

use elf::Svma;
use object::write::Object;
use object::{Architecture, BinaryFormat, Endianness, SectionKind};
use symbolize::{DebugInfo, DebugOptions, FileSystem, FollowLinks, FrameTable, FunctionTable};

pub const TAG_COMPILE_UNIT: u8 = 0x11;
pub const TAG_SUBPROGRAM: u8 = 0x2e;
pub const TAG_INLINED: u8 = 0x1d;
pub const TAG_LEXICAL_BLOCK: u8 = 0x0b;
pub const AT_NAME: u8 = 0x03;
pub const AT_STMT_LIST: u8 = 0x10;
pub const AT_LOW_PC: u8 = 0x11;
pub const AT_HIGH_PC: u8 = 0x12;
pub const AT_ABSTRACT_ORIGIN: u8 = 0x31;
pub const AT_DECL_FILE: u8 = 0x3a;
pub const AT_DECL_LINE: u8 = 0x3b;
pub const AT_SPECIFICATION: u8 = 0x47;
pub const AT_RANGES: u8 = 0x55;
pub const AT_CALL_LINE: u8 = 0x59;
pub const AT_LINKAGE_NAME: u8 = 0x6e;
pub const FORM_ADDR: u8 = 0x01;
pub const FORM_DATA4: u8 = 0x06;
pub const FORM_STRING: u8 = 0x08;
pub const FORM_DATA1: u8 = 0x0b;
pub const FORM_REF4: u8 = 0x13;
pub const FORM_SEC_OFFSET: u8 = 0x17;

/// Little-endian bytes.
#[derive(Default, Clone)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    pub fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }
    pub fn u16(mut self, value: u16) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    pub fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    pub fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }
    pub fn string(self, text: &str) -> Self {
        self.raw(text.as_bytes()).u8(0)
    }
}

/// Builds an abbreviation: code, tag, whether it has children, (attribute, form) pairs.
pub fn abbreviation(code: u8, tag: u8, children: bool, attributes: &[(u8, u8)]) -> Vec<u8> {
    let mut bytes = vec![code, tag, u8::from(children)];
    bytes.extend(attributes.iter().flat_map(|(at, form)| [*at, *form]));
    bytes.extend([0, 0]);
    bytes
}

/// Size of the header that [`unit`] writes, in bytes. The DIE of the unit begins at this offset from the header.
pub const HEADER: u32 = 11;

/// Builds a DWARF 4 unit with these DIEs. Its abbreviations are the first in their section.
pub fn unit(dies: &Bytes) -> Vec<u8> {
    let len = u32::try_from(dies.0.len() + 7).unwrap();
    let header = Bytes::default().u32(len).u16(4).u32(0).u8(8);
    header.raw(&dies.0).0
}

/// Builds a DWARF 4 line program whose only file is `a.c` and whose opcodes are `program`.
pub fn line_program(program: &[u8]) -> Vec<u8> {
    let tables = Bytes::default()
        // These are minimum_instruction_length, maximum_operations, default_is_stmt, line_base, line_range,
        // opcode_base.
        .raw(&[1, 1, 1, 0xfb, 14, 13])
        .raw(&[0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1])
        .u8(0)
        .string("a.c")
        .raw(&[0, 0, 0, 0]);
    let header_len = u32::try_from(tables.0.len()).unwrap();
    let len = u32::try_from(tables.0.len() + program.len() + 6).unwrap();
    let bytes = Bytes::default().u32(len).u16(4).u32(header_len);
    bytes.raw(&tables.0).raw(program).0
}

/// Encodes `DW_LNE_set_address`.
pub fn set_address(address: u64) -> Vec<u8> {
    Bytes::default().raw(&[0, 9, 2]).u64(address).0
}

/// Encodes `DW_LNS_advance_line`, for small steps.
pub fn advance_line(delta: i8) -> Vec<u8> {
    vec![3, delta.cast_unsigned() & 0x7f]
}

/// `DW_LNS_copy`
pub const COPY: [u8; 1] = [1];
/// `DW_LNE_end_sequence`
pub const END_SEQUENCE: [u8; 3] = [0, 1, 1];

/// Builds an ELF file with these sections.
pub fn elf(sections: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    for (name, bytes) in sections {
        let id = object.add_section(Vec::new(), name.as_bytes().to_vec(), SectionKind::Debug);
        object.append_section_data(id, bytes, 1);
    }
    object.write().unwrap()
}

/// Opens the file without looking for other files.
pub fn open(elf: Vec<u8>) -> DebugInfo {
    let options = DebugOptions {
        follow_links: FollowLinks::NONE,
        ..DebugOptions::default()
    };
    DebugInfo::load(
        Arc::new(elf),
        Path::new("/nonexistent/program"),
        None,
        &options,
        &FileSystem,
    )
    .unwrap()
}

/// Opens the file as [`open`] does, with LLVM's choice among functions that the linker folded into one.
pub fn open_as_llvm(elf: Vec<u8>) -> DebugInfo {
    let options = DebugOptions {
        follow_links: FollowLinks::NONE,
        folded_functions_by_lines: false,
        ..DebugOptions::default()
    };
    DebugInfo::load(
        Arc::new(elf),
        Path::new("/nonexistent/program"),
        None,
        &options,
        &FileSystem,
    )
    .unwrap()
}

/// Builds the table of all functions.
pub fn functions(debug: &DebugInfo) -> FunctionTable {
    FunctionTable::build(debug, Svma(0), &|| true).unwrap()
}

/// Builds the frame table of all addresses.
pub fn frames(debug: &DebugInfo) -> FrameTable {
    FrameTable::build(debug, &[(Svma(0), Svma(u64::MAX))], &|| true).unwrap()
}

/// Returns the inline stack at an address, leaf first, as `name:line offset.discriminator`.
pub fn stack(table: &FrameTable, address: u64) -> Vec<String> {
    let Some(leaf) = table.lookup(Svma(address)) else {
        return Vec::new();
    };
    let frames = table.stack(leaf).map(|frame| {
        let name = String::from_utf8_lossy(table.name(frame.function)).into_owned();
        match frame.discriminator {
            0 => format!("{name}:{}", frame.line_offset),
            discriminator => format!("{name}:{}.{discriminator}", frame.line_offset),
        }
    });
    frames.collect()
}
