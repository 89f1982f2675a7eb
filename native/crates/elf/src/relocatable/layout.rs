//! Computes the addresses at which Linux puts the sections of a module (Linux: kernel/module/main.c,
//! `layout_sections`).
//!
//! Sections are laid out class by class, code first, and in each class in the order of their headers. Sections
//! whose names start with `.init` get separate memory, which the kernel frees after the module was initialized. Up
//! to Linux 6.3 all classes of one memory follow each other; later kernels give each class separate memory. The
//! offsets of code from the base of the module are the same in both.

use object::LittleEndian;
use object::SectionIndex;
use object::elf::{self, SectionHeader64};
use object::read::elf::{SectionHeader as _, SectionTable};

use crate::Svma;
use crate::format::{ENDIAN, Elf};

/// Address of the base of the module, which is the first byte of its code. The base is not zero, because linkers
/// give the address zero to functions that they discarded.
const BASE: u64 = 0x10_0000;
/// Alignment of every area in bytes, no less than the size of any page.
const AREA_ALIGNMENT: u64 = 0x1_0000;
/// Sections that the module loader enlarges on arm64, by a size that depends on the CPU and on the configuration of
/// the kernel (Linux: arch/arm64/kernel/module-plts.c).
const ENLARGED: [&[u8]; 2] = [b".plt", b".text.ftrace_trampoline"];
/// Sections that the kernel does not keep in memory although their flags say so (Linux: `rewrite_section_headers`,
/// `percpu_modalloc`).
const NOT_KEPT: [&[u8]; 3] = [b".modinfo", b"__versions", b".data..percpu"];

/// A range of addresses for the sections of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) svma: Svma,
    pub(crate) size: u64,
}

/// The addresses of all sections.
pub(super) struct Layout {
    /// Addresses by section index; zero for a section that is not in memory.
    addresses: Vec<Svma>,
    /// The area of the code that stays in memory, and the area of the code for initialization.
    code: [Area; 2],
    /// A section whose offset from the base is uncertain, and the enlarged section that lies before it.
    pub(super) uncertain: Option<(String, &'static str)>,
}

/// The facts that decide where a section goes, in the order of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Class {
    data: bool,
    init: bool,
    writable: bool,
}

impl Class {
    fn of(section: &SectionHeader64<LittleEndian>, name: &[u8]) -> Option<Self> {
        let flags = section.sh_flags(ENDIAN);
        (flags.contains(elf::SHF_ALLOC) && !NOT_KEPT.contains(&name)).then(|| {
            let executable = flags.contains(elf::SHF_EXECINSTR);
            Self {
                data: !executable,
                init: name.starts_with(b".init"),
                writable: !executable && flags.contains(elf::SHF_WRITE),
            }
        })
    }
}

impl Layout {
    /// Lays out all sections. The error says why that is impossible.
    pub(super) fn new(sections: &SectionTable<'_, Elf>, names: &[&[u8]]) -> Result<Self, String> {
        let name = |index: usize| names.get(index).copied().unwrap_or_default();
        let mut members: Vec<(Class, usize)> = (0..sections.len())
            .zip(sections.iter())
            .filter_map(|(index, section)| Some((Class::of(section, name(index))?, index)))
            .collect();
        members.sort();
        let mut layout = Self {
            addresses: vec![Svma(0); sections.len()],
            code: [EMPTY; 2],
            uncertain: None,
        };
        let mut end = BASE;
        for area in members.chunk_by(|a, b| a.0 == b.0) {
            let class = area[0].0;
            let base = end.next_multiple_of(AREA_ALIGNMENT);
            let mut size = 0;
            for &(_, index) in area {
                let section = sections
                    .section(SectionIndex(index))
                    .map_err(|error| error.to_string())?;
                let start = place_section(section, &mut size).map_err(|what| format!("section {index} {what}"))?;
                layout.addresses[index] = Svma(base + start);
            }
            end = base
                .checked_add(size)
                .filter(|end| *end < 1 << 63)
                .ok_or("sections exceed the address space")?;
            if !class.data {
                layout.code[usize::from(class.init)] = Area { svma: Svma(base), size };
            }
            if !class.data && !class.init {
                let names = area.iter().map(|&(_, index)| name(index));
                layout.uncertain = find_uncertain_section(names);
            }
        }
        Ok(layout)
    }

    /// Returns the address of a section; zero for a section that is not in memory.
    pub(super) fn address(&self, section: SectionIndex) -> Svma {
        self.addresses.get(section.0).copied().unwrap_or_default()
    }

    /// Returns the areas of code: first the code that stays in memory, then, if there is any, the code that is
    /// freed after initialization.
    pub(super) fn code(&self) -> Vec<Area> {
        let [mut core, init] = self.code;
        if core == EMPTY {
            core.svma = Svma(BASE);
        }
        [core].into_iter().chain((init != EMPTY).then_some(init)).collect()
    }
}

const EMPTY: Area = Area { svma: Svma(0), size: 0 };

/// Puts a section after the first `size` bytes of its area. Returns the offset of the section in the area.
fn place_section(section: &SectionHeader64<LittleEndian>, size: &mut u64) -> Result<u64, String> {
    let (alignment, length) = (section.sh_addralign(ENDIAN).max(1), section.sh_size(ENDIAN));
    if !alignment.is_power_of_two() {
        return Err(format!("has the alignment {alignment:#x}, which is not a power of two"));
    }
    let start = size.checked_next_multiple_of(alignment);
    let end = start.and_then(|start| start.checked_add(length));
    // The limit of 2^62 keeps every later sum of addresses in range.
    match (start, end.filter(|end| *end < 1 << 62)) {
        (Some(start), Some(end)) => {
            *size = end;
            Ok(start)
        }
        _ => Err(format!(
            "of {length:#x} bytes, aligned to {alignment:#x}, exceeds the address space"
        )),
    }
}

/// Returns the first code section that lies after a section that the loader enlarges, and the enlarged section.
/// `names` are the names of the code sections in their order.
fn find_uncertain_section<'n>(names: impl Iterator<Item = &'n [u8]>) -> Option<(String, &'static str)> {
    let mut before = None;
    for name in names {
        match (ENLARGED.iter().find(|enlarged| **enlarged == name), before) {
            (Some(enlarged), _) => before = std::str::from_utf8(enlarged).ok(),
            (None, Some(enlarged)) => return Some((String::from_utf8_lossy(name).into_owned(), enlarged)),
            (None, None) => {}
        }
    }
    None
}
