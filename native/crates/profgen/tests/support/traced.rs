//! Makes each profile of a recording from collected traces as well. Both must be equal.

use job::DiagnosticCode;
use profgen::{
    CollectOptions, EntryClass, Error, ErrorCode, GenerateOptions, Input, Outcome, Output, Policy, SampleUse, Silent,
    collect,
};

/// Makes a profile. Fails unless the traces of each recording, in a file of its own, give the same result, or
/// are refused as well. The same holds for traces for BOLT.
pub fn generate(options: &GenerateOptions, observer: &Silent) -> Result<Outcome, Error> {
    let for_bolt = GenerateOptions {
        for_bolt: Some(profgen::BoltFormat::PreAggregated),
        skip_symbolization: false,
        merge_binaries: false,
        ..options.clone()
    };
    if matches!(options.output, Output::Memory) {
        let _ = generate_and_compare(&for_bolt, observer);
    }
    generate_and_compare(options, observer)
}

fn generate_and_compare(options: &GenerateOptions, observer: &Silent) -> Result<Outcome, Error> {
    let recorded = profgen::generate(options, observer);
    if let Some(traced) = from_traces(options) {
        match (&recorded, &traced) {
            // The traces say themselves that they are not sure.
            (Ok(_), Ok(traced)) if is_unsure(traced) => {}
            (Ok(recorded), Ok(traced)) => {
                // Of a sample that does not count, the traces have only the entries that touch the binary.
                // They do not have the events of entries that lie in other files. A branch between two other builds of
                // the binary is in two rows.
                let none_of = |class| recorded.statistics.ledger[class] == 0;
                let whole_ledger = none_of(EntryClass::UnsureStack)
                    && none_of(EntryClass::OtherBuild)
                    && options.select.events.is_empty();
                let [traced, recorded] = [traced, recorded].map(|outcome| told(outcome, whole_ledger));
                assert_eq!(traced, recorded, "from traces and from recordings");
            }
            (Err(_), Err(_)) => {}
            // A recording without branches is refused where branches are wanted, and traces without branches are left
            // out if others have branches.
            (Err(recorded), Ok(traced)) if recorded.code == ErrorCode::NoBranchStacks && leaves_out(traced) => {}
            _ => panic!("traces give {traced:?}, and the recordings {recorded:?}"),
        }
    }
    recorded
}

/// Returns the profile from traces; `None` if the options ask for data that traces do not have.
fn from_traces(options: &GenerateOptions) -> Option<Result<Outcome, Error>> {
    let Input::PerfData(recordings) = &options.input else {
        return None;
    };
    let by_sample = options.leading_ip_only || options.sample_period.is_some();
    let has_memory = recordings.iter().any(|recording| recording.join("kcore_dir").is_dir());
    let is_written = !matches!(options.output, Output::Memory);
    if by_sample || has_memory || is_written || options.policy != Policy::OWN {
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for (index, recording) in recordings.iter().enumerate() {
        let path = folder.path().join(format!("{index}.parquet"));
        let mut select = options.select.clone();
        // Another recording may have the event. Of sampled addresses, the events are chosen by the collection.
        if options.samples != SampleUse::Addresses {
            select.events.clear();
        }
        let collecting = CollectOptions {
            select,
            samples: match options.samples {
                SampleUse::Addresses => SampleUse::Addresses,
                _ => SampleUse::Any,
            },
            strict: options.strict,
            jobs: options.jobs,
            ..CollectOptions::new(vec![recording.clone()], path)
        };
        if let Err(error) = collect(&collecting, &Silent) {
            return Some(Err(error));
        }
    }
    let mut options = options.clone();
    options.select = profgen::Selection {
        events: options.select.events,
        ..profgen::Selection::default()
    };
    options.input = Input::Traces(vec![folder.path().to_owned()]);
    Some(profgen::generate(&options, &Silent))
}

/// Returns what a job reports about its result. The collection reports everything else about the recordings.
fn told(outcome: &Outcome, whole_ledger: bool) -> Vec<String> {
    let statistics = &outcome.statistics;
    let text = |bytes: &Option<Vec<u8>>| {
        bytes
            .as_deref()
            .map(String::from_utf8_lossy)
            .unwrap_or_default()
            .into_owned()
    };
    let numbers = (
        statistics.samples,
        statistics.branch_samples,
        statistics.lost_records,
        statistics.total_count,
        statistics.functions,
    );
    let mut told = vec![format!("{numbers:?}"), text(&outcome.bytes)];
    // A branch from one binary to another is in two rows.
    if let [_] = outcome.binaries[..] {
        let ledger = statistics.ledger;
        if whole_ledger {
            told.push(format!("{ledger:?}"));
        } else {
            told.push(format!("{:?}", ledger[EntryClass::Used]));
        }
    }
    for binary in &outcome.binaries {
        let statistics = &binary.statistics;
        let numbers = (
            statistics.entries,
            statistics.crosses_barrier,
            statistics.ranges,
            statistics.branches,
        );
        told.push(format!("{}: {numbers:?} {:?}", binary.name, binary.failure.is_some()));
        told.push(text(&binary.bytes));
    }
    told
}

fn leaves_out(outcome: &Outcome) -> bool {
    outcome
        .diagnostics
        .iter()
        .any(|found| found.code == DiagnosticCode::EventLeftOut)
}

fn is_unsure(outcome: &Outcome) -> bool {
    outcome
        .diagnostics
        .iter()
        .any(|found| found.code == DiagnosticCode::RunEndsUnsure)
}
