//! Notes, warnings and errors about the trace in a recording of Arm SPE.

use std::path::Path;

use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, count_of};
use perfdata::{EventAttr, Metadata, TraceStats};

use crate::account::share::percent_text;
use crate::input::events::UsableEvents;

/// How to record branches, and nothing else.
const HOW_TO_SAMPLE: &str =
    "Record branches: `perf record -e arm_spe/branch_filter=1/u -c 2048 -o perf.data -- PROGRAM`.";

/// The bit of `event_filter` that selects operations that were executed.
const RETIRED: u64 = 1 << 1;

/// The bits of `config2` that hold the least latency.
const LATENCY: u64 = (1 << 12) - 1;

/// Returns the event of the trace, if its samples of branches count.
fn used_event(metadata: &Metadata, usable: &UsableEvents) -> Option<usize> {
    let event = metadata.arm_spe_event()?;
    (usable.events[event] && !usable.addresses).then_some(event)
}

/// Returns diagnostics about the trace if its samples count. It is an error if the trace has no usable
/// sample.
pub(crate) fn about_arm_spe(
    metadata: &Metadata,
    usable: &UsableEvents,
    trace: &TraceStats,
    path: &Path,
) -> Result<Vec<Diagnostic>, Error> {
    let Some(event) = used_event(metadata, usable) else {
        return Ok(Vec::new());
    };
    let TraceStats {
        branches,
        not_taken,
        with_previous_target,
        other_operations,
        not_retired,
        ..
    } = *trace;
    if branches == 0 {
        let records = trace.packets.records;
        let message = format!(
            "the trace of Arm SPE has {}, and none is of a branch that was executed",
            count_of(records, "record")
        );
        return Err(Error::new(ErrorCode::NoBranchStacks, message)
            .path(path)
            .hint(HOW_TO_SAMPLE));
    }
    let mut message = format!(
        "Arm SPE sampled {}, of which {} were taken. ",
        count_of(branches, "branch"),
        percent_text(branches - not_taken, branches)
    );
    message += &match with_previous_target {
        0 => "The CPU does not say which code ran before them, so the code that ran after each up to the next branch is counted".to_owned(),
        all if all == branches => "The CPU says where the branch before each of them went, so the code between the two is counted".to_owned(),
        some => format!("{} of them say where the branch before went", percent_text(some, branches)),
    };
    if other_operations + not_retired > 0 {
        message += &format!(
            ". {} of other operations and {not_retired} of branches that were never executed are left out",
            count_of(other_operations, "record")
        );
    }
    let mut found = vec![Diagnostic::note(DiagnosticCode::BranchesSampled, message)];
    found.extend(filtered(&metadata.attrs[event]));
    Ok(found)
}

/// Returns a warning about filters that leave out some branches more often than others.
fn filtered(attr: &EventAttr) -> Option<Diagnostic> {
    let events = attr.config1 & !RETIRED;
    let latency = attr.config2 & LATENCY;
    let filter = match (events, latency) {
        (0, 0) => return None,
        (0, latency) => format!("min_latency={latency}"),
        (_, _) => format!("event_filter={:#x}", attr.config1),
    };
    let message = format!(
        "{} sampled some kinds of branches only ({filter}), so code with other branches looks colder than it is. Record without this filter",
        attr.label()
    );
    Some(Diagnostic::warning(DiagnosticCode::SamplesFiltered, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_choose_among_branches() {
        let message = |config1, config2| {
            let attr = EventAttr {
                config1,
                config2,
                ..EventAttr::default()
            };
            filtered(&attr).map(|found| found.message)
        };
        assert_eq!(message(0, 0), None);
        assert_eq!(message(RETIRED, 1 << 12), None);
        assert!(message(0x82, 0).is_some_and(|message| message.contains("event_filter=0x82")));
        assert!(message(RETIRED, 40).is_some_and(|message| message.contains("min_latency=40")));
    }
}
