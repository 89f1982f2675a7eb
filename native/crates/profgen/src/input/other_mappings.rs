//! The mappings of inputs besides the binaries of a job, to explain why there are no samples.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use elf::ImageKind;
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};
use perfdata::{BuildId, KERNEL_IMAGE, Mapping};

use crate::account::names::list;
use crate::binaries::target::{Target, file_name};

/// Most file names that are remembered. They serve to list names that resemble the missing one.
const MAX_FILES: usize = 1 << 16;

/// Length of the longest names that a kernel reports, in bytes.
const MAX_NAME_LENGTH: usize = 4096;

/// The mappings of the inputs besides those of the target.
#[derive(Default)]
pub(crate) struct OtherMappings {
    /// Names of executable mappings.
    files: BTreeSet<String>,
    /// Build ids in the recording, by the path of the target and the name of the mapping.
    other_builds: BTreeMap<(PathBuf, String), Option<BuildId>>,
}

impl OtherMappings {
    pub(crate) fn add_file(&mut self, mapping: &Mapping) {
        let name = &mapping.file.name;
        let is_short = name.len() <= MAX_NAME_LENGTH && self.files.len() < MAX_FILES;
        if mapping.executable && is_short && !self.files.contains(name) {
            self.files.insert(mapping.file.name.clone());
        }
    }

    pub(crate) fn add_other_build(&mut self, target: &Target<'_>, name: &str, id: Option<BuildId>) {
        let path = target.image.path().to_owned();
        self.other_builds.insert((path, name.to_owned()), id);
    }

    /// Returns the other builds of `target`: the names of their mappings, and their build ids.
    fn other_builds_of(&self, target: &Target<'_>) -> impl Iterator<Item = (&String, Option<BuildId>)> {
        let path = target.image.path();
        let all = self.other_builds.iter();
        all.filter(move |((known, _), _)| known == path)
            .map(|((_, name), id)| (name, *id))
    }

    /// Returns true if another build of the target was mapped.
    pub(crate) fn has_other_build(&self, target: &Target<'_>) -> bool {
        self.other_builds_of(target).next().is_some()
    }

    /// Returns the error that no mapping of the inputs belongs to the target.
    pub(crate) fn no_mapping_error(&self, target: &Target<'_>) -> Error {
        let hint = "Name the binary that was running (perf's own copy is in ~/.debug, unless -N left it out), or use {--ignore-build-id} if you know \
                    that both have the same code.";
        if let Some(error) = self.build_id_mismatch(target, "recording is", hint) {
            return error;
        }
        if target.kernel {
            return self.no_kernel_error().path(target.image.path());
        }
        Error::new(
            ErrorCode::NoMapping,
            format!("the recording has no mapping of {}; it has mappings of {}", target.name(), self.list_nearest(target.name())),
        )
        .path(target.image.path())
        .hint(if self.files.iter().any(|name| perfdata::is_memory_without_file(name)) {
            "Executable memory without a file was mapped, too. A program that had moved its code there, such as to huge pages, before perf \
             attached to it cannot be told from a just-in-time compiler: record from its start (`perf record ... -- PROGRAM`), or switch \
             this moving of code off for the recording. If another program is meant, name it with {--binary}."
        } else if target.image.kind() == ImageKind::Module {
            "Record while the module is loaded, as root and system wide or with a `:k` event; perf notes only modules that were loaded before it began."
        } else {
            "Name one of these with {--binary}, or record while the program runs (mappings of a program that perf attached to late are missing)."
        })
    }

    /// Returns the error that no sample of traces belongs to the target. Traces do not have mappings without
    /// samples.
    pub(crate) fn no_samples_error(&self, target: &Target<'_>) -> Error {
        let hint = "Name the release that was running, or with {--binary-dir} the folder of all releases, or use {--ignore-build-id} if you know that \
                    both have the same code.";
        if let Some(error) = self.build_id_mismatch(target, "traces are", hint) {
            return error;
        }
        let name = target.name();
        let message = if self.files.is_empty() {
            format!("the traces have no sample in {name}, nor in any other file")
        } else {
            format!(
                "the traces have no sample in {name}; they have samples in {}",
                self.list_nearest(name)
            )
        };
        Error::new(ErrorCode::NoMapping, message)
            .path(target.image.path())
            .hint(if target.kernel {
                "Record the kernel as root, system wide or with a `:k` event, and with kernel.kptr_restrict = 0: a kernel that hides its address has no traces."
            } else if self.files.is_empty() {
                "Check that the sum of the traces kept their rows, and that the recordings have samples: `autofdo-gen inspect` describes both."
            } else {
                "Name one of these with {--binary}. A file without a build id is recognised by its name, so a renamed program needs its old name. If the program did run, perf may have begun after it was mapped: `autofdo-gen inspect` tells how many entries and addresses were where nothing was mapped."
            })
    }

    /// Returns the error that another build of the target was found in `subject`; `None` if there was no
    /// other build.
    fn build_id_mismatch(&self, target: &Target<'_>, subject: &str, hint: &str) -> Option<Error> {
        let (name, id) = self.other_builds_of(target).next()?;
        let own = target.image.build_id().map_or_else(|| "none".to_owned(), hex);
        let recorded = id.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
        let message = format!(
            "the {subject} of another build: {name} had build id {recorded}, {} has {own}",
            target.image.path().display()
        );
        Some(
            Error::new(ErrorCode::BuildIdMismatch, message)
                .path(target.image.path())
                .hint(hint),
        )
    }

    /// Returns the error that no mapping says where the kernel lies.
    fn no_kernel_error(&self) -> Error {
        let (message, hint) = if self.files.iter().any(|name| name.starts_with(KERNEL_IMAGE)) {
            (
                "the recording does not say where the kernel lies: its address was hidden from perf",
                "Record as root, or with kernel.kptr_restrict = 0.",
            )
        } else {
            (
                "the recording has no usable mapping of the kernel",
                "Record as root, system wide or with a `:k` event, and with kernel.kptr_restrict = 0, so that perf notes where the kernel \
                 lies.",
            )
        };
        Error::new(ErrorCode::NoMapping, message).hint(hint)
    }

    /// Returns diagnostics about other builds that were mapped beside the right one.
    pub(crate) fn diagnostics(&self, target: &Target<'_>) -> Vec<Diagnostic> {
        let text = |name: &String| {
            let target = target.name();
            format!("{name} is another build of {target} in a part of the recording; its samples are left out")
        };
        self.other_builds_of(target)
            .map(|(name, _)| Diagnostic::warning(DiagnosticCode::OtherBuild, text(name)))
            .collect()
    }

    /// Returns the mapped files, those with the most similar names first.
    fn list_nearest(&self, wanted: &str) -> String {
        let mut names: Vec<&str> = self.files.iter().map(String::as_str).collect();
        names.sort_by_key(|name| distance(file_name(name), wanted));
        list(&names)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the Levenshtein distance. It may be slow: names in a recording are short (at most 4096 bytes), and
/// only a failing job needs it.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<u8>, Vec<u8>) = (a.bytes().take(256).collect(), b.bytes().take(256).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
