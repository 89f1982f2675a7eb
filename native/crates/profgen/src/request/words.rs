//! The words of findings: this project's or llvm-profgen's.

use job::{Diagnostic, DiagnosticCode};

/// Whose words a finding has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// This project's words.
    Own,
    /// llvm-profgen 22's words, letter by letter, for scripts that look for them.
    LlvmProfgen,
}

impl Words {
    /// Returns a warning in the words that `self` selects.
    pub(crate) fn warning(
        self,
        code: DiagnosticCode,
        own: impl FnOnce() -> String,
        llvm_profgen: impl FnOnce() -> String,
    ) -> Diagnostic {
        let message = match self {
            Self::Own => own(),
            Self::LlvmProfgen => llvm_profgen(),
        };
        Diagnostic::warning(code, message)
    }
}
