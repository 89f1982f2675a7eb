//! The tables in which a kernel keeps its patch sites, and the layouts that their entries have had.
//!
//! Linux: include/asm-generic/vmlinux.lds.h and arch/*/kernel/vmlinux.lds.S name the borders in a kernel. A module has a section for
//! each table (Linux: arch/*/kernel/module.c; FTRACE_CALLSITE_SECTION in include/linux/ftrace.h).

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
    /// See [`Stretch::passable`](super::Stretch::passable).
    pub(super) passes: Passes,
    /// The layouts that kernels have used. Which one a kernel uses is nowhere stated.
    pub(super) layouts: &'static [EntryLayout],
}

/// Whether execution may go straight on at a site.
pub(super) enum Passes {
    Always,
    Never,
    /// Unless the last bit of the address in the entry's second field is set.
    UnlessMarked,
}

/// Where an entry has what. All numbers are little-endian.
pub(super) struct EntryLayout {
    pub(super) size: usize,
    /// How many bytes are more than padding, which the last entry may lack.
    pub(super) used: usize,
    pub(super) address: Address,
    pub(super) extent: Extent,
}

/// The site's address, at the start of the entry.
pub(super) enum Address {
    /// 64 bits.
    Absolute,
    /// 32 bits, counted from the field's own address.
    Relative,
}

/// How much code is rewritten.
pub(super) enum Extent {
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

/// Whether the section of this name is a table of patch sites in a module.
pub(crate) fn is_patch_table(section: &[u8]) -> bool {
    let names = TABLES
        .iter()
        .flat_map(|kind| [Some(kind.name), kind.other_name])
        .flatten();
    names.into_iter().any(|name| name.as_bytes() == section)
}
