//! Refuses to make a profile although there are counts.

use job::{Error, ErrorCode};

use crate::account::share::percent_text;
use crate::account::statistics::Statistics;
use crate::request::options::GenerateOptions;

/// Refuses to go on if more is lost than the options allow.
pub(crate) fn check_loss(options: &GenerateOptions, statistics: &Statistics) -> Result<(), Error> {
    let Some(allowed) = options.max_loss else {
        return Ok(());
    };
    let ledger = &statistics.ledger;
    if ledger.loss_percent() <= allowed {
        return Ok(());
    }
    let lost = ledger.lost();
    Err(Error::new(
        ErrorCode::LossExceeded,
        format!(
            "{} of the {} are lost ({lost} of {}), and {allowed} % are allowed: {}",
            percent_text(lost, ledger.entries()),
            if statistics.by_addresses {
                "samples"
            } else {
                "branch entries"
            },
            ledger.entries(),
            ledger.summary()
        ),
    )
    .hint("The message tells what became of all entries; docs/troubleshooting.md tells what helps. To accept so much loss, raise {--max-loss}."))
}

/// Returns the error that counts would wrap around at 0, as llvm-profgen's do.
pub(crate) fn counts_exceed(options: &GenerateOptions) -> Error {
    let hint = if options.sample_period.is_some() {
        "Use a smaller {--sample-period}."
    } else {
        "Divide all counts of the input by the same number."
    };
    let message = format!(
        "the counts add up to more than {}, which is the largest count of a profile",
        u64::MAX
    );
    Error::new(ErrorCode::InputInvalid, message).hint(hint)
}
