//! Why a job failed: a stable code, the facts, and the remedy.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::system::without_numbers;

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
    /// An input is not what it was said to be.
    InputInvalid,
    /// An input is damaged and `strict` was asked for.
    InputDamaged,
    /// The recording has no branch stacks.
    NoBranchStacks,
    /// The recording and the binary are of different machines.
    ArchitectureMismatch,
    /// Nothing in the recording maps the binary.
    NoMapping,
    /// The recording maps another build of the binary.
    BuildIdMismatch,
    /// The branches that were taken are not those of the binary's code.
    BinaryMismatch,
    /// No sample is left, so the profile would be empty.
    EmptyProfile,
    /// More entries were lost than `max_loss` allows.
    LossExceeded,
    /// The result cannot be written.
    OutputUnwritable,
    /// The combination is not supported.
    Unsupported,
    /// The caller cancelled the job.
    Aborted,
    /// A defect of this program.
    Internal,
}

impl ErrorCode {
    /// All of them.
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

    /// The code as users see it.
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

/// A failed job. `Display` prints the facts; the remedy is kept apart in `hint`. `source` is the error of the stage that failed, or of the
/// system, where there is one.
#[derive(Debug, Clone)]
pub struct Error {
    /// What kind of failure.
    pub code: ErrorCode,
    /// What was found and what was expected, in one or a few sentences.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The file it is about.
    pub path: Option<PathBuf>,
    /// What it follows from.
    pub cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure of this kind with the facts about it.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: without_numbers(&message.into()),
            hint: None,
            path: None,
            cause: None,
        }
    }

    /// A failure of this kind that `cause` describes.
    #[must_use]
    pub fn of(code: ErrorCode, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::new(code, cause.to_string()).caused_by(cause)
    }

    /// Adds what it follows from.
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

    /// Adds the file it is about.
    #[must_use]
    pub fn path(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// The caller cancelled the job.
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
