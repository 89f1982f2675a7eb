//! Reports samples whose debug information cannot be read. It is an error if most samples are concerned.

use elf::{Image, Svma};
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};
use symbolize::{Damage, DebugInfo, FunctionTable, UnitFault};

use crate::account::share::{Share, percent_text};
use crate::request::options::GenerateOptions;
use crate::request::words::Words;

/// The remedy, for each kind of damage.
const HINT: &str = "Link or copy the file again, with all of its .dwo files or its package if it has split debug information. `llvm-dwarfdump --verify FILE` shows all that is wrong with it. An undamaged file of the same build can be named \
                    with {--debug-binary}.";

/// Warns of samples in units that cannot be read in full. `of_frames` has the faults that were found when frames were
/// read.
///
/// # Errors
/// The samples are most of all samples, or damage is an error. llvm-profgen reports no damage.
pub(crate) fn check(
    image: &Image,
    (debug, functions, of_frames): (&DebugInfo, &FunctionTable, &[UnitFault]),
    samples: &mut dyn Iterator<Item = (Svma, u64)>,
    options: &GenerateOptions,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(), Error> {
    let damage = debug.damage(functions, of_frames, samples);
    let concerned = damage.concerned();
    let Some(message) = message(debug, &damage, concerned) else {
        return Ok(());
    };
    let policy = options.policy;
    let is_most = policy.refuses_implausible && concerned > damage.samples / 2;
    if is_most || options.strict {
        let code = if is_most {
            ErrorCode::BinaryInvalid
        } else {
            ErrorCode::InputDamaged
        };
        return Err(Error::new(code, message).path(image.path()).hint(HINT));
    }
    if policy.words == Words::Own {
        diagnostics.push(Diagnostic::warning(DiagnosticCode::DebugInfoDamaged, message));
    }
    Ok(())
}

fn message(debug: &DebugInfo, damage: &Damage, concerned: u64) -> Option<String> {
    if concerned == 0 {
        return None;
    }
    let path = debug.frames_path().display();
    let share = Share {
        part: concerned,
        whole: damage.samples,
        of: "samples",
    };
    let units = damage.units.first().map(|first| {
        let others = match damage.units.len() - 1 {
            0 => String::new(),
            1 => ", and 1 more unit is damaged".to_owned(),
            more => format!(", and {more} more units are damaged"),
        };
        format!(
            "{} in the unit {}: {}{others}",
            percent_text(first.samples, damage.samples),
            first.name,
            first.fault
        )
    });
    let without_unit = damage.without_unit.map(|(fault, samples)| {
        format!(
            "{} at addresses of no unit: {fault}",
            percent_text(samples, damage.samples)
        )
    });
    let parts: Vec<String> = units.into_iter().chain(without_unit).collect();
    Some(format!(
        "{share} have wrong or no lines and names, because the debug information of {path} is damaged or incomplete ({})",
        parts.join("; ")
    ))
}

/// Returns the error of a binary whose functions are not known because of damage; `None` if there is no
/// damage.
pub(crate) fn hides_functions(image: &Image, debug: &DebugInfo, functions: &FunctionTable) -> Option<Error> {
    let unreadable = debug
        .diagnostics()
        .iter()
        .find(|found| matches!(found, symbolize::Diagnostic::UnreadableSection { .. }));
    let reason = match (unreadable, debug.first_fault(functions)) {
        (Some(section), _) => section.to_string(),
        (None, Some(fault)) => format!("{}: {fault}", debug.functions_path().display()),
        (None, None) => return None,
    };
    let message = format!("the debug information is damaged, so none of the functions that ran is known: {reason}");
    Some(
        Error::new(ErrorCode::BinaryInvalid, message)
            .path(image.path())
            .hint(HINT),
    )
}
