//! Reports doubtful call stacks.

use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, count_of, form};

use crate::account::share::Share;
use crate::counting::unwind::MAX_FRAMES;
use crate::input::call_stack::CallStacks;
use crate::request::options::GenerateOptions;
use crate::request::words::Words;

/// The remedy where a profile with contexts is not possible.
const WITHOUT_CONTEXTS: &str = "Use {--ignore-stack-samples} for a profile by the branch stacks alone.";

/// Returns the error that an option does not support contexts. `input` names the recording or the traces, and `has` is
/// the verb.
pub(crate) fn no_zeros_with_contexts(input: &str, has: &str) -> Error {
    let message = format!(
        "{input} {has} call chains, which give a context-sensitive profile, but {{--fill-zero-for-all-funcs}} does not support contexts"
    );
    Error::new(ErrorCode::Unsupported, message).hint(WITHOUT_CONTEXTS)
}

/// Returns the error that only some of the inputs have call chains. `message` says which.
pub(crate) fn not_all_have_call_chains(message: String) -> Error {
    Error::new(ErrorCode::InvalidOptions, message).hint(WITHOUT_CONTEXTS)
}

/// Returns warnings about call stacks, in llvm-profgen's order.
pub(crate) fn call_stack_diagnostics(stacks: &CallStacks, options: &GenerateOptions) -> Vec<Diagnostic> {
    let words = options.policy.words;
    let distinct = stacks.distinct();
    let stacks = &stacks.stats;
    let mut found = Vec::new();
    let warn_of_share = |share: Share, own: &str, llvm_profgen: &str| {
        let is_told = match words {
            Words::Own => share.is_noteworthy(),
            Words::LlvmProfgen => share.part > 0 && share.whole > 0,
        };
        is_told.then(|| {
            words.warning(
                DiagnosticCode::CallStacks,
                || format!("{share} {own}"),
                || format!("{} {llvm_profgen}", share.in_llvm_words()),
            )
        })
    };
    found.extend(warn_of_share(
        Share {
            part: stacks.external_leaves,
            whole: stacks.items,
            of: "samples",
        },
        "were taken outside of the binary; the frames of their call stacks that lie in the binary are used",
        "of samples have leaf external frame in call stack.",
    ));
    if stacks.cut > 0 && !options.ignore_stack_samples {
        let message = format!(
            "{} {} more than {MAX_FRAMES} frames; contexts leave out the frames further out",
            count_of(stacks.cut, "sample"),
            form(stacks.cut, "has", "have")
        );
        found.push(Diagnostic::warning(DiagnosticCode::CallStacksCut, message));
    }
    if options.show_detailed_warning {
        let mut broken: Vec<_> = stacks.broken_at.iter().collect();
        broken.sort_unstable();
        found.extend(broken.into_iter().map(|(_, address)| {
            words.warning(
                DiagnosticCode::CallStackDetail,
                || {
                    format!(
                        "call stacks end at the return address {address:#x}, because no call stands before it; probably the function there \
                         was compiled without frame pointers"
                    )
                },
                || {
                    format!(
                        "Truncated stack sample due to invalid return address at {address:#x}, likely caused by frame pointer omission"
                    )
                },
            )
        }));
    }
    let (part, whole, of) = match words {
        Words::Own => (stacks.broken, stacks.items, "samples"),
        // llvm-profgen prints the number of addresses here, not the number of samples.
        Words::LlvmProfgen => (stacks.broken_at.len() as u64, distinct as u64, "distinct samples"),
    };
    found.extend(warn_of_share(
        Share { part, whole, of },
        "have a call stack that ends at an address with no call before it. Compile with -fno-omit-frame-pointer",
        "of truncated stack samples due to invalid return address, likely caused by frame pointer omission.",
    ));
    found
}
