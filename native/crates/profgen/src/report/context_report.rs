//! What is doubtful of the call stacks of samples, in llvm-profgen's words.

use job::{Diagnostic, DiagnosticCode};

use crate::counting::context_counts::{ContextCounts, Doubts};
use crate::counting::fall_through::share;

/// Shares of the branch entries of distinct samples; `contexts` is how many contexts the profile has.
pub(crate) fn context_diagnostics(counts: &ContextCounts, contexts: usize) -> Vec<Diagnostic> {
    let sum = |part: fn(&Doubts) -> u32| {
        counts
            .doubts
            .values()
            .map(|doubts| u64::from(part(doubts)))
            .sum::<u64>()
    };
    let entries = sum(|doubts| doubts.entries);
    let parts = [
        (
            u64::from(counts.has_external_callers),
            contexts as u64,
            "of profiled contexts are truncated due to missing probe for call instruction.",
        ),
        (
            sum(|doubts| doubts.external_calls),
            entries,
            "of branches'source is a call instruction but doesn't match call frame stack, likely due to unwinding error \
             of external frame.",
        ),
        (
            2 * sum(|doubts| doubts.paired),
            entries,
            "of branches containing paired external address.",
        ),
        (
            sum(|doubts| doubts.unpaired),
            entries,
            "of branches containing external address but doesn't have another external address to pair, likely due to \
             interrupt jmp or broken perf script.",
        ),
        (
            sum(|doubts| doubts.calls),
            entries,
            "of branches'source is a call instruction but doesn't match call frame stack, likely due to frame in \
             prolog/epilog.",
        ),
    ];
    let told = parts.into_iter().filter(|&(part, total, _)| part > 0 && total > 0);
    told.map(|(part, total, text)| {
        Diagnostic::warning(DiagnosticCode::CallStacks, format!("{} {text}", share(part, total)))
    })
    .collect()
}
