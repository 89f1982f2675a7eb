//! Reports what the debug information of a binary lacks.

use elf::Image;
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, count_of};
use symbolize::{DebugFormat, DebugInfo, DuplicateStart, FunctionTable, Rejection, SymbolConflict, SymbolDifference};

use crate::account::ledger::EntryClass;
use crate::account::share::Share;
use crate::account::statistics::BinaryStatistics;
use crate::attribution::damage;
use crate::attribution::profile::Binary;
use crate::request::options::GenerateOptions;
use crate::request::words::Words;

/// Returns warnings about the binary's debug information and code, in llvm-profgen's order.
pub(crate) fn diagnostics(binary: &Binary<'_>, options: &GenerateOptions) -> Vec<Diagnostic> {
    let (details, words) = (options.show_detailed_warning, options.policy.words);
    let functions = binary.functions;
    let mut found = Vec::new();
    if details {
        let starts = functions.duplicated_starts().iter();
        found.extend(starts.map(|start| duplicate(start, functions, words)));
    }
    found.extend(sources(binary, details, words));
    let problems = binary.image.layout_problems().iter();
    found.extend(problems.map(|problem| Diagnostic::warning(DiagnosticCode::ModuleLayout, problem.to_string())));
    found.extend(no_functions(binary, words));
    found.extend(duplicates(functions, words));
    found.extend(symbol_conflicts(functions, details, words));
    if words == Words::LlvmProfgen {
        found.extend(invalid_instructions(binary, details));
    }
    found.extend(patch_sites(binary));
    found.extend(without_entry(binary, details, words));
    found
}

/// Tells which files have the symbols and the debug information, and what is wrong with them.
fn sources(binary: &Binary<'_>, details: bool, words: Words) -> Vec<Diagnostic> {
    let symbol_file = binary.image.symbol_file();
    let of_symbols = symbol_file.map(|path| {
        let message = format!(
            "the symbols are those of {}, because the binary has none",
            path.display()
        );
        Diagnostic::note(DiagnosticCode::SymbolFile, message)
    });
    // The file with the symbols may have no debug information.
    let is_in_use = |found: &&symbolize::Diagnostic| {
        matches!(found, symbolize::Diagnostic::CandidateRejected { path, reason: Rejection::NoDebugInfo }
            if Some(path.as_path()) == symbol_file)
    };
    let of_debug = binary.debug.diagnostics().iter().filter(|found| !is_in_use(found));
    let of_debug = of_debug.map(|found| of_debug_info(found, details, words));
    let missing = missing_split_units(binary.debug, words);
    of_symbols.into_iter().chain(of_debug).chain(missing).collect()
}

fn no_functions(binary: &Binary<'_>, words: Words) -> Option<Diagnostic> {
    (!binary.functions.has_debug_info()).then(|| {
        words.warning(
            DiagnosticCode::NoFunctions,
            || {
                format!(
                    "the debug information of {} names no function",
                    binary.image.path().display()
                )
            },
            || "Loading of DWARF info completed, but no binary functions have been retrieved.".to_owned(),
        )
    })
}

fn duplicates(functions: &FunctionTable, words: Words) -> Option<Diagnostic> {
    let count = functions.duplicated_start_count();
    (count > 0).then(|| {
        words.warning(
            DiagnosticCode::DuplicateStarts,
            || {
                format!(
                    "the debug information has several functions with the same start, at {}; one of these functions has the counts",
                    count_of(count as u64, "address")
                )
            },
            || format!("Found {count} start addresses with multiple symbols"),
        )
    })
}

fn symbol_conflicts(functions: &FunctionTable, details: bool, words: Words) -> impl Iterator<Item = Diagnostic> {
    let is_told = move |conflict: &&SymbolConflict| {
        let of_range = conflict.difference == SymbolDifference::Range;
        // llvm-profgen also reports symbols that differ only in a suffix that it has removed.
        let differs = words == Words::LlvmProfgen || of_range || conflict.symbol != functions.name(conflict.function);
        (details || of_range) && differs
    };
    let told = functions.symbol_conflicts().iter().filter(is_told);
    told.map(move |conflict| symbol_conflict(conflict, functions, words))
}

/// Tells which bytes of the code are no instructions, in llvm-profgen's words. All code must be decoded for this,
/// which takes time.
fn invalid_instructions(binary: &Binary<'_>, details: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let invalid = binary.code.invalid_instructions();
    if details {
        found.extend(invalid.iter().map(|(first, last)| {
            let message = format!("Invalid instructions at {:8x} - {:8x}", first.0, last.0);
            Diagnostic::warning(DiagnosticCode::InvalidInstructionsDetail, message)
        }));
    }
    if !invalid.is_empty() {
        found.push(Diagnostic::warning(
            DiagnosticCode::InvalidInstructions,
            format!("Found {} invalid instructions", invalid.len()),
        ));
    }
    found
}

fn patch_sites(binary: &Binary<'_>) -> impl Iterator<Item = Diagnostic> {
    let problems = binary.code.patch_sites().problems().iter();
    problems.map(|problem| {
        Diagnostic::warning(
            DiagnosticCode::PatchSites,
            format!("{problem}; the code that they let the kernel rewrite counts as it is in the file"),
        )
    })
}

/// Tells which functions have no head samples, because no symbol says where they start.
fn without_entry(binary: &Binary<'_>, details: bool, words: Words) -> Vec<Diagnostic> {
    let functions = binary.functions;
    let without_entry = binary.entries.functions_without_entry();
    let mut found = Vec::new();
    if details {
        let mut names: Vec<_> = without_entry.iter().map(|function| functions.name(*function)).collect();
        names.sort_unstable();
        found.extend(names.into_iter().map(|name| {
            let name = String::from_utf8_lossy(name);
            words.warning(
                DiagnosticCode::NoFunctionEntryDetail,
                || format!("no symbol says where {name} starts"),
                || {
                    format!(
                        "Failed to determine function entry for {name} due to inconsistent name from symbol table and dwarf info."
                    )
                },
            )
        }));
    }
    let share = Share {
        part: without_entry.len() as u64,
        whole: functions.len() as u64,
        of: "functions",
    };
    if share.part > 0 && (words == Words::LlvmProfgen || share.is_noteworthy()) {
        found.push(words.warning(
            DiagnosticCode::NoFunctionEntry,
            || {
                format!(
                    "{share} have no head samples, because no symbol says where they start: their names in the symbol table and in the \
                     debug information differ"
                )
            },
            || {
                format!(
                    "{} of functions failed to determine function entry due to inconsistent name from symbol table and dwarf info.",
                    share.in_llvm_words()
                )
            },
        ));
    }
    found
}

fn symbol_conflict(conflict: &SymbolConflict, functions: &FunctionTable, words: Words) -> Diagnostic {
    let (symbol_start, symbol_end) = conflict.symbol_range;
    let (known_start, known_end) = conflict.known_range;
    let symbol = String::from_utf8_lossy(&conflict.symbol);
    let known = String::from_utf8_lossy(functions.name(conflict.function));
    let symbol_range = format!("({:8x}, {:8x})", symbol_start.0, symbol_end.0);
    let known_range = format!("({:8x}, {:8x})", known_start.0, known_end.0);
    match conflict.difference {
        SymbolDifference::Name => words.warning(
            DiagnosticCode::NameConflict,
            || {
                format!(
                    "the symbol {symbol} ({:#x} to {:#x}) names code of {known} ({:#x} to {:#x}); the samples there are counted for {known}",
                    symbol_start.0, symbol_end.0, known_start.0, known_end.0,
                )
            },
            || {
                format!(
                    "Conflicting name for symbol {symbol} with range {symbol_range}, but the DWARF symbol {known} indicates an overlapping \
                     range {known_range}"
                )
            },
        ),
        SymbolDifference::Range => words.warning(
            DiagnosticCode::RangeConflict,
            || {
                format!(
                    "the symbol {symbol} has the addresses {:#x} to {:#x}, and the debug information gives {known} the addresses {:#x} to \
                     {:#x}; those of the debug information are used",
                    symbol_start.0, symbol_end.0, known_start.0, known_end.0,
                )
            },
            || {
                format!(
                    "Conflicting range for symbol {symbol} with range {symbol_range}, but the existing symbol {known} indicates another \
                     range {known_range}"
                )
            },
        ),
    }
}

fn duplicate(start: &DuplicateStart, functions: &FunctionTable, words: Words) -> Diagnostic {
    let name = |function| String::from_utf8_lossy(functions.name(function));
    let (address, first, second) = (start.start.0, name(start.first), name(start.second));
    words.warning(
        DiagnosticCode::DuplicateStartsDetail,
        || format!("{first} and {second} both start at {address:#x}"),
        || format!("Duplicated symbol start address at {address:8x} {first} and {second}"),
    )
}

fn of_debug_info(found: &symbolize::Diagnostic, details: bool, words: Words) -> Diagnostic {
    match found {
        symbolize::Diagnostic::DebugFile { .. } => Diagnostic::note(DiagnosticCode::DebugFile, found.to_string()),
        symbolize::Diagnostic::OtherFormat { .. } => Diagnostic::note(DiagnosticCode::DebugInfo, found.to_string()),
        symbolize::Diagnostic::DwoMissing { name, .. } if details => words.warning(
            DiagnosticCode::DebugInfo,
            || found.to_string(),
            || format!("DWO debug information for {name} was not loaded."),
        ),
        symbolize::Diagnostic::PackageUnused { .. } if words == Words::LlvmProfgen => {
            Diagnostic::note(DiagnosticCode::DebugInfo, found.to_string())
        }
        symbolize::Diagnostic::DwoMissing { .. } => Diagnostic::note(DiagnosticCode::DebugInfo, found.to_string()),
        _ => Diagnostic::warning(DiagnosticCode::DebugInfo, found.to_string()),
    }
}

/// Returns a warning with the number of split units that were not found; `None` if all were found.
fn missing_split_units(debug: &DebugInfo, words: Words) -> Option<Diagnostic> {
    let is_missing = |found: &&symbolize::Diagnostic| matches!(found, symbolize::Diagnostic::DwoMissing { .. });
    let mut all = debug.diagnostics().iter().filter(is_missing);
    let first = all.next()?;
    let missing = 1 + all.count();
    Some(words.warning(
        DiagnosticCode::SplitUnitsMissing,
        || match missing {
            1 => format!("{first}, so the functions in it have no counts"),
            _ => format!(
                "{first}, nor {} more, so the functions in them have no counts",
                missing - 1
            ),
        },
        || {
            format!(
                " DWO debug information was not loaded for {missing} modules. Please check the .o, .dwo or .dwp path."
            )
        },
    ))
}

/// Checks that the functions of `binary` can have counts. They cannot if the binary has no functions, or if a
/// file is missing without which they have wrong names.
///
/// # Errors
/// The reason.
pub(crate) fn check_functions(binary: &Binary<'_>, by_probes: bool) -> Result<(), Error> {
    let (image, debug) = (binary.image, binary.debug);
    if binary.functions.is_empty() {
        return Err(what_is_missing(binary).unwrap_or_else(|| no_debug_info(image)));
    }
    // Probes name their functions themselves.
    match supplementary_missing(image, debug) {
        Some(error) if !by_probes => Err(error),
        _ => Ok(()),
    }
}

/// Returns the reason in the debug information why no function has a sample: the code that ran has no debug
/// information.
pub(crate) fn no_function_ran(binary: &Binary<'_>, statistics: &BinaryStatistics) -> Option<Error> {
    let (image, lost, of) = (binary.image, statistics.no_function, statistics.entries);
    if lost == 0 || lost < statistics.crosses_barrier {
        return None;
    }
    what_is_missing(binary).or_else(|| {
        let message = format!(
            "no function would have a count: {lost} of the {of} branch entries in {} are followed by code that its debug information \
             names no function for",
            image.path().display()
        );
        Some(Error::new(ErrorCode::NoDebugInfo, message).path(image.path()).hint(EntryClass::NoFunction.remedy()))
    })
}

/// Returns the error about the file, format or damage that keeps functions from being known; `None` if the
/// reason is not known.
fn what_is_missing(binary: &Binary<'_>) -> Option<Error> {
    let (image, debug) = (binary.image, binary.debug);
    supplementary_missing(image, debug)
        .or_else(|| split_units_missing(image, debug))
        .or_else(|| other_format(image, debug))
        .or_else(|| damage::hides_functions(image, debug, binary.functions))
}

fn no_debug_info(image: &Image) -> Error {
    Error::new(ErrorCode::NoDebugInfo, format!("no debug information found for {}", image.path().display()))
        .path(image.path())
        .hint("Compile with -g (clang: -fdebug-info-for-profiling), or name the file with the debug information with {--debug-binary}.")
}

fn supplementary_missing(image: &Image, debug: &DebugInfo) -> Option<Error> {
    let missing = debug
        .diagnostics()
        .iter()
        .find(|found| matches!(found, symbolize::Diagnostic::SupplementaryMissing { .. }))?;
    let message = format!("{}: {missing}", image.path().display());
    let hint = "Install the debug package that this program or its debug file is from, with all of its files, or put the missing file where \
                the message says. Function names are in it, so a profile without it would name functions as no compiler does.";
    Some(
        Error::new(ErrorCode::NoDebugInfo, message)
            .path(image.path())
            .hint(hint),
    )
}

fn split_units_missing(image: &Image, debug: &DebugInfo) -> Option<Error> {
    let missing: Vec<_> = debug
        .diagnostics()
        .iter()
        .filter(|found| matches!(found, symbolize::Diagnostic::DwoMissing { .. }))
        .collect();
    let first = missing.first()?;
    let more = match missing.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more like it"),
    };
    let message = format!("{}: {first}{more}", image.path().display());
    let hint = "Put the .dwo files where the compiler wrote them or beside the program, or name the package of this build (llvm-dwp -e PROGRAM \
                -o PROGRAM.dwp) with {--dwp}.";
    Some(
        Error::new(ErrorCode::NoDebugInfo, message)
            .path(image.path())
            .hint(hint),
    )
}

fn other_format(image: &Image, debug: &DebugInfo) -> Option<Error> {
    let found = debug.diagnostics().iter().find_map(|found| match found {
        symbolize::Diagnostic::OtherFormat { format, .. } => Some((found, format)),
        _ => None,
    });
    let (found, format) = found?;
    let hint = match format {
        DebugFormat::Stabs | DebugFormat::Dwarf1 => {
            "Compile with -gdwarf (gcc: or -g). tcc 0.9.27 writes STABS only: compile with gcc or clang."
        }
        _ => {
            "Compile with -g (clang: -fdebug-info-for-profiling), or name the file with the debug information with {--debug-binary}."
        }
    };
    let error = Error::new(ErrorCode::NoDebugInfo, found.to_string());
    Some(error.path(image.path()).hint(hint))
}
