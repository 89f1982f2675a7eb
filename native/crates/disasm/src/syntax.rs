//! How assembly is written.

/// How assembly is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// AT&T's, as the GNU assembler reads it.
    Att,
    /// Intel's.
    Intel,
}
