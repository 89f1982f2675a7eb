//! Builds kernel modules in memory.

#![allow(dead_code, reason = "each test file uses its share")]

use std::path::Path;

use ::elf::Image;
use object::elf::{self, SHF_ALLOC, SHF_EXECINSTR};
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope,
};

/// A kernel module while it is being built.
pub struct ModuleBuilder {
    object: Object<'static>,
}

impl ModuleBuilder {
    /// Begins a module named `name`, with the section that makes a relocatable file a kernel module.
    pub fn new(architecture: Architecture, name: &str) -> Self {
        let object = Object::new(BinaryFormat::Elf, architecture, Endianness::Little);
        let mut module = Self { object };
        module.section(
            ".gnu.linkonce.this_module",
            SHF_ALLOC.0 | elf::SHF_WRITE.0,
            64,
            &[0; 64],
        );
        module.section(
            ".modinfo",
            SHF_ALLOC.0,
            1,
            format!("license=GPL\0name={name}\0").as_bytes(),
        );
        module
    }

    pub fn section(&mut self, name: &str, flags: u64, align: u64, data: &[u8]) -> SectionId {
        let section = self.object.add_section(vec![], name.into(), SectionKind::Other);
        let raw = self.object.section_mut(section);
        raw.set_data(data.to_vec(), align);
        raw.flags = SectionFlags::Elf {
            sh_type: elf::SHT_PROGBITS,
            sh_flags: elf::SectionFlags(flags),
        };
        section
    }

    pub fn text(&mut self, name: &str, align: u64, data: &[u8]) -> SectionId {
        self.section(name, SHF_ALLOC.0 | SHF_EXECINSTR.0, align, data)
    }

    /// Adds the section with the build id in `note`.
    pub fn build_id(&mut self, note: &[u8]) {
        let section = self.section(".note.gnu.build-id", SHF_ALLOC.0, 4, note);
        self.object.section_mut(section).flags = SectionFlags::Elf {
            sh_type: elf::SHT_NOTE,
            sh_flags: SHF_ALLOC,
        };
    }

    /// Adds a function. Without a section, the function is undefined.
    pub fn symbol(&mut self, name: &str, section: Option<SectionId>, offset: u64) -> SymbolId {
        self.object.add_symbol(Symbol {
            name: name.into(),
            value: offset,
            size: 0,
            kind: SymbolKind::Text,
            scope: SymbolScope::Linkage,
            weak: false,
            section: section.map_or(SymbolSection::Undefined, SymbolSection::Section),
            flags: SymbolFlags::None,
        })
    }

    pub fn section_symbol(&mut self, section: SectionId) -> SymbolId {
        self.object.section_symbol(section)
    }

    pub fn relocation(&mut self, section: SectionId, offset: u64, r_type: u32, symbol: SymbolId, addend: i64) {
        let relocation = Relocation {
            offset,
            symbol,
            addend,
            flags: RelocationFlags::Elf {
                r_type: elf::RelocationType(r_type),
            },
        };
        self.object.add_relocation(section, relocation).expect("a relocation");
    }

    pub fn build(&self) -> Vec<u8> {
        self.object.write().expect("a module")
    }

    #[track_caller]
    pub fn image(&self) -> Image {
        Image::from_bytes(self.build(), Path::new("built.ko")).expect("an image")
    }
}
