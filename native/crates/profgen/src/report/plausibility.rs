//! Checks from the branches that were taken whether counters can belong to the binary, and whether all kinds
//! of branches were recorded.

use elf::Image;
use job::failure::HOW_TO_RECORD;
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};

use crate::account::share::percent;
use crate::counting::agreement::Agreement;
use crate::counting::branch_kinds::BranchKinds;
use crate::counting::fall_through::RunQuality;
use crate::request::options::{GenerateOptions, Input};

/// Fewer branches than this number prove nothing.
const LEAST_BRANCHES: u64 = 100;

/// Share of wrong branches, in percent, from which on the binary is plainly another one. Measured: the right
/// binaries of all recordings in the tests have 0 to 0.4 %, Debian's kernel 0.08 %; other builds of one
/// source have 82 % and more, and a kernel whose second half lies 16 bytes further has 25 %.
const ANOTHER_BINARY: f64 = 10.0;

/// Share of wrong branches, in percent, from which on a warning is given.
const DOUBTFUL: f64 = 3.0;

/// Share of all executions of runs, in percent. If this share passes branches of a kind, and no branch of the
/// kind was recorded, the recording left branches out on purpose.
const MANY_PASSED: f64 = 10.0;

/// Refuses branches that are plainly those of other code, unless build ids are to be ignored.
pub(crate) fn check_binary(
    agreement: &Agreement,
    image: &Image,
    options: &GenerateOptions,
) -> Result<Option<Diagnostic>, Error> {
    let path = image.path();
    if agreement.judged < LEAST_BRANCHES {
        return Ok(None);
    }
    let wrong = percent(agreement.wrong, agreement.judged);
    if wrong >= ANOTHER_BINARY {
        let message = format!(
            "{} is not the binary that ran: of the {} branches that were taken inside of it, {wrong:.1} % start at no branch instruction, or \
             end where that instruction does not go; with the binary that ran it is less than 1 %",
            path.display(),
            agreement.judged
        );
        if options.ignore_build_id {
            return Ok(Some(Diagnostic::warning(DiagnosticCode::BinaryMismatch, message)));
        }
        let hint = match options.input {
            Input::Traces(_) => {
                "Name the binary that was running. If the traces have no build ids, which `autofdo-gen inspect` tells, they may be of several \
                 builds: collect them from recordings made with `perf record --buildid-mmap`. {--ignore-build-id} makes the profile all the same."
            }
            _ => {
                "Name the binary that was running (perf's own copy is in ~/.debug, unless -N left it out). {--ignore-build-id} makes the profile \
                 all the same."
            }
        };
        return Err(Error::new(ErrorCode::BinaryMismatch, message).path(path).hint(hint));
    }
    Ok((wrong >= DOUBTFUL).then(|| {
        let message = format!(
            "of the {} branches that were taken inside of {}, {wrong:.1} % start at no branch instruction, or end where that instruction \
             does not go; if it is not the very binary that ran, name that one with {{--binary}}",
            agreement.judged,
            path.display()
        );
        Diagnostic::warning(DiagnosticCode::BinaryDoubtful, message)
    }))
}

/// Returns a warning if counters from a file do not fit the binary. This is no error, because people write
/// counters by hand.
pub(crate) fn doubt_counters(agreement: &Agreement, image: &Image) -> Option<Diagnostic> {
    let wrong = percent(agreement.wrong, agreement.judged);
    (agreement.judged >= LEAST_BRANCHES && wrong >= DOUBTFUL).then(|| {
        let message = format!(
            "of the {} branches that the counters have inside of {}, {wrong:.1} % start at no branch instruction, or end where that \
             instruction does not go; if the counters are those of another binary, name that one with {{--binary}}",
            agreement.judged,
            image.path().display()
        );
        Diagnostic::warning(DiagnosticCode::BinaryDoubtful, message)
    })
}

/// Refuses a recording of only some kinds of branches. The runs between recorded branches pass branches of
/// the other kinds. `passed` counts these.
pub(crate) fn check_kinds(
    agreement: &Agreement,
    runs: &RunQuality,
    passed: impl FnOnce() -> BranchKinds,
    image: &Image,
) -> Result<(), Error> {
    let many = |count| percent(count, runs.total) >= MANY_PASSED;
    if agreement.judged < LEAST_BRANCHES || !many(runs.dropped) {
        return Ok(());
    }
    let missing = agreement.sources.missing(&passed(), many);
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "only some kinds of branches were recorded: {:.1} % of the runs between the {} branches inside of {} cannot be straight, and none of \
         these branches starts at {}",
        percent(runs.dropped, runs.total),
        agreement.judged,
        image.path().display(),
        missing.join(", ")
    );
    Err(Error::new(ErrorCode::NoBranchStacks, message).hint(HOW_TO_RECORD))
}
