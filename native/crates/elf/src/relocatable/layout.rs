//! Where Linux puts the sections of a module (Linux: kernel/module/main.c, `layout_sections`).
//!
//! Sections are laid out class by class, code first, and in each class in the order of their headers. Sections whose names start
//! with `.init` get memory of their own, which is given back after the module was initialized. To Linux 6.3 all classes of one
//! memory follow each other, later ones have separate memory each; the offsets of code from the module's base are the same.

use object::LittleEndian;
use object::SectionIndex;
use object::elf::{self, SectionHeader64};
use object::read::elf::{SectionHeader as _, SectionTable};

use crate::Svma;
use crate::format::{ENDIAN, Elf};

/// The address of the module's base, which is the first byte of its code. Not zero: there, linkers leave functions
/// that they discarded.
const BASE: u64 = 0x10_0000;
/// What every area is aligned to, no less than any page.
const AREA_ALIGNMENT: u64 = 0x1_0000;
/// Sections that the loader enlarges on arm64, by as much as the CPU and its configuration ask for (Linux:
/// arch/arm64/kernel/module-plts.c).
const ENLARGED: [&[u8]; 2] = [b".plt", b".text.ftrace_trampoline"];
/// Sections that are not kept in memory although their flags say so (Linux: `rewrite_section_headers`, `percpu_modalloc`).
const NOT_KEPT: [&[u8]; 3] = [b".modinfo", b"__versions", b".data..percpu"];

/// A stretch of addresses for sections of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) svma: Svma,
    pub(crate) size: u64,
}

/// The addresses of all sections.
pub(super) struct Layout {
    /// By section index; zero for what is not in memory.
    addresses: Vec<Svma>,
    /// The code that stays, and that for initialization.
    code: [Area; 2],
    /// The section whose offset from the base is not known for sure, and the enlarged one that lies before it.
    pub(super) uncertain: Option<(String, &'static str)>,
}

/// What decides where a section goes, in the order of addresses.
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
    /// Lays out all sections, or tells why that is impossible.
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
                let start = place(section, &mut size).map_err(|what| format!("section {index} {what}"))?;
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
                layout.uncertain = uncertain(names);
            }
        }
        Ok(layout)
    }

    /// The address of a section; zero for one that is not in memory.
    pub(super) fn address(&self, section: SectionIndex) -> Svma {
        self.addresses.get(section.0).copied().unwrap_or_default()
    }

    /// Where the code is: first what stays, then, if there is any, what is freed after initialization.
    pub(super) fn code(&self) -> Vec<Area> {
        let [mut core, init] = self.code;
        if core == EMPTY {
            core.svma = Svma(BASE);
        }
        [core].into_iter().chain((init != EMPTY).then_some(init)).collect()
    }
}

const EMPTY: Area = Area { svma: Svma(0), size: 0 };

/// Puts a section behind the `size` bytes that its area has; returns its offset.
fn place(section: &SectionHeader64<LittleEndian>, size: &mut u64) -> Result<u64, String> {
    let (alignment, length) = (section.sh_addralign(ENDIAN).max(1), section.sh_size(ENDIAN));
    if !alignment.is_power_of_two() {
        return Err(format!("has the alignment {alignment:#x}, which is no power of two"));
    }
    let start = size.checked_next_multiple_of(alignment);
    let end = start.and_then(|start| start.checked_add(length));
    // Far from where an address would not fit.
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

/// Of the names of code sections in their order: one that lies behind a section that the loader enlarges.
fn uncertain<'n>(names: impl Iterator<Item = &'n [u8]>) -> Option<(String, &'static str)> {
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
