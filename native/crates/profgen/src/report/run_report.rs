//! Reports runs that are lost or odd, with the probable cause.

use elf::{Code, ImageKind, Svma};
use job::{Diagnostic, DiagnosticCode};

use crate::account::share::Share;
use crate::counting::fall_through::{RunProblem, RunQuality};
use crate::request::words::Words;

/// Facts about a binary and its recording that explain its runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances {
    /// Number of branch entries that were read, of all binaries.
    pub entries: u64,
    /// True if the recording has the build id of the binary.
    pub same_build: bool,
    /// True if a warning says already that the branches hardly fit the binary.
    pub is_doubtful: bool,
    /// True if the binary is a kernel or a module, and its code in memory is not known.
    pub patches_itself: bool,
    /// The executions and the lowest address of code that is not known; see
    /// [`unknown_code`](crate::counting::fall_through::unknown_code).
    pub unknown: Option<(u64, Svma)>,
}

impl Circumstances {
    /// Returns true if a binary of this kind patches this code while it runs.
    pub(crate) fn patches_itself(kind: ImageKind, code: &Code<'_>) -> bool {
        matches!(kind, ImageKind::Kernel | ImageKind::Module) && code.live_sections() == 0
    }

    fn unknown_share(&self) -> Option<(Share, Svma)> {
        let (count, at) = self.unknown?;
        let share = Share::of_entries(count, self.entries);
        share.is_noteworthy().then_some((share, at))
    }

    /// Returns the probable cause of runs that pass a call, return or jump.
    fn cause_of_broken_runs(&self) -> &'static str {
        if self.is_doubtful || self.unknown_share().is_some() {
            "The warning above tells the probable cause"
        } else if self.patches_itself {
            "A kernel changes its code while it runs; a recording made with `perf record --kcore` holds the code that ran, and {--perfdata} reads it"
        } else if self.same_build {
            "The build id says that this is the binary that ran, so probably the program changed its code while it ran, or the CPU did not \
             record every branch"
        } else {
            "No build id confirms that this is the binary that ran; a build whose code differs in a few places loses such entries"
        }
    }
}

/// Returns warnings about the runs of a binary, in llvm-profgen's order.
pub(crate) fn diagnostics(quality: &RunQuality, known: &Circumstances, words: Words) -> Vec<Diagnostic> {
    match words {
        Words::Own => in_own_words(quality, known),
        Words::LlvmProfgen => in_llvm_words(quality),
    }
}

fn in_own_words(quality: &RunQuality, known: &Circumstances) -> Vec<Diagnostic> {
    if quality.pairs == 0 {
        let message = "no two branches of a branch stack follow each other in the binary, so it is not known which code ran between branches";
        return vec![Diagnostic::warning(DiagnosticCode::NoSamples, message)];
    }
    let texts = [
        (
            // The check of the binary reports the same about its branches.
            if known.is_doubtful {
                0
            } else {
                quality.ends_at_no_branch
            },
            DiagnosticCode::OffBoundary,
            if known.same_build {
                "are followed by code that ends at no branch instruction. Interrupts and signals end code anywhere"
            } else {
                "are followed by code that ends at no branch instruction. Interrupts and signals end code anywhere. If the program got few of \
                 these, the binary is probably not the one that ran, and no build id says that it is"
            },
        ),
        (
            quality.homeless,
            DiagnosticCode::NoFunction,
            "are lost, because they are followed by code that belongs to no function of the debug information. It is probably written in \
             assembly, or was compiled without -g",
        ),
        (
            quality.named_by_symbol,
            DiagnosticCode::RecoveredFunction,
            "are followed by code of functions that only the symbol table names; the profile uses these names",
        ),
        (
            quality.crosses_function,
            DiagnosticCode::CrossesFunction,
            "are followed by code that goes on past the end of its function. Each function gets its part of the counts; if there are many, \
             the debug information gives these functions a wrong end",
        ),
    ];
    let shares = texts.into_iter().filter_map(|(count, code, text)| {
        let share = Share::of_entries(count, known.entries);
        share
            .is_noteworthy()
            .then(|| Diagnostic::warning(code, format!("{share} {text}")))
    });
    let broken = Share::of_entries(quality.dropped, known.entries);
    let broken = broken.is_noteworthy().then(|| {
        let cause = known.cause_of_broken_runs();
        let message = format!(
            "{broken} are lost, because they are followed by code that passes a call, a return or a jump. {cause}"
        );
        Diagnostic::warning(DiagnosticCode::CrossesBarrier, message)
    });
    let details = quality.details.iter().map(|&(first, last, problem)| {
        let message = format!("the code from {:#x} to {:#x} {}", first.0, last.0, described(problem));
        Diagnostic::warning(DiagnosticCode::RangeDetail, message)
    });
    let unknown = known.unknown_share().map(|(share, at)| {
        let message = format!(
            "{share} are followed by code with bytes that are no instruction known here, first at {:#x}. They are probably instructions of a \
             newer CPU",
            at.0
        );
        Diagnostic::warning(DiagnosticCode::InstructionsUnknown, message)
    });
    details.chain(shares).chain(unknown).chain(broken).collect()
}

/// Returns the words that complete "the code from 0x1000 to 0x1010 ...".
fn described(problem: RunProblem) -> &'static str {
    match problem {
        RunProblem::OffBoundary => "does not start in the binary, or ends at no branch instruction",
        RunProblem::NoFunction => "starts in no function of the debug information",
        RunProblem::CrossesFunction => "goes on past the end of its function",
        RunProblem::Broken => "passes a call, a return or a jump, or ends before it starts",
    }
}

fn in_llvm_words(quality: &RunQuality) -> Vec<Diagnostic> {
    if quality.pairs == 0 {
        return vec![Diagnostic::warning(
            DiagnosticCode::NoSamples,
            "No samples in perf script!",
        )];
    }
    let detail = |&(first, last, problem): &(Svma, Svma, RunProblem)| {
        let text = match problem {
            RunProblem::OffBoundary => {
                "Range is not on instruction boundary, likely due to profile and binary mismatch."
            }
            RunProblem::NoFunction => {
                "Range does not belong to any functions, likely from PLT, .init or .fini section."
            }
            RunProblem::CrossesFunction => {
                "Fall through range should not cross function boundaries, likely due to profile and binary mismatch."
            }
            RunProblem::Broken => "Range start is after or too far from range end.",
        };
        Diagnostic::warning(
            DiagnosticCode::RangeDetail,
            format!("[{:8x},{:8x}]: {text}", first.0, last.0),
        )
    };
    let texts = [
        (
            quality.off_boundary,
            DiagnosticCode::OffBoundary,
            "of samples are from ranges that are not on instruction boundary.",
        ),
        (
            quality.no_function,
            DiagnosticCode::NoFunction,
            "of samples are from ranges that do not belong to any functions.",
        ),
        (
            quality.recovered,
            DiagnosticCode::RecoveredFunction,
            "of samples are from ranges that belong to functions recovered from symbol table.",
        ),
        (
            quality.crosses_function,
            DiagnosticCode::CrossesFunction,
            "of samples are from ranges that do cross function boundaries.",
        ),
        (
            quality.broken,
            DiagnosticCode::CrossesBarrier,
            "of samples are from ranges that have range start after or too far from range end acrossing the unconditinal jmp.",
        ),
    ];
    let shares = texts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, code, text)| {
            let share = Share::of_entries(count, quality.total).in_llvm_words();
            Diagnostic::warning(code, format!("{share} {text}"))
        });
    quality.details.iter().map(detail).chain(shares).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(quality: &RunQuality, known: &Circumstances) -> Vec<(DiagnosticCode, String)> {
        let found = diagnostics(quality, known, Words::Own);
        found.into_iter().map(|found| (found.code, found.message)).collect()
    }

    const KNOWN: Circumstances = Circumstances {
        entries: 2000,
        same_build: false,
        is_doubtful: false,
        patches_itself: false,
        unknown: None,
    };

    #[test]
    fn a_loss_has_a_cause_and_the_number_of_the_ledger() {
        let quality = RunQuality {
            pairs: 10,
            total: 1900,
            broken: 90,
            dropped: 100,
            ..RunQuality::default()
        };
        let causes = [
            (KNOWN, "No build id confirms"),
            (
                Circumstances {
                    same_build: true,
                    ..KNOWN
                },
                "The build id says",
            ),
            (
                Circumstances {
                    patches_itself: true,
                    same_build: true,
                    ..KNOWN
                },
                "perf record --kcore",
            ),
            (
                Circumstances {
                    is_doubtful: true,
                    ..KNOWN
                },
                "The warning above",
            ),
        ];
        for (known, cause) in causes {
            let [(code, message)] = &told(&quality, &known)[..] else {
                panic!("one warning");
            };
            assert_eq!(*code, DiagnosticCode::CrossesBarrier);
            assert!(
                message.starts_with("5.0 % of the branch entries (100 of 2000) are lost"),
                "{message}"
            );
            assert!(message.contains(cause), "{message}");
        }
    }

    #[test]
    fn losses_that_round_to_zero_are_not_reported() {
        let one = RunQuality {
            pairs: 10,
            total: 1900,
            off_boundary: 1,
            ends_at_no_branch: 1,
            no_function: 1,
            homeless: 1,
            recovered: 1,
            named_by_symbol: 1,
            crosses_function: 1,
            broken: 1,
            dropped: 1,
            details: Vec::new(),
        };
        let many = Circumstances { entries: 2001, ..KNOWN };
        assert_eq!(told(&one, &many), []);
        assert_eq!(told(&one, &KNOWN).len(), 5);
        assert_eq!(diagnostics(&one, &many, Words::LlvmProfgen).len(), 5);
    }

    #[test]
    fn interrupts_are_told_of_once() {
        let quality = RunQuality {
            pairs: 10,
            total: 1900,
            ends_at_no_branch: 100,
            ..RunQuality::default()
        };
        assert!(
            told(&quality, &KNOWN)[0]
                .1
                .contains("the binary is probably not the one that ran")
        );
        let same = Circumstances {
            same_build: true,
            ..KNOWN
        };
        assert!(!told(&quality, &same)[0].1.contains("the binary"));
        let doubtful = Circumstances {
            is_doubtful: true,
            ..KNOWN
        };
        assert_eq!(told(&quality, &doubtful), []);
    }
}
