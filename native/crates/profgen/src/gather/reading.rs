//! Reads an input, and counts its samples.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use job::failure::recording_error;
use job::{Diagnostic, Error, Observer, Phase, Progress, check};
use perfdata::{Change, ChunkStats, Consulted, Moment, PerfData, RecordStats, Segment, TextPoke, TraceToCome};
use rustc_hash::FxHashSet;
use traceshard::Loss;

use crate::gather::about_input::about_input;
use crate::gather::chosen::Chosen;
use crate::gather::files::Followed;
use crate::gather::options::CollectOptions;
use crate::gather::output::Output;
use crate::gather::spots::{Spot, Spots};
use crate::gather::worker::{Counted, Workers};
use crate::input::events::UsableEvents;
use crate::input::usable::about_incomplete_call_chains;
use crate::request::options::GenerateOptions;

/// Number of rows in memory above which the rows of a stream are written. Equal rows in a file add up when
/// the file is read.
pub(crate) const MAX_ROWS_OF_STREAM: usize = 1 << 19;
const MAX_ROWS_OF_FILE: usize = 1 << 21;

/// Number of changes of address spaces after which a stream forgets what was before them. perf writes its buffers
/// one after the other, so a sample can come after changes that happened after it, but hardly after this many.
const MAX_CHANGES_OF_STREAM: usize = 1 << 18;

/// How an input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Samples are counted when they are read. This is given up if a later record changes the meaning of earlier
    /// samples.
    AsTheyCome {
        /// True if the file has no rows of another input yet, so that it can be begun anew. Otherwise rows
        /// cannot be taken back once they are written.
        alone: bool,
    },
    /// All other records of a file are read before its samples.
    SamplesLast,
}

/// What a job knows about all inputs.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub options: &'a CollectOptions,
    /// The options of a job that makes profiles of the same samples.
    pub as_generate: &'a GenerateOptions,
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

/// Reads an input and counts its samples. Writes the rows when they are too many, and finishes files when they are due.
///
/// Returns diagnostics about the input, or `None` if it must be read with its samples last. Then, and after an error,
/// its counts are not in the output, apart from rows that were written.
pub(crate) fn read(
    input: PerfData,
    order: Order,
    request: Request<'_>,
    path: &Path,
    output: &mut Output<'_>,
    observer: &dyn Observer,
) -> Result<Option<Vec<Diagnostic>>, Error> {
    observer.progress(Progress::start(Phase::Scan));
    let is_stream = input.size().is_none();
    let to_the_end = ToTheEnd(observer);
    // A cancelled stream ends, and the samples that were read are kept.
    let observer: &dyn Observer = if is_stream { &to_the_end } else { observer };
    let reading = Reading {
        order,
        request,
        path,
        is_stream,
        workers: Workers::new(observer, input.size().unwrap_or(0)),
        followed: Followed::new(is_stream),
        usable: None,
        stats: RecordStats::default(),
        chunks: ChunkStats::default(),
        pokes: FxHashSet::default(),
        has_stacks: false,
        lost: 0,
    };
    reading.read(input, output, observer)
}

/// The state of an input that is being read.
struct Reading<'a, 'o> {
    order: Order,
    request: Request<'a>,
    path: &'o Path,
    is_stream: bool,
    workers: Workers<'o>,
    followed: Followed,
    /// The events that counted in the first segment.
    usable: Option<UsableEvents>,
    stats: RecordStats,
    chunks: ChunkStats,
    /// Code that was rewritten, and is not noted in the output yet.
    pokes: FxHashSet<TextPoke>,
    /// True if a sample that was counted has a branch stack.
    has_stacks: bool,
    /// Number of lost records that are in the ledger of a finished file.
    lost: u64,
}

impl<'a> Reading<'a, '_> {
    /// Counts each segment while the next segment is read.
    fn read(
        mut self,
        mut input: PerfData,
        output: &mut Output<'_>,
        observer: &dyn Observer,
    ) -> Result<Option<Vec<Diagnostic>>, Error> {
        let mut segment = input.next_segment().map_err(recording_error)?;
        while let Some(current) = segment {
            let chosen = self.choose(&input, output)?;
            if self.follow(&current, &input, &chosen, output) && self.order != Order::SamplesLast {
                return Ok(None);
            }
            let count = || self.workers.add(&current, &self.followed, &chosen);
            let (next, counted) = rayon::join(|| input.next_segment(), count);
            counted?;
            segment = next.map_err(recording_error)?;
            let to_come = current.trace_to_come();
            self.note(&current);
            input.reuse(current);
            self.note_host(&input, output);
            if !self.make_room(to_come, &chosen, output)? {
                return Ok(None);
            }
            check(observer)?;
        }
        self.end(&input, output)
    }

    /// Chooses what counts, by what is known of the input now.
    fn choose(&self, input: &PerfData, output: &mut Output<'_>) -> Result<Chosen<'a>, Error> {
        Chosen::new(
            input.metadata(),
            self.request.as_generate,
            &mut output.events,
            self.path,
        )
    }

    /// Follows the changes of address spaces. Returns true if the segment shows that earlier samples were counted
    /// wrongly.
    fn follow(&mut self, segment: &Segment, input: &PerfData, chosen: &Chosen<'_>, output: &mut Output<'_>) -> bool {
        let first = self.usable.get_or_insert_with(|| chosen.usable.clone());
        let mut late = segment.events_changed() || *first != chosen.usable;
        late |= self.followed.extend(segment, input.metadata(), &mut output.files);
        if !segment.side_records().is_empty() {
            let spaces = &self.followed.spaces;
            let changed = |consulted: &Consulted| spaces.contradict(consulted, segment.side_records());
            late |= self.workers.forget_spaces(changed);
        }
        late
    }

    /// Tells the output the name of the host, as far as the input has told it.
    fn note_host(&self, input: &PerfData, output: &mut Output<'_>) {
        output.host = input.metadata().hostname.clone().filter(|_| self.request.options.host);
    }

    fn note(&mut self, segment: &Segment) {
        self.stats.add(segment.stats());
        let changes = segment.side_records().iter().map(|record| &record.change);
        self.pokes.extend(changes.filter_map(|change| match change {
            Change::Poke(poke) => Some(poke.clone()),
            _ => None,
        }));
    }

    /// Writes rows if they are too many, finishes the file if it is due, and forgets the past of a stream. Returns
    /// false if that must wait until it is known that the counts are right.
    fn make_room(
        &mut self,
        to_come: Option<TraceToCome>,
        chosen: &Chosen<'_>,
        output: &mut Output<'_>,
    ) -> Result<bool, Error> {
        let options = self.request.options;
        let usual = if self.is_stream {
            MAX_ROWS_OF_STREAM
        } else {
            MAX_ROWS_OF_FILE
        };
        let most = options.most_rows.unwrap_or(usual);
        if self.workers.exceed(most.saturating_sub(output.counted.len())) {
            if self.order == (Order::AsTheyCome { alone: false }) {
                return Ok(false);
            }
            self.hand_over(chosen, output);
            output.write_rows()?;
        }
        if output.is_due(&mut self.workers) {
            if self.order != Order::SamplesLast {
                return Ok(false);
            }
            self.hand_over(chosen, output);
            self.hand_over_losses(output);
            output.next_file()?;
        }
        // If a trace is read in the end, its samples are of all times.
        let needs_past = !self.is_stream || to_come.is_some_and(|to_come| to_come.in_the_end);
        let most = options.most_changes.unwrap_or(MAX_CHANGES_OF_STREAM);
        if !needs_past && self.followed.has_long_past(most) {
            // The counts name files by their present numbers.
            self.hand_over(chosen, output);
            self.note_patches(output);
            output.write_rows()?;
            let needed = to_come.map(|to_come| to_come.earliest);
            self.followed.forget_past(&mut output.files, needed, 2 * most);
            self.workers.forget_spaces(|_| false);
        }
        Ok(true)
    }

    /// Moves the last counts to the output.
    fn end(mut self, input: &PerfData, output: &mut Output<'_>) -> Result<Option<Vec<Diagnostic>>, Error> {
        let Request { options, as_generate } = self.request;
        let metadata = input.metadata();
        let chosen = self.choose(input, output)?;
        let is_sure = self.order == Order::SamplesLast;
        if !is_sure && self.usable.as_ref().is_some_and(|usable| *usable != chosen.usable) {
            return Ok(None);
        }
        let mut drained = self.drain(&chosen);
        let incomplete = chosen.uses_call_chains() && self.chunks.incomplete_call_chains > 0;
        // The missing part of a call chain may stand far after its sample.
        if incomplete && !is_sure {
            return Ok(None);
        }
        let read = (&self.stats, &self.chunks);
        let found = about_input(metadata, as_generate, &chosen, read, self.path, options.strict)?;
        let call_chains = incomplete.then(|| about_incomplete_call_chains(self.chunks, self.path));
        self.note_host(input, output);
        output.counted.take(&mut drained);
        self.hand_over_losses(output);
        Ok(Some(call_chains.into_iter().chain(found).collect()))
    }

    /// Takes the counts out of the workers.
    ///
    /// If a sample of an input has a branch stack, the addresses of its samples without one never count.
    fn drain(&mut self, chosen: &Chosen<'_>) -> Counted {
        let mut drained = Counted::default();
        self.workers.drain_into(&mut drained);
        self.has_stacks |= drained.tally.get(Loss::BranchSamples) > 0;
        if self.has_stacks && !chosen.usable.addresses {
            drained.forget_addresses();
        }
        self.chunks.add(drained.chunks);
        drained
    }

    /// Moves the counts of the workers to the output.
    fn hand_over(&mut self, chosen: &Chosen<'_>, output: &mut Output<'_>) {
        output.counted.take(&mut self.drain(chosen));
    }

    /// Moves what the kernel lost and rewrote to the output.
    fn hand_over_losses(&mut self, output: &mut Output<'_>) {
        let lost = self.stats.lost();
        output.counted.tally.add(Loss::LostRecords, lost - self.lost);
        self.lost = lost;
        self.note_patches(output);
    }

    /// Notes which code was rewritten. The kernel and its modules lie in every process at the addresses that
    /// they have in the process with the number 0.
    fn note_patches(&mut self, output: &mut Output<'_>) {
        if self.pokes.is_empty() {
            return;
        }
        let (mut spots, _) = Spots::new(&self.followed, 0, Moment::START);
        for poke in self.pokes.drain() {
            if let Spot::In((file, _), address) = spots.find(poke.address) {
                let file = output.files.all()[file as usize].clone();
                output.patches.insert((file, address, poke));
            }
        }
    }
}
