//! Runs a collection: from recordings to rows, and from rows to files.

use std::path::Path;
use std::time::{Duration, Instant};

use job::failure::recording_error;
use job::{
    Diagnostic, DiagnosticCode, Error, ErrorCode, InputObserver, Observer, Phase, Progress, check, count_of,
    on_threads, repeated_inputs,
};
use traceshard::Loss;

use crate::account::share::percent_text;
use crate::gather::grace::Grace;
use crate::gather::options::{CollectOptions, Rotation};
use crate::gather::outcome::CollectOutcome;
use crate::gather::output::{InFiles, Output};
use crate::gather::reading::{MAX_ROWS_OF_STREAM, Order, Request, read};
use crate::gather::rows::Tally;
use crate::input::recording::open;
use crate::input::usable::{about_late_samples, guests};

/// Time after which records of a stream are no longer put in order.
const PATIENCE: Duration = Duration::from_secs(600);

/// Collects the traces of recordings, on a thread pool of its own.
///
/// # Errors
/// See [`ErrorCode`]. Files that were finished before stay, and the open file does not appear.
///
/// A job that is cancelled while it reads a stream of records ends without an error. It reads on until the stream ends,
/// for at most 5 seconds, and finishes the open file with the samples that were read.
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
    let mut interrupted = false;
    for (index, (path, observer)) in paths.iter().zip(&observers).enumerate() {
        let read = read_input(path, request, &mut output, observer)?;
        diagnostics.extend(read.diagnostics);
        if let Some(cancelled) = read.cancelled {
            interrupted = cancelled == Cancelled::CutOff || index + 1 < paths.len();
            break;
        }
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
        interrupted,
        ledger: output.total.counts().collect(),
        diagnostics,
        timings: vec![
            (Phase::Decode, milliseconds(collected - started)),
            (Phase::Write, milliseconds(collected.elapsed())),
        ],
    })
}

/// An input that was read.
struct ReadInput {
    diagnostics: Vec<Diagnostic>,
    /// How a stream ended whose job was cancelled.
    cancelled: Option<Cancelled>,
}

#[derive(PartialEq, Eq)]
enum Cancelled {
    /// The writer closed the stream, so all of it was read.
    Ended,
    /// The stream went on.
    CutOff,
}

/// Reads an input once if that is possible, and otherwise again, with its samples last.
fn read_input(
    path: &Path,
    request: Request<'_>,
    output: &mut Output<'_>,
    observer: &dyn Observer,
) -> Result<ReadInput, Error> {
    let rotate = request.options.rotate;
    let patience = match rotate {
        Some(Rotation::Every(time)) => time / 8,
        _ => PATIENCE,
    };
    let grace = Grace::new(path, observer);
    let mut input = open(path, &grace)?;
    input.hand_out_after(patience).map_err(recording_error)?;
    let is_kept = input.is_kept_when_cancelled();
    if is_kept {
        grace.grant();
    }
    // A file that is finished, as one of several, cannot be taken back.
    if rotate.is_none() && input.read_once() {
        let alone = output.is_empty();
        match read(input, Order::AsTheyCome { alone }, request, path, output, observer) {
            Ok(Some(diagnostics)) => {
                return Ok(ReadInput {
                    diagnostics,
                    cancelled: None,
                });
            }
            Err(error) if error.code == ErrorCode::Aborted => return Err(error),
            // The second reading decides: an error may vanish when all records are known.
            Err(_) | Ok(None) if alone => output.begin_anew()?,
            Err(_) | Ok(None) => {}
        }
        input = open(path, &grace)?;
    }
    let Some(diagnostics) = read(input, Order::SamplesLast, request, path, output, observer)? else {
        return Err(Error::new(
            ErrorCode::Internal,
            "records that came late, although all are known",
        ));
    };
    let cancelled = (is_kept && check(observer).is_err()).then(|| match grace.is_over() {
        true => Cancelled::CutOff,
        false => Cancelled::Ended,
    });
    Ok(ReadInput { diagnostics, cancelled })
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
    found.extend(about_files(&output.total, &output.in_files));
    found
}

/// Returns a warning about traces that are of little use: there are none, none is in a file, or files cannot be told
/// apart.
fn about_files(total: &Tally, in_files: &InFiles) -> Option<Diagnostic> {
    let (entries, addresses) = (total.get(Loss::Entries), total.get(Loss::Addresses));
    if entries == 0 && addresses == 0 {
        let message = format!(
            "neither a branch entry nor a sampled address was read; the recordings have {}",
            count_of(total.get(Loss::Samples), "sample")
        );
        return Some(Diagnostic::warning(DiagnosticCode::NoSamples, message));
    }
    if in_files.all == 0 {
        let losses = total.counts().filter(|(what, _)| what.is_of_traces());
        let losses: Vec<_> = losses
            .map(|(what, count)| format!("{count} {}", what.as_str()))
            .collect();
        let message = format!(
            "no profile can be made of these traces, because none of {} and {} is in a file and was selected: {}",
            count_of(entries, "branch entry"),
            count_of(addresses, "sampled address"),
            losses.join(", ")
        );
        return Some(Diagnostic::warning(DiagnosticCode::NoSamples, message));
    }
    (in_files.unidentified > in_files.programs / 2).then(|| {
        let message = format!(
            "the recordings do not tell the build ids of files with {} of the traces of programs. Profiles recognise these files by their names, \
             and two builds of one name are added together. Record with `perf record --buildid-mmap`",
            percent_text(in_files.unidentified, in_files.programs)
        );
        Diagnostic::warning(DiagnosticCode::BuildIdsMissing, message)
    })
}
