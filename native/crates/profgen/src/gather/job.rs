//! Runs a collection: from recordings to rows, and from rows to files.

use std::path::Path;
use std::time::{Duration, Instant};

use job::failure::recording_error;
use job::{
    Diagnostic, DiagnosticCode, Error, ErrorCode, InputObserver, Observer, Phase, Progress, check, on_threads,
    repeated_inputs,
};
use traceshard::Loss;

use crate::gather::options::{CollectOptions, Rotation};
use crate::gather::outcome::CollectOutcome;
use crate::gather::output::Output;
use crate::gather::reading::{MAX_ROWS_OF_STREAM, Order, Request, read};
use crate::input::recording::open;
use crate::input::usable::{about_late_samples, guests};

/// Time after which records of a stream are no longer put in order.
const PATIENCE: Duration = Duration::from_secs(600);

/// Collects the traces of recordings, on a thread pool of its own.
///
/// # Errors
/// See [`ErrorCode`]. Files that were finished before stay. The open file does not appear, unless the job was
/// cancelled while it read a stream: then the file is finished with the samples that were read.
pub fn collect(options: &CollectOptions, observer: &dyn Observer) -> Result<CollectOutcome, Error> {
    let as_generate = options.as_generate();
    let request = Request {
        options,
        as_generate: &as_generate,
    };
    let output = Output::begin(options)?;
    on_threads(options.jobs, || run(request, output, observer))
}

fn run(request: Request<'_>, mut output: Output<'_>, observer: &dyn Observer) -> Result<CollectOutcome, Error> {
    let paths = &request.options.perf_data;
    let started = Instant::now();
    observer.progress(Progress::start(Phase::Open));
    let mut diagnostics = repeated_inputs(paths.iter().map(std::path::PathBuf::as_path));
    let observers = InputObserver::for_each(paths, observer);
    for (path, observer) in paths.iter().zip(&observers) {
        let found = read_input(path, request, &mut output, observer)?;
        diagnostics.extend(found);
        keep_small(&mut output)?;
    }
    let collected = Instant::now();
    observer.progress(Progress::start(Phase::Write));
    if output.finished.is_empty() || !output.is_empty() {
        output.finish()?;
    }
    diagnostics.extend(about_all(&output));
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(CollectOutcome {
        shards: output.finished,
        ledger: output.total.counts().collect(),
        diagnostics,
        timings: vec![
            (Phase::Decode, milliseconds(collected - started)),
            (Phase::Write, milliseconds(collected.elapsed())),
        ],
    })
}

/// Reads an input once if that is possible, and otherwise again, with its samples last.
fn read_input(
    path: &Path,
    request: Request<'_>,
    output: &mut Output<'_>,
    observer: &dyn Observer,
) -> Result<Vec<Diagnostic>, Error> {
    let rotate = request.options.rotate;
    let patience = match rotate {
        Some(Rotation::Every(time)) => time / 8,
        _ => PATIENCE,
    };
    let mut input = open(path, observer)?;
    input.hand_out_after(patience).map_err(recording_error)?;
    // A file that is finished, as one of several, cannot be taken back.
    if rotate.is_none() && input.read_once() {
        let alone = output.is_empty();
        match read(input, Order::AsTheyCome { alone }, request, path, output, observer) {
            Ok(Some(diagnostics)) => return Ok(diagnostics),
            Err(error) if error.code == ErrorCode::Aborted => return Err(error),
            // The second reading decides: an error may vanish when all records are known.
            Err(_) | Ok(None) if alone => output.begin_anew()?,
            Err(_) | Ok(None) => {}
        }
        input = open(path, observer)?;
    }
    let is_stream = input.size().is_none();
    let Some(diagnostics) = read(input, Order::SamplesLast, request, path, output, observer)? else {
        return Err(Error::new(
            ErrorCode::Internal,
            "records that came late, although all are known",
        ));
    };
    if let Err(cancelled) = check(observer)
        && is_stream
    {
        output.finish()?;
        return Err(cancelled);
    }
    Ok(diagnostics)
}

/// Adds up or writes the rows of the inputs that were read, if there are many, and begins another file if the open file
/// is full. Recordings of one program have many rows in common.
fn keep_small(output: &mut Output<'_>) -> Result<(), Error> {
    if output.counted.len() <= MAX_ROWS_OF_STREAM / 2 {
        return Ok(());
    }
    output.counted.rows.add_up();
    if output.counted.len() > MAX_ROWS_OF_STREAM / 4 {
        output.write_rows()?;
    }
    if output.is_full() {
        output.next_file()?;
    }
    Ok(())
}

/// Returns the diagnostics about all inputs together.
fn about_all(output: &Output<'_>) -> Vec<Diagnostic> {
    let total = |what: Loss| output.total.get(what);
    let sampled = total(Loss::BranchSamples).saturating_add(total(Loss::Addresses));
    // A host that only runs guests is no reason to end the job.
    let guests = guests(output.guest_samples, sampled)
        .unwrap_or_else(|error| Some(Diagnostic::warning(DiagnosticCode::GuestSamples, error.message)));
    let mut found: Vec<_> = guests.into_iter().collect();
    found.extend(about_late_samples(output.late_samples));
    if total(Loss::Entries) == 0 && total(Loss::Addresses) == 0 {
        let message = format!(
            "neither a branch entry nor a sampled address was read; the recordings have {}",
            job::count_of(total(Loss::Samples), "sample")
        );
        found.push(Diagnostic::warning(DiagnosticCode::NoSamples, message));
    }
    found
}
