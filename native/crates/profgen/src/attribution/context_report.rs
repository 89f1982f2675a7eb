//! Diagnostics about doubtful contexts of call stacks.

use elf::{Image, Svma};
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};

use crate::account::share::Share;
use crate::attribution::line_contexts::CallsWithoutLines;
use crate::counting::context_counts::ContextCounts;
use crate::counting::unwind::MAX_CALLS;
use crate::request::options::GenerateOptions;
use crate::request::words::Words;

/// Returns diagnostics with shares of the branch entries. llvm-profgen takes these shares of each distinct
/// sample once. `contexts` is the number of contexts of the profile.
pub(crate) fn context_diagnostics(
    counts: &ContextCounts,
    contexts: usize,
    options: &GenerateOptions,
) -> Vec<Diagnostic> {
    let words = options.policy.words;
    let doubts = counts.doubts;
    let of_entries = |part| Share {
        part,
        whole: doubts.entries,
        of: match words {
            Words::Own => "branch entries",
            Words::LlvmProfgen => "branch entries of distinct samples",
        },
    };
    let parts = [
        (
            of_entries(doubts.external_calls),
            Some(
                "start at a call out of the binary that the call stack does not have. Their contexts are probably wrong",
            ),
            "of branches'source is a call instruction but doesn't match call frame stack, likely due to unwinding error \
             of external frame.",
        ),
        (
            of_entries(doubts.paired.saturating_mul(2)),
            // A call from a library is no reason to doubt the contexts.
            None,
            "of branches containing paired external address.",
        ),
        (
            of_entries(doubts.unpaired),
            Some(
                "leave the binary and do not come back, or come from elsewhere. Interrupts do so, and texts that were cut",
            ),
            "of branches containing external address but doesn't have another external address to pair, likely due to \
             interrupt jmp or broken perf script.",
        ),
        (
            of_entries(doubts.calls),
            Some(
                "start at a call that the call stack does not have. These samples were probably taken while a function built up or \
                 left its stack frame",
            ),
            "of branches'source is a call instruction but doesn't match call frame stack, likely due to frame in \
             prolog/epilog.",
        ),
    ];
    let behind_other_files = match words {
        Words::Own => behind_other_files(counts),
        Words::LlvmProfgen => truncated(counts, contexts, options.show_detailed_warning),
    };
    let told = parts.into_iter().filter_map(|(share, own, llvm_profgen)| {
        let message = match words {
            Words::Own if share.is_noteworthy() => format!("{share} {}", own?),
            Words::LlvmProfgen if share.part > 0 && share.whole > 0 => {
                format!("{} {llvm_profgen}", share.in_llvm_words())
            }
            Words::Own | Words::LlvmProfgen => return None,
        };
        Some(Diagnostic::warning(DiagnosticCode::CallStacks, message))
    });
    let deep = (doubts.deep > 0 && words == Words::Own).then(|| {
        let share = of_entries(doubts.deep);
        let message = format!(
            "{share} return to code below more than {MAX_CALLS} calls; the older entries of their branch stacks count without callers"
        );
        Diagnostic::warning(DiagnosticCode::CallStacksCut, message)
    });
    behind_other_files.into_iter().chain(told).chain(deep).collect()
}

/// Returns a note about callbacks from other files. Callbacks are common and no fault, so this is no warning.
fn behind_other_files(counts: &ContextCounts) -> Vec<Diagnostic> {
    let message = "some calling contexts begin at a call from another file, such as a library that calls back; the callers of that call are left out";
    let note = || Diagnostic::note(DiagnosticCode::CallStacks, message);
    counts.has_external_callers.then(note).into_iter().collect()
}

/// Returns the diagnostics about truncated contexts. llvm-profgen gives all places in other files the address
/// 0x1, says that a probe is missing there, and takes the number of these addresses, which is 1, for a number
/// of contexts.
fn truncated(counts: &ContextCounts, contexts: usize, details: bool) -> Vec<Diagnostic> {
    if !counts.has_external_callers {
        return Vec::new();
    }
    let share = Share {
        part: 1,
        whole: contexts as u64,
        of: "calling contexts",
    };
    let detail = "Profile context truncated due to missing probe for call instruction at 0x1".to_owned();
    let summary = format!(
        "{} of profiled contexts are truncated due to missing probe for call instruction.",
        share.in_llvm_words()
    );
    let told = [(details, detail), (contexts > 0, summary)].into_iter();
    told.filter(|(is_told, _)| *is_told)
        .map(|(_, message)| Diagnostic::warning(DiagnosticCode::CallStacks, message))
        .collect()
}

/// The remedy for calls without lines. A statically linked C library, which starts the program, has such
/// calls.
const LINES_FOR_CALLS: &str = "Link that code dynamically (without -static), so that contexts begin after it; or compile with \
                               -fpseudo-probe-for-profiling, because contexts by probes begin after such calls; or use \
                               {--ignore-stack-samples} for a profile without contexts.";

/// Returns a warning about code after calls that cannot be named. A context by lines names every call. If
/// one call cannot be named, the code executed after it counts in no context, as in llvm-profgen. It is an
/// error if no other code was executed.
pub(crate) fn behind_calls_without_lines(
    image: &Image,
    found: &CallsWithoutLines,
) -> Result<Option<Diagnostic>, Error> {
    let behind = found
        .behind
        .values()
        .fold(0u64, |sum, count| sum.saturating_add(*count));
    let share = Share {
        part: behind,
        whole: found.runs,
        of: "sampled runs",
    };
    let Some((&call, _)) = found.behind.iter().max_by_key(|&(call, count)| (*count, *call)) else {
        return Ok(None);
    };
    let place = place_of(image, call);
    if behind >= found.runs {
        let message = format!(
            "no calling context is known: every sampled run has a caller without debug information, such as the one at {place}"
        );
        return Err(Error::new(ErrorCode::EmptyProfile, message)
            .path(image.path())
            .hint(LINES_FOR_CALLS));
    }
    let message = format!(
        "{share} are left out, because they have a caller without debug information, such as the one at {place}. {LINES_FOR_CALLS}"
    );
    Ok(share
        .is_noteworthy()
        .then(|| Diagnostic::warning(DiagnosticCode::CallStacks, message)))
}

/// Returns an address of code as text, with the symbol before it if there is one.
fn place_of(image: &Image, svma: Svma) -> String {
    let before = image.code_symbols().filter(|symbol| symbol.svma <= svma);
    match before
        .max_by_key(|symbol| symbol.svma)
        .map(|symbol| image.symbol_name(symbol))
    {
        Some(name) if !name.is_empty() => format!("{:#x} in {}", svma.0, String::from_utf8_lossy(name)),
        _ => format!("{:#x}", svma.0),
    }
}
