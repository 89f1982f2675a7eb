//! Identifiers of diagnostics.

use std::fmt;

use sampleprof::Mark;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Stable identifier of a diagnostic; scripts may depend on its text. `napi/header.d.cts` lists the same
        /// identifiers for TypeScript, and `src/diagnostic-code.ts` describes them. A test compares both files with
        /// this list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DiagnosticCode {
            $($(#[$doc])* $name,)*
        }

        impl DiagnosticCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the code as users see it, in kebab-case.
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
    /// Branches were sampled one by one, not as branch stacks.
    BranchesSampled = "branches-sampled",
    /// An event samples some kinds of operations only.
    SamplesFiltered = "samples-filtered",
    /// The recordings do not tell the build ids of files.
    BuildIdsMissing = "build-ids-missing",
    /// Samples of a stream came after the mappings of their time were forgotten.
    SamplesLate = "samples-late",
    /// Part of a trace is damaged or missing.
    TraceDamaged = "trace-damaged",
    /// The CPU had no room for a part of a trace, or gave up samples.
    TraceTruncated = "trace-truncated",
    /// The number of sampled addresses is small for the number of functions.
    FewAddresses = "few-addresses",
    /// Some functions are too large for their counts to be inferred.
    FlowNotFound = "flow-not-found",
    /// Counts are inferred from sampled addresses.
    InferredCounts = "inferred-counts",
    /// Call stacks end before the outermost function.
    CallStacksCut = "call-stacks-cut",
    /// Call chains lack the part that the kernel writes apart from the samples.
    CallChainsIncomplete = "call-chains-incomplete",
    /// The recording has call chains, which are not used.
    CallChainsUnused = "call-chains-unused",
    /// Branches inside of transactions were not recorded.
    TransactionsLeftOut = "transactions-left-out",
    /// The recording may have been made with another build of the binary.
    BinaryDoubtful = "binary-doubtful",
    /// The recording was made with another build of the binary than the one given.
    BinaryMismatch = "binary-mismatch",
    /// The encoding has no sections.
    NoSections = "no-sections",
    /// A total reached the largest value of a counter.
    TotalOverflow = "total-overflow",
    /// Some counts reached the largest value of a counter.
    CounterOverflow = "counter-overflow",
    /// A reader of the text encoding would read a name as something else.
    NameNotForText = "name-not-for-text",
    /// Two of several binaries are the same file, or builds with the same name.
    BinariesAlike = "binaries-alike",
    /// Some files that the recording maps were searched and not found.
    BinariesNotFound = "binaries-not-found",
    /// A binary was named more than once.
    BinaryDuplicate = "binary-duplicate",
    /// One of several binaries has no profile.
    BinaryWithoutProfile = "binary-without-profile",
    /// Names one call stack that was left out.
    CallStackDetail = "call-stack-detail",
    /// Some call stacks were left out, or are uncertain.
    CallStacks = "call-stacks",
    /// Counts were left out because a checksum shows that they belong to another version of a function.
    ChecksumMismatch = "checksum-mismatch",
    /// The encoding cannot be compressed.
    CompressionIgnored = "compression-ignored",
    /// Calling contexts were requested, but the input has none.
    ContextsAbsent = "contexts-absent",
    /// Straight-line ranges that would pass a call, return or jump were left out.
    CrossesBarrier = "crosses-barrier",
    /// Some straight-line ranges go on past the end of a function.
    CrossesFunction = "crosses-function",
    /// Names the file in which the debug information was found.
    DebugFile = "debug-file",
    /// Debug information is missing or cannot be read.
    DebugInfo = "debug-info",
    /// Some samples lie in code whose debug information cannot be read.
    DebugInfoDamaged = "debug-info-damaged",
    /// The profile has few samples for its size.
    DensityLow = "density-low",
    /// No sample belongs to the hot part of the profile.
    DensityZero = "density-zero",
    /// Several symbols start at one address.
    DuplicateStarts = "duplicate-starts",
    /// Names one address at which several symbols start.
    DuplicateStartsDetail = "duplicate-starts-detail",
    /// The result has no functions.
    EmptyProfile = "empty-profile",
    /// Samples of an event cannot be used.
    EventLeftOut = "event-left-out",
    /// A text input does not name the event of a sample.
    EventMissing = "event-missing",
    /// A text input names another event than the one that was requested.
    EventUnexpected = "event-unexpected",
    /// Some samples belong to no event of the recording.
    EventUnknown = "event-unknown",
    /// The encoding cannot state that discriminators are flow-sensitive.
    FlowSensitiveMarkLost = "flow-sensitive-mark-lost",
    /// A folder in which binaries are searched cannot be read.
    FolderUnreadable = "folder-unreadable",
    /// Some binaries that were found have no profile.
    FoundWithoutProfile = "found-without-profile",
    /// Some samples were taken in guests of a hypervisor.
    GuestSamples = "guest-samples",
    /// An input ends early or is damaged.
    InputDamaged = "input-damaged",
    /// An input was given more than once.
    InputRepeated = "input-repeated",
    /// An input was left out.
    InputSkipped = "input-skipped",
    /// Code that cannot be decoded was left out.
    InvalidInstructions = "invalid-instructions",
    /// Names one range of code that cannot be decoded.
    InvalidInstructionsDetail = "invalid-instructions-detail",
    /// The recorded memory of the kernel does not belong to the binary.
    KcoreUnused = "kcore-unused",
    /// A line of a text input cannot be read.
    LineInvalid = "line-invalid",
    /// A line of a text input is longer than any valid line.
    LineTooLong = "line-too-long",
    /// Some lines of a text input were skipped.
    LinesInvalid = "lines-invalid",
    /// A mapping in a text input cannot be read.
    MappingInvalid = "mapping-invalid",
    /// The encoding has no hashed names.
    Md5Ignored = "md5-ignored",
    /// Names a mapping in the recording.
    MmapEvent = "mmap-event",
    /// Code that ran has bytes that are no known instruction.
    InstructionsUnknown = "instructions-unknown",
    /// The layout of the sections of a kernel module is uncertain.
    ModuleLayout = "module-layout",
    /// A symbol names code that belongs to a function with another name.
    NameConflict = "name-conflict",
    /// Some inputs have hashed names and others do not.
    NamesDiffer = "names-differ",
    /// Names were requested, but the input has only their hashes.
    NamesHashed = "names-hashed",
    /// Some pseudo probes name functions without a descriptor.
    NamesUnknown = "names-unknown",
    /// Some straight-line ranges start in no function of the debug information.
    NoFunction = "no-function",
    /// Some functions have no entry in the symbol table.
    NoFunctionEntry = "no-function-entry",
    /// Names one function without an entry in the symbol table.
    NoFunctionEntryDetail = "no-function-entry-detail",
    /// The debug information has no functions.
    NoFunctions = "no-functions",
    /// A binary has no samples.
    NoSamples = "no-samples",
    /// A text input has no mapping of the binary.
    NotMapped = "not-mapped",
    /// Some ranges do not start or end at instructions.
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
    /// Some pseudo probes could not be placed.
    ProbesUnplaced = "probes-unplaced",
    /// Some ranges contradict each other.
    RangeConflict = "range-conflict",
    /// Names one range that contradicts others.
    RangeDetail = "range-detail",
    /// Records of a recording are malformed.
    RecordsMalformed = "records-malformed",
    /// Some records have types that are not known.
    RecordsUnknown = "records-unknown",
    /// Some straight-line ranges start in code that lies outside of its function.
    RecoveredFunction = "recovered-function",
    /// Straight-line ranges of traces may end later than counted.
    RunEndsUnsure = "run-ends-unsure",
    /// Split debug information is missing.
    SplitUnitsMissing = "split-units-missing",
    /// The encoding cannot state that the profile is partial.
    PartialMarkLost = "partial-mark-lost",
    /// The encoding cannot state that the pre-inliner chose what to inline.
    PreInlinedMarkLost = "pre-inlined-mark-lost",
    /// A file of symbols cannot be used.
    SymbolFile = "symbol-file",
    /// The encoding has no list of symbols.
    SymbolListLost = "symbol-list-lost",
    /// A text input has no mappings at all.
    TextWithoutMappings = "text-without-mappings",
}

impl From<Mark> for DiagnosticCode {
    /// Returns the diagnostic code for a mark that is lost.
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

    /// Returns the members of a union of string literals in the types of the addon.
    fn members(union: &str) -> BTreeSet<String> {
        let text = read_to_string(format!("{CRATES}/napi/header.d.cts")).expect("read");
        let (_, from) = text.split_once(&format!("export type {union} =\n")).expect("the union");
        let lines = from.lines().map_while(|line| line.strip_prefix("  | '"));
        lines
            .filter_map(|line| line.strip_suffix('\''))
            .map(str::to_owned)
            .collect()
    }

    /// Returns the codes that the comment of a type of the library describes.
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
        // TypeScript requests files from servers, so the diagnostics about these requests are defined there.
        let own = set(["debuginfod"].into_iter());
        assert_eq!(described("diagnostic-code.ts"), &codes | &own);
    }

    #[test]
    fn typescript_knows_the_same_errors() {
        let codes = set(ErrorCode::ALL.iter().map(|code| code.as_str()));
        assert_eq!(codes.len(), ErrorCode::ALL.len());
        assert_eq!(members("BindingErrorCode"), codes);
        // TypeScript loads the addon, so this error is defined there.
        let own = set(["ADDON_UNAVAILABLE"].into_iter());
        assert_eq!(described("errors.ts"), &codes | &own);
    }
}
