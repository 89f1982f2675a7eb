//! Explains why a profile would be empty.

use elf::Image;
use job::failure::HOW_TO_RECORD;
use job::{Error, ErrorCode, count_of};

use crate::account::ledger::{EntryClass, Ledger};
use crate::account::statistics::Statistics;
use crate::report::part::Report;
use crate::request::options::GenerateOptions;

/// Returns the error that the profile of a binary would have no counts, with the reason.
pub(crate) fn of_binary(image: &Image, options: &GenerateOptions, statistics: &Statistics, report: &Report) -> Error {
    let error = if !options.is_sampled() {
        Error::new(
            ErrorCode::EmptyProfile,
            "the input has no counts, so the profile would have none",
        )
    } else if !options.has_several_binaries() {
        empty_profile(&statistics.ledger, statistics.samples)
    } else {
        empty_part(image, report.statistics.entries)
    };
    statistics.missing(error)
}

/// Returns the error that the profile of the only binary would be empty, with the fate of the entries.
fn empty_profile(ledger: &Ledger, samples: u64) -> Error {
    // Traces that another program wrote need not state their number of samples.
    let (message, hint) = if samples == 0 && ledger.entries() == 0 {
        (
            "the recording holds no samples".to_owned(),
            "Record for longer, or check that the event counts on this machine.".to_owned(),
        )
    } else if ledger.entries() == 0 {
        (
            format!(
                "the recording has {}, and none with a branch stack",
                count_of(samples, "sample")
            ),
            HOW_TO_RECORD.to_owned(),
        )
    } else {
        let remedy = ledger.main_class().map_or("", EntryClass::remedy);
        (
            format!(
                "no function would have a count; of {}: {}",
                count_of(ledger.entries(), "branch entry"),
                ledger.summary()
            ),
            remedy.to_owned(),
        )
    };
    Error::new(ErrorCode::EmptyProfile, message).hint(hint)
}

/// Returns the error that one of several binaries has no profile.
fn empty_part(image: &Image, entries: u64) -> Error {
    let path = image.path().display();
    let message = if entries == 0 {
        format!("{path} has no samples")
    } else {
        format!(
            "no function of {path} would have a count, although {} begin or end in this file",
            count_of(entries, "branch entry")
        )
    };
    Error::new(ErrorCode::EmptyProfile, message)
        .path(image.path())
        .hint("Record while this program is busy, or do not name it.")
}
