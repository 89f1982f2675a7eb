//! Diagnostics: the warnings and notes that a job returns besides its result.

use crate::diagnostic_code::DiagnosticCode;
use crate::system::without_os_error_numbers;

/// Severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The user should look at the diagnostic.
    Warning,
    /// The diagnostic is useful to know.
    Note,
}

/// A warning or a note. If llvm-profgen has the same warning, the message has its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable identifier, in kebab-case.
    pub code: DiagnosticCode,
    /// Severity of the diagnostic.
    pub severity: Severity,
    /// One paragraph without a trailing line break, and without the numbers of the system's errors.
    pub message: String,
}

impl Diagnostic {
    /// Makes a warning.
    #[must_use]
    pub fn warning(code: DiagnosticCode, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            message: without_os_error_numbers(&message.into()),
        }
    }

    /// Makes a note.
    #[must_use]
    pub fn note(code: DiagnosticCode, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Note,
            message: without_os_error_numbers(&message.into()),
        }
    }
}
