//! Runs a collection: from recordings to rows, and from rows to files.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use job::failure::recording_error;
use job::{
    Diagnostic, DiagnosticCode, Error, ErrorCode, InputFiles, InputObserver, Observer, Phase, Progress, check,
    make_output_folder, on_threads, repeated_inputs,
};
use perfdata::{Change, ChunkStats, Consulted, Metadata, Moment, PerfData, RecordStats, TextPoke};
use rustc_hash::FxHashSet;
use traceshard::{Loss, MAX_GROUPS};

use crate::binaries::live_text::KernelMemory;
use crate::gather::files::{Files, Followed};
use crate::gather::options::{CollectOptions, Rotation};
use crate::gather::outcome::CollectOutcome;
use crate::gather::row_groups::{Event, Names};
use crate::gather::rows::{EventId, Tally};
use crate::gather::shard_file::{Patch, ShardFile, new_name};
use crate::gather::spots::{Spot, Spots};
use crate::gather::worker::{Chosen, Counted, Workers};
use crate::input::arm_spe::about_arm_spe;
use crate::input::events::{HasCallChains, about_addresses, call_chains, left_out, usable_events, without_user_frames};
use crate::input::recording::open;
use crate::input::usable::{about_incomplete_call_chains, about_late_samples, guests, trouble};
use crate::request::options::GenerateOptions;

/// Number of rows in memory above which the rows of a stream are written. Equal rows in a file add up when
/// the file is read.
const MAX_ROWS_OF_STREAM: usize = 1 << 19;
const MAX_ROWS_OF_FILE: usize = 1 << 21;

/// Number of changes of address spaces after which a stream forgets what was before them. perf writes its buffers
/// one after the other, so a sample can come after changes that happened after it, but hardly after this many.
const MAX_CHANGES_OF_STREAM: usize = 1 << 18;

/// Time after which records of a stream are no longer put in order.
const PATIENCE: Duration = Duration::from_secs(600);

/// Approximate size of a row in a file, in bytes. It tells when a file that is rotated by size has enough
/// rows.
const BYTES_OF_A_ROW: u64 = 8;

/// Collects the traces of recordings, on a thread pool of its own.
///
/// # Errors
/// See [`ErrorCode`]. Files that were finished before stay. The open file does not appear, unless the job was
/// cancelled while it read a stream: then the file is finished with the samples that were read.
pub fn collect(options: &CollectOptions, observer: &dyn Observer) -> Result<CollectOutcome, Error> {
    let mut inputs = InputFiles::default();
    options.perf_data.iter().for_each(|path| inputs.add_stream(path));
    if options.is_one_file() {
        inputs.check(&options.output)?;
        if options.rotate.is_some() {
            return Err(Error::new(
                ErrorCode::InvalidOptions,
                format!(
                    "{{--rotate}} writes several files into a folder, and {} is a file",
                    options.output.display()
                ),
            )
            .hint("Name a folder with {--output}."));
        }
    } else {
        if options.output.is_file() {
            return Err(Error::new(
                ErrorCode::InvalidOptions,
                format!(
                    "{} is a file, and its name does not end in .parquet",
                    options.output.display()
                ),
            )
            .hint("Name a folder with {--output}, or a file whose name ends in .parquet."));
        }
        make_output_folder(&options.output)?;
    }
    let job = Collection {
        options,
        as_generate: options.as_generate(),
        inputs,
        files: Files::default(),
        events: Vec::new(),
        counted: Counted::default(),
        patches: FxHashSet::default(),
        host: None,
        shard: None,
        outcome: CollectOutcome {
            diagnostics: repeated_inputs(options.perf_data.iter().map(std::path::PathBuf::as_path)),
            ..CollectOutcome::default()
        },
        total: Tally::default(),
        guest_samples: 0,
        late_samples: 0,
        interrupted: None,
    };
    on_threads(options.jobs, || job.run(observer))
}

/// An observer that does not cancel the job.
struct ToTheEnd<'a>(&'a dyn Observer);

impl Observer for ToTheEnd<'_> {
    fn progress(&self, progress: Progress) {
        self.0.progress(progress);
    }

    fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::default()
    }
}

/// How an input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Samples are counted when they are read. The job gives this up if a later record changes the meaning of
    /// earlier samples.
    Once {
        /// True if the file has no rows of another input yet, so that it can be begun anew. Otherwise rows
        /// cannot be taken back once they are written.
        alone: bool,
    },
    /// All records of a file are read before its samples.
    AllButSamplesFirst,
}

/// Takes the counts of an input out of the workers.
///
/// If a sample of an input has a branch stack, the addresses of its samples without one never count. `has_stacks`
/// is true if earlier counts of the input have a sample with a branch stack.
fn drain(workers: &mut Workers<'_>, chosen: &Chosen<'_>, has_stacks: &mut bool) -> Counted {
    let mut drained = Counted::default();
    workers.drain_into(&mut drained);
    *has_stacks |= drained.tally.get(Loss::BranchSamples) > 0;
    if *has_stacks && !chosen.usable.addresses {
        drained.forget_addresses();
    }
    drained
}

struct Collection<'a> {
    options: &'a CollectOptions,
    as_generate: GenerateOptions,
    inputs: InputFiles,
    files: Files,
    events: Vec<Event>,
    /// Counts that are in no file yet.
    counted: Counted,
    patches: FxHashSet<Patch>,
    host: Option<String>,
    shard: Option<ShardFile>,
    outcome: CollectOutcome,
    /// Numbers of the ledger, of all files.
    total: Tally,
    guest_samples: u64,
    /// Number of samples of a time whose address spaces were forgotten.
    late_samples: u64,
    /// The error of a job that was cancelled while it read a stream.
    interrupted: Option<Error>,
}

impl<'a> Collection<'a> {
    fn run(mut self, observer: &dyn Observer) -> Result<CollectOutcome, Error> {
        let started = Instant::now();
        observer.progress(Progress::start(Phase::Open));
        // The job finds out that a folder cannot be written before it collects for hours.
        self.begin_shard()?;
        let observers = InputObserver::for_each(&self.options.perf_data, observer);
        for (path, observer) in self.options.perf_data.iter().zip(&observers) {
            self.read(path, observer)?;
            if self.interrupted.is_some() {
                break;
            }
            if self.counted.len() > MAX_ROWS_OF_STREAM / 2 {
                // Recordings of one program have many rows in common.
                self.counted.rows.add_up();
                if self.counted.len() > MAX_ROWS_OF_STREAM / 4 {
                    self.write_rows()?;
                }
                if self.is_full() {
                    self.finish_shard()?;
                    self.begin_shard()?;
                }
            }
        }
        let collected = Instant::now();
        observer.progress(Progress::start(Phase::Write));
        if self.outcome.shards.is_empty() || !self.is_empty() {
            self.finish_shard()?;
        }
        if let Some(interrupted) = self.interrupted {
            return Err(interrupted);
        }
        let count_of = |what: Loss| self.total.get(what);
        let sampled = count_of(Loss::BranchSamples).saturating_add(count_of(Loss::Addresses));
        let found = guests(self.guest_samples, sampled);
        // A host that only runs guests is no reason to end the job.
        let guests =
            found.unwrap_or_else(|error| Some(Diagnostic::warning(DiagnosticCode::GuestSamples, error.message)));
        self.outcome.diagnostics.extend(guests);
        self.outcome.diagnostics.extend(about_late_samples(self.late_samples));
        if count_of(Loss::Entries) == 0 && count_of(Loss::Addresses) == 0 {
            let message = format!(
                "neither a branch entry nor a sampled address was read; the recordings have {}",
                job::count_of(count_of(Loss::Samples), "sample")
            );
            let warning = Diagnostic::warning(DiagnosticCode::NoSamples, message);
            self.outcome.diagnostics.push(warning);
        }
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        self.outcome.ledger = self.total.counts().collect();
        self.outcome.timings = vec![
            (Phase::Decode, milliseconds(collected - started)),
            (Phase::Write, milliseconds(collected.elapsed())),
        ];
        Ok(self.outcome)
    }

    fn read(&mut self, path: &Path, observer: &dyn Observer) -> Result<(), Error> {
        let mut input = open(path, observer)?;
        let patience = match self.options.rotate {
            Some(Rotation::Every(time)) => time / 8,
            _ => PATIENCE,
        };
        input.hand_out_after(patience).map_err(recording_error)?;
        // A file that is finished, as one of several, cannot be taken back.
        if self.options.rotate.is_none() && input.read_once() {
            let alone = self.is_empty();
            match self.read_in(path, input, Reading::Once { alone }, observer) {
                Ok(true) => return Ok(()),
                Err(error) if error.code == ErrorCode::Aborted => return Err(error),
                // The second reading decides: an error may vanish when all records are known.
                Err(_) | Ok(false) if alone => {
                    self.counted = Counted::default();
                    self.begin_shard()?;
                }
                Err(_) | Ok(false) => {}
            }
            input = open(path, observer)?;
        }
        match self.read_in(path, input, Reading::AllButSamplesFirst, observer)? {
            true => Ok(()),
            false => Err(Error::new(
                ErrorCode::Internal,
                "records that came late, although all are known",
            )),
        }
    }

    /// Counts each segment of an input while the next segment is read. Returns false if the input must be
    /// read the other way. Then no counts of it are kept.
    fn read_in(
        &mut self,
        path: &Path,
        mut input: PerfData,
        reading: Reading,
        observer: &dyn Observer,
    ) -> Result<bool, Error> {
        observer.progress(Progress::start(Phase::Scan));
        let to_the_end = ToTheEnd(observer);
        // A cancelled stream ends, and the samples that were read are kept.
        let of_samples: &dyn Observer = if input.size().is_none() { &to_the_end } else { observer };
        let mut workers = Workers::new(of_samples, input.size().unwrap_or(0));
        let mut followed = Followed::new(input.size().is_none());
        let mut stats = RecordStats::default();
        let mut pokes: FxHashSet<TextPoke> = FxHashSet::default();
        let mut lost = 0;
        let mut events = None;
        let mut has_stacks = false;
        let mut chunks = ChunkStats::default();
        let mut segment = input.next_segment().map_err(recording_error)?;
        while let Some(current) = segment {
            let chosen = self.choose(input.metadata(), path)?;
            let mut late =
                current.events_changed() || *events.get_or_insert_with(|| chosen.usable.clone()) != chosen.usable;
            late |= followed.extend(&current, input.metadata(), &mut self.files);
            if !current.side_records().is_empty() {
                let changed = |consulted: &Consulted| followed.spaces.contradict(consulted, current.side_records());
                late |= workers.forget_spaces(changed);
            }
            if late && reading != Reading::AllButSamplesFirst {
                return Ok(false);
            }
            let (next, counted) = rayon::join(|| input.next_segment(), || workers.add(&current, &followed, &chosen));
            counted?;
            segment = next.map_err(recording_error)?;
            let to_come = current.trace_to_come();
            stats.add(current.stats());
            let changes = current.side_records().iter().map(|record| &record.change);
            pokes.extend(changes.filter_map(|change| match change {
                Change::Poke(poke) => Some(poke.clone()),
                _ => None,
            }));
            input.reuse(current);
            self.host = input.metadata().hostname.clone().filter(|_| self.options.host);
            let usual = if input.size().is_none() {
                MAX_ROWS_OF_STREAM
            } else {
                MAX_ROWS_OF_FILE
            };
            let most = self.options.most_rows.unwrap_or(usual);
            if workers.exceed(most.saturating_sub(self.counted.len())) {
                if reading == (Reading::Once { alone: false }) {
                    return Ok(false);
                }
                self.take_counts(&mut workers, &chosen, &mut has_stacks, &mut chunks);
                self.write_rows()?;
            }
            if self.is_due(&mut workers) {
                if reading != Reading::AllButSamplesFirst {
                    return Ok(false);
                }
                self.take_counts(&mut workers, &chosen, &mut has_stacks, &mut chunks);
                self.counted.tally.add(Loss::LostRecords, stats.lost() - lost);
                lost = stats.lost();
                self.note_patches(&mut pokes, &followed);
                self.finish_shard()?;
                self.begin_shard()?;
            }
            // If a trace is read in the end, its samples are of all times.
            let needs_past = input.size().is_some() || to_come.is_some_and(|to_come| to_come.in_the_end);
            let most = self.options.most_changes.unwrap_or(MAX_CHANGES_OF_STREAM);
            if !needs_past && followed.has_long_past(most) {
                // The counts name files by their present numbers.
                self.take_counts(&mut workers, &chosen, &mut has_stacks, &mut chunks);
                self.note_patches(&mut pokes, &followed);
                self.write_rows()?;
                let needed = to_come.map(|to_come| to_come.earliest);
                followed.forget_past(&mut self.files, needed, 2 * most);
                workers.forget_spaces(|_| false);
            }
            check(of_samples)?;
        }
        if input.size().is_none() {
            self.interrupted = check(observer).err();
        }
        let chosen = self.choose(input.metadata(), path)?;
        if reading != Reading::AllButSamplesFirst && events.is_some_and(|events| events != chosen.usable) {
            return Ok(false);
        }
        self.host = input.metadata().hostname.clone().filter(|_| self.options.host);
        let mut drained = drain(&mut workers, &chosen, &mut has_stacks);
        chunks.add(drained.chunks);
        let uses_call_chains =
            chosen.usable.addresses || chosen.call_chains.iter().any(|call_chains| call_chains.are_wanted());
        if uses_call_chains && chunks.incomplete_call_chains > 0 {
            // The missing part of a call chain may stand far after its sample.
            if reading != Reading::AllButSamplesFirst {
                return Ok(false);
            }
            self.outcome
                .diagnostics
                .push(about_incomplete_call_chains(chunks, path));
        }
        self.diagnose(input.metadata(), &chosen, &stats, &chunks, path)?;
        self.counted.take(&mut drained);
        self.counted.tally.add(Loss::LostRecords, stats.lost() - lost);
        self.note_patches(&mut pokes, &followed);
        Ok(true)
    }

    /// Adds the diagnostics about an input that was read.
    fn diagnose(
        &mut self,
        metadata: &Metadata,
        chosen: &Chosen<'_>,
        stats: &RecordStats,
        chunks: &ChunkStats,
        path: &Path,
    ) -> Result<(), Error> {
        let found = trouble(stats, *chunks, path);
        if let Some(first) = found.first().filter(|_| self.options.strict) {
            return Err(Error::new(ErrorCode::InputDamaged, first.message.clone())
                .path(path)
                .hint("Leave out {--strict} to use what can be read."));
        }
        self.outcome.diagnostics.extend(found);
        self.outcome.diagnostics.extend(left_out(metadata, &self.as_generate));
        let unused = without_user_frames(metadata, &self.as_generate);
        self.outcome.diagnostics.extend(unused);
        self.outcome
            .diagnostics
            .extend(about_addresses(metadata, &chosen.usable));
        match about_arm_spe(metadata, &chosen.usable, &chunks.trace, path) {
            Ok(found) => self.outcome.diagnostics.extend(found),
            // A host on which nothing was sampled is no reason to end the job.
            Err(error) => {
                let message = format!("{}: {}", path.display(), error.message);
                let warning = Diagnostic::warning(DiagnosticCode::NoSamples, message);
                self.outcome.diagnostics.push(warning);
            }
        }
        if KernelMemory::is_in(path) {
            let message = format!(
                "{}: the kernel's memory of `perf record --kcore` is not collected, so a profile of the traces reads the code of the kernel and of \
                 modules from their files only. It lacks runs of code across a call or jump that the kernel replaced, unless a table in the file lists \
                 the call or jump; a vmlinux lists nearly all. Make a profile of the recording itself to use the memory",
                path.display()
            );
            let note = Diagnostic::note(DiagnosticCode::KcoreUnused, message);
            self.outcome.diagnostics.push(note);
        }
        Ok(())
    }

    /// Moves the counts of the workers, which are those of one input, to the counts of the job.
    fn take_counts(
        &mut self,
        workers: &mut Workers<'_>,
        chosen: &Chosen<'_>,
        has_stacks: &mut bool,
        chunks: &mut ChunkStats,
    ) {
        let mut drained = drain(workers, chosen, has_stacks);
        chunks.add(drained.chunks);
        self.counted.take(&mut drained);
    }

    /// Returns the events whose samples count, or the error that says why no event can count.
    fn choose(&mut self, metadata: &Metadata, path: &Path) -> Result<Chosen<'a>, Error> {
        let usable = usable_events(metadata, &self.as_generate).map_err(|error| error.path(path))?;
        let mut call_chains = call_chains(metadata, &self.as_generate);
        if self.as_generate.ignore_stack_samples {
            call_chains.fill(HasCallChains::default());
        }
        let numbers = metadata.attrs.iter().zip(&call_chains).map(|(attr, call_chains)| {
            let event = Event {
                name: attr.label(),
                arch: metadata.arch.clone(),
                call_chains: *call_chains,
            };
            let known = self.events.iter().position(|known| *known == event);
            let number = known.unwrap_or_else(|| {
                self.events.push(event);
                self.events.len() - 1
            });
            EventId::try_from(number).map_err(|_| {
                Error::new(ErrorCode::Unsupported, "the recordings have more than 65536 events")
                    .hint("Collect them in several runs.")
            })
        });
        let numbers = numbers.collect::<Result<_, _>>()?;
        Ok(Chosen {
            select: &self.options.select,
            samples: self.options.samples,
            usable,
            numbers,
            call_chains,
        })
    }

    /// Notes which code was rewritten. The kernel and its modules lie in every process at the addresses that
    /// they have in the process with the number 0.
    fn note_patches(&mut self, pokes: &mut FxHashSet<TextPoke>, followed: &Followed) {
        if pokes.is_empty() {
            return;
        }
        let (mut spots, _) = Spots::new(followed, 0, Moment::START);
        for poke in pokes.drain() {
            if let Spot::In((file, _), address) = spots.find(poke.address) {
                self.patches
                    .insert((self.files.all()[file as usize].clone(), address, poke));
            }
        }
    }

    /// Returns true if nothing has been collected for the open file.
    fn is_empty(&self) -> bool {
        self.counted.is_empty() && self.patches.is_empty() && self.shard.as_ref().is_some_and(ShardFile::is_empty)
    }

    fn is_due(&self, workers: &mut Workers<'_>) -> bool {
        let Some(shard) = &self.shard else {
            return false;
        };
        match self.options.rotate {
            _ if self.is_full() => true,
            None => false,
            Some(Rotation::Every(time)) => shard.age() >= time,
            Some(Rotation::Bytes(bytes)) => {
                let room = bytes.saturating_sub(shard.bytes()) / BYTES_OF_A_ROW;
                let room = usize::try_from(room).unwrap_or(usize::MAX);
                workers.exceed(room.saturating_sub(self.counted.len()))
            }
        }
    }

    /// Returns true if the open file has as many row groups as a reader takes, and another file may follow it.
    fn is_full(&self) -> bool {
        let groups = self.shard.as_ref().map_or(0, ShardFile::groups);
        !self.options.is_one_file() && groups >= self.most_groups()
    }

    fn most_groups(&self) -> usize {
        self.options.most_groups.unwrap_or(MAX_GROUPS)
    }

    fn begin_shard(&mut self) -> Result<(), Error> {
        let path = if self.options.is_one_file() {
            self.options.output.clone()
        } else {
            new_name(&self.options.output)
        };
        self.shard = Some(ShardFile::begin(path, &self.inputs)?);
        Ok(())
    }

    fn write_rows(&mut self) -> Result<(), Error> {
        let drained = std::mem::take(&mut self.counted.rows);
        let names = Names {
            files: &self.files,
            events: &self.events,
        };
        let sampled = std::mem::take(&mut self.counted.sampled);
        let stacks = std::mem::take(&mut self.counted.stacks);
        let Some(shard) = &mut self.shard else {
            return Err(Error::new(ErrorCode::Internal, "there is no file for the rows"));
        };
        shard.write(drained, &names, self.counted.times.take())?;
        shard.write_sampled(sampled, &names)?;
        shard.write_stacks(stacks, &names)?;
        let groups = shard.groups();
        if self.options.is_one_file() && groups > self.most_groups() {
            let message = format!(
                "the traces have {groups} row groups, and a file has at most {}",
                self.most_groups()
            );
            return Err(Error::new(ErrorCode::Unsupported, message)
                .path(&self.options.output)
                .hint("Name a folder with {--output}, so that several files are written."));
        }
        Ok(())
    }

    fn finish_shard(&mut self) -> Result<(), Error> {
        self.write_rows()?;
        let tally = std::mem::take(&mut self.counted.tally);
        self.total.merge(&tally);
        self.guest_samples += std::mem::take(&mut self.counted.guest_samples);
        self.late_samples += std::mem::take(&mut self.counted.late_samples);
        let Some(shard) = self.shard.take() else {
            return Ok(());
        };
        let host = self.host.clone();
        let written = shard.finish(&self.patches, &tally, host, &self.inputs)?;
        self.patches.clear();
        self.outcome.shards.push(written);
        Ok(())
    }
}
