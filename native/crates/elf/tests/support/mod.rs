//! Builds ELF files in memory.

#![allow(dead_code, reason = "each test file uses its share")]

use std::path::Path;

use elf::{Image, ImageError};

pub const SHT_PROGBITS: u32 = 1;
pub const SHT_NOTE: u32 = 7;
pub const SHT_NOBITS: u32 = 8;
pub const SHF_ALLOC: u64 = 2;
pub const SHF_EXECINSTR: u64 = 4;
pub const STT_SECTION: u8 = 3;
pub const SHN_ABS: u16 = 0xfff1;
pub const EM_X86_64: u16 = 62;
pub const EM_AARCH64: u16 = 183;
pub const ET_EXEC: u16 = 2;
pub const ET_DYN: u16 = 3;

const HEADER_SIZE: usize = 64;
const PROGRAM_HEADER_SIZE: usize = 56;
const SECTION_HEADER_SIZE: usize = 64;

pub struct Section {
    pub name: &'static str,
    pub kind: u32,
    pub flags: u64,
    pub svma: u64,
    pub data: Vec<u8>,
}

/// `section` counts from 1, in the order of adding.
pub struct Symbol {
    pub name: String,
    pub svma: u64,
    pub section: u16,
    pub kind: u8,
}

pub struct Segment {
    pub executable: bool,
    pub svma: u64,
    pub offset: u64,
    pub size: u64,
}

/// An ELF file in the making. Each allocated section gets a `PT_LOAD` of its own after those given.
pub struct ElfBuilder {
    pub machine: u16,
    pub kind: u16,
    pub sections: Vec<Section>,
    pub symbols: Vec<Symbol>,
    pub segments: Vec<Segment>,
    pub has_symtab: bool,
}

impl ElfBuilder {
    pub fn new(machine: u16) -> Self {
        Self {
            machine,
            kind: ET_DYN,
            sections: vec![],
            symbols: vec![],
            segments: vec![],
            has_symtab: true,
        }
    }

    pub fn section(mut self, name: &'static str, kind: u32, flags: u64, svma: u64, data: &[u8]) -> Self {
        self.sections.push(Section {
            name,
            kind,
            flags,
            svma,
            data: data.to_vec(),
        });
        self
    }

    pub fn text(self, name: &'static str, svma: u64, data: &[u8]) -> Self {
        self.section(name, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, svma, data)
    }

    pub fn symbol(mut self, name: &str, svma: u64, section: u16) -> Self {
        self.symbols.push(Symbol {
            name: name.into(),
            svma,
            section,
            kind: 2,
        });
        self
    }

    pub fn segment(mut self, executable: bool, svma: u64, offset: u64, size: u64) -> Self {
        self.segments.push(Segment {
            executable,
            svma,
            offset,
            size,
        });
        self
    }

    pub fn open(&self) -> Result<Image, ImageError> {
        Image::from_bytes(self.build(), Path::new("built"))
    }

    pub fn image(&self) -> Image {
        self.open().expect("the built file is an image")
    }

    /// The file's bytes: header, program headers, contents, section headers.
    pub fn build(&self) -> Vec<u8> {
        let allocated = |section: &&Section| section.flags & SHF_ALLOC != 0;
        let segment_count = self.segments.len() + self.sections.iter().filter(allocated).count();
        let mut bytes = vec![0; HEADER_SIZE + segment_count * PROGRAM_HEADER_SIZE];
        let mut headers = vec![0; SECTION_HEADER_SIZE];
        let mut names = vec![0];
        let mut program_headers = Vec::new();
        for segment in &self.segments {
            program_headers.extend(program_header(segment));
        }
        for section in &self.sections {
            let offset = append(&mut bytes, if section.kind == SHT_NOBITS { &[] } else { &section.data });
            let size = section.data.len() as u64;
            let name = intern(&mut names, section.name);
            headers.extend(section_header(
                name,
                section.kind,
                section.flags,
                section.svma,
                offset,
                size,
                0,
            ));
            if allocated(&section) {
                let executable = section.flags & SHF_EXECINSTR != 0;
                program_headers.extend(program_header(&Segment {
                    executable,
                    svma: section.svma,
                    offset,
                    size,
                }));
            }
        }
        bytes[HEADER_SIZE..HEADER_SIZE + program_headers.len()].copy_from_slice(&program_headers);
        if self.has_symtab {
            let (symbols, strings) = self.symbol_table();
            let (offset, link) = (append(&mut bytes, &symbols), self.sections.len() as u32 + 2);
            headers.extend(section_header(
                intern(&mut names, ".symtab"),
                2,
                0,
                0,
                offset,
                symbols.len() as u64,
                link,
            ));
            let offset = append(&mut bytes, &strings);
            headers.extend(section_header(
                intern(&mut names, ".strtab"),
                3,
                0,
                0,
                offset,
                strings.len() as u64,
                0,
            ));
        }
        let name = intern(&mut names, ".shstrtab");
        let offset = append(&mut bytes, &names);
        headers.extend(section_header(name, 3, 0, 0, offset, names.len() as u64, 0));
        let section_count = (headers.len() / SECTION_HEADER_SIZE) as u16;
        let section_offset = append(&mut bytes, &headers);

        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        let mut header = Vec::new();
        header.extend(self.kind.to_le_bytes());
        header.extend(self.machine.to_le_bytes());
        header.extend(1_u32.to_le_bytes());
        header.extend(0_u64.to_le_bytes());
        header.extend((HEADER_SIZE as u64).to_le_bytes());
        header.extend(section_offset.to_le_bytes());
        header.extend(0_u32.to_le_bytes());
        let sizes = [HEADER_SIZE as u16, PROGRAM_HEADER_SIZE as u16, segment_count as u16];
        for field in sizes
            .into_iter()
            .chain([SECTION_HEADER_SIZE as u16, section_count, section_count - 1])
        {
            header.extend(field.to_le_bytes());
        }
        bytes[16..HEADER_SIZE].copy_from_slice(&header);
        bytes
    }

    fn symbol_table(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut symbols, mut strings) = (vec![0; 24], vec![0]);
        for symbol in &self.symbols {
            symbols.extend(intern(&mut strings, &symbol.name).to_le_bytes());
            symbols.extend([symbol.kind, 0]);
            symbols.extend(symbol.section.to_le_bytes());
            symbols.extend(symbol.svma.to_le_bytes());
            symbols.extend(0_u64.to_le_bytes());
        }
        (symbols, strings)
    }
}

/// Appends `data` at the next multiple of 8 and returns where.
fn append(bytes: &mut Vec<u8>, data: &[u8]) -> u64 {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let offset = bytes.len() as u64;
    bytes.extend(data);
    offset
}

/// Appends `name` to a string table and returns where; the empty name is at 0.
fn intern(strings: &mut Vec<u8>, name: &str) -> u32 {
    if name.is_empty() {
        return 0;
    }
    let offset = strings.len() as u32;
    strings.extend(name.bytes().chain([0]));
    offset
}

fn program_header(segment: &Segment) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(1_u32.to_le_bytes());
    header.extend((4 + u32::from(segment.executable)).to_le_bytes());
    for field in [
        segment.offset,
        segment.svma,
        segment.svma,
        segment.size,
        segment.size,
        0x1000,
    ] {
        header.extend(field.to_le_bytes());
    }
    header
}

fn section_header(name: u32, kind: u32, flags: u64, svma: u64, offset: u64, size: u64, link: u32) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(name.to_le_bytes());
    header.extend(kind.to_le_bytes());
    for field in [flags, svma, offset, size] {
        header.extend(field.to_le_bytes());
    }
    header.extend(link.to_le_bytes());
    header.extend(0_u32.to_le_bytes());
    for field in [4, if kind == 2 { 24 } else { 0_u64 }] {
        header.extend(field.to_le_bytes());
    }
    header
}

/// A note with the owner "GNU" (gABI, "Note Section").
pub fn gnu_note(kind: u32, description: &[u8]) -> Vec<u8> {
    let mut note = Vec::new();
    for field in [4, description.len() as u32, kind] {
        note.extend(field.to_le_bytes());
    }
    note.extend(b"GNU\0");
    note.extend(description);
    note.resize(note.len().next_multiple_of(4), 0);
    note
}
