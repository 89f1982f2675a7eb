//! What is doubtful of the call stacks of samples.

use job::{Diagnostic, DiagnosticCode};

use crate::counting::context_counts::{ContextCounts, Doubts};
use crate::report::words::{Share, Words};

/// Shares of the branch entries of distinct samples; `contexts` is how many contexts the profile has.
pub(crate) fn context_diagnostics(counts: &ContextCounts, contexts: usize, words: Words) -> Vec<Diagnostic> {
    let sum = |part: fn(&Doubts) -> u32| {
        counts
            .doubts
            .values()
            .map(|doubts| u64::from(part(doubts)))
            .sum::<u64>()
    };
    let entries = sum(|doubts| doubts.entries);
    let of_entries = |part| Share {
        part,
        whole: entries,
        of: "branch entries of distinct samples",
    };
    let parts = [
        (
            of_entries(sum(|doubts| doubts.external_calls)),
            "start at a call out of the binary that the call stack does not have. Their contexts are probably wrong",
            "of branches'source is a call instruction but doesn't match call frame stack, likely due to unwinding error \
             of external frame.",
        ),
        (
            of_entries(2 * sum(|doubts| doubts.paired)),
            "leave the binary and come back to it",
            "of branches containing paired external address.",
        ),
        (
            of_entries(sum(|doubts| doubts.unpaired)),
            "leave the binary and do not come back, or come from elsewhere. Interrupts do so, and texts that were cut",
            "of branches containing external address but doesn't have another external address to pair, likely due to \
             interrupt jmp or broken perf script.",
        ),
        (
            of_entries(sum(|doubts| doubts.calls)),
            "start at a call that the call stack does not have. These samples were probably taken while a function built up or left its \
             stack frame",
            "of branches'source is a call instruction but doesn't match call frame stack, likely due to frame in \
             prolog/epilog.",
        ),
    ];
    // llvm-profgen takes this fact for a number of contexts.
    let truncated = Share {
        part: u64::from(counts.has_external_callers),
        whole: contexts as u64,
        of: "calling contexts",
    };
    let truncated = (truncated.part > 0 && truncated.whole > 0).then(|| {
        words.warning(
            DiagnosticCode::CallStacks,
            || "some calling contexts lack their outer callers, because a call in them has no pseudo probe".to_owned(),
            || {
                let share = truncated.in_llvm_words();
                format!("{share} of profiled contexts are truncated due to missing probe for call instruction.")
            },
        )
    });
    let told = parts.into_iter().filter(|(share, ..)| match words {
        Words::Own => share.is_noteworthy(),
        Words::LlvmProfgen => share.part > 0 && share.whole > 0,
    });
    let told = told.map(|(share, own, llvm_profgen)| {
        words.warning(
            DiagnosticCode::CallStacks,
            || format!("{share} {own}"),
            || format!("{} {llvm_profgen}", share.in_llvm_words()),
        )
    });
    truncated.into_iter().chain(told).collect()
}
