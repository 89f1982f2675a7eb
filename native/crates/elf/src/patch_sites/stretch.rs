//! What a table of patch sites says, or what is wrong with it.

/// Code that may be other instructions at run time than in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stretch {
    /// Offset of the first byte.
    pub(crate) start: u32,
    /// Offset behind the last byte. Where the kernel rewrites one instruction, the stretch is its first byte.
    pub(crate) end: u32,
    /// Whether execution may go straight on, whatever the file has here. What replaces an indirect call, for
    /// example, is a call too.
    pub(crate) passable: bool,
}

/// Why a table of patch sites is left out, wholly or in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchTableProblem {
    /// One of the symbols around the table is missing, they are in the wrong order, or their section has
    /// no bytes there.
    #[error("{table}: its symbols enclose no bytes of the file")]
    NotInFile {
        /// The table's name.
        table: &'static str,
    },
    /// No known layout of entries makes sense of the table.
    #[error("{table}: {size} bytes in no known layout")]
    UnknownLayout {
        /// The table's name.
        table: &'static str,
        /// Its size in bytes.
        size: usize,
    },
    /// A few entries don't name code.
    #[error("{table}: {stray} of {entries} entries are not of code")]
    StrayEntries {
        /// The table's name.
        table: &'static str,
        /// How many entries don't name code.
        stray: usize,
        /// How many entries there are.
        entries: usize,
    },
}
