//! The tables in which a kernel keeps its patch sites, and the layouts that their entries have had.
//!
//! Linux: include/asm-generic/vmlinux.lds.h and arch/*/kernel/vmlinux.lds.S name the borders in a kernel. A module has a section for
//! each table (Linux: arch/*/kernel/module.c; FTRACE_CALLSITE_SECTION in include/linux/ftrace.h).

use super::{PatchTableProblem, Stretch};
use crate::Svma;
use crate::code::Layout;

/// A kind of table.
pub(super) struct Kind {
    /// As messages call it. The name of its section in a module.
    pub(super) name: &'static str,
    /// The section's name in modules of other architectures and compilers, if it differs.
    pub(super) other_name: Option<&'static str>,
    /// The symbol at the first entry.
    pub(super) first: &'static str,
    /// The symbol behind the last entry.
    pub(super) behind: &'static str,
    /// See [`Stretch::passable`].
    passes: Passes,
    /// The layouts that kernels have used. Which one a kernel uses is nowhere stated.
    layouts: &'static [EntryLayout],
}

/// Whether execution may go straight on at a site.
enum Passes {
    Always,
    Never,
    /// Unless the last bit of the address in the entry's second field is set.
    UnlessMarked,
}

/// Where an entry has what. All numbers are little-endian.
struct EntryLayout {
    size: usize,
    /// How many bytes are more than padding, which the last entry may lack.
    used: usize,
    address: Address,
    extent: Extent,
}

/// The site's address, at the start of the entry.
enum Address {
    /// 64 bits.
    Absolute,
    /// 32 bits, counted from the field's own address.
    Relative,
}

/// How much code is rewritten.
enum Extent {
    /// The one instruction that is there.
    Instruction,
    /// As many bytes as the byte at this position of the entry says.
    Stated(usize),
    /// Also stated; the next byte has the length of the replacement, and the second field its relative address.
    Alternative(usize),
}

/// What the symbols' names start with.
pub(super) const PREFIX: &[u8] = b"__";

pub(super) const TABLES: &[Kind] = &[
    // Calls to `__fentry__` and NOPs (Linux: kernel/trace/ftrace.c). A kernel's `__patchable_function_entries` land here too.
    Kind {
        name: "__mcount_loc",
        other_name: Some("__patchable_function_entries"),
        first: "__start_mcount_loc",
        behind: "__stop_mcount_loc",
        passes: Passes::Always,
        layouts: &[EntryLayout {
            size: 8,
            used: 8,
            address: Address::Absolute,
            extent: Extent::Instruction,
        }],
    },
    // `struct alt_instr` (Linux: arch/x86/include/asm/alternative.h, arch/arm64/include/asm/alternative.h).
    Kind {
        name: ".altinstructions",
        other_name: None,
        first: "__alt_instructions",
        behind: "__alt_instructions_end",
        passes: Passes::Always,
        layouts: &[
            // arm64, and x86 before 4.1 and from 5.13 to 6.2.
            EntryLayout {
                size: 12,
                used: 12,
                address: Address::Relative,
                extent: Extent::Alternative(10),
            },
            // x86 with flags beside the feature's number.
            EntryLayout {
                size: 14,
                used: 14,
                address: Address::Relative,
                extent: Extent::Alternative(12),
            },
            // x86 with the length of the padding as the last byte.
            EntryLayout {
                size: 13,
                used: 13,
                address: Address::Relative,
                extent: Extent::Alternative(10),
            },
        ],
    },
    // `struct paravirt_patch_site` (Linux before 6.8: arch/x86/include/asm/paravirt_types.h).
    Kind {
        name: ".parainstructions",
        other_name: None,
        first: "__parainstructions",
        behind: "__parainstructions_end",
        passes: Passes::Always,
        layouts: &[EntryLayout {
            size: 16,
            used: 10,
            address: Address::Absolute,
            extent: Extent::Stated(9),
        }],
    },
    // `struct jump_entry` (Linux: include/linux/jump_label.h), of three relative or three absolute addresses.
    Kind {
        name: "__jump_table",
        other_name: None,
        first: "__start___jump_table",
        behind: "__stop___jump_table",
        passes: Passes::Always,
        layouts: &[
            EntryLayout {
                size: 16,
                used: 16,
                address: Address::Relative,
                extent: Extent::Instruction,
            },
            EntryLayout {
                size: 24,
                used: 24,
                address: Address::Absolute,
                extent: Extent::Instruction,
            },
        ],
    },
    // `struct static_call_site` (Linux: include/linux/static_call_types.h). STATIC_CALL_SITE_TAIL marks a jump in
    // place of a call and a return; it becomes another jump or a return.
    Kind {
        name: ".static_call_sites",
        other_name: None,
        first: "__start_static_call_sites",
        behind: "__stop_static_call_sites",
        passes: Passes::UnlessMarked,
        layouts: &[EntryLayout {
            size: 8,
            used: 8,
            address: Address::Relative,
            extent: Extent::Instruction,
        }],
    },
    // Calls of and jumps to `__x86_indirect_thunk_*` become shorter indirect ones, or have an LFENCE before them
    // (Linux: arch/x86/kernel/alternative.c, patch_retpoline).
    Kind {
        name: ".retpoline_sites",
        other_name: None,
        first: "__retpoline_sites",
        behind: "__retpoline_sites_end",
        passes: Passes::Never,
        layouts: &[EntryLayout {
            size: 4,
            used: 4,
            address: Address::Relative,
            extent: Extent::Instruction,
        }],
    },
];

/// A table of an image.
pub(super) struct Table<'i> {
    pub(super) kind: &'static Kind,
    pub(super) svma: Svma,
    pub(super) bytes: &'i [u8],
}

/// What one entry says.
enum Entry {
    Site(Stretch),
    /// No address: the linker left it to a relocation, or the function is gone.
    Void,
}

/// A table, read in one layout.
#[derive(Default)]
struct Reading {
    sites: Vec<Stretch>,
    entries: usize,
    stray: usize,
}

impl Table<'_> {
    /// Adds the sites of the table, read in the layout that makes most sense. In the right one all entries
    /// do, but a table is not given up for a few.
    pub(super) fn read(&self, layout: &Layout<'_>, stretches: &mut Vec<Stretch>) -> Result<(), PatchTableProblem> {
        let table = self.kind.name;
        let size = self.bytes.len();
        let candidates = self.kind.layouts.iter().filter(|entry| {
            let rest = size % entry.size;
            rest == 0 || rest >= entry.used
        });
        let Reading { sites, entries, stray } = candidates
            .map(|entry| self.read_as(entry, layout))
            // Of equally good ones the first, which `max_by_key` has to meet last.
            .rev()
            .max_by_key(|reading| reading.entries - reading.stray)
            .filter(|reading| reading.stray <= reading.entries / 10)
            .ok_or(PatchTableProblem::UnknownLayout { table, size })?;
        stretches.extend(sites);
        if stray > 0 {
            return Err(PatchTableProblem::StrayEntries { table, stray, entries });
        }
        Ok(())
    }

    fn read_as(&self, entry: &EntryLayout, layout: &Layout<'_>) -> Reading {
        let mut reading = Reading::default();
        let addresses = (self.svma.0..).step_by(entry.size).map(Svma);
        for (bytes, svma) in self.bytes.chunks(entry.size).zip(addresses) {
            reading.entries += 1;
            match self.entry(entry, bytes, svma, layout) {
                Some(Entry::Site(stretch)) => reading.sites.push(stretch),
                Some(Entry::Void) => {}
                None => reading.stray += 1,
            }
        }
        reading
    }

    /// What an entry says; `None` if it isn't of code.
    fn entry(&self, entry: &EntryLayout, bytes: &[u8], svma: Svma, layout: &Layout<'_>) -> Option<Entry> {
        let site = match entry.address {
            Address::Absolute => Svma(u64::from_le_bytes(*bytes.first_chunk()?)),
            Address::Relative => relative(bytes, svma, 0)?,
        };
        if site == Svma(0) {
            return Some(Entry::Void);
        }
        let length = match entry.extent {
            Extent::Instruction => 1,
            Extent::Stated(position) | Extent::Alternative(position) => *bytes.get(position)?,
        };
        let code = layout.code_range(site, length)?;
        if let Extent::Alternative(position) = entry.extent {
            let replacement = *bytes.get(position + 1)?;
            // Where the kernel computes the replacement (arm64 callbacks), there is none in the file.
            if replacement > 0 {
                layout.code_range(relative(bytes, svma, 4)?, replacement)?;
            }
            if replacement > length {
                return None;
            }
        }
        let passable = match self.kind.passes {
            Passes::Always => true,
            Passes::Never => false,
            Passes::UnlessMarked => relative(bytes, svma, 4)?.0 & 1 == 0,
        };
        Some(Entry::Site(Stretch {
            start: code.start,
            end: code.end,
            passable,
        }))
    }
}

/// The address that the relative field at `position` of an entry names.
fn relative(entry: &[u8], svma: Svma, position: usize) -> Option<Svma> {
    let distance = i32::from_le_bytes(*entry.get(position..)?.first_chunk()?);
    let field = svma.wrapping_add(position as u64);
    Some(Svma(field.0.wrapping_add_signed(i64::from(distance))))
}
