//! Why a recording cannot be used, or cannot be used fully, in terms of what it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use elf::{Arch, Image, ImageKind};
use job::failure::HOW_TO_RECORD;
use job::{Diagnostic, Error, ErrorCode};
use perfdata::{Avma, BuildId, ChunkStats, Mapping, Metadata, RecordStats};

use crate::addresses::binding::KERNEL_MAP;
use crate::binaries::open::Subject;
use crate::binaries::target::{Target, file_name};
use crate::report::ledger::{EntryClass, Ledger};

/// How many names of files are remembered, to list those that are like the one that is missed.
const REMEMBERED_FILES: usize = 1 << 16;

/// Longer names are none that a kernel would report.
const LONGEST_NAME: usize = 4096;

/// How many files an error message lists.
const LISTED_FILES: usize = 8;

/// The recording must be of the binary's architecture.
pub(crate) fn check_machine(metadata: &Metadata, target: &Target<'_>) -> Result<(), Error> {
    let Some(machine) = metadata.arch.as_deref() else {
        return Ok(());
    };
    let recorded = match machine {
        "x86_64" | "amd64" => Arch::X86_64,
        "aarch64" | "arm64" => Arch::AArch64,
        _ => return Ok(()),
    };
    if recorded == target.image.arch() {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::ArchitectureMismatch,
        format!(
            "recorded on {machine}, but {} is a program for {:?}",
            target.name(),
            target.image.arch()
        ),
    )
    .hint("Name the binary that ran where the recording was made."))
}

/// A mapping, in llvm-profgen's words.
pub(crate) fn mapping_event(name: &str, start: Avma) -> Diagnostic {
    Diagnostic::note("mmap-event", format!("Mmap: Binary {name} loaded at {:#x}: ", start.0))
}

/// Damage and losses of an input, one diagnostic each.
pub(crate) fn trouble(stats: &RecordStats, chunks: ChunkStats, path: &Path) -> Vec<Diagnostic> {
    let path = path.display();
    let mut found = Vec::new();
    if let Some(damage) = &stats.damage {
        found.push(Diagnostic::warning(
            "input-damaged",
            format!("{path}: {damage}; what comes before it is used"),
        ));
    }
    let malformed = stats.malformed_records + chunks.malformed;
    if malformed > 0 {
        found.push(Diagnostic::warning(
            "records-malformed",
            format!("{path}: {malformed} records are malformed and were skipped"),
        ));
    }
    if chunks.unknown_event > 0 {
        let samples = chunks.unknown_event;
        found.push(Diagnostic::warning(
            "event-unknown",
            format!("{path}: {samples} samples belong to no event of the file and were skipped"),
        ));
    }
    if stats.unknown_records > 0 {
        found.push(Diagnostic::note(
            "records-unknown",
            format!(
                "{path}: {} records of unknown types were skipped",
                stats.unknown_records
            ),
        ));
    }
    found
}

/// Samples of guests are left out; all of them may be such.
pub(crate) fn guests(samples: u64, of: u64) -> Result<Option<Diagnostic>, Error> {
    if samples == 0 {
        return Ok(None);
    }
    let message = format!("{samples} of {of} samples were taken in guests, whose addresses mean nothing on the host");
    if samples == of {
        return Err(Error::new(ErrorCode::EmptyProfile, message)
            .hint("Profile a guest with a recording that was made inside it."));
    }
    Ok(Some(Diagnostic::warning(
        "guest-samples",
        format!("{message}; they are left out"),
    )))
}

/// llvm-profgen reads no relocatable files.
pub(crate) fn module_in_compat_mode(path: &Path) -> Error {
    let message = format!("{}: no executable segment found", path.display());
    Error::new(ErrorCode::BinaryUnsupported, message)
        .path(path)
        .hint("llvm-profgen does not take kernel modules; leave out --compat.")
}

/// What the inputs had mapped besides the target.
#[derive(Default)]
pub(crate) struct Seen {
    /// Names of executable mappings.
    files: BTreeSet<String>,
    /// By path of the target and name of the mapping, with what the recording says of the build.
    other_builds: BTreeMap<(PathBuf, String), Option<BuildId>>,
}

impl Seen {
    pub(crate) fn other_file(&mut self, mapping: &Mapping) {
        let name = &mapping.file.name;
        let is_short = name.len() <= LONGEST_NAME && self.files.len() < REMEMBERED_FILES;
        if mapping.executable && is_short && !self.files.contains(name) {
            self.files.insert(mapping.file.name.clone());
        }
    }

    pub(crate) fn other_build(&mut self, target: &Target<'_>, name: &str, id: Option<BuildId>) {
        let path = target.image.path().to_owned();
        self.other_builds.insert((path, name.to_owned()), id);
    }

    /// The other builds of `target`: how they are mapped, and their build ids.
    fn other_builds_of(&self, target: &Target<'_>) -> impl Iterator<Item = (&String, Option<BuildId>)> {
        let path = target.image.path();
        let all = self.other_builds.iter();
        all.filter(move |((known, _), _)| known == path)
            .map(|((_, name), id)| (name, *id))
    }

    /// Whether another build of the target was mapped.
    pub(crate) fn has_other_build(&self, target: &Target<'_>) -> bool {
        self.other_builds_of(target).next().is_some()
    }

    /// Nothing in the inputs maps the target.
    pub(crate) fn no_mapping(&self, target: &Target<'_>) -> Error {
        if let Some((name, id)) = self.other_builds_of(target).next() {
            let own = target.image.build_id().map_or_else(|| "none".to_owned(), hex);
            let recorded = id.map_or_else(|| "unknown".to_owned(), |id| id.to_string());
            return Error::new(
                ErrorCode::BuildIdMismatch,
                format!(
                    "the recording is of another build: {name} had build id {recorded}, {} has {own}",
                    target.image.path().display()
                ),
            )
            .path(target.image.path())
            .hint("Name the binary that was running (perf's own copy is in ~/.debug), or use --ignore-build-id if you know that both have the same code.");
        }
        if target.kernel {
            return self.no_kernel().path(target.image.path());
        }
        Error::new(
            ErrorCode::NoMapping,
            format!("nothing in the recording maps {}; mapped were {}", target.name(), self.nearest(target.name())),
        )
        .path(target.image.path())
        .hint(if target.image.kind() == ImageKind::Module {
            "Record while the module is loaded, as root and system wide or with a `:k` event; perf notes only modules that were loaded before it began."
        } else {
            "Name one of these with --binary, or record while the program runs (mappings of a program that perf attached to late are missing)."
        })
    }

    /// No mapping says where the kernel lies.
    fn no_kernel(&self) -> Error {
        let (message, hint) = if self.files.iter().any(|name| name.starts_with(KERNEL_MAP)) {
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

    /// Other builds beside the right one deserve a word.
    pub(crate) fn diagnostics(&self, target: &Target<'_>) -> Vec<Diagnostic> {
        let text = |name: &String| {
            let target = target.name();
            format!("{name} is another build of {target} in a part of the recording; its samples are left out")
        };
        self.other_builds_of(target)
            .map(|(name, _)| Diagnostic::warning("other-build", text(name)))
            .collect()
    }

    /// The mapped files, the ones with the most similar names first.
    fn nearest(&self, wanted: &str) -> String {
        let mut names: Vec<&str> = self.files.iter().map(String::as_str).collect();
        names.sort_by_key(|name| distance(file_name(name), wanted));
        list(&names)
    }
}

/// A few names, and how many more there are.
pub(crate) fn list(names: &[&str]) -> String {
    let shown = names[..names.len().min(LISTED_FILES)].join(", ");
    match names.len().saturating_sub(LISTED_FILES) {
        0 if names.is_empty() => "no files at all".to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The profile would be empty: say where the entries went.
pub(crate) fn empty_profile(ledger: &Ledger, samples: u64) -> Error {
    let (message, hint) = if samples == 0 {
        (
            "the recording holds no samples".to_owned(),
            "Record for longer, or check that the event counts on this machine.".to_owned(),
        )
    } else if ledger.entries() == 0 {
        (
            format!("none of the {samples} samples has a branch stack"),
            HOW_TO_RECORD.to_owned(),
        )
    } else {
        let remedy = ledger.main_class().map_or("", EntryClass::remedy);
        (
            format!(
                "no function would have a count; of {} branch entries: {}",
                ledger.entries(),
                ledger.summary()
            ),
            remedy.to_owned(),
        )
    };
    Error::new(ErrorCode::EmptyProfile, message).hint(hint)
}

/// One of several binaries has nothing to make a profile from.
pub(crate) fn empty_part(image: &Image, entries: u64) -> Error {
    let path = image.path().display();
    let message = if entries == 0 {
        format!("{path} has no samples")
    } else {
        format!("no function of {path} would have a count, although {entries} branch entries have an end in it")
    };
    Error::new(ErrorCode::EmptyProfile, message)
        .path(image.path())
        .hint("Record while it is busy, or leave it out.")
}

pub(crate) fn no_symbols(binary: &Subject) -> Error {
    let mut message = format!(
        "{} has no symbol table, so it is not known where its instructions start",
        binary.path().display()
    );
    for unused in &binary.unused_debug_files {
        message += &format!("; {unused}");
    }
    let hint = "Name the unstripped binary with --binary, name its debug file with --debug-binary, or install its debug package.";
    Error::new(ErrorCode::NoSymbols, message).path(binary.path()).hint(hint)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Levenshtein distance; names in a recording are short (at most 4096 bytes), and only a failing job asks.
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
