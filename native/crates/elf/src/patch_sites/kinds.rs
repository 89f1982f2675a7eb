//! The kinds of tables in which a kernel keeps its patch sites, and the layouts that their entries have had.
//!
//! Linux: include/asm-generic/vmlinux.lds.h and arch/*/kernel/vmlinux.lds.S name the symbols around the tables of a
//! kernel. A module has a section for each table (Linux: arch/*/kernel/module.c; FTRACE_CALLSITE_SECTION in
//! include/linux/ftrace.h).

/// A kind of table.
pub(super) struct TableKind {
    /// Name of the table in messages, and name of its section in a module.
    pub(super) name: &'static str,
    /// Name of the section in modules of other architectures and compilers, if it differs.
    pub(super) other_name: Option<&'static str>,
    /// Name of the symbol at the first entry.
    pub(super) first: &'static str,
    /// Name of the symbol after the last entry.
    pub(super) end: &'static str,
    /// The sites at which execution may go straight on; see [`Stretch::passable`](super::Stretch::passable).
    pub(super) passable: Passable,
    /// The layouts that kernels have used. A kernel does not state which layout it uses.
    pub(super) layouts: &'static [EntryLayout],
}

/// The sites of a table at which execution may go straight on.
pub(super) enum Passable {
    Always,
    Never,
    /// Execution may go on unless the last bit of the address in the second field of the entry is set.
    UnlessMarked,
}

/// The positions of the fields of an entry. All numbers are little-endian.
pub(super) struct EntryLayout {
    pub(super) size: usize,
    /// Number of bytes of an entry without its padding at the end. The last entry may lack the padding.
    pub(super) used: usize,
    pub(super) address: Address,
    pub(super) extent: Extent,
}

/// The encoding of the address of a site. The address is at the start of the entry.
pub(super) enum Address {
    /// The address has 64 bits.
    Absolute,
    /// The address has 32 bits and counts from the address of the field.
    Relative,
}

/// The length of the code that is rewritten.
pub(super) enum Extent {
    /// One instruction is rewritten, the one at the address of the site.
    Instruction,
    /// The byte at this position of the entry states the number of bytes.
    Stated(usize),
    /// The byte at this position states the number of bytes; the next byte states the length of the replacement,
    /// and the second field its relative address.
    Alternative(usize),
}

/// Prefix of the names of the symbols around tables.
pub(super) const PREFIX: &[u8] = b"__";

pub(super) const TABLES: &[TableKind] = &[
    // This table names the calls to `__fentry__` and the NOPs in their place (Linux: kernel/trace/ftrace.c). The
    // section `__patchable_function_entries` becomes part of this table of a kernel.
    TableKind {
        name: "__mcount_loc",
        other_name: Some("__patchable_function_entries"),
        first: "__start_mcount_loc",
        end: "__stop_mcount_loc",
        passable: Passable::Always,
        layouts: &[EntryLayout {
            size: 8,
            used: 8,
            address: Address::Absolute,
            extent: Extent::Instruction,
        }],
    },
    // The entries are `struct alt_instr` (Linux: arch/x86/include/asm/alternative.h,
    // arch/arm64/include/asm/alternative.h).
    TableKind {
        name: ".altinstructions",
        other_name: None,
        first: "__alt_instructions",
        end: "__alt_instructions_end",
        passable: Passable::Always,
        layouts: &[
            // This is the layout of arm64, and of x86 before 4.1 and from 5.13 to 6.2.
            EntryLayout {
                size: 12,
                used: 12,
                address: Address::Relative,
                extent: Extent::Alternative(10),
            },
            // This is a layout of x86 with flags beside the number of the feature.
            EntryLayout {
                size: 14,
                used: 14,
                address: Address::Relative,
                extent: Extent::Alternative(12),
            },
            // This is a layout of x86 with the length of the padding as the last byte.
            EntryLayout {
                size: 13,
                used: 13,
                address: Address::Relative,
                extent: Extent::Alternative(10),
            },
        ],
    },
    // The entries are `struct paravirt_patch_site` (Linux before 6.8: arch/x86/include/asm/paravirt_types.h).
    TableKind {
        name: ".parainstructions",
        other_name: None,
        first: "__parainstructions",
        end: "__parainstructions_end",
        passable: Passable::Always,
        layouts: &[EntryLayout {
            size: 16,
            used: 10,
            address: Address::Absolute,
            extent: Extent::Stated(9),
        }],
    },
    // The entries are `struct jump_entry` (Linux: include/linux/jump_label.h), of three relative or three absolute
    // addresses.
    TableKind {
        name: "__jump_table",
        other_name: None,
        first: "__start___jump_table",
        end: "__stop___jump_table",
        passable: Passable::Always,
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
    // The entries are `struct static_call_site` (Linux: include/linux/static_call_types.h). STATIC_CALL_SITE_TAIL
    // marks a jump that stands for a call and a return; the kernel replaces the jump by another jump or by a
    // return.
    TableKind {
        name: ".static_call_sites",
        other_name: None,
        first: "__start_static_call_sites",
        end: "__stop_static_call_sites",
        passable: Passable::UnlessMarked,
        layouts: &[EntryLayout {
            size: 8,
            used: 8,
            address: Address::Relative,
            extent: Extent::Instruction,
        }],
    },
    // The kernel makes shorter indirect calls and jumps of calls of and jumps to `__x86_indirect_thunk_*`, or puts
    // an LFENCE before them (Linux: arch/x86/kernel/alternative.c, patch_retpoline).
    TableKind {
        name: ".retpoline_sites",
        other_name: None,
        first: "__retpoline_sites",
        end: "__retpoline_sites_end",
        passable: Passable::Never,
        layouts: &[EntryLayout {
            size: 4,
            used: 4,
            address: Address::Relative,
            extent: Extent::Instruction,
        }],
    },
];

/// Returns true if the section of this name is a table of patch sites in a module.
pub(crate) fn is_patch_table(section: &[u8]) -> bool {
    let names = TABLES
        .iter()
        .flat_map(|kind| [Some(kind.name), kind.other_name])
        .flatten();
    names.into_iter().any(|name| name.as_bytes() == section)
}
