//! The lines about mappings in texts, and the conclusions if there are none.

use std::path::PathBuf;

use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};

use crate::account::ledger::{EntryClass, Ledger};
use crate::addresses::load_address::no_kernel;
use crate::binaries::target::Target;
use crate::input::other_mappings::OtherMappings;
use crate::request::options::GenerateOptions;

/// The remedy for a text without lines about mappings.
const WITH_MAPPINGS: &str = "Print it with the mappings: `perf script -F ip,brstack --show-mmap-events -i perf.data`.";

/// The lines about mappings in the texts, to explain a job without samples.
#[derive(Default)]
pub(crate) struct MappingLines {
    /// The mappings of all texts.
    pub other_mappings: OtherMappings,
    /// Number of lines about mappings in the texts so far.
    pub lines: u64,
    /// Texts without such a line.
    pub texts_without: Vec<PathBuf>,
}

impl MappingLines {
    /// Returns the reason why a target that no line maps cannot have samples.
    pub(crate) fn unmapped_error(
        &self,
        target: &Target<'_>,
        only: bool,
        ledger: &Ledger,
        options: &GenerateOptions,
    ) -> Option<Error> {
        if !options.policy.any_text {
            return target.kernel.then(no_kernel);
        }
        // The only program may be at the address that it was linked for; a warning says so.
        let is_found = ledger.entries() == 0 || ledger[EntryClass::Used] > 0;
        if only && !target.kernel && is_found && !self.other_mappings.has_other_build(target) {
            return None;
        }
        Some(if self.lines == 0 {
            self.no_mapping_lines_error(target)
        } else {
            self.other_mappings.no_mapping_error(target)
        })
    }

    fn no_mapping_lines_error(&self, target: &Target<'_>) -> Error {
        let texts: Vec<_> = self
            .texts_without
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let message = format!(
            "{} has no PERF_RECORD_MMAP lines, so it does not say where {} was loaded",
            texts.join(", "),
            target.name()
        );
        Error::new(ErrorCode::NoMapping, message).hint(WITH_MAPPINGS)
    }

    /// Returns a warning if some texts have lines about mappings, and others have none.
    pub(crate) fn diagnostics(&self) -> impl Iterator<Item = Diagnostic> {
        let texts_without = self.texts_without.iter().filter(|_| self.lines > 0);
        texts_without.map(|path| {
            let path = path.display();
            let message = format!(
                "{path} has no PERF_RECORD_MMAP lines, so it does not say where anything was loaded. {WITH_MAPPINGS}"
            );
            Diagnostic::warning(DiagnosticCode::TextWithoutMappings, message)
        })
    }
}
