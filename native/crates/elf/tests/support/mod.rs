//! Builds ELF files in memory.

#![allow(dead_code, reason = "each test file uses its share")]

use std::path::Path;
use std::process::Command;

use elf::{Arch, Image, ImageError, InstructionClass};

pub const SHT_PROGBITS: u32 = 1;
pub const SHT_NOTE: u32 = 7;
pub const SHT_NOBITS: u32 = 8;
pub const SHF_ALLOC: u64 = 2;
pub const SHF_EXECINSTR: u64 = 4;
pub const STT_SECTION: u8 = 3;
pub const SHN_ABS: u16 = 0xfff1;
pub const EM_386: u16 = 3;
pub const EM_X86_64: u16 = 62;
pub const EM_AARCH64: u16 = 183;
pub const ET_EXEC: u16 = 2;
pub const ET_DYN: u16 = 3;

/// Sizes that depend on the ELF class (gABI, "Object Files").
#[derive(Clone, Copy)]
pub struct Class {
    is_32: bool,
    header: usize,
    program_header: usize,
    section_header: usize,
    symbol: usize,
}

pub const CLASS_64: Class = Class {
    is_32: false,
    header: 64,
    program_header: 56,
    section_header: 64,
    symbol: 24,
};

pub const CLASS_32: Class = Class {
    is_32: true,
    header: 52,
    program_header: 32,
    section_header: 40,
    symbol: 16,
};

impl Class {
    /// Appends fields that are as wide as an address of the class.
    fn put(self, out: &mut Vec<u8>, fields: &[u64]) {
        for field in fields {
            out.extend(&field.to_le_bytes()[..if self.is_32 { 4 } else { 8 }]);
        }
    }
}

pub struct Section {
    pub name: &'static str,
    pub kind: u32,
    pub flags: u64,
    pub svma: u64,
    pub data: Vec<u8>,
}

/// A symbol of the file. `section` counts from 1, in the order in which sections are added.
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

/// An ELF file while it is being built. Each allocated section gets a `PT_LOAD` of its own, after the given program
/// headers.
pub struct ElfBuilder {
    pub class: Class,
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
            class: if machine == EM_386 { CLASS_32 } else { CLASS_64 },
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

    /// Returns the bytes of the file: header, program headers, contents, section headers.
    pub fn build(&self) -> Vec<u8> {
        let allocated = |section: &&Section| section.flags & SHF_ALLOC != 0;
        let segment_count = self.segments.len() + self.sections.iter().filter(allocated).count();
        let class = self.class;
        let mut bytes = vec![0; class.header + segment_count * class.program_header];
        let mut headers = vec![0; class.section_header];
        let mut names = vec![0];
        let mut program_headers = Vec::new();
        for segment in &self.segments {
            program_headers.extend(program_header(class, segment));
        }
        for section in &self.sections {
            let offset = append(&mut bytes, if section.kind == SHT_NOBITS { &[] } else { &section.data });
            let size = section.data.len() as u64;
            let name = intern(&mut names, section.name);
            headers.extend(section_header(
                class,
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
                program_headers.extend(program_header(
                    class,
                    &Segment {
                        executable,
                        svma: section.svma,
                        offset,
                        size,
                    },
                ));
            }
        }
        bytes[class.header..class.header + program_headers.len()].copy_from_slice(&program_headers);
        if self.has_symtab {
            let (symbols, strings) = self.symbol_table();
            let (offset, link) = (append(&mut bytes, &symbols), self.sections.len() as u32 + 2);
            headers.extend(section_header(
                class,
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
                class,
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
        headers.extend(section_header(class, name, 3, 0, 0, offset, names.len() as u64, 0));
        let section_count = (headers.len() / class.section_header) as u16;
        let section_offset = append(&mut bytes, &headers);

        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        bytes[4] = if class.is_32 { 1 } else { 2 };
        let mut header = Vec::new();
        header.extend(self.kind.to_le_bytes());
        header.extend(self.machine.to_le_bytes());
        header.extend(1_u32.to_le_bytes());
        class.put(&mut header, &[0, class.header as u64, section_offset]);
        header.extend(0_u32.to_le_bytes());
        let sizes = [class.header as u16, class.program_header as u16, segment_count as u16];
        for field in sizes
            .into_iter()
            .chain([class.section_header as u16, section_count, section_count - 1])
        {
            header.extend(field.to_le_bytes());
        }
        bytes[16..class.header].copy_from_slice(&header);
        bytes
    }

    fn symbol_table(&self) -> (Vec<u8>, Vec<u8>) {
        let class = self.class;
        let (mut symbols, mut strings) = (vec![0; class.symbol], vec![0]);
        for symbol in &self.symbols {
            symbols.extend(intern(&mut strings, &symbol.name).to_le_bytes());
            if class.is_32 {
                class.put(&mut symbols, &[symbol.svma, 0]);
            }
            symbols.extend([symbol.kind, 0]);
            symbols.extend(symbol.section.to_le_bytes());
            if !class.is_32 {
                class.put(&mut symbols, &[symbol.svma, 0]);
            }
        }
        (symbols, strings)
    }
}

/// Appends `data` at the next multiple of 8. Returns the offset.
fn append(bytes: &mut Vec<u8>, data: &[u8]) -> u64 {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    let offset = bytes.len() as u64;
    bytes.extend(data);
    offset
}

/// Appends `name` to a string table. Returns the offset; the empty name has offset 0.
fn intern(strings: &mut Vec<u8>, name: &str) -> u32 {
    if name.is_empty() {
        return 0;
    }
    let offset = strings.len() as u32;
    strings.extend(name.bytes().chain([0]));
    offset
}

fn program_header(class: Class, segment: &Segment) -> Vec<u8> {
    let mut header = Vec::new();
    let flags = (4 + u32::from(segment.executable)).to_le_bytes();
    header.extend(1_u32.to_le_bytes());
    if !class.is_32 {
        header.extend(flags);
    }
    class.put(
        &mut header,
        &[segment.offset, segment.svma, segment.svma, segment.size, segment.size],
    );
    if class.is_32 {
        header.extend(flags);
    }
    class.put(&mut header, &[0x1000]);
    header
}

#[expect(clippy::too_many_arguments, reason = "the fields of a section header")]
fn section_header(
    class: Class,
    name: u32,
    kind: u32,
    flags: u64,
    svma: u64,
    offset: u64,
    size: u64,
    link: u32,
) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend(name.to_le_bytes());
    header.extend(kind.to_le_bytes());
    class.put(&mut header, &[flags, svma, offset, size]);
    header.extend(link.to_le_bytes());
    header.extend(0_u32.to_le_bytes());
    class.put(&mut header, &[4, if kind == 2 { class.symbol as u64 } else { 0 }]);
    header
}

/// Makes a note with the owner "GNU" (gABI, "Note Section").
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

/// Returns true if `tool` runs. Otherwise prints that `test` is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
pub fn is_installed(test: &str, tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: {test}: {tool} is not installed");
    }
    found
}

/// Returns the class of an instruction in llvm-profgen's disassembly.
pub fn class_of(arch: Arch, instruction: &str) -> InstructionClass {
    use InstructionClass::{Branch, Call, Jump, Other, Return};
    const PREFIXES: [&str; 7] = ["rep", "repne", "lock", "notrack", "addr32", "addr16", "data16"];
    let mut words = instruction.split_whitespace().peekable();
    let mut mnemonic = words.next().unwrap_or_default();
    while PREFIXES.contains(&mnemonic) && words.peek().is_some() {
        mnemonic = words.next().unwrap_or_default();
    }
    let operands = words.next().unwrap_or_default();
    // Suffixes state the operand size: callq, lretl, iretw.
    let unsized_name = mnemonic.trim_end_matches(['q', 'l', 'w']);
    match (arch, mnemonic) {
        (Arch::AArch64, "bl" | "blr") => Call,
        (Arch::AArch64, "ret" | "eret" | "drps") => Return,
        (Arch::AArch64, "b") => Jump,
        (Arch::AArch64, "br" | "cbz" | "cbnz" | "tbz" | "tbnz") => Branch,
        (Arch::AArch64, _) if mnemonic.starts_with("b.") => Branch,
        (Arch::AArch64, _) | (_, "jmpabs") => Other,
        _ if matches!(unsized_name, "ca" | "lca") => Call,
        _ if matches!(unsized_name, "ret" | "lret" | "iret") => Return,
        (_, "jmp") if !operands.starts_with('*') => Jump,
        _ if mnemonic.starts_with(['j', 'J']) || mnemonic.starts_with("ljmp") => Branch,
        _ if mnemonic.starts_with("loop") || mnemonic == "xbegin" => Branch,
        _ => Other,
    }
}
