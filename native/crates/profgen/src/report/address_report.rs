//! Reports the quality of counts that were inferred from sampled addresses.

use job::{Diagnostic, DiagnosticCode, count_of, form};

use crate::account::share::{Share, percent_text};
use crate::inference::InferenceReport;

/// Average number of samples of a function below which the samples tell little of what happens in it.
const FEW_SAMPLES: u64 = 20;

pub(crate) fn diagnostics(report: &InferenceReport) -> Vec<Diagnostic> {
    let InferenceReport {
        samples,
        exact,
        functions,
        blocks,
        sampled_blocks,
        ..
    } = *report;
    let mut found = vec![Diagnostic::note(
        DiagnosticCode::InferredCounts,
        format!(
            "The counts are inferred from {} in {}, because no branch stacks are used. {} of the addresses are those of the sampled \
             instructions themselves (PEBS, IBS), the others follow these instructions. {sampled_blocks} of the {blocks} blocks of code \
             that have counts were sampled",
            count_of(samples, "sampled address"),
            count_of(functions as u64, "function"),
            percent_text(exact, samples),
        ),
    )];
    let homeless = Share {
        part: report.homeless,
        whole: samples,
        of: "sampled addresses",
    };
    if homeless.is_noteworthy() {
        let message = format!(
            "{homeless} are lost, because they lie in code that belongs to no function of the debug information. It is probably written in \
             assembly, or was compiled without -g"
        );
        found.push(Diagnostic::warning(DiagnosticCode::NoFunction, message));
    }
    if report.unsolved > 0 {
        let message = format!(
            "{} {} too large for consistent counts. Each block of this code has the count of its own samples",
            count_of(report.unsolved as u64, "function"),
            form(report.unsolved as u64, "is", "are")
        );
        found.push(Diagnostic::warning(DiagnosticCode::FlowNotFound, message));
    }
    if samples < FEW_SAMPLES * functions as u64 {
        let message = format!(
            "the recording has only {} in {}, and {FEW_SAMPLES} for each function are recommended. Record for longer, or with a smaller \
             period (perf record -c)",
            count_of(samples, "sampled address"),
            count_of(functions as u64, "function")
        );
        found.push(Diagnostic::warning(DiagnosticCode::FewAddresses, message));
    }
    found
}
