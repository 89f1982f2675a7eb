//! A stretch of rewritten code, and what can be wrong with a table of patch sites.

/// Code that may be other instructions at run time than in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stretch {
    /// Offset of the first byte of the stretch.
    pub(crate) start: u32,
    /// Offset after the last byte. If the kernel rewrites one instruction, the stretch has only the first byte of
    /// this instruction.
    pub(crate) end: u32,
    /// True if execution may go straight on after the stretch, whatever instruction the file has here. False, for
    /// example, if a call is replaced by another call.
    pub(crate) passable: bool,
}

/// Why a table of patch sites is left out, as a whole or in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchTableProblem {
    /// A symbol before or after the table is missing, the two symbols are in the wrong order, or their section has
    /// no bytes between them.
    #[error("{table}: its symbols enclose no bytes of the file")]
    NotInFile {
        /// Name of the table.
        table: &'static str,
    },
    /// The table has no known layout: in each layout, too many entries name no code.
    #[error("{table}: its {size} bytes have no known layout")]
    UnknownLayout {
        /// Name of the table.
        table: &'static str,
        /// Size of the table in bytes.
        size: usize,
    },
    /// A few entries name no code.
    #[error("{table}: {stray} of its {entries} entries name no code")]
    StrayEntries {
        /// Name of the table.
        table: &'static str,
        /// Number of entries that name no code.
        stray: usize,
        /// Number of all entries.
        entries: usize,
    },
}
