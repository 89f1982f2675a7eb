//! Identifiers of what a job has to say.

use std::fmt;

use sampleprof::Mark;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Stable identifier of a diagnostic; scripts may depend on its text. `napi/header.d.cts` lists the same for TypeScript, and
        /// `src/diagnostic-code.ts` describes them; a test holds both against this.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DiagnosticCode {
            $($(#[$doc])* $name,)*
        }

        impl DiagnosticCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as users see it, in kebab-case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// Addresses were sampled by events that count neither time nor instructions.
    AddressesOfOtherEvents = "addresses-of-other-events",
    /// Branches were sampled one by one.
    BranchesSampled = "branches-sampled",
    /// An event samples some kinds of operations only.
    SamplesFiltered = "samples-filtered",
    /// Part of a trace is damaged or missing.
    TraceDamaged = "trace-damaged",
    /// The CPU had no room for part of a trace.
    TraceTruncated = "trace-truncated",
    /// Few addresses were sampled for so many functions.
    FewAddresses = "few-addresses",
    /// Functions are too large for their counts to be inferred.
    FlowNotFound = "flow-not-found",
    /// Counts are inferred from sampled addresses.
    InferredCounts = "inferred-counts",
    /// Call stacks end before the outermost function.
    CallStacksCut = "call-stacks-cut",
    /// The recording has call chains, which are not used.
    CallChainsUnused = "call-chains-unused",
    /// Branches inside of transactions were not recorded.
    TransactionsLeftOut = "transactions-left-out",
    /// The recording may have been made with another build of the binary.
    BinaryDoubtful = "binary-doubtful",
    /// The recording was made with another build of the binary.
    BinaryMismatch = "binary-mismatch",
    /// The encoding has no sections.
    NoSections = "no-sections",
    /// A total reached the largest that a counter holds.
    TotalOverflow = "total-overflow",
    /// Counts reached the largest that a counter holds.
    CounterOverflow = "counter-overflow",
    /// A name reads as something else in text.
    NameNotForText = "name-not-for-text",
    /// Two binaries of several are the same file, or builds with the same name.
    BinariesAlike = "binaries-alike",
    /// Files that the recording maps were looked for and not found.
    BinariesNotFound = "binaries-not-found",
    /// A binary was named more than once.
    BinaryDuplicate = "binary-duplicate",
    /// One of several binaries has no profile.
    BinaryWithoutProfile = "binary-without-profile",
    /// A call stack that was left out; one of many.
    CallStackDetail = "call-stack-detail",
    /// Call stacks were left out, or are unsure.
    CallStacks = "call-stacks",
    /// Counts were left out because checksums tell another version of a function.
    ChecksumMismatch = "checksum-mismatch",
    /// The encoding cannot be compressed.
    CompressionIgnored = "compression-ignored",
    /// Calling contexts were asked for, and there are none.
    ContextsAbsent = "contexts-absent",
    /// Runs were left out that would pass a call, return or jump.
    CrossesBarrier = "crosses-barrier",
    /// Runs go on through the end of a function.
    CrossesFunction = "crosses-function",
    /// Where the debug information was found.
    DebugFile = "debug-file",
    /// Debug information is missing or cannot be read.
    DebugInfo = "debug-info",
    /// Samples lie in debug information that cannot be read.
    DebugInfoDamaged = "debug-info-damaged",
    /// The profile has few samples for its size.
    DensityLow = "density-low",
    /// No sample is in the hot part.
    DensityZero = "density-zero",
    /// Several symbols start at one address.
    DuplicateStarts = "duplicate-starts",
    /// One such address.
    DuplicateStartsDetail = "duplicate-starts-detail",
    /// The result has no functions.
    EmptyProfile = "empty-profile",
    /// Samples of an event cannot be used.
    EventLeftOut = "event-left-out",
    /// A text does not name the event of a sample.
    EventMissing = "event-missing",
    /// A text names another event than was asked for.
    EventUnexpected = "event-unexpected",
    /// Samples belong to no event of the recording.
    EventUnknown = "event-unknown",
    /// The result cannot say that discriminators are flow-sensitive.
    FlowSensitiveMarkLost = "flow-sensitive-mark-lost",
    /// A folder to look for binaries in cannot be read.
    FolderUnreadable = "folder-unreadable",
    /// Binaries that were found have no profile.
    FoundWithoutProfile = "found-without-profile",
    /// Samples were taken in guests of a hypervisor.
    GuestSamples = "guest-samples",
    /// An input ends early or is damaged.
    InputDamaged = "input-damaged",
    /// An input was given more than once.
    InputRepeated = "input-repeated",
    /// An input was left out.
    InputSkipped = "input-skipped",
    /// Code was left out that cannot be decoded.
    InvalidInstructions = "invalid-instructions",
    /// One such place.
    InvalidInstructionsDetail = "invalid-instructions-detail",
    /// The recorded memory of the kernel is not of the binary.
    KcoreUnused = "kcore-unused",
    /// A line of a text cannot be read.
    LineInvalid = "line-invalid",
    /// A line of a text is too long to be one.
    LineTooLong = "line-too-long",
    /// Lines of a text were passed over.
    LinesInvalid = "lines-invalid",
    /// A mapping in a text cannot be read.
    MappingInvalid = "mapping-invalid",
    /// The encoding has no hashed names.
    Md5Ignored = "md5-ignored",
    /// A mapping in the recording.
    MmapEvent = "mmap-event",
    /// Code that ran holds bytes that no instruction is known for.
    InstructionsUnknown = "instructions-unknown",
    /// How the sections of a kernel module were laid out is not sure.
    ModuleLayout = "module-layout",
    /// A symbol names code of a function that has another name.
    NameConflict = "name-conflict",
    /// Some inputs have hashed names and others do not.
    NamesDiffer = "names-differ",
    /// Names were asked for that the input has as hashes only.
    NamesHashed = "names-hashed",
    /// Pseudo probes name functions that are not described.
    NamesUnknown = "names-unknown",
    /// Runs start in no function of the debug information.
    NoFunction = "no-function",
    /// Functions have no entry in the symbol table.
    NoFunctionEntry = "no-function-entry",
    /// One such function.
    NoFunctionEntryDetail = "no-function-entry-detail",
    /// The debug information has no functions.
    NoFunctions = "no-functions",
    /// A binary has no samples.
    NoSamples = "no-samples",
    /// A text has no mapping of the binary.
    NotMapped = "not-mapped",
    /// Ranges do not start or end at instructions.
    OffBoundary = "off-boundary",
    /// The recording maps another build of the binary.
    OtherBuild = "other-build",
    /// An input was marked as partial.
    PartialInput = "partial-input",
    /// A table of the kernel's patch sites cannot be read.
    PatchSites = "patch-sites",
    /// Object files have different pseudo probes for one function.
    ProbesAmbiguous = "probes-ambiguous",
    /// Pseudo probes of functions without a name were left out.
    ProbesUnnamed = "probes-unnamed",
    /// Pseudo probes could not be placed.
    ProbesUnplaced = "probes-unplaced",
    /// Ranges contradict each other.
    RangeConflict = "range-conflict",
    /// One such range.
    RangeDetail = "range-detail",
    /// Records of a recording are malformed.
    RecordsMalformed = "records-malformed",
    /// Records are of types that are not known.
    RecordsUnknown = "records-unknown",
    /// Runs start in code that lies outside of its function.
    RecoveredFunction = "recovered-function",
    /// Runs of traces may end further on than counted.
    RunEndsUnsure = "run-ends-unsure",
    /// Split debug information is missing.
    SplitUnitsMissing = "split-units-missing",
    /// The result cannot say that it is partial.
    PartialMarkLost = "partial-mark-lost",
    /// The result cannot say that the pre-inliner chose what to inline.
    PreInlinedMarkLost = "pre-inlined-mark-lost",
    /// A file of symbols cannot be used.
    SymbolFile = "symbol-file",
    /// The encoding has no list of symbols.
    SymbolListLost = "symbol-list-lost",
    /// A text has no mappings at all.
    TextWithoutMappings = "text-without-mappings",
}

impl From<Mark> for DiagnosticCode {
    /// The code of a mark that is lost.
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::Partial => Self::PartialMarkLost,
            Mark::FlowSensitive => Self::FlowSensitiveMarkLost,
            Mark::PreInlined => Self::PreInlinedMarkLost,
        }
    }
}

impl fmt::Display for DiagnosticCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<&str> for DiagnosticCode {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs::read_to_string;

    use super::*;
    use crate::error::ErrorCode;

    const CRATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

    /// The members of a union of string literals in the addon's types.
    fn members(union: &str) -> BTreeSet<String> {
        let text = read_to_string(format!("{CRATES}/napi/header.d.cts")).expect("read");
        let (_, from) = text.split_once(&format!("export type {union} =\n")).expect("the union");
        let lines = from.lines().map_while(|line| line.strip_prefix("  | '"));
        lines
            .filter_map(|line| line.strip_suffix('\''))
            .map(str::to_owned)
            .collect()
    }

    /// The codes that the comment of a type of the library describes.
    fn described(file: &str) -> BTreeSet<String> {
        let text = read_to_string(format!("{CRATES}/../../src/{file}")).expect("read");
        let lines = text.lines().filter_map(|line| line.strip_prefix(" * - `"));
        lines
            .filter_map(|line| line.split_once("`: "))
            .map(|(code, _)| code.to_owned())
            .collect()
    }

    fn set<'a>(codes: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
        codes.map(str::to_owned).collect()
    }

    #[test]
    fn typescript_knows_the_same_diagnostics() {
        let codes = set(DiagnosticCode::ALL.iter().map(|code| code.as_str()));
        assert_eq!(codes.len(), DiagnosticCode::ALL.len());
        assert_eq!(members("BindingDiagnosticCode"), codes);
        // TypeScript asks servers for files, so what it says of them is its own.
        let own = set(["debuginfod"].into_iter());
        assert_eq!(described("diagnostic-code.ts"), &codes | &own);
    }

    #[test]
    fn typescript_knows_the_same_errors() {
        let codes = set(ErrorCode::ALL.iter().map(|code| code.as_str()));
        assert_eq!(codes.len(), ErrorCode::ALL.len());
        assert_eq!(members("BindingErrorCode"), codes);
        // TypeScript loads the addon.
        let own = set(["ADDON_UNAVAILABLE"].into_iter());
        assert_eq!(described("errors.ts"), &codes | &own);
    }
}
