//! The error of a job: a stable code, the facts, and the remedy.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::system::{error_text, without_os_error_numbers};

/// Stable identifier of a failure; scripts may depend on its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// Options contradict each other.
    InvalidOptions,
    /// The binary does not exist or cannot be read.
    BinaryUnreadable,
    /// The binary is not an ELF file, or it is damaged.
    BinaryInvalid,
    /// The binary is an ELF file of a kind that cannot be profiled.
    BinaryUnsupported,
    /// Neither the binary nor a debug file of it has a symbol table, so no instruction boundary is known.
    NoSymbols,
    /// No debug information was found for the binary.
    NoDebugInfo,
    /// An input does not exist or cannot be read.
    InputUnreadable,
    /// An input is of another kind than the caller stated.
    InputInvalid,
    /// An input is damaged, and `strict` was requested.
    InputDamaged,
    /// The recording has no branch stacks.
    NoBranchStacks,
    /// The recording and the binary are of different machines.
    ArchitectureMismatch,
    /// Nothing in the recording maps the binary.
    NoMapping,
    /// The recording maps another build of the binary.
    BuildIdMismatch,
    /// The recorded branches are not branches of the code of the binary.
    BinaryMismatch,
    /// No sample is left, so the profile would be empty.
    EmptyProfile,
    /// More entries were lost than `max_loss` allows.
    LossExceeded,
    /// The result cannot be written.
    OutputUnwritable,
    /// The requested combination is not supported.
    Unsupported,
    /// The caller cancelled the job.
    Aborted,
    /// The program has a defect.
    Internal,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: &[Self] = &[
        Self::InvalidOptions,
        Self::BinaryUnreadable,
        Self::BinaryInvalid,
        Self::BinaryUnsupported,
        Self::NoSymbols,
        Self::NoDebugInfo,
        Self::InputUnreadable,
        Self::InputInvalid,
        Self::InputDamaged,
        Self::NoBranchStacks,
        Self::ArchitectureMismatch,
        Self::NoMapping,
        Self::BuildIdMismatch,
        Self::BinaryMismatch,
        Self::EmptyProfile,
        Self::LossExceeded,
        Self::OutputUnwritable,
        Self::Unsupported,
        Self::Aborted,
        Self::Internal,
    ];

    /// Returns the code as users see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidOptions => "INVALID_OPTIONS",
            Self::BinaryUnreadable => "BINARY_UNREADABLE",
            Self::BinaryInvalid => "BINARY_INVALID",
            Self::BinaryUnsupported => "BINARY_UNSUPPORTED",
            Self::NoSymbols => "NO_SYMBOLS",
            Self::NoDebugInfo => "NO_DEBUG_INFO",
            Self::InputUnreadable => "INPUT_UNREADABLE",
            Self::InputInvalid => "INPUT_INVALID",
            Self::InputDamaged => "INPUT_DAMAGED",
            Self::NoBranchStacks => "NO_BRANCH_STACKS",
            Self::ArchitectureMismatch => "ARCHITECTURE_MISMATCH",
            Self::NoMapping => "NO_MAPPING",
            Self::BuildIdMismatch => "BUILD_ID_MISMATCH",
            Self::BinaryMismatch => "BINARY_MISMATCH",
            Self::EmptyProfile => "EMPTY_PROFILE",
            Self::LossExceeded => "LOSS_EXCEEDED",
            Self::OutputUnwritable => "OUTPUT_UNWRITABLE",
            Self::Unsupported => "UNSUPPORTED",
            Self::Aborted => "ABORTED",
            Self::Internal => "INTERNAL",
        }
    }
}

/// Error of a failed job. `Display` prints the facts; `hint` has the remedy. `source` returns the error of the
/// stage that failed, or the error of the system, if there is one.
#[derive(Debug, Clone)]
pub struct Error {
    /// Kind of the failure.
    pub code: ErrorCode,
    /// The facts, in one or a few sentences: what was found, and what was expected.
    pub message: String,
    /// The remedy: what the user can do next.
    pub hint: Option<String>,
    /// Path of the file that the failure is about.
    pub path: Option<PathBuf>,
    /// The error that caused this one.
    pub cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error of the kind `code`. `message` states the facts.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: without_os_error_numbers(&message.into()),
            hint: None,
            path: None,
            cause: None,
        }
    }

    /// Makes an error of the kind `code`. `cause` gives the message.
    #[must_use]
    pub fn of(code: ErrorCode, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::new(code, error_text(&cause)).caused_by(cause)
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Arc::new(cause));
        self
    }

    /// Adds the remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the path of the file that the failure is about.
    #[must_use]
    pub fn path(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Makes the error of a job that the caller cancelled.
    #[must_use]
    pub fn aborted() -> Self {
        Self::new(ErrorCode::Aborted, "the job was cancelled")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::io;

    use super::*;

    #[test]
    fn the_cause_is_kept() {
        let error =
            Error::of(ErrorCode::InputUnreadable, io::Error::from(io::ErrorKind::NotFound)).hint("Look elsewhere.");
        let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
        assert_eq!(cause.map(io::Error::kind), Some(io::ErrorKind::NotFound));
        assert!(Error::aborted().source().is_none());
    }
}
