//! What texts tell of mappings, and what is concluded if they tell nothing.

use std::path::PathBuf;

use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};

use crate::account::ledger::{EntryClass, Ledger};
use crate::addresses::load_address::no_kernel;
use crate::binaries::target::Target;
use crate::input::seen::Seen;
use crate::request::options::GenerateOptions;

/// What to do about a text without lines about mappings.
const WITH_MAPPINGS: &str = "Print it with the mappings: `perf script -F ip,brstack --show-mmap-events -i perf.data`.";

/// What the texts told of mappings, to explain a job without samples.
#[derive(Default)]
pub(crate) struct Told {
    /// What was mapped in any text.
    pub seen: Seen,
    /// Lines about mappings in the texts so far.
    pub lines: u64,
    /// Texts that have no such line.
    pub silent: Vec<PathBuf>,
}

impl Told {
    /// Why a target that no line maps cannot have samples.
    pub(crate) fn unmapped(
        &self,
        target: &Target<'_>,
        only: bool,
        ledger: &Ledger,
        options: &GenerateOptions,
    ) -> Option<Error> {
        if !options.policy.any_text {
            return target.kernel.then(no_kernel);
        }
        // The only program may be where it was linked to; a warning says so.
        let is_found = ledger.entries() == 0 || ledger[EntryClass::Used] > 0;
        if only && !target.kernel && is_found && !self.seen.has_other_build(target) {
            return None;
        }
        Some(if self.lines == 0 {
            self.no_mapping_lines(target)
        } else {
            self.seen.no_mapping(target)
        })
    }

    fn no_mapping_lines(&self, target: &Target<'_>) -> Error {
        let texts: Vec<_> = self.silent.iter().map(|path| path.display().to_string()).collect();
        let message = format!(
            "{} has no PERF_RECORD_MMAP lines, so it does not say where {} was loaded",
            texts.join(", "),
            target.name()
        );
        Error::new(ErrorCode::NoMapping, message).hint(WITH_MAPPINGS)
    }

    /// Some texts have lines about mappings, others have none.
    pub(crate) fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        let silent = self.silent.iter().filter(|_| self.lines > 0);
        silent.map(|path| {
            let path = path.display();
            let message = format!(
                "{path} has no PERF_RECORD_MMAP lines, so it does not say where anything was loaded. {WITH_MAPPINGS}"
            );
            Diagnostic::warning(DiagnosticCode::TextWithoutMappings, message)
        })
    }
}
