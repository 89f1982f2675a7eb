//! In whose words findings are told.

use job::{Diagnostic, DiagnosticCode};

/// Whose words a finding is told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Those of this project.
    Own,
    /// Those of llvm-profgen 22, letter by letter, for scripts that look for them.
    LlvmProfgen,
}

impl Words {
    /// A warning in these words.
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
