//! What a job has to say besides its result.

use crate::diagnostic_code::DiagnosticCode;
use crate::system::without_numbers;

/// How serious a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Something that the user should look at.
    Warning,
    /// Something good to know.
    Note,
}

/// A warning or note. Where llvm-profgen has the same, the message is its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable identifier, kebab-case.
    pub code: DiagnosticCode,
    /// How serious it is.
    pub severity: Severity,
    /// One paragraph without a trailing line break, and without the numbers of the system's errors.
    pub message: String,
}

impl Diagnostic {
    /// Something to look at.
    #[must_use]
    pub fn warning(code: DiagnosticCode, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            message: without_numbers(&message.into()),
        }
    }

    /// Something good to know.
    #[must_use]
    pub fn note(code: DiagnosticCode, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Note,
            message: without_numbers(&message.into()),
        }
    }
}
