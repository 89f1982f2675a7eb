//! Syntaxes of assembly.

/// A syntax of assembly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// AT&T syntax, as the GNU assembler reads it.
    Att,
    /// Intel syntax.
    Intel,
}
